internal import Snapshots
internal import Bytes
internal import Hashing
internal import Platform
internal import Repository

/// A number with its name.
struct Statistic {
    enum Value {
        case count(UInt64)
        case bytes(UInt64)
    }

    var name: String
    var value: Value

    static func lines(_ numbers: [Statistic]) -> [String] {
        let width = numbers.map(\.name.count).max() ?? 0
        return numbers.map { number in
            TerminalText.padded(number.name, to: width) + "  " + number.text
        }
    }

    private var text: String {
        switch value {
        case .count(let count): Wording.grouped(count)
        case .bytes(let count): "\(Wording.bytes(count)) (\(Wording.grouped(count)) bytes)"
        }
    }

    /// An object whose keys are the names with underscores.
    static func json(_ numbers: [Statistic]) -> JSONValue {
        var object = JSONObject()
        for number in numbers {
            let key = String(number.name.map { $0 == " " ? "_" : $0 })
            switch number.value {
            case .count(let count), .bytes(let count): object[key] = .count(count)
            }
        }
        return object.value
    }
}

/// What a repository holds, by its index.
enum RepositoryNumbers {
    static func count(_ repository: Repository) throws -> [Statistic] {
        let series = try SnapshotSeries(repository)
        var (chunks, nodes, plain, stored): (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for segment in repository.index.segments {
            try Interruption.check()
            for index in 0..<segment.entryCount {
                let blob = try segment.entry(index)
                if blob.id.kind == .chunk { chunks += 1 } else { nodes += 1 }
                plain += UInt64(blob.place.plainSize)
                stored += UInt64(blob.place.storedSize)
            }
        }
        let listed = Set(repository.index.segments.flatMap(\.packs))
        let packs = try repository.index.presentPacks()
        let snapshotBytes = series.items.reduce(into: UInt64(0)) {
            $0 = $0.addingClamped($1.record.root.byteCount)
        }
        return [
            Statistic(name: "snapshots", value: .count(UInt64(series.items.count))),
            Statistic(name: "size of all snapshots", value: .bytes(snapshotBytes)),
            Statistic(name: "packs", value: .count(UInt64(packs.count))),
            Statistic(
                name: "packs not in the index",
                value: .count(UInt64(packs.count { !listed.contains($0) }))
            ),
            Statistic(
                name: "index segments",
                value: .count(UInt64(repository.index.segments.count))
            ),
            Statistic(name: "chunks", value: .count(chunks)),
            Statistic(name: "nodes", value: .count(nodes)),
            Statistic(name: "plain bytes", value: .bytes(plain)),
            Statistic(name: "stored bytes", value: .bytes(stored)),
        ]
    }
}

/// What a snapshot holds, by its manifest.
enum SnapshotNumbers {
    static func count(
        _ record: SnapshotRecord,
        _ path: [UInt8],
        _ repository: Repository
    ) throws
        -> [Statistic]
    {
        var counts: [String: UInt64] = [:]
        var (bytes, links): (UInt64, UInt64) = (0, 0)
        let listing = SnapshotListing(record, repository)
        try listing.forEachEntry(at: path, .whole) { entry in
            try Interruption.check()
            counts[EntryText.typeName(entry), default: 0] += 1
            bytes = bytes.addingClamped(entry.size)
            if entry.linkDevice != nil { links += 1 }
        }
        let others = ["fifo", "character_device", "block_device"].reduce(0) {
            $0 + (counts[$1] ?? 0)
        }
        return [
            Statistic(name: "files", value: .count(counts["file"] ?? 0)),
            Statistic(name: "directories", value: .count(counts["directory"] ?? 0)),
            Statistic(name: "symlinks", value: .count(counts["symlink"] ?? 0)),
            Statistic(name: "others", value: .count(others)),
            Statistic(name: "names of hard links", value: .count(links)),
            Statistic(name: "bytes", value: .bytes(bytes)),
        ]
    }
}

extension UInt64 {
    /// The sum, or the largest number: sizes in a manifest may be anything.
    func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, isTooLarge) = addingReportingOverflow(other)
        return isTooLarge ? .max : sum
    }
}
