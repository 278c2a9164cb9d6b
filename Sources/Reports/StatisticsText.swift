internal import JSON
package import Operations

/// What a repository or a snapshot holds, in numbers.
package struct StatisticsText {
    private enum Value {
        case count(UInt64)
        case bytes(UInt64)
    }

    private let numbers: [(key: String, words: String, value: Value)]

    /// A report on a repository.
    package init(_ numbers: RepositoryNumbers) {
        self.numbers = [
            ("snapshots", "snapshots", .count(numbers.snapshots)),
            ("bytes_in_snapshots", "size of all snapshots", .bytes(numbers.bytesInSnapshots)),
            ("packs", "packs", .count(numbers.packs)),
            ("packs_unindexed", "packs not in the index", .count(numbers.packsUnindexed)),
            ("index_segments", "index segments", .count(numbers.indexSegments)),
            ("chunks", "chunks", .count(numbers.chunks)),
            ("nodes", "nodes", .count(numbers.nodes)),
            ("bytes_plain", "plain bytes", .bytes(numbers.bytesPlain)),
            ("bytes_stored", "stored bytes", .bytes(numbers.bytesStored)),
        ]
    }

    /// A report on a snapshot, or on a directory in it.
    package init(_ numbers: SnapshotNumbers) {
        self.numbers = [
            ("files", "files", .count(numbers.files)),
            ("directories", "directories", .count(numbers.directories)),
            ("symlinks", "symlinks", .count(numbers.symlinks)),
            ("others", "others", .count(numbers.others)),
            ("hard_links", "names of hard links", .count(numbers.hardLinks)),
            ("bytes", "bytes", .bytes(numbers.bytes)),
        ]
    }

    /// A line for each number.
    package var report: Report {
        let width = numbers.map(\.words.count).max() ?? 0
        let lines = numbers.map { _, words, value in
            TerminalText.padded(words, to: width) + "  " + Self.text(value)
        }
        return Report(json, results: lines)
    }

    private static func text(_ value: Value) -> String {
        switch value {
        case .count(let count): Wording.grouped(count)
        case .bytes(let count): "\(Wording.bytes(count)) (\(Wording.grouped(count)) bytes)"
        }
    }

    private var json: JSONValue {
        var object = JSONObject()
        for (key, _, value) in numbers {
            switch value {
            case .count(let count), .bytes(let count): object[key] = .number(count)
            }
        }
        return object.value
    }
}
