internal import Bytes

// Where a repository lies, as a user writes it (after scp(1) and git(1)):
//
//     path                               /backup/repo, repo, ./a:b
//     ssh://[user@]host[:port]/path      ssh://backup@[2001:db8::1]:2222/srv/repo
//     host:path, user@host:path          nas:backup/repo, nas:~/repo
//
// A name with a colon before any slash is on another host, as for scp; "./" before it makes it a
// path. After `ssh://host` the path is absolute, except that "/~/" begins at the home directory.
// Host and user become arguments of ssh: those that begin with '-' would be options, so they are
// refused, and so is everything that no host or user is called. The path is sent in the protocol
// and never seen by a shell.

/// Where a repository lies.
package enum RepositoryLocation: Equatable, Sendable {
    case directory([UInt8])
    case remote(RemoteLocation)

    /// Reads what a user wrote.
    package init(parsing text: [UInt8]) throws(LocationError) {
        guard !text.isEmpty else { throw LocationError("a repository's name is empty") }
        let scheme = Array("ssh://".utf8)
        if text.starts(with: scheme) {
            self = .remote(try RemoteLocation(parsingURL: text[scheme.count...]))
            return
        }
        if let colon = text.firstIndex(of: UInt8(ascii: ":")),
            !text[..<colon].contains(PathBytes.separator)
        {
            if text[colon...].starts(with: "://".utf8) {
                throw LocationError("only ssh:// is known, not \(PathBytes.printable(text))")
            }
            self = .remote(try RemoteLocation(parsingShort: text))
            return
        }
        self = .directory(text)
    }
}

extension RepositoryLocation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .directory(let path): PathBytes.printable(path)
        case .remote(let remote): remote.description
        }
    }
}

/// A text that names no place where a repository could lie.
package struct LocationError: Error, Equatable {
    package var message: String
    init(_ message: String) { self.message = message }
}

/// A directory on another host.
package struct RemoteLocation: Equatable, Sendable {
    package var user: [UInt8]?
    /// A name or address, without brackets.
    package var host: [UInt8]
    package var port: UInt16?
    /// As the other side understands it: relative ones begin at the home directory there.
    package var path: [UInt8]

    private static let pathLimit = 4096
    private static let nameLimit = 255

    /// `[user@]host[:port]/path`.
    fileprivate init(parsingURL text: ArraySlice<UInt8>) throws(LocationError) {
        guard let slash = text.firstIndex(of: PathBytes.separator) else {
            throw LocationError("a path is missing after ssh://\(PathBytes.printable(text))")
        }
        var path = Array(text[slash...])
        if path.starts(with: "/~/".utf8) { path.removeFirst() }
        let (user, rest) = Self.splitUser(text[..<slash])
        let (host, port) = try Self.splitPort(rest)
        self = try Self(user: user, host: host, port: port, path: path)
    }

    /// `[user@]host:path`.
    fileprivate init(parsingShort text: [UInt8]) throws(LocationError) {
        // The sign counts only before the colon: a path may have one too.
        let head = text.prefix { $0 != UInt8(ascii: ":") }
        let (user, host) = Self.splitUser(head)
        let rest = text[host.startIndex...]
        let (name, end) = Self.endOfHost(rest)
        self = try Self(
            user: user, host: Array(name), port: nil, path: Array(rest[end...].dropFirst()))
    }

    /// The host at the beginning, without brackets, and where its colon stands.
    private static func endOfHost(_ text: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, Int) {
        if text.first == UInt8(ascii: "["), let close = text.firstIndex(of: UInt8(ascii: "]")),
            close + 1 < text.endIndex, text[close + 1] == UInt8(ascii: ":")
        {
            return (text[(text.startIndex + 1)..<close], close + 1)
        }
        let end = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
        return (text[..<end], end)
    }

    private init(
        user: [UInt8]?, host: [UInt8], port: UInt16?, path: [UInt8]
    ) throws(LocationError) {
        try Self.check(host, "host", UInt8(ascii: ":"))
        let backslash: UInt8 = 0x5c
        if let user { try Self.check(user, "user", backslash) }
        var path = path
        if path.starts(with: "~/".utf8) { path.removeFirst(2) }
        while path.count > 1, path.last == PathBytes.separator { path.removeLast() }
        guard !path.isEmpty, path != [UInt8(ascii: "~")] else {
            throw LocationError("the path on \(PathBytes.printable(host)) is missing")
        }
        guard path.count <= Self.pathLimit, !path.contains(where: { $0 < 0x20 || $0 == 0x7f })
        else {
            throw LocationError(
                "the path on \(PathBytes.printable(host)) is too long or has control characters")
        }
        self.user = user
        self.host = host
        self.port = port
        self.path = path
    }

    private static func splitUser(
        _ text: ArraySlice<UInt8>
    ) -> (user: [UInt8]?, rest: ArraySlice<UInt8>) {
        guard let sign = text.lastIndex(of: UInt8(ascii: "@")) else { return (nil, text) }
        return (Array(text[..<sign]), text[(sign + 1)...])
    }

    private static func splitPort(
        _ text: ArraySlice<UInt8>
    ) throws(LocationError) -> (host: [UInt8], port: UInt16?) {
        var host = text
        var digits: ArraySlice<UInt8>?
        if text.first == UInt8(ascii: "[") {
            guard let close = text.firstIndex(of: UInt8(ascii: "]")) else {
                throw LocationError("a bracket is open in \(PathBytes.printable(text))")
            }
            host = text[(text.startIndex + 1)..<close]
            let rest = text[(close + 1)...]
            guard rest.isEmpty || rest.first == UInt8(ascii: ":") else {
                throw LocationError("after the bracket of an address comes its port")
            }
            digits = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
            host = text[..<colon]
            digits = text[(colon + 1)...]
        }
        guard let digits else { return (Array(host), nil) }
        let number = String(decoding: digits, as: UTF8.self)
        guard digits.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(number), port > 0
        else { throw LocationError("\(PathBytes.printable(digits)) is no port") }
        return (Array(host), port)
    }

    /// Letters, digits, '.', '-', '_', one more sign, and what is not ASCII.
    private static func check(
        _ name: [UInt8], _ what: String, _ sign: UInt8
    ) throws(LocationError) {
        guard !name.isEmpty, name.count <= nameLimit else {
            throw LocationError("the \(what) is \(name.isEmpty ? "missing" : "too long")")
        }
        guard name.first != UInt8(ascii: "-") else {
            throw LocationError("a \(what) cannot begin with '-'")
        }
        let isRight = name.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x80...0xff: true
            case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                UInt8(ascii: "@"), UInt8(ascii: "%"), sign:
                true
            default: false
            }
        }
        guard isRight else {
            throw LocationError("\(PathBytes.printable(name)) is no name of a \(what)")
        }
    }

    /// What ssh is told to connect to.
    package var destination: [UInt8] { (user.map { $0 + [UInt8(ascii: "@")] } ?? []) + host }
}

extension RemoteLocation: CustomStringConvertible {
    package var description: String {
        let isAddress = host.contains(UInt8(ascii: ":"))
        let name = PathBytes.printable(host)
        let user = user.map { PathBytes.printable($0) + "@" } ?? ""
        let port = port.map { ":\($0)" } ?? ""
        let start = path.first == PathBytes.separator ? "" : "/~/"
        return "ssh://" + user + (isAddress ? "[\(name)]" : name) + port + start
            + PathBytes.printable(path)
    }
}
