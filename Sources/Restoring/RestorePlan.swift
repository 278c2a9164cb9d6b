internal import Bytes
internal import Platform
internal import Snapshots
internal import Trees

/// What a restore does with each path, decided without touching anything.
struct RestorePlan: Sendable {
    let record: SnapshotRecord
    let options: RestoreOptions
    /// Where the parts that were asked for go.
    private let place: RestorePlace
    /// Paths that were in the source and could not be read.
    private let unread: Set<[UInt8]>

    init(_ record: SnapshotRecord, _ options: RestoreOptions, _ place: RestorePlace) {
        self.record = record
        self.options = options
        self.place = place
        unread = Set(record.problems.filter { $0.kind == .unreadable }.map(\.path))
    }

    // MARK: Choosing

    /// The path below the target of a path in the snapshot.
    func targetPath(_ path: [UInt8]) -> [UInt8] {
        if let fileName = place.fileName { return fileName }
        if place.base.isEmpty { return path }
        return path == place.base ? [] : Array(path.dropFirst(place.base.count + 1))
    }

    /// The path in the snapshot of a path below the target; patterns are about these.
    func sourcePath(_ path: [UInt8]) -> [UInt8] { PathBytes.join(place.base, path) }

    func isExcluded(_ entry: ManifestEntry) -> Bool {
        options.exclude?.isExcluded(entry.path, isDirectory: entry.isDirectory) == true
    }

    func isSelected(_ entry: ManifestEntry) -> Bool {
        guard let include = options.include else { return true }
        return include.isExcludedWithParents(entry.path, isDirectory: entry.isDirectory)
    }

    /// What the snapshot lacks of what was asked for.
    var missing: [CaptureProblem] {
        record.problems.filter { problem in
            guard problem.isFault, PathBytes.isInside(problem.path, options.path) else {
                return false
            }
            let excluded = options.exclude?.isExcludedWithParents(
                problem.path, isDirectory: false)
            let included = options.include?.isExcludedWithParents(
                problem.path, isDirectory: false)
            return excluded != true && included != false
        }
    }

    // MARK: Steps

    enum Step: Equatable {
        /// Nothing is there.
        case make
        /// The same kind is there, and is made right.
        case update
        /// The file counts as right.
        case keep
        /// What is there is left alone.
        case skip
        /// Something else is there, and goes.
        case replace
        case refuse(RestoreFault.Obstacle)
    }

    /// What to do with an entry where the target has `status`.
    ///
    /// Without `deletes`, no file with content goes that the entry does not take the place of as a
    /// file; of a directory that is in the way only an empty one goes, which is seen to when it is
    /// tried.
    func step(_ entry: ManifestEntry, _ status: FileStatus?) -> Step {
        guard let status else { return .make }
        if entry.isDirectory, status.type == .directory { return .update }
        if options.overwrite == .never { return .skip }
        guard status.type == entry.fileType else {
            if status.type == .socket { return .refuse(.socket) }
            return status.type == .regular && !mayDelete ? .refuse(.file) : .replace
        }
        return entry.isFile && isAlike(entry, status) ? .keep : .update
    }

    private func isAlike(_ entry: ManifestEntry, _ status: FileStatus) -> Bool {
        status.size == entry.size && status.mtime == entry.mtime
            && (options.overwrite == .ifChanged || options.isDryRun)
    }

    // MARK: Deleting

    /// Whether anything may be deleted: the snapshot must name all that it could not read.
    var mayDelete: Bool { options.deletes && record.unlistedProblems == 0 }

    /// Whether patterns keep a path of the target from being deleted.
    func isOutside(_ path: [UInt8], isDirectory: Bool) -> Bool {
        let source = sourcePath(path)
        if options.exclude?.isExcluded(source, isDirectory: isDirectory) == true { return true }
        return options.include?.isExcludedWithParents(source, isDirectory: isDirectory) == false
    }

    /// Whether the snapshot lacks a path of the target because it could not be read.
    func isUnread(_ path: [UInt8]) -> Bool { unread.contains(sourcePath(path)) }
}

/// Where a restore puts what it was asked for.
struct RestorePlace: Sendable {
    /// The directory that is opened as the target.
    var directory: [UInt8]
    /// The directory in the snapshot that becomes the target.
    var base: [UInt8]
    /// The name in the target of a single file; nil for its own.
    var fileName: [UInt8]?
}

/// The directories of a restore, which get their metadata last; a path is kept once, however deep.
struct RestoredDirectories {
    private struct Node {
        /// Number of the directory that it is in; nil for the target.
        var parent: Int?
        var name: [UInt8]
        var metadata: FileMetadata
    }

    private var nodes: [Node] = []

    var count: Int { nodes.count }

    /// Adds a directory, and returns its number.
    mutating func add(_ path: [UInt8], in parent: Int?, _ metadata: FileMetadata) -> Int {
        nodes.append(
            Node(parent: parent, name: Array(PathBytes.name(path)), metadata: metadata))
        return nodes.count - 1
    }

    func metadata(_ number: Int) -> FileMetadata { nodes[number].metadata }

    func path(_ number: Int) -> [UInt8] {
        var names: [[UInt8]] = []
        var next: Int? = number
        while let number = next {
            names.append(nodes[number].name)
            next = nodes[number].parent
        }
        return Array(names.reversed().filter { !$0.isEmpty }.joined(separator: [0x2f]))
    }
}

/// Which names of a snapshot are one file.
///
/// An inode number proves nothing: it may have been given to another file, in the source or by who
/// made the snapshot. Names are one file only where the snapshot says the same of both.
struct RestoredNames {
    private struct Key: Hashable {
        var device: UInt32
        var inode: UInt64
    }

    struct FurtherName {
        var path: [UInt8]
        var first: [UInt8]
        var entry: ManifestEntry
    }

    private var firstNames: [Key: (path: [UInt8], entry: ManifestEntry)] = [:]
    /// Further names, made once all files are written.
    private(set) var further: [FurtherName] = []

    /// Remembers the first name of a file that has several; true for the others, which come last.
    mutating func isFurther(_ entry: ManifestEntry, _ path: [UInt8]) -> Bool {
        guard let key = Self.key(entry) else { return false }
        if let first = firstNames[key], Self.isSame(first.entry, entry) {
            further.append(FurtherName(path: path, first: first.path, entry: entry))
            return true
        }
        firstNames[key] = (path, entry)
        return false
    }

    /// The name was left alone: further names are not to be names of what is there.
    mutating func forget(_ entry: ManifestEntry) {
        if let key = Self.key(entry) { firstNames[key] = nil }
    }

    private static func key(_ entry: ManifestEntry) -> Key? {
        entry.linkDevice.map { Key(device: $0, inode: entry.inode) }
    }

    private static func isSame(_ one: ManifestEntry, _ other: ManifestEntry) -> Bool {
        one.payload == other.payload && one.metadata == other.metadata
    }
}
