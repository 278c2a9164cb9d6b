internal import ArgumentParser
internal import Bytes
internal import Operations
internal import Platform
internal import Reports
internal import SystemPackage

struct SendCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Write what turns one snapshot into another as a stream.",
        discussion: """
            The stream holds the snapshot and every blob that the receiver lacks, compressed, as \
            patches where the receiver has something like them. A pipe, a file or a disk carries \
            it; `varve receive` applies it, and checks every byte.

            Examples:
              varve send latest --repo /backup/repo | ssh host varve receive --repo /srv
              varve send --from latest~1 latest --repo /backup/repo --output /mnt/usb/
              varve send --from @2026-11-01 latest --repo /backup/repo --estimate
            """
    )

    @Argument(help: ArgumentHelp("The snapshot to send.", valueName: "snapshot"))
    var snapshot: SnapshotPathArgument

    @Option(
        help: ArgumentHelp(
            "A snapshot that the receiver has; without it, everything is sent.",
            valueName: "snapshot"
        )
    )
    var from: SnapshotPathArgument?

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp(
            "Write to this file, which must not exist, or into this directory.",
            valueName: "path"
        ),
        completion: .file()
    )
    var target: ByteArgument?

    @Flag(help: "Tell how large the stream would be, and send nothing.")
    var estimate = false

    @Option(
        help: ArgumentHelp("Send at most this much a second, such as 5M.", valueName: "size")
    )
    var limitRate: SizeArgument?

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if estimate, target != nil {
            throw ValidationError("'--estimate' writes nothing, so '--output' makes no sense.")
        }
    }

    func run(_ console: Console) throws {
        if !estimate, target == nil, Descriptor.isTerminal(1) {
            throw UsageError(
                "a stream is nothing for a terminal",
                "Pipe it to `varve receive`, or name a file or directory with --output."
            )
        }
        let isOutputFree = target != nil || estimate
        var request = SendRequest(
            try snapshot.snapshot(), of: try repository.access(), to: carrier)
        request.from = try from?.snapshot()
        request.host = selection.host?.bytes
        request.bytesPerSecond = limitRate?.count.bytes
        let sent = try ProgressDisplay.showing(console, onOutput: isOutputFree) { progress in
            do {
                return try request.run(progress) { try console.print($0) }
            } catch let error as PlatformError where !isOutputFree && error.errno == .brokenPipe {
                throw OutputError.failed(error)
            }
        }
        let report = ShippingText.sent(sent.summary, sent.id, from: sent.from, isDryRun: estimate)
        if isOutputFree { try console.print(report) } else { console.printAside(report) }
    }

    private var carrier: SendRequest.Carrier {
        if estimate { return .nothing }
        return target.map { .path($0.bytes) } ?? .standardOutput
    }
}
