internal import Bytes
package import Platform
internal import SystemPackage

/// Makes manifest entries of things without content.
package enum OtherEntry {
    /// `path` is the path in the snapshot, `sourcePath` the one below `root`.
    package static func make(
        _ path: [UInt8], _ sourcePath: [UInt8], _ status: FileStatus,
        _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> ManifestEntry {
        if status.type == .directory { return try directory(path, sourcePath, status, root) }
        let parent = try root.open(PathBytes.parent(sourcePath), [.readOnly, .directory])
        let name = Array(PathBytes.name(sourcePath))
        let payload: ManifestEntry.Payload
        switch status.type {
        case .symlink:
            payload = .symlink(target: try FileOperations.readLink(name, at: parent.raw))
        case .fifo: payload = .fifo
        case .characterDevice: payload = .characterDevice(status.specialDevice)
        case .blockDevice: payload = .blockDevice(status.specialDevice)
        default: throw PlatformError("store", sourcePath, .notSupported)
        }
        var entry = ManifestEntry(path: path, payload: payload, status: status)
        entry.attributes = try ExtendedAttributes.read(name, at: parent.raw)
        return entry
    }

    /// A directory that may not be opened still has its entry, without attributes.
    private static func directory(
        _ path: [UInt8], _ sourcePath: [UInt8], _ status: FileStatus,
        _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> ManifestEntry {
        var entry = ManifestEntry(path: path, payload: .directory, status: status)
        do throws(PlatformError) {
            let directory = try root.open(sourcePath, [.readOnly, .directory])
            entry.attributes = try ExtendedAttributes.read(directory, sourcePath)
        } catch  where error.errno == .permissionDenied {}
        return entry
    }
}
