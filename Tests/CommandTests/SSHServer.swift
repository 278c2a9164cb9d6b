import Foundation
import Platform
import Testing
import TestSupport

/// An sshd of its own on a free port of this host, with keys and configuration in the workshop.
///
/// Nothing of the host's or the user's ssh configuration is read or changed.
final class SSHServer {
    private let workshop: Workshop
    /// Not a `Process` of Foundation: sshd closes all descriptors that it inherits, and Foundation
    /// takes the end of one of them for the end of the program, and waits for that.
    private var running: ChildProcess?
    private(set) var port = 0

    static let program = "/usr/sbin/sshd"

    /// Starts it; `options` stand before the key in authorized_keys.
    init(_ workshop: Workshop, options: String = "") throws {
        self.workshop = workshop
        let made = try workshop.shell(
            """
            set -e
            # As root, sshd wants this directory, which the system makes when it starts its own.
            [[ $(id -u) != 0 || -d /run/sshd ]] || mkdir -m 755 /run/sshd
            ssh-keygen -q -t ed25519 -N '' -f host
            ssh-keygen -q -t ed25519 -N '' -f key
            ssh-keygen -q -t ed25519 -N '' -f other
            """
        )
        try #require(made.status == 0, "\(made.errorText)")
        try authorize(options)
        for _ in 0..<20 {
            port = Int.random(in: 20_000...60_000)
            if try start() { return }
        }
        throw ToolError.failed("sshd", 1)
    }

    /// Writes authorized_keys anew.
    func authorize(_ options: String) throws {
        let key = try String(
            contentsOf: workshop.directory.appendingPathComponent("key.pub"),
            encoding: .utf8
        )
        try workshop.write("authorized_keys", options.isEmpty ? key : options + " " + key)
    }

    private func start() throws -> Bool {
        let path = workshop.path
        try workshop.write(
            "sshd_config",
            """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(path)/host
            PidFile none
            AuthorizedKeysFile \(path)/authorized_keys
            StrictModes no
            UsePAM no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            PermitRootLogin prohibit-password
            MaxStartups 100

            """
        )
        try workshop.write(
            "ssh_config",
            """
            Host *
                Port \(port)
                IdentityFile \(path)/key
                IdentitiesOnly yes
                UserKnownHostsFile \(path)/known_hosts
                GlobalKnownHostsFile none
                BatchMode yes

            """
        )
        try? FileManager.default.removeItem(atPath: path + "/sshd_log")
        let arguments = [
            Self.program, "-D", "-f", path + "/sshd_config", "-E", path + "/sshd_log",
        ]
        let running = try ChildProcess(arguments.map { Array($0.utf8) })
        for _ in 0..<250 {
            let log = (try? String(contentsOfFile: path + "/sshd_log", encoding: .utf8)) ?? ""
            if log.contains("Server listening") {
                self.running = running
                let known = "echo \"[127.0.0.1]:\(port) $(cut -d' ' -f1,2 host.pub)\" >known_hosts"
                return try workshop.shell(known).status == 0
            }
            guard running.end == nil else { return false }
            HostSystem.sleep(.milliseconds(20))
        }
        return false
    }

    /// Lines for the head of a script: `$remote` is this directory, as the other host has it.
    var setup: String {
        """
        export VARVE_SSH_COMMAND="ssh -F $PWD/ssh_config" VARVE_REMOTE_VARVE="$varve"
        export XDG_CACHE_HOME="$PWD/cache"
        remote=ssh://127.0.0.1:\(port)$PWD

        """
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs the test only where sshd is installed, or required.
    static var needsSSHServer: Self {
        let isThere = FileManager.default.isExecutableFile(atPath: SSHServer.program)
        let isRequired = ProcessInfo.processInfo.environment["VARVE_REQUIRE_TOOLS"] == "1"
        return .enabled(if: isThere || isRequired, "sshd is not installed")
    }
}
