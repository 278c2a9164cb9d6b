import Bytes
import Platform
import Remote
import Testing
import TestSupport

/// What is asked of ssh, from what `ssh -G` prints.
struct SSHPlanTests {
    /// A program called ssh that prints these lines.
    private func plan(_ lines: [String], status: Int = 0) throws -> SSHCommand.Plan {
        let directory = try TemporaryDirectory()
        let text = "#!/bin/sh\ncat <<END\n\(lines.joined(separator: "\n"))\nEND\nexit \(status)\n"
        let program = try directory.write(Array(text.utf8), "ssh")
        try FileOperations.setMode(program, 0o755, at: Descriptor.workingDirectory)
        let ssh = SSHCommand(words: [program], remoteVarve: [Array("varve".utf8)])
        guard case .remote(let remote) = try RepositoryLocation(parsing: Array("h:/a".utf8)) else {
            return SSHCommand.Plan()
        }
        return ssh.plan(for: remote)
    }

    @Test func `Lines that are for logins are switched off, if this ssh knows them`() throws {
        #expect(
            try plan([
                "remotecommand tmux attach", "sessiontype none", "stdinnull yes",
                "forkafterauthentication yes", "ciphers a,b",
            ]).options == [
                "forkafterauthentication=no", "remotecommand=none", "sessiontype=default",
                "stdinnull=no",
            ])
        #expect(
            try plan([
                "remotecommand none", "sessiontype default", "stdinnull no",
                "forkafterauthentication no",
            ]).options.isEmpty)
        #expect(try plan(["user me"]).options.isEmpty, "an old ssh")
        #expect(try plan([], status: 255).options == ["RemoteCommand=none"])
    }
}
