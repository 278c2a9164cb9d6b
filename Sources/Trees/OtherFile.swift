internal import Bytes
package import Platform
internal import SystemPackage

/// A path without content to read: everything in a tree but regular files.
package enum OtherFile: Equatable, Sendable {
    case directory
    case symlink(target: [UInt8])
    case fifo
    case characterDevice(UInt64)
    case blockDevice(UInt64)
}

extension OtherFile {
    /// Reads what `path` below `root` is, and its extended attributes.
    ///
    /// A directory that may not be opened is returned without attributes. Throws `notSupported` for
    /// a socket.
    package static func read(
        _ path: [UInt8], _ status: FileStatus, _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> (file: OtherFile, attributes: [ExtendedAttribute]) {
        if status.type == .directory { return (.directory, try attributes(of: path, root)) }
        let parent = try root.open(PathBytes.parent(path), [.readOnly, .directory])
        let name = Array(PathBytes.name(path))
        let file: OtherFile =
            switch status.type {
            case .symlink:
                .symlink(target: try FileOperations.readLink(name, at: parent.raw))
            case .fifo: .fifo
            case .characterDevice: .characterDevice(status.specialDevice)
            case .blockDevice: .blockDevice(status.specialDevice)
            default: throw PlatformError("store", path, .notSupported)
            }
        return (file, try ExtendedAttributes.read(name, at: parent.raw))
    }

    private static func attributes(
        of path: [UInt8], _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> [ExtendedAttribute] {
        do throws(PlatformError) {
            let directory = try root.open(path, [.readOnly, .directory])
            return try ExtendedAttributes.read(directory, path)
        } catch {
            guard error.errno == .permissionDenied else { throw error }
            return []
        }
    }
}
