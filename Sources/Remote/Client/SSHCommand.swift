internal import Bytes
internal import Platform
internal import SystemPackage
package import Wire

// ssh is the system's, so the user's configuration, agent and known hosts apply:
//
//     ssh -T -o Compression=no -o PermitLocalCommand=no -o ClearAllForwardings=yes
//         [-o RemoteCommand=none …] [-c CIPHERS] [-p PORT] -- [USER@]HOST varve serve --stdio
//
// Lines of the configuration that are for logins would print into the conversation, take its place
// or fail beside a login that is there: they are switched off, as scp and sftp do. Options that old
// versions do not know are only named where `ssh -G HOST` shows that this version knows them.
//
// What is sent is compressed already. Ciphers: AES-GCM costs about half of what others cost where
// the processor has instructions for it, and ssh before 10.0 prefers others; so it is asked for
// first, unless somebody configured ciphers for this host. That is found out without a round trip:
// `ssh -G HOST` prints what ssh would use, `ssh -F none -G HOST` what it would use without any
// configuration; both run at the same time and take some milliseconds. Where they differ, or either
// fails, no ciphers are asked for.
//
// A command of the user's own is used as it is where its program is not called ssh: such a program
// may not know these options. Only port, host and remote command follow.

/// How another host is reached.
package struct SSHCommand: Sendable {
    /// The program and its first arguments.
    package var words: [[UInt8]]
    /// What runs varve on the other side: words for its shell, each quoted where it must be.
    package var remoteVarve: [[UInt8]]

    /// The system's ssh, and the varve that the remote shell finds.
    package static let standard = SSHCommand(
        words: [Array("ssh".utf8)], remoteVarve: [Array("varve".utf8)])

    /// The command that reaches a host, and what is run there.
    package init(words: [[UInt8]], remoteVarve: [[UInt8]]) {
        self.words = words
        self.remoteVarve = remoteVarve
    }

    private static let gcm = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]

    /// Whether the program is OpenSSH's, as far as its name tells.
    private var isOpenSSH: Bool {
        words.first.map { PathBytes.name($0).elementsEqual("ssh".utf8) } ?? false
    }

    /// What `ssh -G` shows of how ssh would reach a host.
    package struct Plan: Equatable, Sendable {
        /// To be asked for, best first; nil where the user's choice, or none, is to stand.
        package var ciphers: String?
        /// Options that undo lines of the configuration which are for logins.
        package var options: [String]

        /// A plan for a connection.
        package init(ciphers: String? = nil, options: [String] = []) {
            self.ciphers = ciphers
            self.options = options
        }
    }

    /// All arguments, the program first.
    package func arguments(for location: RemoteLocation, _ plan: Plan) -> [[UInt8]] {
        var arguments = words
        if isOpenSSH {
            let options = ["Compression=no"] + Self.always + plan.options
            arguments += (["-T"] + options.flatMap { ["-o", $0] }).map { Array($0.utf8) }
            if let ciphers = plan.ciphers {
                arguments += ["-c", ciphers].map { Array($0.utf8) }
            }
        }
        if let port = location.port { arguments += ["-p", "\(port)"].map { Array($0.utf8) } }
        if isOpenSSH { arguments.append(Array("--".utf8)) }
        arguments.append(location.destination)
        arguments += remoteVarve.map(CommandWords.quoted)
        return arguments + ["serve", "--stdio"].map { Array($0.utf8) }
    }

    /// Known to every version that is in use.
    private static let always = ["PermitLocalCommand=no", "ClearAllForwardings=yes"]

    /// Options of later versions, with the value that a conversation needs.
    private static let needed = [
        "remotecommand": "none", "sessiontype": "default", "stdinnull": "no",
        "forkafterauthentication": "no",
    ]

    /// Asks ssh what it would do; without OpenSSH's ssh, nothing is known.
    package func plan(for location: RemoteLocation) -> Plan {
        guard isOpenSSH else { return Plan() }
        let port = location.port.map { ["-p", "\($0)"].map { Array($0.utf8) } } ?? []
        let host = port + ["-G", "--"].map { Array($0.utf8) } + [location.destination]
        let none = ["-F", "none"].map { Array($0.utf8) }
        guard let configured = try? ChildProcess(words + host) else { return Plan() }
        let plain =
            HostSystem.hasAES ? try? ChildProcess(words.prefix(1) + none + host) : nil
        guard let used = Self.settings(configured) else {
            // Known since OpenSSH 7.6.
            return Plan(options: ["RemoteCommand=none"])
        }
        let options = Self.needed.filter { name, value in used[name] ?? value != value }
            .map { "\($0.key)=\($0.value)" }
        let usual = plain.flatMap(Self.settings)
        return Plan(ciphers: Self.ciphers(used, usual: usual), options: options.sorted())
    }

    /// The ciphers to ask for, from what ssh would use with the user's configuration and without.
    private static func ciphers(_ used: [String: String], usual: [String: String]?) -> String? {
        guard let usual, let all = used["ciphers"], all == usual["ciphers"] else { return nil }
        let names = all.split(separator: ",").map(String.init)
        let known = gcm.filter(names.contains)
        let others = names.filter { !gcm.contains($0) }
        return known.isEmpty ? nil : (known + others).joined(separator: ",")
    }

    /// What `ssh -G` printed: a name and its value in each line; the first of a name counts.
    private static func settings(_ process: ChildProcess) -> [String: String]? {
        var text: [UInt8] = []
        process.pipes.closeOutput()
        while text.count < 256 << 10,
            case .bytes(let more)? = try? process.pipes.read(64 << 10, within: .seconds(5))
        {
            text += more
        }
        guard process.finish(within: .seconds(1)) == .exited(0) else { return nil }
        var settings: [String: String] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { continue }
            let name = words[0].lowercased()
            if settings[name] == nil { settings[name] = String(words[1]) }
        }
        return settings
    }

    /// Connects, and lets the other side open or make the storage that `location` names.
    package func connect(
        to location: RemoteLocation, _ purpose: ClientHello.Purpose,
        deadlines: WireDeadlines = .standard
    ) throws(ConnectionError) -> Connection {
        let name = "\(location)"
        let child: ChildProcess
        do throws(PlatformError) {
            child = try ChildProcess(
                arguments(for: location, plan(for: location)))
        } catch {
            let isMissing = error.errno == .noSuchFileOrDirectory
            let program = PathBytes.printable(words.first ?? [])
            throw ConnectionError(
                .unreachable, name, isMissing ? "\(program) is not installed" : "\(error)")
        }
        return try Connection(
            child.pipes, child: child, location: name, purpose, path: location.path,
            deadlines: deadlines
        ) { end, errors in
            SSHFailure.explain(end, errors, name)
        }
    }
}
