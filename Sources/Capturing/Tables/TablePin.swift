internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import TableLog
internal import Trees

// Pinning keeps a file readable after its name is gone. An open descriptor does that and leaves no
// trace; a hard link would change the count of links and the change time of the file in the source,
// so that the next snapshot, and every other program that goes by them, takes the file for changed,
// and would leave names behind in the source when the capture is killed. Only files that will be
// read are pinned, and the limit on descriptors is raised to what the system allows. What does not
// fit under it is opened when its turn comes; should it be gone then, the table is told of as
// lacking it.

/// A file held open since the moment of the snapshot.
final class PinnedFile: Sendable {
    let descriptor: Descriptor
    /// When it was pinned.
    let status: FileStatus

    init(_ descriptor: consuming Descriptor, _ status: FileStatus) {
        self.descriptor = descriptor
        self.status = status
    }
}

/// Where a table lies.
struct TableSite: Sendable {
    /// The source that it was found in.
    var source: [UInt8]
    /// Below the source.
    var relative: [UInt8]
    /// In the snapshot.
    var path: [UInt8]
    var filter: WalkFilter

    func open() throws(PlatformError) -> TableDirectory {
        let root = try PinnedDirectory(source)
        return TableDirectory(
            PinnedDirectory(try root.open(relative, [.readOnly, .directory]), path))
    }

    /// The path below the source of a path below the table.
    func sourcePath(_ path: ExactText) -> [UInt8] { PathBytes.join(relative, Array(path.utf8)) }
}

/// A table at the version that the snapshot takes.
final class PinnedTable {
    let site: TableSite
    let directory: TableDirectory
    /// All files of the log when it was listed.
    let listing: [LogFile]
    let contents: TableContents
    /// Paths below the table that the parent has, and that are neither read nor looked at.
    let known: Set<ExactText>
    /// Open files, by their path below the table; taken as they are read.
    var pins: [ExactText: PinnedFile]
    /// Files that did not fit under the limit of descriptors.
    let unpinned: Set<ExactText>

    init(
        _ site: TableSite, _ directory: TableDirectory, _ listing: [LogFile],
        _ contents: TableContents, known: Set<ExactText>, pins: [ExactText: PinnedFile],
        unpinned: Set<ExactText>
    ) {
        self.site = site
        self.directory = directory
        self.listing = listing
        self.contents = contents
        self.known = known
        self.pins = pins
        self.unpinned = unpinned
    }

    var captured: CapturedTable {
        CapturedTable(
            site.path, .pinned, version: contents.table.version,
            id: contents.table.metadata.id.string)
    }
}

/// Opens the files of one table.
struct TablePinner: ~Copyable {
    /// Why a table cannot be pinned.
    enum Failure: Error {
        /// A file of the version is gone: vacuum was faster, or it was lost.
        case gone(ExactText)
        /// A file of the version is not what the log says.
        case damaged(String)
        case table(TableLogError)
        case platform(PlatformError)
        case repository(RepositoryError)
    }

    let directory: TableDirectory
    let contents: TableContents
    let parent: [ExactText: ParentTable.File]
    var pins: [ExactText: PinnedFile] = [:]
    var known: Set<ExactText> = []
    var unpinned: Set<ExactText> = []
    /// Descriptors that may still be opened.
    var budget: Int

    init(
        _ directory: TableDirectory, _ contents: TableContents,
        _ parent: [ExactText: ParentTable.File], budget: Int
    ) {
        self.directory = directory
        self.contents = contents
        self.parent = parent
        self.budget = budget
    }

    /// Opens all that has to be read: the log first, since it is what cannot be made up for.
    mutating func pin(_ listing: [LogFile]) throws(Failure) {
        try pinLog(listing)
        for (path, size) in contents.live { try pinLive(path, size) }
        for path in contents.retained.sorted() {
            if parent[path] != nil {
                known.insert(path)
            } else if budget <= 0 {
                unpinned.insert(path)
            } else if let file = try open(path) {
                add(path, file)
            }
        }
    }

