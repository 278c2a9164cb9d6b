internal import Bytes
internal import Platform

// An access control list as the kernel keeps it in an attribute (posix_acl_xattr.h):
//
//     version  4, little-endian: 2
//     entries  8 each: tag (2), permissions (2), id (4)

/// An access control list of POSIX 1003.1e (acl(5)).
package struct PosixACL: Equatable, Sendable {
    /// What one user, group or class may do.
    package struct Entry: Equatable, Sendable {
        /// Whom it is about, as in the kernel's `posix_acl_xattr.h`.
        package var tag: UInt16
        /// Read 4, write 2, execute 1.
        package var permissions: UInt16
        /// The user or group; all ones for what has none.
        package var id: UInt32
    }

    /// In the order that the kernel keeps.
    package var entries: [Entry] = []

    /// The attribute that holds the list of a file.
    package static let accessName = Array("system.posix_acl_access".utf8)
    /// The attribute of a directory that holds the list of what is made in it.
    package static let defaultName = Array("system.posix_acl_default".utf8)

    private static let version: UInt32 = 2
    private static let owner: UInt16 = 0x01
    private static let group: UInt16 = 0x04
    private static let mask: UInt16 = 0x10
    private static let others: UInt16 = 0x20

    /// Decodes the value of an attribute; nil for what is none.
    package init?(_ value: [UInt8]) {
        var reader = ByteReader(value)
        do throws(MalformedBytes) {
            guard try reader.u32() == Self.version else { return nil }
            while !reader.isAtEnd {
                entries.append(
                    Entry(
                        tag: try reader.u16(), permissions: try reader.u16(),
                        id: try reader.u32()))
            }
        } catch {
            return nil
        }
    }

    /// The value of the attribute.
    package var value: [UInt8] {
        var writer = ByteWriter()
        writer.u32(Self.version)
        for entry in entries {
            writer.u16(entry.tag)
            writer.u16(entry.permissions)
            writer.u32(entry.id)
        }
        return writer.bytes
    }

    private func permissions(_ tag: UInt16) -> UInt16? {
        entries.first { $0.tag == tag }?.permissions
    }

    /// What the owning group may do, as three bits.
    package var owningGroup: UInt32? {
        permissions(Self.group).map { UInt32($0 & (permissions(Self.mask) ?? 7) & 7) }
    }

    /// The permission bits that go with the list: those of the group are its mask.
    package var mode: UInt32 {
        let group = permissions(Self.mask) ?? permissions(Self.group) ?? 0
        let (owner, others) = (permissions(Self.owner) ?? 0, permissions(Self.others) ?? 0)
        return UInt32(owner & 7) << 6 | UInt32(group & 7) << 3 | UInt32(others & 7)
    }

    /// The permission bits of a file whose list, the value of its attribute, could not be set.
    ///
    /// With a list the bits of the group are its mask, which may be wider than what the group has:
    /// set as they are, they would give the group what it never had. A list that cannot be decoded
    /// gives the group nothing.
    static func mode(_ mode: UInt32, withoutList value: [UInt8]) -> UInt32 {
        mode & (~0o70 | (PosixACL(value)?.owningGroup ?? 0) << 3)
    }

    /// The list that a file made with `mode` gets where this is the default of its directory
    /// (acl(5), OBJECT CREATION AND DEFAULT ACLs).
    package func inherited(mode: UInt32) -> PosixACL {
        var list = self
        let hasMask = permissions(Self.mask) != nil
        for index in list.entries.indices {
            let allowed: UInt32
            switch list.entries[index].tag {
            case Self.owner: allowed = mode >> 6 & 7
            case Self.mask: allowed = mode >> 3 & 7
            case Self.group where !hasMask: allowed = mode >> 3 & 7
            case Self.others: allowed = mode & 7
            default: continue
            }
            list.entries[index].permissions &= UInt16(allowed)
        }
        return list
    }
}
