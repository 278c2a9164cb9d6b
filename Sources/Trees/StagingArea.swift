internal import Bytes
package import Platform
internal import SystemPackage

// Invariants:
//
// 1. `p-<key>` may hold anything. `s-<key>` is whole, and its content and its name are on the disk.
// 2. A file leaves the area only from `s-<key>`, by one rename.
// 3. Equal keys mean equal files, so what one run sealed may be published by a later one.
// 4. A sync that failed is final: no file of its batch is sealed by this area any more.

/// A directory of a live tree in which files are built, and which they leave by a rename once they
/// are whole and durable.
///
/// Waiting for the disk is the cost, so it is shared: files are sealed many at a time. Keys are
/// names, of at most 253 bytes and without a slash.
package struct StagingArea: Sendable {
    /// Below the root of the tree.
    package let path: [UInt8]
    private let directory: OpenDirectory
    private var pending: [[UInt8]] = []
    private var pendingBytes: UInt64 = 0

    /// Files and bytes that wait for the disk together, at most.
    private static let batchFiles = 256
    private static let batchBytes: UInt64 = 256 << 20
    /// Up to this many files are synced one by one, more by one call for the whole file system,
    /// which waits for what others write too.
    private static let singleSyncs = 4

    private final class OpenDirectory: Sendable {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Opens the directory at `path`, which must be there, on the same file system as the files
    /// that will be published.
    package init(_ path: [UInt8], in tree: borrowing LiveTree) throws(PlatformError) {
        self.path = path
        directory = OpenDirectory(try tree.root.open(path, [.readOnly, .directory]))
    }

    /// A path by which other code can reach the directory while this value lives (proc(5)).
    package var systemPath: [UInt8] { Array("/proc/self/fd/\(directory.descriptor.raw)".utf8) }

    // MARK: Names

    private static func partial(_ key: [UInt8]) -> [UInt8] { Array("p-".utf8) + key }
    private static func sealed(_ key: [UInt8]) -> [UInt8] { Array("s-".utf8) + key }

    /// Path of the unfinished file of a key, below the root of the tree.
    package func partialPath(_ key: [UInt8]) -> [UInt8] { PathBytes.join(path, Self.partial(key)) }

    /// Path of the sealed file of a key, below the root of the tree.
    package func sealedPath(_ key: [UInt8]) -> [UInt8] { PathBytes.join(path, Self.sealed(key)) }

    // MARK: Building

    /// Makes the empty file of a key, for its owner alone, to be read and written.
    ///
    /// What an interrupted run left of it goes. It may be closed before it is added.
    package func stage(_ key: [UInt8]) throws(PlatformError) -> Descriptor {
        try discard(key)
        return try Descriptor.openBeneath(
            Self.partial(key), [.readWrite, .create, .exclusive], at: directory.descriptor.raw,
            mode: 0o600)
    }

    /// Opens the unfinished file of a key again.
    package func reopen(_ key: [UInt8], _ flags: OpenFlags) throws(PlatformError) -> Descriptor {
        try Descriptor.openBeneath(Self.partial(key), flags, at: directory.descriptor.raw)
    }

    /// Removes the unfinished file of a key; none there is no error.
    package func discard(_ key: [UInt8]) throws(PlatformError) {
        do throws(PlatformError) {
            try FileOperations.remove(Self.partial(key), at: directory.descriptor.raw)
        } catch {
            guard error.isNotFound else { throw error }
        }
    }

    // MARK: Sealing

    /// Notes that the file of a key is whole, and seals all that wait once they are many.
    ///
    /// Returns the keys that were sealed by this, in the order in which they were added.
    @discardableResult
    package mutating func add(_ key: [UInt8], size: UInt64) throws(PlatformError) -> [[UInt8]] {
        pending.append(key)
        let (sum, overflow) = pendingBytes.addingReportingOverflow(size)
        pendingBytes = overflow ? .max : sum
        guard pending.count >= Self.batchFiles || pendingBytes >= Self.batchBytes else { return [] }
        return try seal()
    }

    /// Waits until all that was added is durable, and returns the keys that were sealed by this.
    @discardableResult
    package mutating func seal() throws(PlatformError) -> [[UInt8]] {
        let batch = pending
        (pending, pendingBytes) = ([], 0)
        guard !batch.isEmpty else { return [] }
        try sync(batch)
        for key in batch {
            try FileOperations.rename(
                Self.partial(key), to: Self.sealed(key), at: directory.descriptor.raw)
        }
        try directory.descriptor.sync(path)
        return batch
    }

    private func sync(_ batch: [[UInt8]]) throws(PlatformError) {
        if batch.count > Self.singleSyncs { return try directory.descriptor.syncFileSystem(path) }
        for key in batch { try reopen(key, [.readOnly]).sync(partialPath(key)) }
    }

    // MARK: Publishing

    /// Status of the sealed file of a key; nil when there is none.
    package func status(_ key: [UInt8]) throws(PlatformError) -> FileStatus? {
        do throws(PlatformError) {
            return try FileStatus.of(Self.sealed(key), at: directory.descriptor.raw)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// Opens the sealed file of a key to be read.
    package func open(_ key: [UInt8]) throws(PlatformError) -> Descriptor {
        try Descriptor.openBeneath(
            Self.sealed(key), [.readOnly, .nonBlocking], at: directory.descriptor.raw)
    }

    /// Gives a sealed file its name in the tree; the directory of that name is not synced.
    ///
    /// Throws `fileExists` where something has the name, unless `replacing`; then `isDirectory`
    /// where a directory has it.
    package func publish(
        _ key: [UInt8], at target: [UInt8], in tree: borrowing LiveTree, replacing: Bool
    ) throws(PlatformError) {
        let parent = try tree.openForChange(PathBytes.parent(target))
        let name = Array(PathBytes.name(target))
        let raw = directory.descriptor.raw
        if replacing {
            return try FileOperations.rename(
                Self.sealed(key), to: name, at: raw, toDirectory: parent.raw)
        }
        try FileOperations.renameWithoutReplacing(
            Self.sealed(key), to: name, at: raw, toDirectory: parent.raw)
    }
}

extension LiveTree {
    /// Up to this many directories are synced one by one.
    private static var singleSyncs: Int { 8 }

    /// Waits until the names in these directories are on the disk; what is gone is left out.
    package func sync(directories: Set<[UInt8]>) throws(PlatformError) {
        if directories.count > Self.singleSyncs {
            return try root.descriptor.syncFileSystem(root.path)
        }
        for path in directories {
            do throws(PlatformError) {
                try root.open(path, [.readOnly, .directory]).sync(path)
            } catch  where error.isNotFound || error.errno == .tooManySymbolicLinkLevels {}
        }
    }
}
