internal import ArgumentParser
internal import Operations

/// Narrows a list of snapshots.
struct FilterOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Only those with this tag; may be repeated.", valueName: "tag")
    )
    var tag: [ByteArgument] = []

    @Option(help: ArgumentHelp("Only those of this host.", valueName: "name"))
    var host: ByteArgument?

    @Option(
        help: ArgumentHelp("Only those of this source.", valueName: "path"),
        completion: .file()
    )
    var source: ByteArgument?

    var filter: SnapshotFilter {
        var filter = SnapshotFilter()
        filter.tags = tag.map(\.bytes)
        filter.host = host?.bytes
        filter.source = source?.bytes
        return filter
    }
}