    private mutating func pinLog(_ listing: [LogFile]) throws(Failure) {
        let statuses = Dictionary(listing.map { ($0.name, $0.status) }) { first, _ in first }
        for name in contents.logNames {
            let path: ExactText = "\(TableDirectory.log)/\(name)"
            if let status = statuses[name] ?? nil, parent[path]?.isSame(status) == true {
                known.insert(path)
            } else {
                try pinNeeded(path)
            }
        }
        for name in contents.sidecars {
            let path: ExactText = "\(TableDirectory.log)/_sidecars/\(name)"
            if parent[path] == nil { try pinNeeded(path) } else { known.insert(path) }
        }
        try pinHint("_last_checkpoint")
    }

    private mutating func pinNeeded(_ path: ExactText) throws(Failure) {
        if budget > 0 { try require(path) } else { unpinned.insert(path) }
    }

    /// The hint is replaced in place: it counts if what it says was true at the version.
    private mutating func pinHint(_ name: String) throws(Failure) {
        let path: ExactText = "\(TableDirectory.log)/\(name)"
        guard let file = try open(path) else { return }
        let bytes: [UInt8]
        do throws(PlatformError) {
            bytes = try file.descriptor.read(1 << 20, at: 0, Array(path.utf8))
        } catch {
            throw .platform(error)
        }
        // One written since the log was listed speaks of a checkpoint that is not in the snapshot.
        guard let hinted = LogReader.hintedVersion(bytes), hinted <= contents.table.version,
            contents.logNames.contains(where: {
                $0.hasPrefix(LogListing.name(hinted, ".checkpoint."))
            })
        else { return }
        add(path, file)
        let checksum: ExactText = "\(TableDirectory.log)/.\(name).crc"
        if let file = try open(checksum) { add(checksum, file) }
    }

    private mutating func pinLive(_ path: ExactText, _ size: Int64?) throws(Failure) {
        if let file = parent[path], size == nil || file.size == UInt64(exactly: size ?? 0) {
            known.insert(path)
            return
        }
        guard budget > 0 else {
            unpinned.insert(path)
            return
        }
        let file = try require(path)
        guard size == nil || file.status.size == UInt64(exactly: size ?? 0) else {
            throw .damaged("\(path) is \(file.status.size) bytes, the log says \(size ?? 0)")
        }
        guard !path.hasSuffix(".parquet") || endsAsParquet(file) else {
            throw .damaged("\(path) does not end as a Parquet file does")
        }
    }

    private func endsAsParquet(_ file: PinnedFile) -> Bool {
        guard file.status.size >= 8,
            let mark = try? file.descriptor.read(4, at: file.status.size - 4, [])
        else { return false }
        return mark == Array("PAR1".utf8) || mark == Array("PARE".utf8)
    }

    @discardableResult
    private mutating func require(_ path: ExactText) throws(Failure) -> PinnedFile {
        guard let file = try open(path) else { throw .gone(path) }
        add(path, file)
        return file
    }

    private mutating func add(_ path: ExactText, _ file: PinnedFile) {
        pins[path] = file
        budget -= 1
    }

    /// Nil when there is no such file.
    private func open(_ path: ExactText) throws(Failure) -> PinnedFile? {
        let bytes = Array(path.utf8)
        let flags: OpenFlags = [.readOnly, .nonBlocking]
        do throws(PlatformError) {
            let file: Descriptor
            do throws(PlatformError) {
                file = try directory.root.open(bytes, flags.union(.noAccessTime))
            } catch  where error.errno == .notPermitted {
                file = try directory.root.open(bytes, flags)
            }
            let status = try file.status(bytes)
            guard status.type == .regular else {
                throw PlatformError("open", bytes, .invalidArgument)
            }
            return PinnedFile(file, status)
        } catch {
            if error.isNotFound { return nil }
            throw .platform(error)
        }
    }
}
