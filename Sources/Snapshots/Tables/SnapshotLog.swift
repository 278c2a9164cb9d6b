package import Bytes
package import Parquet
internal import Platform
package import Repository
package import TableLog

/// The log of a table as a snapshot has it.
package final class SnapshotLog: LogFiles {
    private let nodes: NodeSource
    /// Files of the log and of its sidecars, by their path below the table.
    package let entries: [ExactText: ManifestEntry]

    /// Reads what the manifest has of the log of the table at `path`.
    package init(
        _ path: [UInt8], _ root: TreeRoot, _ nodes: NodeSource
    ) throws(RepositoryError) {
        self.nodes = nodes
        var entries: [ExactText: ManifestEntry] = [:]
        let log = PathBytes.join(path, TableSearch.logName)
        var cursor = ManifestCursor(root, nodes)
        try cursor.seek(to: log)
        while let entry = try cursor.next(), PathBytes.isInside(entry.path, log) {
            guard entry.isFile else { continue }
            let below = path.isEmpty ? entry.path[...] : entry.path.dropFirst(path.count + 1)
            // A log names only what is text.
            guard let name = ExactText(utf8: below) else { continue }
            entries[name] = entry
        }
        self.entries = entries
    }

    package func listLog() throws(TableLogError) -> [LogFile]? {
        guard !entries.isEmpty else { return nil }
        let prefix: ExactText = "\(TableDirectory.log)/"
        var files: [LogFile] = []
        for (path, entry) in entries where path.hasPrefix(prefix) {
            let name = String(Substring(path.utf8.dropFirst(prefix.utf8.count)))
            guard LogListing.isName(name) else { continue }
            files.append(
                LogFile(name: name, size: entry.size, modified: entry.mtime.milliseconds))
        }
        return files.sorted { $0.name < $1.name }
    }

    package func readLog(_ name: String) throws(TableLogError) -> [UInt8]? {
        guard let entry = entries["\(TableDirectory.log)/\(name)"] else { return nil }
        return try content(entry, name)
    }

    package func source(_ relative: ExactText) throws(TableLogError) -> any ByteSource {
        guard let entry = entries[relative] else {
            throw TableLogError(.damaged, relative.string, "the snapshot does not have it")
        }
        return MemoryFile(try content(entry, relative.string))
    }

    /// No file of a log is larger.
    private static let sizeLimit: UInt64 = 1 << 30

    private func content(
        _ entry: ManifestEntry, _ name: String
    ) throws(TableLogError) -> [UInt8] {
        guard case .file(let size, let content) = entry.payload, size <= Self.sizeLimit else {
            throw TableLogError(.damaged, name, "too large for a file of a log")
        }
        do throws(RepositoryError) {
            var bytes: [UInt8] = []
            for piece in try nodes.pieces(content) {
                switch piece {
                case .chunk(let id, let size): bytes += try nodes.chunk(id, size: size)
                case .hole(let size): bytes += [UInt8](repeating: 0, count: Int(clamping: size))
                }
            }
            return bytes
        } catch {
            throw TableLogError(.damaged, name, "\(error)")
        }
    }
}
