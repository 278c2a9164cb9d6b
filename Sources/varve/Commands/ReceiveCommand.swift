internal import Remote
internal import Wire
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

struct ReceiveCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Apply streams that `varve send` wrote.",
        discussion: """
            Every blob is compared with its id before it is stored, and a snapshot is made only \
            once all that it needs is durable. A stream that is cut anywhere leaves the \
            repository as it was; what arrived whole is not stored twice by the next try.

            Of a directory, all streams that fit are applied, in the order that they need; those \
            applied already are passed over, and those that are damaged are told.

            Examples:
              ssh host varve send latest --repo /srv/repo | varve receive --repo /backup/repo
              varve receive /mnt/usb --repo /backup/repo
            """
    )

    @Argument(
        help: ArgumentHelp(
            "A stream, or a directory with streams; standard input otherwise.",
            valueName: "path"
        ),
        completion: .file()
    )
    var path: ByteArgument?

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        guard let path else {
            guard !Descriptor.isTerminal(0) else {
                throw UsageError(
                    "a terminal sends no stream",
                    "Pipe `varve send` into this, or name a file or directory."
                )
            }
            return try receive(StandardSource(), try repository.open(), console)
        }
        let repository = try repository.open()
        guard try FileStatus.following(path.bytes).type == .directory else {
            return try receive(try FileSource(path.bytes), repository, console)
        }
        try receive(directory: path.bytes, repository, console)
    }

    private func receive(
        _ source: any ByteSource,
        _ repository: Repository,
        _ console: Console
    ) throws {
        let summary = try ProgressDisplay.showing(console) { progress throws in
            try DeltaReceiver(repository, progress).receive(source)
        }
        try print(summary, console)
    }

    private func receive(
        directory: [UInt8],
        _ repository: Repository,
        _ console: Console
    ) throws {
        let (items, odd) = try StreamDirectory.items(directory)
        guard !items.isEmpty || !odd.isEmpty else {
            throw UsageError(
                "there are no streams in \(PathBytes.printable(directory))",
                "Streams end in '.varve'; make them with `varve send --output` that directory."
            )
        }
        for (path, reason) in odd {
            console.status = .partial
            console.warn("varve: left out \(PathBytes.printable(path)): \(reason)")
        }
        var present = Set(try repository.snapshotIDs())
        var waiting = items.filter { !present.isSuperset(of: $0.header.snapshots) }
        let known = items.count - waiting.count
        while let next = waiting.firstIndex(where: { present.isSuperset(of: $0.header.needed) }) {
            let item = waiting.remove(at: next)
            do {
                try receive(try FileSource(item.path), repository, console)
            } catch {
                guard Self.isDamage(error) else { throw error }
                console.status = .partial
                console.warn("varve: left out \(PathBytes.printable(item.path)): \(error)")
            }
            // Of a damaged stream too, what came before the damage.
            present.formUnion(try repository.snapshotIDs())
        }
        for item in waiting {
            console.status = .partial
            let missing = item.header.needed.filter { !present.contains($0) }
            let names = missing.map(\.short).joined(separator: ", ")
            console.warn(
                "varve: left out \(PathBytes.printable(item.path)): it needs the snapshot \(names)"
            )
        }
        let whole = items.count { present.isSuperset(of: $0.header.snapshots) }
        if console.isJSON {
            let object: JSONObject = [
                "type": "directory", "streams": .count(UInt64(items.count + odd.count)),
                "applied": .count(UInt64(whole - known)), "known": .count(UInt64(known)),
            ]
            try console.print(object.value)
        } else if !console.isQuiet {
            let applied = Wording.count(whole - known, "stream")
            try console.print(line: "\(applied) applied, \(known) there already")
        }
    }

    /// Whether a stream is at fault, and others may be right.
    private static func isDamage(_ error: any Error) -> Bool {
        error is StreamError || (error as? RepositoryError)?.isDamage == true
    }

    private func print(_ summary: ReceiveSummary, _ console: Console) throws {
        if console.isJSON {
            let object: JSONObject = [
                "type": "summary",
                "new_snapshots": .array(summary.newSnapshots.map { .hex($0.digest) }),
                "known_snapshots": .array(summary.knownSnapshots.map { .hex($0.digest) }),
                "blobs": .count(summary.blobs), "known_blobs": .count(summary.knownBlobs),
                "stored_bytes": .count(summary.storedBytes),
                "stream_bytes": .count(summary.streamBytes),
            ]
            return try console.print(object.value)
        }
        guard !console.isQuiet else { return }
        for id in summary.newSnapshots { try console.print(line: "received \(id.short)") }
        for id in summary.knownSnapshots {
            try console.print(line: "\(id.short) was there already")
        }
        try console.print(
            line: "  bytes  \(Wording.bytes(summary.streamBytes)) received, "
                + "\(Wording.bytes(summary.storedBytes)) stored"
        )
    }
}
