internal import ArgumentParser
internal import Operations
internal import Repository
internal import Snapshots

/// How a snapshot is found by its name.
struct SelectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where a snapshot is named by \"latest\" or a time: look only at those of this host.",
            valueName: "name"
        )
    )
    var host: ByteArgument?

    /// Finds the snapshot; tells of others that cannot be read and so were not considered.
    func find(
        _ selector: SnapshotSelector, in repository: Repository, _ console: Console
    ) throws -> SelectedSnapshot {
        try selector.find(in: repository, host: host?.bytes) { try console.print($0) }
    }
}

/// A snapshot's name and, if wanted, a path in it.
struct SnapshotPathArgument: ExpressibleByArgument {
    let bytes: [UInt8]

    init?(argument: String) { bytes = LosslessText.decode(argument) }

    func parsed() throws(SnapshotSelectorError) -> SnapshotPath { try SnapshotPath(parsing: bytes) }

    /// The snapshot alone, where a path makes no sense.
    func snapshot() throws -> SnapshotSelector {
        let parsed = try parsed()
        guard parsed.path.isEmpty else {
            throw UsageError(
                "a path makes no sense here",
                "Name the snapshot without what follows the colon."
            )
        }
        return parsed.snapshot
    }
}
