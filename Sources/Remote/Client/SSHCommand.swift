package import Wire
internal import Bytes
internal import Platform
internal import SystemPackage

// ssh is the system's, so the user's configuration, agent and known hosts apply:
//
//     ssh -T -o Compression=no [-c CIPHERS] [-p PORT] -- [USER@]HOST varve serve --stdio
//
// What is sent is compressed already. Ciphers: AES-GCM costs about half of what others cost where
// the processor has instructions for it, and ssh before 10.0 prefers others; so it is asked for
// first, unless somebody configured ciphers for this host. That is found out without a round trip:
// `ssh -G HOST` prints what ssh would use, `ssh -F none -G HOST` what it would use without any
// configuration; both run at the same time and take some milliseconds. Where they differ, or either
// fails, nothing is asked for.
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

    package init(words: [[UInt8]], remoteVarve: [[UInt8]]) {
        self.words = words
        self.remoteVarve = remoteVarve
    }

    private static let gcm = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"]

    /// Whether the program is OpenSSH's, as far as its name tells.
    private var isOpenSSH: Bool {
        words.first.map { PathBytes.name($0).elementsEqual("ssh".utf8) } ?? false
    }

    /// All arguments, the program first.
    package func arguments(for location: RemoteLocation, ciphers: String?) -> [[UInt8]] {
        var arguments = words
        if isOpenSSH {
            arguments += ["-T", "-o", "Compression=no"].map { Array($0.utf8) }
            if let ciphers { arguments += ["-c", ciphers].map { Array($0.utf8) } }
        }
        if let port = location.port { arguments += ["-p", "\(port)"].map { Array($0.utf8) } }
        if isOpenSSH { arguments.append(Array("--".utf8)) }
        arguments.append(location.destination)
        arguments += remoteVarve.map(CommandWords.quoted)
        return arguments + ["serve", "--stdio"].map { Array($0.utf8) }
    }

    /// The ciphers to ask for; nil where the user's choice, or none, is to stand.
    package func ciphers(for location: RemoteLocation) -> String? {
        guard isOpenSSH, HostSystem.hasAES else { return nil }
        let port = location.port.map { ["-p", "\($0)"].map { Array($0.utf8) } } ?? []
        let host = port + ["-G", "--"].map { Array($0.utf8) } + [location.destination]
        let none = ["-F", "none"].map { Array($0.utf8) }
        guard let configured = try? ChildProcess(words + host),
            let plain = try? ChildProcess(words.prefix(1) + none + host),
            let used = Self.ciphers(configured), let usual = Self.ciphers(plain), used == usual
        else { return nil }
        let others = used.filter { !Self.gcm.contains($0) }
        let known = Self.gcm.filter(used.contains)
        return known.isEmpty ? nil : (known + others).joined(separator: ",")
    }

    private static func ciphers(_ process: ChildProcess) -> [String]? {
        var text: [UInt8] = []
        process.pipes.closeOutput()
        while text.count < 256 << 10,
            case .bytes(let more)? = try? process.pipes.read(64 << 10, within: .seconds(5))
        {
            text += more
        }
        guard process.finish(within: .seconds(1)) == .exited(0) else { return nil }
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count == 2, words[0] == "ciphers" else { continue }
            return words[1].split(separator: ",").map(String.init)
        }
        return nil
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
                arguments(for: location, ciphers: ciphers(for: location)))
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
