internal import Bytes
package import Platform
internal import SystemPackage

/// A directory of a user that is changed in place: by a restore, replication, sync or migration.
///
/// Every path is resolved from its descriptor, component by component, and no component may be a
/// symlink: nothing outside can be reached.
package struct LiveTree: ~Copyable, Sendable {
    package let root: PinnedDirectory
    private let policy: AttributePolicy

    package init(
        _ path: [UInt8], _ policy: AttributePolicy = AttributePolicy()
    ) throws(PlatformError) {
        root = try PinnedDirectory(path)
        self.policy = policy
    }

    /// Takes over a directory that is open.
    package init(
        _ root: consuming PinnedDirectory, _ policy: AttributePolicy = AttributePolicy()
    ) {
        self.root = root
        self.policy = policy
    }

    /// Status of a path; nil when there is nothing, or only by way of a symlink.
    package func status(_ path: [UInt8]) throws(PlatformError) -> FileStatus? {
        do throws(PlatformError) {
            if path.isEmpty { return try root.descriptor.status(path) }
            let parent = try openParent(path)
            return try FileStatus.of(Array(PathBytes.name(path)), at: parent.raw)
        } catch  where error.isNotFound || error.errno == .tooManySymbolicLinkLevels {
            return nil
        }
    }

    package func openParent(_ path: [UInt8]) throws(PlatformError) -> Descriptor {
        try root.open(PathBytes.parent(path), [.readOnly, .directory])
    }

    package func makeDirectory(_ path: [UInt8]) throws(PlatformError) {
        let parent = try openParent(path)
        try FileOperations.makeDirectory(Array(PathBytes.name(path)), at: parent.raw, mode: 0o700)
    }

    /// Makes a symlink or special file, replacing what is there; directories are made elsewhere.
    package func makeOther(_ file: OtherFile, at path: [UInt8]) throws(PlatformError) {
        try remove(path)
        let parent = try openParent(path)
        let name = Array(PathBytes.name(path))
        switch file {
        case .symlink(let target):
            try FileOperations.makeSymlink(name, to: target, at: parent.raw)
        case .fifo: try FileOperations.makeSpecial(name, .fifo, device: 0, at: parent.raw)
        case .characterDevice(let device):
            try FileOperations.makeSpecial(name, .characterDevice, device: device, at: parent.raw)
        case .blockDevice(let device):
            try FileOperations.makeSpecial(name, .blockDevice, device: device, at: parent.raw)
        case .directory: preconditionFailure("directories are made elsewhere")
        }
    }

    /// Gives `path` as a further name to the file `existing`.
    package func link(_ existing: [UInt8], as path: [UInt8]) throws(PlatformError) {
        let source = try openParent(existing)
        let target = try openParent(path)
        try FileOperations.link(
            Array(PathBytes.name(existing)), to: Array(PathBytes.name(path)), at: source.raw,
            toDirectory: target.raw)
    }

    /// Removes whatever is at `path`, with everything below it; nothing there is no error.
    @discardableResult
    package func remove(_ path: [UInt8]) throws(PlatformError) -> UInt64 {
        var removed: UInt64 = 0
        var pending: [(path: [UInt8], isListed: Bool)] = [(path, false)]
        while let (next, isListed) = pending.popLast() {
            guard let status = try status(next) else { continue }
            if status.type == .directory, !isListed {
                let directory = try openForChange(next)
                pending.append((next, true))
                for name in try directory.names(next) {
                    pending.append((PathBytes.join(next, name), false))
                }
                continue
            }
            let parent = try openParent(next)
            try FileOperations.remove(
                Array(PathBytes.name(next)), at: parent.raw,
                isDirectory: status.type == .directory)
            removed += 1
        }
        return removed
    }

    /// Opens a directory whose entries are to change, with permission to do so.
    package func openForChange(_ path: [UInt8]) throws(PlatformError) -> Descriptor {
        if !HostSystem.isRoot, !path.isEmpty, let status = try status(path),
            status.mode & 0o700 != 0o700
        {
            let parent = try openParent(path)
            try FileOperations.setMode(
                Array(PathBytes.name(path)), status.mode | 0o700, at: parent.raw)
        }
        return try root.open(path, [.readOnly, .directory])
    }
}

// MARK: - Metadata

extension LiveTree {
    /// Sets owner, attributes, mode and time of an open file or directory where they differ: what
    /// is right is left alone, or the next snapshot would take it for changed.
    ///
    /// The time comes last because the others may change it, and the owner before the mode because
    /// it clears bits of it.
    package func apply(
        _ wanted: FileMetadata, to file: borrowing Descriptor, _ path: [UInt8]
    )
        throws(PlatformError)
    {
        let present = try file.status(path)
        if policy.setsOwner, present.uid != wanted.uid || present.gid != wanted.gid {
            try file.setOwner(uid: wanted.uid, gid: wanted.gid, path)
        }
        try ExtendedAttributes.writeIfSupported(wanted.attributes, to: file, path)
        let changed = try file.status(path)
        let mode = policy.mode(wanted.mode)
        if changed.mode != mode { try file.setMode(mode, path) }
        if changed.mtime != wanted.mtime { try file.setModificationTime(wanted.mtime, path) }
    }

    /// The same for what cannot be opened.
    package func applyByName(_ wanted: FileMetadata, at path: [UInt8]) throws(PlatformError) {
        let parent = try openParent(path)
        let name = Array(PathBytes.name(path))
        let present = try FileStatus.of(name, at: parent.raw)
        if policy.setsOwner, present.uid != wanted.uid || present.gid != wanted.gid {
            try FileOperations.setOwner(name, uid: wanted.uid, gid: wanted.gid, at: parent.raw)
        }
        try ExtendedAttributes.writeIfSupported(wanted.attributes, to: name, at: parent.raw)
        let changed = try FileStatus.of(name, at: parent.raw)
        let mode = policy.mode(wanted.mode)
        if changed.type != .symlink, changed.mode != mode {
            try FileOperations.setMode(name, mode, at: parent.raw)
        }
        if changed.mtime != wanted.mtime {
            try FileOperations.setModificationTime(name, wanted.mtime, at: parent.raw)
        }
    }
}

extension ExtendedAttributes {
    /// A file system without attributes is an error only if there are attributes to set.
    fileprivate static func writeIfSupported(
        _ wanted: [ExtendedAttribute], to file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError) {
        do throws(PlatformError) {
            try write(wanted, to: file, path)
        } catch {
            if !wanted.isEmpty { throw error }
        }
    }

    fileprivate static func writeIfSupported(
        _ wanted: [ExtendedAttribute], to name: [UInt8], at directory: CInt
    ) throws(PlatformError) {
        do throws(PlatformError) {
            try write(wanted, to: name, at: directory)
        } catch {
            if !wanted.isEmpty { throw error }
        }
    }
}
