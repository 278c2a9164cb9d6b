internal import Bytes
package import Platform
internal import SystemPackage

/// A directory of a user that is changed in place: by a restore, replication, sync or migration.
///
/// Every path is resolved from its descriptor, component by component, and no component may be a
/// symlink: nothing outside can be reached.
package struct LiveTree: ~Copyable, Sendable {
    package let root: PinnedDirectory
    /// What it takes over of metadata.
    package let policy: AttributePolicy

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

    /// Makes a symlink or special file, in place of what is there unless that is a directory with
    /// something in it; directories are made elsewhere.
    package func makeOther(_ file: OtherFile, at path: [UInt8]) throws(PlatformError) {
        try makeRoom(at: path)
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

    /// Removes one file or one empty directory; nothing there is no error.
    ///
    /// Throws `directoryNotEmpty` for a directory with something in it, and `resourceBusy` for what
    /// is mounted.
    package func makeRoom(at path: [UInt8]) throws(PlatformError) {
        guard let status = try status(path) else { return }
        let parent = try openParent(path)
        try FileOperations.remove(
            Array(PathBytes.name(path)), at: parent.raw, isDirectory: status.type == .directory)
    }

    /// Gives `path` as a further name to the file `existing`.
    package func link(_ existing: [UInt8], as path: [UInt8]) throws(PlatformError) {
        let source = try openParent(existing)
        let target = try openParent(path)
        try FileOperations.link(
            Array(PathBytes.name(existing)), to: Array(PathBytes.name(path)), at: source.raw,
            toDirectory: target.raw)
    }

    /// Renames within the tree; what is at `target` goes, unless it is a directory.
    package func rename(_ path: [UInt8], to target: [UInt8]) throws(PlatformError) {
        let from = try openParent(path)
        let to = try openParent(target)
        try FileOperations.rename(
            Array(PathBytes.name(path)), to: Array(PathBytes.name(target)), at: from.raw,
            toDirectory: to.raw)
    }

    /// Removes whatever is at `path`, with everything below it; nothing there is no error.
    ///
    /// Throws `resourceBusy` where something is mounted at or below it, which stays as it is.
    @discardableResult
    package func remove(_ path: [UInt8]) throws(PlatformError) -> UInt64 {
        var removed: UInt64 = 0
        var pending: [(path: [UInt8], isListed: Bool)] = [(path, false)]
        while let (next, isListed) = pending.popLast() {
            guard let status = try status(next) else { continue }
            if status.type == .directory, !isListed {
                guard try !isMount(next, status) else {
                    throw PlatformError("remove", next, .resourceBusy)
                }
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
