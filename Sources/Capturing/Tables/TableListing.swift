internal import Bytes
internal import Platform
internal import TableLog
internal import Trees

// What lies in the directory of a table and is told of by no log is treated as VACUUM treats it.
// Data files and deletion vectors in visible directories that no retained version needs are what
// writers have not committed yet, or left behind: VACUUM takes them in time, and a snapshot leaves
// them out. Names that begin with "_" or "." are hidden from it, unless they are partitions
// ("column=value") or change files: what they hold belongs to somebody, and is captured as plain
// files, but for the directories in which engines put what is not done. Files of other kinds, a
// README, are captured too.

/// What lies in the directory of a table besides its log: names, and the status only of what is no
/// segment.
struct TableListing {
    /// Directories and plain files, by their path below the table.
    private(set) var found: [(path: [UInt8], entry: WalkedEntry)] = []
    /// Data files and deletion vectors that are there.
    private(set) var dataFiles: Set<ExactText> = []
    /// How many more there are whose names are no UTF-8, so that no log can name them.
    private(set) var unnamableCount = 0
    /// Tables inside of it, which are visited on their own.
    private(set) var tables: [[UInt8]] = []

    private let site: TableSite
    private let directory: TableDirectory
    /// Paths below the table of directories that are tables, and whether they are plain files.
    private let inner: [[UInt8]: Bool]
    private let filter: WalkFilter

    private static let depthLimit = 256
    private static let changes = Array("_change_data".utf8)

    init(_ table: PinnedTable, inner: [[UInt8]: Bool], device: UInt64) {
        site = table.site
        directory = table.directory
        self.inner = inner
        filter = table.site.filter
        list([], isPlain: false, depth: 0, device)
    }

    private mutating func list(_ path: [UInt8], isPlain: Bool, depth: Int, _ device: UInt64) {
        do throws(PlatformError) {
            let opened = try directory.root.open(path, [.readOnly, .directory])
            // Before its names: a name that comes later changes the status after this one.
            let status = try opened.status(path)
            if !path.isEmpty { add(path, .success(status)) }
            guard !filter.staysOnFileSystem || status.device == device else { return }
            for (name, type) in try opened.typedNames(path) {
                add(name, type, in: path, opened, isPlain: isPlain, depth: depth, device)
            }
        } catch {
            guard !error.isNotFound else { return }
            add(path, .failure(error))
        }
    }

    private mutating func add(
        _ name: [UInt8], _ type: FileType, in parent: [UInt8], _ directory: borrowing Descriptor,
        isPlain: Bool, depth: Int, _ device: UInt64
    ) {
        let path = PathBytes.join(parent, name)
        let isLog = path == TableSearch.logName
        guard type == .directory || type == .unknown || isPlain || !Self.isData(name) else {
            addData(path)
            return
        }
        var status: Result<FileStatus, PlatformError>?
        var isDirectory = type == .directory
        if !isDirectory {
            let found = Result { () throws(PlatformError) in
                try FileStatus.of(name, at: directory.raw)
            }
            if case .failure(let error) = found, error.isNotFound { return }
            isDirectory = (try? found.get())?.type == .directory
            status = found
        }
        let sourcePath = PathBytes.join(site.relative, path)
        guard !filter.patterns.isExcluded(sourcePath, isDirectory: isDirectory) else { return }
        if isDirectory {
            guard !isLog, depth < Self.depthLimit else { return }
            addDirectory(name, path, isPlain: isPlain, depth: depth, device)
        } else if !isPlain, type == .unknown, Self.isData(name) {
            addData(path)
        } else if let status {
            add(path, status)
        }
    }

    private mutating func addData(_ path: [UInt8]) {
        if let name = ExactText(utf8: path) {
            dataFiles.insert(name)
        } else {
            unnamableCount += 1
        }
    }

    private mutating func addDirectory(
        _ name: [UInt8], _ path: [UInt8], isPlain: Bool, depth: Int, _ device: UInt64
    ) {
        if let isPlainTable = inner[path] {
            guard isPlainTable else { return tables.append(path) }
            return list(path, isPlain: true, depth: depth + 1, device)
        }
        if !isPlain, Self.isUnfinished(name) { return }
        let isHidden = name.first == UInt8(ascii: "_") || name.first == UInt8(ascii: ".")
        let isVisible =
            !isHidden || name.contains(UInt8(ascii: "=")) || path == Self.changes
        list(path, isPlain: isPlain || !isVisible, depth: depth + 1, device)
    }

    private mutating func add(_ path: [UInt8], _ status: Result<FileStatus, PlatformError>) {
        let entry = WalkedEntry(path: PathBytes.join(site.path, path), status: status)
        found.append((path, entry))
    }

    /// Whether a name is one of a data file or deletion vector, finished or not, or of what
    /// belongs to one.
    private static func isData(_ name: [UInt8]) -> Bool {
        let endings = [Array(".tmp".utf8), Array(".inprogress".utf8)]
        return name.contains(Array(".parquet".utf8)) || name.starts(with: "deletion_vector_".utf8)
            || endings.contains { name.suffix($0.count).elementsEqual($0) }
    }

    /// Where engines put what they have not committed.
    private static func isUnfinished(_ name: [UInt8]) -> Bool {
        name == Array("_temporary".utf8) || name.starts(with: ".spark-staging".utf8)
    }
}
