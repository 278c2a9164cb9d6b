internal import ArgumentParser
internal import Bytes
internal import Capturing
internal import Compression
internal import Operations
internal import Platform
internal import Reports
internal import Snapshots

struct SnapshotCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Take a snapshot of directories or files.",
        discussion: """
            Paths in the snapshot are relative to the source; with several sources they lie below \
            the sources' base names. The snapshot before it, of the same host and sources, tells \
            which files did not change; they are not read again. A repository inside a source is \
            left out.

            Exit status 3 says that some files could not be read, or changed while they were read; \
            they are listed, and the snapshot holds everything else.

            Examples:
              varve snapshot /data/store --repo /backup/repo
              varve snapshot /etc /home --exclude-caches --exclude '*.tmp' --tag nightly
              varve snapshot . --dry-run --verbose
            """
    )

    @Argument(
        help: ArgumentHelp("A directory or file.", valueName: "source"),
        completion: .file()
    )
    var sources: [ByteArgument]

    @OptionGroup var repository: RepositoryOptions

    @OptionGroup(title: "What to leave out") var exclusion: ExclusionOptions

    @Option(
        help: ArgumentHelp("A word to find the snapshot by; may be repeated.", valueName: "tag")
    )
    var tag: [ByteArgument] = []

    @Option(
        help: ArgumentHelp(
            "The host that the snapshot counts as taken on; this one otherwise.",
            valueName: "name"
        )
    )
    var host: ByteArgument?

    @Option(
        help: ArgumentHelp(
            "When the snapshot counts as taken: 2026-11-20, 2026-11-20T03:00[:00], or @seconds.",
            valueName: "time"
        )
    )
    var time: TimeArgument?

    @Flag(name: [.customShort("n"), .long], help: "Read and compare, and write nothing.")
    var dryRun = false

    @Flag(
        name: [.customLong("rescan"), .customLong("no-parent")],
        help: "Trust nothing but content: read every file."
    )
    var rescan = false

    @Option(
        help: ArgumentHelp(
            "How hard to compress, from 1 (fast) to 19 (small); tuned for tables otherwise.",
            valueName: "1-19"
        )
    )
    var level: Int?

    @Option(
        help: ArgumentHelp(
            "Read at most this much a second from the sources, such as 50M.",
            valueName: "size"
        )
    )
    var limitRate: SizeArgument?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !sources.isEmpty else { throw ValidationError("Name what to snapshot.") }
        if let level, !CompressionLevel.range.contains(level) {
            throw ValidationError("The value of '--level' must be from 1 to 19.")
        }
        if let limitRate, limitRate.count.bytes == 0 {
            throw ValidationError("The value of '--limit-rate' must not be zero.")
        }
    }

    func run(_ console: Console) throws {
        let request = SnapshotRequest(
            sources.map(\.bytes), into: try repository.access(), try options)
        let result = try ProgressDisplay.showing(console) { progress throws in
            try request.run(progress) { try console.print($0) }
        }
        console.status = result.record.isComplete ? .done : .partial
        try console.print(CaptureReport(result).report)
    }

    private var options: CaptureOptions {
        get throws {
            var options = CaptureOptions(
                filter: try exclusion.filter(), host: host?.bytes ?? HostSystem.hostName())
            options.tags = Set(tag.map(\.bytes)).sorted { $0.lexicographicallyPrecedes($1) }
            options.time = time?.moment
            options.level = level.map { .zstd($0) } ?? .standard
            options.ignoresParent = rescan
            options.isDryRun = dryRun
            options.bytesPerSecond = limitRate?.count.bytes
            options.programVersion = Array(Version.text.utf8)
            return options
        }
    }
}
