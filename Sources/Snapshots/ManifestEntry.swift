internal import Bytes
package import Hashing
package import Platform
package import Trees

/// A piece of a file's content, in order.
package enum ContentPiece: Equatable, Sendable {
    case chunk(ChunkID, size: UInt64)
    /// Bytes that are all zero and take no space.
    case hole(size: UInt64)

    package var size: UInt64 {
        switch self {
        case .chunk(_, let size), .hole(let size): size
        }
    }
}

/// The content of a file: few pieces in place, many in a tree of their own.
package enum Content: Equatable, Sendable {
    case pieces([ContentPiece])
    case tree(TreeRoot)

    /// Files of up to this many pieces keep them in their manifest entry.
    package static let inlineLimit = 4

    package static let empty = Content.pieces([])
}

/// One path of a snapshot, with all that is needed to bring it back.
package struct ManifestEntry: Equatable, Sendable {
    package enum Payload: Equatable, Sendable {
        case file(size: UInt64, Content)
        case directory
        case symlink(target: [UInt8])
        case fifo
        case characterDevice(UInt64)
        case blockDevice(UInt64)
    }

    /// Relative to the source; empty for the source directory itself.
    package var path: [UInt8]
    package var payload: Payload
    /// The twelve permission bits.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var mtime: Timestamp
    /// With inode and size, tells whether a file changed; never restored.
    package var ctime: Timestamp
    package var inode: UInt64
    /// Set when the file has several names.
    ///
    /// Entries with equal inode and this number are one file.
    package var linkDevice: UInt32?
    package var attributes: [ExtendedAttribute]
    /// The file changed while it was read, or the directory could not be listed whole.
    package var isIncomplete: Bool

    package init(path: [UInt8], payload: Payload, status: FileStatus) {
        self.path = path
        self.payload = payload
        mode = status.mode
        uid = status.uid
        gid = status.gid
        mtime = status.mtime
        ctime = status.ctime
        inode = status.inode
        linkDevice = nil
        attributes = []
        isIncomplete = false
    }

    package init(
        path: [UInt8], payload: Payload, mode: UInt32, uid: UInt32, gid: UInt32,
        mtime: Timestamp, ctime: Timestamp, inode: UInt64, linkDevice: UInt32?,
        attributes: [ExtendedAttribute], isIncomplete: Bool
    ) {
        self.path = path
        self.payload = payload
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.mtime = mtime
        self.ctime = ctime
        self.inode = inode
        self.linkDevice = linkDevice
        self.attributes = attributes
        self.isIncomplete = isIncomplete
    }

    /// Size of the content; zero for everything but files.
    package var size: UInt64 {
        if case .file(let size, _) = payload { size } else { 0 }
    }

    package var isDirectory: Bool { payload == .directory }

    package var isFile: Bool { if case .file = payload { true } else { false } }
}

// MARK: - As a tree on a disk has it
extension ManifestEntry {
    /// What the path is when it is not a file.
    package var other: OtherFile? {
        switch payload {
        case .file: nil
        case .directory: .directory
        case .symlink(let target): .symlink(target: target)
        case .fifo: .fifo
        case .characterDevice(let device): .characterDevice(device)
        case .blockDevice(let device): .blockDevice(device)
        }
    }

    /// The type that a file system gives it.
    package var fileType: Platform.FileType {
        switch payload {
        case .file: .regular
        case .directory: .directory
        case .symlink: .symlink
        case .fifo: .fifo
        case .characterDevice: .characterDevice
        case .blockDevice: .blockDevice
        }
    }

    package var metadata: FileMetadata {
        FileMetadata(mode: mode, uid: uid, gid: gid, mtime: mtime, attributes: attributes)
    }

    /// The entry of a path that is not a file.
    package init(
        path: [UInt8], _ other: OtherFile, status: FileStatus, attributes: [ExtendedAttribute]
    ) {
        let payload: Payload =
            switch other {
            case .directory: .directory
            case .symlink(let target): .symlink(target: target)
            case .fifo: .fifo
            case .characterDevice(let device): .characterDevice(device)
            case .blockDevice(let device): .blockDevice(device)
            }
        self.init(path: path, payload: payload, status: status)
        self.attributes = attributes
    }
}

/// The rules for a path in a manifest; a decoder refuses what breaks them.
package enum ManifestPath {
    /// Longest path in bytes.
    package static let pathLimit = RelativePath.sizeLimit

    /// Whether a manifest can hold a path that a walk came to: only its length can be wrong.
    package static func isStorable(_ path: [UInt8]) -> Bool {
        path.count <= RelativePath.nameLimit || isValid(path)
    }

    /// Whether the path is relative, in canonical form and cannot lead outside.
    package static func isValid(_ path: [UInt8]) -> Bool { RelativePath.isValid(path) }
}
