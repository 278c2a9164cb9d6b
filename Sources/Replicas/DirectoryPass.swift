internal import Bytes
internal import Platform
internal import Snapshots
internal import Targets
internal import Trees

/// Makes directories before anything is put into them, and finishes them afterwards.
struct DirectoryPass {
    private let changes: TreeChanges

    init(_ changes: TreeChanges) { self.changes = changes }

    /// Makes a directory, with rights for this process alone until it is finished.
    func make(_ path: [UInt8]) throws {
        if let status = try changes.status(path) {
            if status.type == .directory { return }
            try changes.makeRoom(path)
        }
        try changes.tree.target.makeDirectory(path)
        changes.note(path)
        changes.outcome.others += 1
    }

    /// Gives directories their owner, attributes, mode and time, inner ones first: those that the
    /// journal puts and those in which names changed.
    func finish() throws {
        let puts = changes.journal.puts
        var paths = changes.touched
        for index in 0..<puts.count {
            let put = try puts[index]
            if put.entry.isDirectory { paths.insert(put.entry.path) }
        }
        for path in paths.sorted(by: { PathBytes.isBefore($1, $0) }) {
            let found = try puts.find(path) ?? changes.before.records.find(path)
            guard let record = found, record.entry.isDirectory, !changes.removed.contains(path),
                try changes.status(path)?.type == .directory
            else { continue }
            try changes.apply(record.entry)
        }
    }
}
