package import Platform

/// What a file system keeps of a path besides its content and its kind.
package struct FileMetadata: Equatable, Sendable {
    /// The twelve permission bits.
    package var mode: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var mtime: Timestamp
    package var attributes: [ExtendedAttribute]

    package init(
        mode: UInt32, uid: UInt32, gid: UInt32, mtime: Timestamp, attributes: [ExtendedAttribute]
    ) {
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.mtime = mtime
        self.attributes = attributes
    }

    package init(_ status: FileStatus, attributes: [ExtendedAttribute]) {
        self.init(
            mode: status.mode, uid: status.uid, gid: status.gid, mtime: status.mtime,
            attributes: attributes)
    }
}

/// Which metadata a tree takes over from elsewhere.
package struct AttributePolicy: Sendable {
    /// Owner and group are set; only root may do that.
    package var setsOwner = HostSystem.isRoot
    /// The set-user-id and set-group-id bits are set.
    package var setsSetID = false

    package init(setsSetID: Bool = false) { self.setsSetID = setsSetID }

    /// The permission bits to set for a path that has `mode` at its origin.
    package func mode(_ mode: UInt32) -> UInt32 { setsSetID ? mode : mode & 0o1777 }
}
