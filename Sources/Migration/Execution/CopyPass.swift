internal import Bytes
internal import Platform
internal import SystemPackage
internal import Trees

// One pass makes the target equal to what a walk of the source found, in this order:
//
// 1. directories, outer ones first; with permissions for the owner only
// 2. files that are no part of a log, in batches: copied into the staging directory, made durable,
//    renamed into place, told to the journal
// 3. tables of row files: rows, then the log
// 4. files of table logs, the same way as others, in the order of their names, which is that of
//    versions: whoever reads the target finds some whole version of each table
// 5. further names of files; symlinks and special files
// 6. what the source no longer has goes, inner paths first
// 7. owner, attributes, mode and time of directories, inner ones first

/// The work of one pass over the source.
final class CopyPass {
    private let source: MigrationSource
    private let target: MigrationTarget
    private let journal: MigrationJournal
    private let strategy: CopyStrategy
    private let copies: FileCopies
    private var problems: [MigrationProblem] = []
    /// Directories in which something was made or removed.
    private var touched: Set<[UInt8]> = []

    static let batchFiles = 4096
    static let batchBytes: UInt64 = 1 << 30

    init(
        _ source: MigrationSource, _ target: MigrationTarget, _ journal: MigrationJournal,
        _ strategy: CopyStrategy, _ settings: CopySettings
    ) {
        self.source = source
        self.target = target
        self.journal = journal
        self.strategy = strategy
        copies = FileCopies(source: source, target: target, settings: settings)
    }

    /// Returns the paths that could not be migrated.
    func run(
        _ inventory: Inventory, _ changes: ChangeSet
    ) throws(MigrationError) -> [MigrationProblem] {
        try makeDirectories(changes.directories)
        try copy(changes.data)
        let kept = copiedInside(changes.rowDirectories.map(\.path))
        for directory in changes.rowDirectories {
            try make(directory, keeping: kept[directory.path] ?? [])
        }
        try copy(changes.logs)
        try makeLinks(changes.links)
        try makeOthers(changes.others)
        try removeGone(changes)
        try finishDirectories(inventory, changes)
        return problems
    }

    private func fail(_ path: [UInt8], _ error: any Error) {
        problems.append(MigrationProblem(path: path, reason: "\(error)"))
    }

    private func touch(_ path: [UInt8]) { touched.insert(PathBytes.parent(path)) }
}

// MARK: - Files
extension CopyPass {
    private func copy(_ items: [Inventory.Item]) throws(MigrationError) {
        var batch: [Inventory.Item] = []
        var bytes: UInt64 = 0
        for item in items {
            batch.append(item)
            bytes &+= item.status.size
            if batch.count == Self.batchFiles || bytes >= Self.batchBytes {
                try copy(batch: batch)
                batch = []
                bytes = 0
            }
        }
        if !batch.isEmpty { try copy(batch: batch) }
    }

    private func copy(batch: [Inventory.Item]) throws(MigrationError) {
        let outcome = copies.run(batch, strategy)
        try publish(outcome.staged)
        problems += outcome.problems
        if let fault = outcome.fault { throw .target(fault) }
        try checkInterruption()
    }

    /// Makes copies durable, gives them their places, and tells the journal.
    private func publish(_ files: [StagedFile]) throws(MigrationError) {
        guard !files.isEmpty else { return }
        try writing { () throws(PlatformError) in
            // Large ones are on the disk already.
            if files.contains(where: { $0.path.stamp.size < CopySettings.largeSize }) {
                try target.sync()
            }
            for file in files { try target.publish(file.staged, as: file.path.path) }
        }
        for file in files { touch(file.path.path) }
        try journal.append(.copied(files.map(\.path)))
    }

    private func makeLinks(
        _ links: [(item: Inventory.Item, first: [UInt8])]
    ) throws(MigrationError) {
        var made: [CopiedPath] = []
        for (item, first) in links {
            // Without its first name it is told already.
            guard let stamp = journal.state.copied[first] else { continue }
            try writing { () throws(PlatformError) in try target.link(first, as: item.path) }
            touch(item.path)
            made.append(CopiedPath(path: item.path, stamp: stamp))
        }
        if !made.isEmpty { try journal.append(.copied(made)) }
    }

