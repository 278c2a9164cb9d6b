internal import Bytes
package import Platform

/// What a file system keeps of a path besides its content and its kind.
package struct FileMetadata: Equatable, Sendable {
    /// The twelve permission bits.
    package var mode: UInt32
    /// Owner.
    package var uid: UInt32
    /// Group.
    package var gid: UInt32
    /// Of the content.
    package var mtime: Timestamp
    /// Extended attributes, in the order of their names.
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
    /// What gives a program rights of others is set: the set-user-id and set-group-id bits, and
    /// file capabilities.
    package var setsSetID = false

    package init(setsSetID: Bool = false) { self.setsSetID = setsSetID }

    /// The permission bits to set for a path that has `mode` at its origin.
    package func mode(_ mode: UInt32) -> UInt32 { setsSetID ? mode : mode & 0o1777 }

    /// The attributes to set for a path that has these at its origin.
    package func attributes(_ attributes: [ExtendedAttribute]) -> [ExtendedAttribute] {
        setsSetID ? attributes : attributes.filter { $0.name != ExtendedAttributes.capability }
    }
}

/// A part of a path's metadata that a tree does not have as it should.
package struct UnsetMetadata: Equatable, Sendable {
    /// What was to be set.
    package enum Part: Equatable, Sendable {
        case owner, mode, time
        /// With the name of the attribute; empty for the list of them.
        case attribute([UInt8])
    }

    /// Why it is not as wanted.
    package enum Cause: Equatable, Sendable {
        case refused(PlatformError)
        /// The file system holds no such time, and has the nearest that it can hold.
        case outOfRange
    }

    /// The part that is not as wanted.
    package var part: Part
    /// What the system said.
    package var cause: Cause

    /// A part that could not be set, and why.
    package init(_ part: Part, _ cause: Cause) {
        self.part = part
        self.cause = cause
    }
}
