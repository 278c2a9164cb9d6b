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
    /// Reads what `path` below `root` is, and those of its extended attributes that can be read.
    ///
    /// A directory that may not be opened is returned without attributes. Throws `notSupported` for
    /// a socket.
    package static func readEach(
        _ path: [UInt8], _ status: FileStatus, _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> (
        file: OtherFile, attributes: [ExtendedAttribute], unread: [ExtendedAttributes.Failure]
    ) {
        if status.type == .directory {
            let (attributes, unread) = try attributes(of: path, root)
            return (.directory, attributes, unread)
        }
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
        let (attributes, unread) = ExtendedAttributes.readEach(name, at: parent.raw)
        return (file, attributes, unread)
    }

    /// The same; throws the first attribute that cannot be read.
    package static func read(
        _ path: [UInt8], _ status: FileStatus, _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> (file: OtherFile, attributes: [ExtendedAttribute]) {
        let (file, attributes, unread) = try readEach(path, status, root)
        if let first = unread.first { throw first.error }
        return (file, attributes)
    }

    private static func attributes(
        of path: [UInt8], _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> ([ExtendedAttribute], [ExtendedAttributes.Failure]) {
        do throws(PlatformError) {
            let directory = try root.open(path, [.readOnly, .directory])
            return ExtendedAttributes.readEach(directory, path)
        } catch {
            guard error.errno == .permissionDenied else { throw error }
            return ([], [])
        }
    }
}