    private func makeOthers(_ items: [Inventory.Item]) throws(MigrationError) {
        var made: [CopiedPath] = []
        for item in items {
            do throws(PlatformError) {
                guard let status = try source.status(item.path) else { continue }
                let (other, attributes) = try OtherFile.read(item.path, status, source.root)
                let metadata = FileMetadata(status, attributes: attributes)
                try target.tree.remove(item.path)
                try target.tree.makeOther(other, at: item.path)
                try target.tree.applyByName(metadata, at: item.path)
                touch(item.path)
                made.append(CopiedPath(path: item.path, stamp: FileStamp(status)))
            } catch {
                guard !CopyFailure.isTargets(error) else { throw .target(error) }
                fail(item.path, error)
            }
        }
        if !made.isEmpty { try journal.append(.copied(made)) }
    }
}

// MARK: - Tables of row files
extension CopyPass {
    private func make(
        _ directory: Inventory.RowDirectory, keeping kept: Set<[UInt8]>
    ) throws(MigrationError) {
        let conversion = TableConversion(source, target, copies.settings.host)
        do throws(MigrationError) {
            let made = try conversion.run(directory, keeping: kept)
            touched.insert(directory.path)
            try journal.append(.made(made))
        } catch {
            guard case .table(let path, let reason) = error, reason.isOfRows else { throw error }
            fail(path, reason)
        }
        for file in directory.files { copies.settings.didFinish(file.path) }
        copies.settings.didCopy(directory.files.reduce(0) { $0 &+ $1.status.size })
    }
}

// MARK: - Directories and what is gone
extension CopyPass {
    /// What was copied right into each of some directories.
    private func copiedInside(_ directories: [[UInt8]]) -> [[UInt8]: Set<[UInt8]>] {
        guard !directories.isEmpty else { return [:] }
        let wanted = Set(directories)
        var inside: [[UInt8]: Set<[UInt8]>] = [:]
        for path in journal.state.copied.keys where !path.isEmpty {
            let parent = PathBytes.parent(path)
            if wanted.contains(parent) { inside[parent, default: []].insert(path) }
        }
        return inside
    }

    private func makeDirectories(_ items: [Inventory.Item]) throws(MigrationError) {
        try writing { () throws(PlatformError) in
            for item in items {
                if let status = try target.tree.status(item.path) {
                    if status.type == .directory {
                        _ = try target.tree.openForChange(item.path)
                        continue
                    }
                    try target.tree.remove(item.path)
                }
                try target.tree.makeDirectory(item.path)
                touch(item.path)
            }
        }
    }

    private func removeGone(_ changes: ChangeSet) throws(MigrationError) {
        let paths = changes.unmade + changes.gone
        guard !paths.isEmpty else { return }
        guard !journal.hasLostTail else {
            throw .refused(.lostEnd(lacking: paths))
        }
        var removed: [[UInt8]] = []
        let conversion = TableConversion(source, target, copies.settings.host)
        let kept = copiedInside(changes.unmade)
        for path in changes.unmade {
            attempt(path, &removed) { () throws(PlatformError) in
                try conversion.removeTable(path, keeping: kept[path] ?? [])
            }
        }
        for path in changes.gone.reversed() {
            attempt(path, &removed) { () throws(PlatformError) in try target.remove(path) }
            touch(path)
        }
        try journal.append(.gone(removed))
    }

    private func attempt(
        _ path: [UInt8], _ done: inout [[UInt8]], _ body: () throws(PlatformError) -> Void
    ) {
        do throws(PlatformError) {
            try body()
            done.append(path)
        } catch {
            fail(path, error)
        }
    }

    /// The time of a directory changes with what is made in it, so its metadata comes last.
    private func finishDirectories(
        _ inventory: Inventory, _ changes: ChangeSet
    ) throws(MigrationError) {
        touched.formUnion(changes.directories.map(\.path))
        var done: [CopiedPath] = []
        for item in inventory.items.reversed() where item.isDirectory && touched.contains(item.path)
        {
            if try finishDirectory(item.path) {
                done.append(CopiedPath(path: item.path, stamp: item.stamp))
            }
        }
        let new = done.filter { journal.state.copied[$0.path] != $0.stamp }
        if !new.isEmpty { try journal.append(.copied(new)) }
    }

    /// False when the source no longer has it, or it could not be finished.
    func finishDirectory(_ path: [UInt8]) throws(MigrationError) -> Bool {
        do throws(PlatformError) {
            guard let status = try source.status(path), status.type == .directory else {
                return false
            }
            let (_, attributes) = try OtherFile.read(path, status, source.root)
            let directory = try target.tree.root.open(path, [.readOnly, .directory])
            let metadata = FileMetadata(status, attributes: attributes)
            try target.tree.apply(metadata, to: directory, path)
            return true
        } catch {
            guard !CopyFailure.isTargets(error) else { throw .target(error) }
            fail(path, error)
            return false
        }
    }
}
