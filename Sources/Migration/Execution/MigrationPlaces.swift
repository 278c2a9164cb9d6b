internal import Bytes
internal import Platform
internal import SystemPackage
internal import Trees

/// The directory that is migrated, held open; nothing is read but below it, never behind a symlink.
final class MigrationSource: Sendable {
    let root: PinnedDirectory

    init(_ path: [UInt8]) throws(MigrationError) {
        root = try reading { () throws(PlatformError) in try PinnedDirectory(path) }
    }

    /// Opens a file or directory below the source, and leaves its access time alone if it may.
    func open(_ path: [UInt8], directory: Bool = false) throws(PlatformError) -> Descriptor {
        let flags: OpenFlags =
            directory ? [.readOnly, .directory] : [.readOnly, .nonBlocking]
        do throws(PlatformError) {
            return try root.open(path, flags.union(.noAccessTime))
        } catch {
            guard error.errno == .notPermitted else { throw error }
            return try root.open(path, flags)
        }
    }

    /// Status of a path; nil when there is nothing.
    func status(_ path: [UInt8]) throws(PlatformError) -> FileStatus? {
        do throws(PlatformError) {
            if path.isEmpty { return try root.descriptor.status(path) }
            let parent = try root.open(PathBytes.parent(path), [.readOnly, .directory])
            return try FileStatus.of(Array(PathBytes.name(path)), at: parent.raw)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }
}

/// The directory that is migrated to.
///
/// Files are written in a directory of their own at its top, and get their place by a rename once
/// they are whole and durable. Every path is resolved from the open directory, component by
/// component, and none may be a symlink: nothing outside can be reached.
final class MigrationTarget: Sendable {
    let tree: LiveTree
    private let staging: Descriptor
    private let serial = Monitor(0)

    static let stagingName = Array(".varve-migration".utf8)

    /// Opens the target; what an earlier run left in the directory for staging is removed.
    init(_ path: [UInt8]) throws(MigrationError) {
        let tree = try writing { () throws(PlatformError) in
            try LiveTree(path, AttributePolicy(setsSetID: true))
        }
        staging = try writing { () throws(PlatformError) in
            try tree.remove(Self.stagingName)
            try tree.makeDirectory(Self.stagingName)
            return try tree.root.open(Self.stagingName, [.readOnly, .directory])
        }
        self.tree = tree
    }

    /// A name in the staging directory that nothing has.
    func newStagedName() -> [UInt8] {
        let number = serial.withState { serial in
            serial += 1
            return serial
        }
        return Array(String(number).utf8)
    }

    func createStaged(_ name: [UInt8]) throws(PlatformError) -> Descriptor {
        try Descriptor.openBeneath(
            name, [.readWrite, .create, .exclusive], at: staging.raw, mode: 0o600)
    }

    func openStaged(_ name: [UInt8]) throws(PlatformError) -> Descriptor {
        try Descriptor.openBeneath(name, [.readOnly, .nonBlocking], at: staging.raw)
    }

    func removeStaged(_ name: [UInt8]) {
        try? FileOperations.remove(name, at: staging.raw)
    }

    /// A path by which the staging directory can be named while it is open.
    var stagedPath: [UInt8] { Array("/proc/self/fd/\(staging.raw)".utf8) }

    /// Gives a staged file its place; a directory that is there makes room.
    func publish(_ staged: [UInt8], as path: [UInt8]) throws(PlatformError) {
        let parent = try tree.openParent(path)
        let name = Array(PathBytes.name(path))
        do throws(PlatformError) {
            try FileOperations.rename(
                staged, to: name, at: staging.raw, toDirectory: parent.raw)
        } catch {
            guard
                error.errno == .isDirectory || error.errno == .directoryNotEmpty
                    || error.errno == .fileExists
            else { throw error }
            try tree.remove(path)
            try FileOperations.rename(
                staged, to: name, at: staging.raw, toDirectory: parent.raw)
        }
    }

    /// Gives the file at `existing` a further name, in place of what has it.
    func link(_ existing: [UInt8], as path: [UInt8]) throws(PlatformError) {
        let staged = newStagedName()
        let parent = try tree.openParent(existing)
        try FileOperations.link(
            Array(PathBytes.name(existing)), to: staged, at: parent.raw,
            toDirectory: staging.raw)
        try publish(staged, as: path)
        // Between two names of one file a rename does nothing, and leaves both.
        removeStaged(staged)
    }

    /// Removes a file or an empty directory; nothing there is no error.
    func remove(_ path: [UInt8]) throws(PlatformError) {
        guard let status = try tree.status(path) else { return }
        let parent = try tree.openParent(path)
        try FileOperations.remove(
            Array(PathBytes.name(path)), at: parent.raw,
            isDirectory: status.type == .directory)
    }

    /// Waits until everything that was written to the file system is on the disk.
    func sync() throws(PlatformError) {
        try tree.root.descriptor.syncFileSystem(tree.root.path)
    }

    /// Removes the staging directory with all that is in it.
    func removeStaging() throws(PlatformError) { try tree.remove(Self.stagingName) }
}
