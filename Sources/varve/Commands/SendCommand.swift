internal import Remote
internal import Snapshots
internal import Wire
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository
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
        let repository = try repository.open()
        let wanted = try selection.find(snapshot.snapshot(), in: repository, console)
        let known = try from.map { try selection.find($0.snapshot(), in: repository, console) }
        var file: FileSink?
        if let target {
            file = try newFile(try path(in: target.bytes, from: known?.id, to: wanted.id))
        }
        var sink: any ByteSink = StandardSink()
        if let file { sink = file }
        if estimate { sink = CountingSink() }
        if let limitRate { sink = LimitedSink(sink, bytesPerSecond: limitRate.count.bytes) }
        let carrier = sink
        let items = known.map { [$0.item] } ?? []
        let isOutputFree = target != nil || estimate
        let summary = try ProgressDisplay.showing(console, onOutput: isOutputFree) { progress in
            do {
                return try DeltaSender(repository, progress)
                    .send([wanted.item], known: items, to: carrier)
            } catch let error as PlatformError where !isOutputFree && error.errno == .brokenPipe {
                throw OutputError.failed(error)
            }
        }
        try file?.finish()
        try print(summary, wanted.id, known?.id, console)
    }

    private func newFile(_ path: [UInt8]) throws -> FileSink {
        do throws(PlatformError) {
            return try FileSink(path)
        } catch {
            guard error.errno == .fileExists else { throw error }
            throw FileIsThere(path: path)
        }
    }

    /// Where a stream goes that is written to `target`: into it, if it is a directory.
    private func path(
        in target: [UInt8],
        from: SnapshotID?,
        to: SnapshotID
    ) throws(PlatformError) -> [UInt8] {
        do throws(PlatformError) {
            guard try FileStatus.following(target).type == .directory else { return target }
        } catch {
            guard error.isNotFound else { throw error }
            return target
        }
        let slashless = target.count > 1 && target.last == PathBytes.separator
        return PathBytes.join(
            slashless ? Array(target.dropLast()) : target,
            StreamDirectory.name(from: from, to: to)
        )
    }

    private func print(
        _ summary: SendSummary,
        _ id: SnapshotID,
        _ from: SnapshotID?,
        _ console: Console
    ) throws {
        let isOutputFree = estimate || target != nil
        if console.isJSON {
            var object: JSONObject = ["type": "summary", "estimate": .bool(estimate)]
            object["snapshot_id"] = .hex(id.digest)
            object["from_id"] = from.map { .hex($0.digest) } ?? .null
            object.append(summary.json)
            guard isOutputFree else { return console.warn(object.value.text) }
            return try console.print(object.value)
        }
        guard !console.isQuiet else { return }
        let what = from.map { "what turns \($0.short) into \(id.short)" } ?? "all of \(id.short)"
        let lines = [
            estimate ? "would send \(what)" : "sent \(what)",
            "  blobs  \(Wording.grouped(summary.blobs)), "
                + "\(Wording.grouped(summary.patches)) as patches",
            "  bytes  \(Wording.bytes(summary.streamBytes)) for "
                + "\(Wording.bytes(summary.plainBytes)) of content",
        ]
        for line in lines {
            if isOutputFree { try console.print(line: line) } else { console.warn(line) }
        }
    }
}

/// A file is in the way of what a command writes.
struct FileIsThere: Error {
    var path: [UInt8]
}

extension SelectedSnapshot {
    /// The snapshot as a list of snapshots holds it.
    var item: SnapshotSeries.Item { (id, record) }
}

extension SendSummary {
    var json: JSONObject {
        [
            "blobs": .count(blobs), "patches": .count(patches), "plain_bytes": .count(plainBytes),
            "stream_bytes": .count(streamBytes),
        ]
    }
}
