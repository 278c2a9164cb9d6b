internal import ArgumentParser
internal import Bytes
internal import Operations
internal import Platform
internal import Remote

/// Which repository a command is about.
struct RepositoryOptions: ParsableArguments {
    @Option(
        name: [.customShort("r"), .long],
        help: ArgumentHelp(
            "The repository: a directory, ssh://[user@]host[:port]/path or host:path.",
            discussion: "VARVE_REPO names it otherwise.",
            valueName: "repo"
        ),
        completion: .directory
    )
    var repo: ByteArgument?

    @OptionGroup var remote: RemoteOptions

    /// Where the repository lies.
    private func location() throws(UsageError) -> RepositoryLocation {
        let given = repo?.bytes ?? HostSystem.variable("VARVE_REPO") ?? []
        guard !given.isEmpty else {
            throw UsageError(
                "no repository is named",
                "Name one with --repo, or set VARVE_REPO."
            )
        }
        return try Self.location(given)
    }

    private static func location(_ given: [UInt8]) throws(UsageError) -> RepositoryLocation {
        do throws(LocationError) {
            return try RepositoryLocation(parsing: given)
        } catch {
            throw UsageError(
                error.message,
                "Write /path, ssh://[user@]host[:port]/path or host:path; a directory whose name "
                    + "has a colon as ./name."
            )
        }
    }

    /// The repository that is named, and how it is reached.
    func access() throws(UsageError) -> RepositoryAccess {
        RepositoryAccess(try location(), try remote.command())
    }

    /// Another repository, which is reached the same way.
    func access(to other: ByteArgument) throws(UsageError) -> RepositoryAccess {
        RepositoryAccess(try Self.location(other.bytes), try remote.command())
    }
}

/// How another host is reached.
struct RemoteOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What runs in place of ssh, such as 'ssh -i key'; no shell reads it.",
            discussion: "VARVE_SSH_COMMAND names it otherwise.",
            valueName: "command"
        )
    )
    var sshCommand: ByteArgument?

    @Option(
        help: ArgumentHelp(
            "What runs varve on the other host, such as /opt/bin/varve or 'sudo varve'.",
            valueName: "command"
        )
    )
    var remoteVarve: ByteArgument?

    /// The command that connects to another host.
    func command() throws(UsageError) -> SSHCommand {
        var command = SSHCommand.standard
        if let text = sshCommand?.bytes ?? HostSystem.variable("VARVE_SSH_COMMAND"),
            !text.isEmpty
        {
            command.words = try Self.split(text, "--ssh-command")
        }
        if let text = remoteVarve?.bytes ?? HostSystem.variable("VARVE_REMOTE_VARVE"),
            !text.isEmpty
        {
            command.remoteVarve = try Self.split(text, "--remote-varve")
        }
        return command
    }

    private static func split(_ text: [UInt8], _ option: String) throws(UsageError) -> [[UInt8]] {
        do throws(LocationError) {
            return try CommandWords.split(text)
        } catch {
            throw UsageError(
                "\(option): \(error.message)",
                "Write words with blanks between them; quote what has blanks inside."
            )
        }
    }
}
