internal import Bytes
package import Platform
package import Trees

/// Finds the tables below a source: directories with a log in them.
///
/// Only names are listed, and only of directories that have others in them: a search costs little
/// beside the walk that follows.
package struct TableSearch: ~Copyable {
    private let root: PinnedDirectory
    private let filter: WalkFilter
    private let device: UInt64

    package static let logName = Array("_delta_log".utf8)
    private static let depthLimit = 256

    /// The paths of tables below `source`, sorted; its own is empty.
    package static func tables(
        in source: [UInt8], _ filter: WalkFilter
    ) throws(PlatformError) -> [[UInt8]] {
        let root = try PinnedDirectory(source)
        let device = try root.descriptor.status(source).device
        return Self(root: root, filter: filter, device: device).search()
    }

    private init(root: consuming PinnedDirectory, filter: WalkFilter, device: UInt64) {
        self.root = root
        self.filter = filter
        self.device = device
    }

    private func search() -> [[UInt8]] {
        var found: [[UInt8]] = []
        var pending: [(path: [UInt8], depth: Int)] = [([], 0)]
        while let (path, depth) = pending.popLast() {
            // What cannot be listed is told by the walk.
            guard let below = try? look(path), depth < Self.depthLimit else { continue }
            if below.isTable { found.append(path) }
            for name in below.directories {
                pending.append((PathBytes.join(path, name), depth + 1))
            }
        }
        return found.sorted { PathBytes.isBefore($0, $1) }
    }

    /// Whether a directory is a table, and the directories in it to look into.
    private func look(
        _ path: [UInt8]
    ) throws(PlatformError) -> (isTable: Bool, directories: [[UInt8]]) {
        let directory = try root.open(path, [.readOnly, .directory])
        let status = try directory.status(path)
        if filter.staysOnFileSystem, status.device != device { return (false, []) }
        let counts = FileSystem.countsDirectories(directory)
        let isTable = isDirectory(Self.logName, in: directory)
        let others = counts && status.links >= 2 ? Int(status.links) - 2 - (isTable ? 1 : 0) : .max
        if others <= 0 { return (isTable, []) }
        if filter.excludesCaches, CacheDirectory.isTagged(directory) { return (false, []) }
        var below: [[UInt8]] = []
        for (name, type) in try directory.typedNames(path) where name != Self.logName {
            guard type == .directory || type == .unknown && isDirectory(name, in: directory),
                !filter.patterns.isExcluded(PathBytes.join(path, name), isDirectory: true)
            else { continue }
            if !counts || mayHoldTables(name, in: directory) { below.append(name) }
        }
        return (isTable, below)
    }

    private func isDirectory(_ name: [UInt8], in directory: borrowing Descriptor) -> Bool {
        (try? FileStatus.of(name, at: directory.raw))?.type == .directory
    }

    /// A directory with no other in it holds neither a log nor a table.
    private func mayHoldTables(_ name: [UInt8], in directory: borrowing Descriptor) -> Bool {
        guard let status = try? FileStatus.of(name, at: directory.raw) else { return false }
        return status.links != 2
    }
}
