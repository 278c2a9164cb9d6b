internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Remote
internal import Serving

struct ServeCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve repositories to a varve on another host.",
        discussion: """
            The other varve starts this through ssh; nobody types it. In authorized_keys(5), as a \
            forced command, its options say what the owner of a key may do. They count alone: \
            whatever else the client asks ssh to run is not looked at.

            Examples:
              varve serve --stdio --path /srv/backup --append-only
              command="varve serve --stdio --path /srv/backup --append-only",restrict ssh-ed25519 …
            """
    )

    @Flag(help: "Speak through standard input and output.")
    var stdio = false

    @Option(
        help: ArgumentHelp(
            "Serve this directory and what lies below it; else any path the user may open.",
            valueName: "directory"
        ),
        completion: .directory
    )
    var path: ByteArgument?

    @Flag(help: "Let nothing be changed.")
    var readOnly = false

    @Flag(help: "Let snapshots be added, and nothing be removed.")
    var appendOnly = false

    @Flag(help: "Let the directory be kept equal to a store, and nothing else.")
    var replica = false

    @Flag(help: "Let the directory be synced with another store, and nothing else.")
    var sync = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard stdio else {
            throw ValidationError("Only '--stdio' is known: varve does not listen on a network.")
        }
        if replica, readOnly || appendOnly {
            throw ValidationError(
                "A replica is written and cleaned: '--replica' goes with neither '--read-only' nor "
                    + "'--append-only'."
            )
        }
        if sync, readOnly || appendOnly || replica {
            throw ValidationError(
                "A store that is synced is written and cleaned: '--sync' goes with neither "
                    + "'--read-only' nor '--append-only' nor '--replica'."
            )
        }
        if let path, path.bytes.isEmpty {
            throw ValidationError("The value of '--path' must not be empty.")
        }
    }

    func run(_ console: Console) throws {
        guard !Descriptor.isTerminal(0), !Descriptor.isTerminal(1) else {
            throw UsageError(
                "this speaks to another varve, not to a terminal",
                "Name a repository as ssh://host/path on the other host; it starts this by itself."
            )
        }
        // Before a byte of the client is read, so that it cannot choose what the path leads to.
        let place = try ServedPlace(root: path?.bytes, mayBeMissing: replica || sync)
        let policy = ServePolicy(
            isReadOnly: readOnly,
            isAppendOnly: appendOnly,
            isReplicaOnly: replica,
            isSyncOnly: sync
        )
        let service = SessionService()
        let server = WireServer(try PipePair.standard(), policy, service) { hello in
            try service.open(hello, place, policy)
        }
        try server.run()
        try Interruption.check()
    }
}
