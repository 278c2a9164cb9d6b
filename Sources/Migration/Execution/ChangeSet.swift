internal import Bytes
internal import Platform

/// What a source has that the target has not yet, and the other way round.
struct ChangeSet {
    /// Files with content of their own, data before logs, each in path order; of logs, checksums of
    /// versions come last, for readers fail that find one without its version.
    var data: [Inventory.Item] = []
    var logs: [Inventory.Item] = []
    /// Further names of files, with the path of the first.
    var links: [(item: Inventory.Item, first: [UInt8])] = []
    /// Symlinks, fifos, devices.
    var others: [Inventory.Item] = []
    var directories: [Inventory.Item] = []
    var rowDirectories: [Inventory.RowDirectory] = []
    /// Paths that the source no longer has; in path order.
    var gone: [[UInt8]] = []
    /// Directories whose files no longer make a table.
    var unmade: [[UInt8]] = []

    init(_ inventory: Inventory, _ state: JournalState) {
        var first: [LinkKey: [UInt8]] = [:]
        var present: Set<[UInt8]> = []
        for item in inventory.items {
            present.insert(item.path)
            let key = LinkKey(item.status)
            let linked = key.flatMap { first[$0] }
            if let key, linked == nil { first[key] = item.path }
            guard state.copied[item.path] != item.stamp else { continue }
            add(item, linked)
        }
        logs = logs.filter { !Self.isChecksum($0) } + logs.filter(Self.isChecksum)
        rowDirectories = inventory.rowDirectories.filter { !Self.isMade($0, state) }
        gone = state.copied.keys.filter { !present.contains($0) }.sorted(by: PathBytes.isBefore)
        let tables = Set(inventory.rowDirectories.map(\.path))
        unmade = state.made.keys.filter { !tables.contains($0) }.sorted(by: PathBytes.isBefore)
    }

    private static func isChecksum(_ item: Inventory.Item) -> Bool {
        item.path.suffix(4).elementsEqual(".crc".utf8)
    }

    private mutating func add(_ item: Inventory.Item, _ linked: [UInt8]?) {
        if let linked { return links.append((item, linked)) }
        switch item.status.type {
        case .directory: directories.append(item)
        case .regular:
            if Inventory.isInLog(item.path) { logs.append(item) } else { data.append(item) }
        default: others.append(item)
        }
    }

    private static func isMade(_ directory: Inventory.RowDirectory, _ state: JournalState) -> Bool {
        guard let made = state.made[directory.path], made.format == directory.format else {
            return false
        }
        return made.files == directory.files.map { CopiedPath(path: $0.path, stamp: $0.stamp) }
    }

    var isEmpty: Bool { paths.isEmpty }

    /// Files that are copied, and their bytes.
    var fileCount: Int {
        data.count + logs.count + rowDirectories.reduce(0) { $0 + $1.files.count }
    }
    var byteCount: UInt64 {
        (data + logs + rowDirectories.flatMap(\.files)).reduce(0) { $0 &+ $1.status.size }
    }

    /// Every path that is to be written or removed.
    var paths: [[UInt8]] {
        let items = data + logs + links.map(\.item) + others + directories
        return items.map(\.path) + rowDirectories.map(\.path) + gone + unmade
    }
}
