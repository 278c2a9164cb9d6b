package import Platform
package import TableStore
internal import Trees

internal import Bytes
internal import SystemPackage

/// What a source holds, found by one walk.
package struct Inventory: Sendable {
    /// One path of the source, the source itself excepted.
    package struct Item: Sendable {
        package var path: [UInt8]
        package var status: FileStatus

        package init(path: [UInt8], status: FileStatus) {
            self.path = path
            self.status = status
        }

        var stamp: FileStamp { FileStamp(status) }
        var isDirectory: Bool { status.type == .directory }
        var isFile: Bool { status.type == .regular }
    }

    /// Row files of a directory that become a table.
    package struct RowDirectory: Sendable {
        package var path: [UInt8]
        package var format: RowFormat
        /// In byte order of their names.
        package var files: [Item]
    }

    /// In path order, without those of `rowDirectories`.
    package internal(set) var items: [Item] = []
    /// Directories that hold a table log.
    package internal(set) var tables: [[UInt8]] = []
    package internal(set) var rowDirectories: [RowDirectory] = []
    package internal(set) var problems: [MigrationProblem] = []
    package internal(set) var root: FileStatus
    /// How long the walk took.
    package internal(set) var took: Duration = .zero

    init(root: FileStatus) { self.root = root }

    /// Whether a path belongs to the log of a table.
    static func isInLog(_ path: [UInt8]) -> Bool {
        path.split(separator: PathBytes.separator).dropLast().contains {
            $0.elementsEqual(logName)
        }
    }

    static let logName = Array("_delta_log".utf8)
}

extension Inventory {
    /// Walks the source; what could not be read is in `problems`.
    static func walk(
        _ source: [UInt8], _ filter: WalkFilter, makesTables: Bool, _ host: Host
    ) throws(MigrationError) -> Inventory {
        let began = host.instant()
        let walk = try reading { () throws(PlatformError) in
            try SourceWalk(source, prefix: [], filter: filter)
        }
        var inventory = Inventory(
            root: try reading { () throws(PlatformError) in
                try walk.root.descriptor.status(source)
            })
        try walk.visit(listers: host.processors) { entry throws(MigrationError) in
            try checkInterruption()
            inventory.add(entry)
        }
        if makesTables { inventory.findRowDirectories() }
        inventory.took = host.elapsed(since: began)
        return inventory
    }

    private mutating func add(_ entry: WalkedEntry) {
        switch entry.status {
        case .failure(let error):
            problems.append(MigrationProblem(path: entry.path, reason: "\(error)"))
        case .success(let status):
            if let failure = entry.listingFailure {
                problems.append(MigrationProblem(path: entry.path, reason: "\(failure)"))
            }
            guard !entry.path.isEmpty else { return }
            if status.type == .socket || status.type == .unknown { return }
            items.append(Item(path: entry.path, status: status))
            if status.type == .directory,
                PathBytes.name(entry.path).elementsEqual(Self.logName)
            {
                tables.append(PathBytes.parent(entry.path))
            }
        }
    }

    /// Takes out the files of directories whose files, hidden ones apart, are all row files of one
    /// format, and which hold no directory and are no part of a table.
    private mutating func findRowDirectories() {
        var candidates: [[UInt8]: [Item]] = [:]
        var excluded: Set<[UInt8]> = []
        for item in items {
            let parent = PathBytes.parent(item.path)
            if item.isDirectory {
                excluded.insert(parent)
            } else if !Self.isHidden(PathBytes.name(item.path)) {
                candidates[parent, default: []].append(item)
            }
        }
        let tables = Set(tables)
        for (path, files) in candidates
        where !excluded.contains(path) && !Self.isInside(path, tables) {
            let formats = Set(files.map { $0.isFile ? RowFormat(fileName: $0.path) : nil })
            guard formats.count == 1, let first = formats.first, let format = first else {
                continue
            }
            rowDirectories.append(RowDirectory(path: path, format: format, files: files))
        }
        rowDirectories.sort { PathBytes.isBefore($0.path, $1.path) }
        let taken = Set(rowDirectories.flatMap { $0.files.map(\.path) })
        items.removeAll { taken.contains($0.path) }
    }

    private static func isHidden(_ name: ArraySlice<UInt8>) -> Bool {
        name.first == UInt8(ascii: "_") || name.first == UInt8(ascii: ".")
    }

    /// Whether a path is one of some directories or lies below one.
    private static func isInside(_ path: [UInt8], _ directories: Set<[UInt8]>) -> Bool {
        var place = path
        while !directories.contains(place) {
            guard !place.isEmpty else { return false }
            place = PathBytes.parent(place)
        }
        return true
    }
}

// MARK: - Totals
extension Inventory {
    /// All files, those of row directories too.
    var files: [Item] { items.filter(\.isFile) + rowDirectories.flatMap(\.files) }

    /// Files that hard links give further names to are counted once.
    package struct Totals: Equatable, Sendable {
        package var files: UInt64 = 0
        package var directories: UInt64 = 0
        package var others: UInt64 = 0
        package var bytes: UInt64 = 0
        /// Bytes that files take, which holes do not.
        package var allocated: UInt64 = 0
        package var largest: UInt64 = 0
        /// Files of at most this many bytes cost mostly by being files.
        package var smallFiles: UInt64 = 0
        package var smallBytes: UInt64 = 0
        package var rowBytes: UInt64 = 0

        static let smallSize: UInt64 = 128 << 10
    }

    package var totals: Totals {
        var totals = Totals()
        var known: Set<LinkKey> = []
        for item in files {
            if let key = LinkKey(item.status), !known.insert(key).inserted { continue }
            totals.files += 1
            totals.bytes &+= item.status.size
            totals.allocated &+= item.status.blocks &* 512
            totals.largest = max(totals.largest, item.status.size)
            if item.isSmall { totals.smallFiles += 1 }
        }
        for item in items {
            if item.isDirectory { totals.directories += 1 }
            if !item.isDirectory, !item.isFile { totals.others += 1 }
            if item.isFile, item.isSmall { totals.smallBytes &+= item.status.size }
        }
        totals.rowBytes = rowDirectories.flatMap(\.files).reduce(0) { $0 &+ $1.status.size }
        return totals
    }
}

/// What tells one file from another where it has several names; nil where it has one.
struct LinkKey: Hashable {
    var device: UInt64
    var inode: UInt64

    init?(_ status: FileStatus) {
        guard status.links > 1, status.type != .directory else { return nil }
        device = status.device
        inode = status.inode
    }
}
