/// The names in a log, understood.
///
///     00000000000000000012.json                          a commit
///     00000000000000000010.checkpoint.parquet            a checkpoint in one file
///     00000000000000000010.checkpoint.0000000001.0000000003.parquet   in several
///     00000000000000000010.checkpoint.UUID.json|parquet  with sidecars
package struct LogListing {
    /// A checkpoint with all its files.
    struct Checkpoint: Equatable {
        let version: Int64
        let names: [String]
    }

    private(set) var commits: [Int64: LogFile] = [:]
    /// Complete ones, the newest first.
    private(set) var checkpoints: [Checkpoint] = []
    /// The newest commits that are there as names only, with 0 bytes: what a power cut leaves of
    /// a commit whose writer did not wait for the disk.
    ///
    /// They are no versions; what was in them is lost. One that others built upon counts, as it
    /// does for every reader.
    package private(set) var emptyCommits: [String] = []

    package init(_ files: [LogFile]) {
        var parts: [Int64: [Int: [Int: String]]] = [:]
        for file in files {
            let pieces = file.name.split(separator: ".", omittingEmptySubsequences: false)
            guard let first = pieces.first, let version = Self.version(first) else { continue }
            if pieces.count == 2, pieces[1] == "json" {
                commits[version] = file
            } else if pieces.count > 2, pieces[1] == "checkpoint" {
                addCheckpoint(version, pieces.dropFirst(2).map(String.init), file.name, &parts)
            }
        }
        for (version, byTotal) in parts {
            // A part that is missing makes the others worthless.
            for (total, names) in byTotal where names.count == total {
                let inOrder = names.sorted { $0.key < $1.key }.map(\.value)
                checkpoints.append(Checkpoint(version: version, names: inOrder))
            }
        }
        checkpoints.sort { ($1.version, $0.names[0]) < ($0.version, $1.names[0]) }
        dropEmptyCommits()
    }

    private mutating func dropEmptyCommits() {
        let checkpoint = checkpoints.first?.version ?? -1
        for (version, file) in commits.sorted(by: { $0.key > $1.key }) {
            guard file.size == 0, version > checkpoint else { return }
            commits[version] = nil
            emptyCommits.insert(file.name, at: 0)
        }
    }

    private mutating func addCheckpoint(
        _ version: Int64, _ rest: [String], _ name: String,
        _ parts: inout [Int64: [Int: [Int: String]]]
    ) {
        switch rest.count {
        case 1 where rest[0] == "parquet", 2 where rest[1] == "parquet" || rest[1] == "json":
            checkpoints.append(Checkpoint(version: version, names: [name]))
        case 3 where rest[2] == "parquet":
            guard let part = Int(rest[0]), let total = Int(rest[1]), part >= 1, part <= total,
                total <= 100_000
            else { return }
            parts[version, default: [:]][total, default: [:]][part] = name
        default: return
        }
    }

    /// Whether a name can be one of a log: all that are understood are ASCII, and so it makes no
    /// difference to them how text is compared.
    package static func isName(_ name: String) -> Bool {
        name.utf8.allSatisfy { $0 < 0x80 && $0 != UInt8(ascii: "/") }
    }

    /// Versions have twenty digits.
    static func version(_ text: Substring) -> Int64? {
        guard text.utf8.count == 20, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return nil
        }
        // A version comes after each.
        return Int64(text).flatMap { $0 < 1 << 62 ? $0 : nil }
    }

    package static func name(_ version: Int64, _ suffix: String) -> String {
        let digits = String(version)
        return String(repeating: "0", count: 20 - digits.count) + digits + suffix
    }

    /// The versions whose commits are there, sorted.
    package var versions: [Int64] { commits.keys.sorted() }

    /// The newest version that is there.
    package var latest: Int64? {
        [commits.keys.max(), checkpoints.first?.version].compactMap { $0 }.max()
    }
}
