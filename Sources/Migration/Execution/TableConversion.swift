internal import Bytes
internal import Platform
internal import SystemPackage
internal import TableLog
internal import TableStore
internal import Trees

/// Makes a table of the row files of one directory.
///
/// The table is made in the staging directory, and its files are moved into place: data files
/// first, the log last. Until the log is there, nobody takes the directory for a table.
struct TableConversion {
    private let source: MigrationSource
    private let target: MigrationTarget
    private let host: Host

    init(_ source: MigrationSource, _ target: MigrationTarget, _ host: Host) {
        self.source = source
        self.target = target
        self.host = host
    }

    /// Paths of the source by which an import opens its files.
    static func paths(
        _ directory: [UInt8], _ files: [CopiedPath], in source: MigrationSource
    ) -> [[UInt8]] {
        files.map { PathBytes.join(source.root.path, $0.path) }
    }

    /// What of an earlier table lies in the directory goes, `keeping` excepted.
    func run(
        _ directory: Inventory.RowDirectory, keeping: Set<[UInt8]>
    ) throws(MigrationError) -> MadeTable {
        let now = host.now()
        let files = directory.files.map { file in
            CopiedPath(path: file.path, stamp: file.stamp.settled(at: now, .local))
        }
        let paths = Self.paths(directory.path, files, in: source)
        let staged = target.newStagedName()
        let place = PathBytes.join(target.stagedPath, staged)
        try tabling(directory.path) { () throws(TableStoreError) in
            var options = ImportOptions()
            options.format = directory.format
            // A type that is too narrow for a later row would lose some of it.
            options.looksAtAllRows = true
            let schema = try SchemaInference.infer(paths, options)
            _ = try TableImport.create(paths, at: place, TableDesign(schema), options)
        }
        try writing { () throws(PlatformError) in
            try removeTable(directory.path, keeping: keeping)
            try move(PathBytes.join(MigrationTarget.stagingName, staged), to: directory.path)
        }
        return MadeTable(path: directory.path, format: directory.format, files: files)
    }

    private func move(_ staged: [UInt8], to path: [UInt8]) throws(PlatformError) {
        let from = try target.tree.root.open(staged, [.readOnly, .directory])
        let to = try target.tree.root.open(path, [.readOnly, .directory])
        let names = try from.names(staged)
        let log = Inventory.logName
        for name in names where name != log {
            try FileOperations.rename(name, to: name, at: from.raw, toDirectory: to.raw)
        }
        try to.sync(path)
        if names.contains(log) {
            try FileOperations.rename(log, to: log, at: from.raw, toDirectory: to.raw)
        }
        try to.sync(path)
        try target.remove(staged)
    }

    /// Removes a table that was made: the log first, then everything that `keeping` does not name.
    func removeTable(
        _ path: [UInt8], keeping: Set<[UInt8]> = []
    ) throws(PlatformError) {
        guard try target.tree.status(path) != nil else { return }
        try target.tree.remove(PathBytes.join(path, Inventory.logName))
        let directory = try target.tree.openForChange(path)
        for name in try directory.names(path) {
            let inner = PathBytes.join(path, name)
            guard !keeping.contains(inner), inner != MigrationTarget.stagingName else { continue }
            if try target.tree.status(inner)?.type == .regular { try target.tree.remove(inner) }
        }
    }
}

extension TableStoreError {
    /// Whether rows do not fit, which is no fault of the disk: the rest of the migration goes on.
    var isOfRows: Bool {
        switch kind {
        case .input, .request, .unsupported, .damaged: true
        default: false
        }
    }
}
