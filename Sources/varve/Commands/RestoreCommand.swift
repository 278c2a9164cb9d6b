internal import ArgumentParser
internal import Bytes
internal import Operations
internal import Reports
internal import Restoring
internal import Snapshots
internal import Trees

extension OverwritePolicy: ExpressibleByArgument {}

struct RestoreCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Bring a snapshot, or a part of it, back into a directory.",
        discussion: """
            The target becomes equal to the source of the snapshot, or to the directory that the \
            path names; a single file becomes the target, or is put into it if it is a directory. \
            What the target has besides stays, unless --delete is given; so does a directory with \
            something in it, or a file, that has the name of something of another kind. Files \
            that are there are compared by hash, and only regions that differ are written, so a \
            restore that was interrupted can be run again and does the rest. Nothing outside the \
            target is touched, whatever symlinks are in it, and nothing is deleted that is mounted \
            in it, nor sockets.

            Modes, times, attributes and ACLs always come back; owners when root restores, set-uid \
            and set-gid bits and file capabilities only with --same-permissions, devices only with \
            --devices. What the target cannot hold of these is listed, and the content is restored.

            With --table a Delta Lake table is restored: into a new directory (--target), or in \
            its place (--in-place), where readers go on reading. In place files that are missing \
            are brought back, what is there is never written, and one commit makes the table equal \
            to the snapshot: a new version, so that the restore can be undone.

            Exit status 3 says that some paths, or something of them, could not be restored, or \
            that the snapshot itself lacks something; it is listed, and everything else is there.

            Examples:
              varve restore latest --target /data/store
              varve restore latest~1:tables/orders --target /tmp/orders --verify
              varve restore @2026-11-20 --target /data/store --delete --dry-run
              varve restore latest --table orders --in-place --dry-run
            """
    )

    @Argument(
        help: ArgumentHelp(
            "A snapshot, and a directory or file in it.",
            valueName: "snapshot[:path]"
        )
    )
    var place: SnapshotPathArgument

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where to restore to; made if need be.", valueName: "directory"),
        completion: .directory
    )
    var target: ByteArgument?

    @OptionGroup(title: "Restoring a table") var tableOptions: TableOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Restore only what matches, in the syntax of gitignore(5); may be repeated.",
            valueName: "pattern"
        )
    )
    var include: [ByteArgument] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Do not restore what matches; may be repeated.",
            valueName: "pattern"
        )
    )
    var exclude: [ByteArgument] = []

    @Option(
        help: ArgumentHelp(
            "What happens to files that are there.",
            discussion: """
                always compares them by hash, if-changed takes those of equal size and time to be \
                equal, never leaves them alone.
                """,
            valueName: "policy"
        )
    )
    var overwrite = OverwritePolicy.always

    @Flag(help: "Remove from the target what the snapshot does not have.")
    var delete = false

    @Flag(name: [.customShort("n"), .long], help: "Show what would be done, and do nothing.")
    var dryRun = false

    @Flag(help: "Read back what was written, and compare.")
    var verify = false

    @Flag(help: "Restore set-uid and set-gid bits and file capabilities too.")
    var samePermissions = false

    @Flag(help: "Restore device files too.")
    var devices = false

    @Flag(help: "Wait until everything is on the disk.")
    var sync = false

    @Option(
        help: ArgumentHelp("Write at most this much a second, such as 50M.", valueName: "size")
    )
    var limitRate: SizeArgument?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let limitRate, limitRate.count.bytes == 0 {
            throw ValidationError("The value of '--limit-rate' must not be zero.")
        }
        guard target?.bytes.isEmpty != true else {
            throw ValidationError("The value of '--target' must not be empty.")
        }
        guard target != nil || tableOptions.inPlace else {
            throw ValidationError("Missing expected argument '--target <directory>'")
        }
        try tableOptions.validate(
            others: !include.isEmpty || !exclude.isEmpty || delete || overwrite != .always
        )
    }

    func run(_ console: Console) throws {
        let snapshot = try place.parsed()
        if let table = tableOptions.table { return try restore(table, of: snapshot, console) }
        guard let target else { return }
        var request = RestoreRequest(
            snapshot, from: try repository.access(), to: target.bytes, options)
        request.host = selection.host?.bytes
        let restored = try ProgressDisplay.showing(console) { progress throws in
            try request.run(progress) { try console.print($0) }
        }
        try print(restored, console)
    }

    private func restore(
        _ table: ByteArgument, of snapshot: SnapshotPath, _ console: Console
    ) throws {
        let choice = tableOptions.parsed(
            isDryRun: dryRun, verifies: verify, limitRate: limitRate)
        var request = TableRestoreRequest(
            table.bytes, of: snapshot, from: try repository.access(), to: target?.bytes,
            isInPlace: tableOptions.inPlace, choice, files: options)
        request.host = selection.host?.bytes
        let outcome = try ProgressDisplay.showing(console) { progress throws in
            try request.run(progress) { try console.print($0) }
        }
        switch outcome {
        case .files(let restored): try print(restored, console)
        case .table(let restored):
            try console.print(TableRestoreReport(restored, isDryRun: dryRun).report)
        }
    }

    private func print(_ restored: Restored, _ console: Console) throws {
        console.status = restored.result.isComplete ? .done : .partial
        try console.print(RestoreReport(restored, isDryRun: dryRun).report)
    }

    /// What files are restored with.
    private var options: RestoreOptions {
        var options = RestoreOptions()
        options.include =
            include.isEmpty ? nil : ExcludePatterns(lines: include.map(\.bytes))
        options.exclude = exclude.isEmpty ? nil : ExcludePatterns(lines: exclude.map(\.bytes))
        options.overwrite = overwrite
        options.deletes = delete
        options.isDryRun = dryRun
        options.verifies = verify
        options.attributes.setsSetID = samePermissions
        options.restoresDevices = devices
        options.syncs = sync
        options.bytesPerSecond = limitRate?.count.bytes
        return options
    }
}
