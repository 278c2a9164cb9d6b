package import Bytes
internal import Hashing
package import Platform

// A manifest leaf item:
//
//     path           bytes shared with the path before (varint), rest (varint count, bytes)
//     type and flags 1 byte: bits 0–3 type (0 file, 1 directory, 2 symlink, 3 fifo, 4 character
//                    device, 5 block device), 4 has several names, 5 has attributes, 6 incomplete
//     mode, uid, gid varints
//     mtime, ctime   seconds (zigzag varint), nanoseconds (varint)
//     inode          varint
//     link device    varint, if it has several names
//     attributes     number (varint), then name and value of each (varint count, bytes)
//     file           size (varint), number of pieces (varint, at most 4) and pieces, or 255 and the
//                    root of a content tree
//     symlink        target (varint count, bytes)
//     device         number (varint)
//
// A content piece, also the item of a content leaf: varint size·2 + (1 for a hole), then for a
// chunk its fingerprint (48). The root of a tree: level (1), fingerprint (48), items, bytes
// (varints).

package enum ManifestCoding {
    private static let treeMark: UInt8 = 255
    private static let attributeLimit = 4096
    /// Together, in one entry; well below the size of a node.
    private static let attributesSizeLimit = 2 << 20
    /// The kernel's caps on the value and name of an attribute.
    private static let attributeValueLimit = 64 << 10
    private static let attributeNameLimit = 255
    private static let symlinkLimit = 4096

    /// Whether an entry with these attributes fits a node, and will be read again.
    package static func canHold(_ attributes: [ExtendedAttribute]) -> Bool {
        guard !attributes.isEmpty else { return true }
        let size = attributes.reduce(0) { $0 + $1.name.count + $1.value.count }
        return attributes.count <= attributeLimit && size <= attributesSizeLimit
    }

    package static func encode(
        _ entry: ManifestEntry, after previous: [UInt8], into writer: inout ByteWriter
    ) {
        SharedPrefix.encode(entry.path, after: previous, into: &writer)
        writer.u8(
            type(entry.payload) | (entry.linkDevice != nil ? 16 : 0)
                | (entry.attributes.isEmpty ? 0 : 32) | (entry.isIncomplete ? 64 : 0))
        writer.varint(UInt64(entry.mode))
        writer.varint(UInt64(entry.uid))
        writer.varint(UInt64(entry.gid))
        for time in [entry.mtime, entry.ctime] {
            writer.signed(time.seconds)
            writer.varint(UInt64(time.nanoseconds))
        }
        writer.varint(entry.inode)
        if let device = entry.linkDevice { writer.varint(UInt64(device)) }
        if !entry.attributes.isEmpty { encode(entry.attributes, into: &writer) }
        encode(entry.payload, into: &writer)
    }

    private static func type(_ payload: ManifestEntry.Payload) -> UInt8 {
        switch payload {
        case .file: 0
        case .directory: 1
        case .symlink: 2
        case .fifo: 3
        case .characterDevice: 4
        case .blockDevice: 5
        }
    }

    private static func encode(_ attributes: [ExtendedAttribute], into writer: inout ByteWriter) {
        writer.count(attributes.count)
        for attribute in attributes {
            writer.string(attribute.name)
            writer.string(attribute.value)
        }
    }

    private static func encode(_ payload: ManifestEntry.Payload, into writer: inout ByteWriter) {
        switch payload {
        case .directory, .fifo: break
        case .symlink(let target): writer.string(target)
        case .characterDevice(let device), .blockDevice(let device): writer.varint(device)
        case .file(let size, let content):
            writer.varint(size)
            encode(content, into: &writer)
        }
    }

    private static func encode(_ content: Content, into writer: inout ByteWriter) {
        switch content {
        case .pieces(let pieces):
            writer.u8(UInt8(clamping: pieces.count))
            for piece in pieces { encode(piece, into: &writer) }
        case .tree(let root):
            writer.u8(treeMark)
            root.encode(into: &writer)
        }
    }

    static func encode(_ piece: ContentPiece, into writer: inout ByteWriter) {
        switch piece {
        case .hole(let size): writer.varint(size << 1 | 1)
        case .chunk(let id, let size):
            writer.varint(size << 1)
            writer.fingerprint(id.fingerprint)
        }
    }
}

extension ManifestCoding {
    static func decodeEntry(
        after previous: [UInt8], from reader: inout ByteReader
    )
        throws(MalformedBytes) -> ManifestEntry
    {
        let path = try SharedPrefix.decode(after: previous, from: &reader)
        guard ManifestPath.isValid(path) else {
            throw reader.invalid("a relative path without '.', '..' or empty components")
        }
        let flags = try reader.u8("type and flags")
        guard flags < 128 else { throw reader.invalid("known flags of an entry") }
        let mode = try reader.count(limit: 0o7777, "permission bits")
        let uid = try reader.count(limit: Int(UInt32.max), "a user id")
        let gid = try reader.count(limit: Int(UInt32.max), "a group id")
        let mtime = try decodeTime(&reader)
        let ctime = try decodeTime(&reader)
        let inode = try reader.varint("an inode")
        let device =
            flags & 16 == 0
            ? nil : UInt32(try reader.count(limit: Int(UInt32.max), "a device number"))
        let attributes = flags & 32 == 0 ? [] : try decodeAttributes(&reader)
        let payload = try decodePayload(type: flags & 15, &reader)
        guard !path.isEmpty || payload == .directory else {
            throw reader.invalid("a directory at the top")
        }
        return ManifestEntry(
            path: path, payload: payload, mode: UInt32(mode), uid: UInt32(uid), gid: UInt32(gid),
            mtime: mtime, ctime: ctime, inode: inode, linkDevice: device, attributes: attributes,
            isIncomplete: flags & 64 != 0)
    }

    private static func decodeTime(_ reader: inout ByteReader) throws(MalformedBytes) -> Timestamp {
        let seconds = try reader.signed("seconds")
        let nanoseconds = try reader.count(limit: 999_999_999, "nanoseconds")
        return Timestamp(seconds: seconds, nanoseconds: UInt32(nanoseconds))
    }

    private static func decodeAttributes(
        _ reader: inout ByteReader
    ) throws(MalformedBytes)
        -> [ExtendedAttribute]
    {
        let count = try reader.count(limit: attributeLimit, "a number of attributes")
        var attributes: [ExtendedAttribute] = []
        for _ in 0..<count {
            let name = try reader.string(limit: attributeNameLimit, "an attribute's name")
            guard !name.isEmpty, !name.contains(0) else {
                throw reader.invalid("an attribute's name")
            }
            let value = try reader.string(limit: attributeValueLimit, "an attribute's value")
            attributes.append(ExtendedAttribute(name: name, value: value))
        }
        return attributes
    }

    private static func decodePayload(
        type: UInt8, _ reader: inout ByteReader
    )
        throws(MalformedBytes) -> ManifestEntry.Payload
    {
        switch type {
        case 0:
            let size = try reader.varint("a file size")
            let content = try decodeContent(&reader)
            guard size <= UInt64(Int64.max), byteCount(content) == size else {
                throw reader.invalid("content that adds up to the size of the file")
            }
            return .file(size: size, content)
        case 1: return .directory
        case 2:
            let target = try reader.string(limit: symlinkLimit, "a symlink's target")
            guard !target.isEmpty, !target.contains(0) else {
                throw reader.invalid("a symlink's target")
            }
            return .symlink(target: target)
        case 3: return .fifo
        case 4: return .characterDevice(try reader.varint("a device number"))
        case 5: return .blockDevice(try reader.varint("a device number"))
        default: throw reader.invalid("a known type of entry")
        }
    }

    private static func byteCount(_ content: Content) -> UInt64? {
        switch content {
        case .tree(let root): return root.byteCount
        case .pieces(let pieces):
            var sum: UInt64 = 0
            for piece in pieces {
                let (next, overflow) = sum.addingReportingOverflow(piece.size)
                if overflow { return nil }
                sum = next
            }
            return sum
        }
    }

    private static func decodeContent(_ reader: inout ByteReader) throws(MalformedBytes) -> Content
    {
        let count = try reader.u8("a number of pieces")
        if count == treeMark { return .tree(try TreeRoot(decoding: &reader)) }
        guard Int(count) <= Content.inlineLimit else { throw reader.invalid("few pieces") }
        var pieces: [ContentPiece] = []
        for _ in 0..<count { pieces.append(try decodePiece(&reader)) }
        return .pieces(pieces)
    }

    static func decodePiece(_ reader: inout ByteReader) throws(MalformedBytes) -> ContentPiece {
        let coded = try reader.varint("the size of a piece")
        let size = coded >> 1
        guard size > 0 else { throw reader.invalid("a piece that is not empty") }
        if coded & 1 == 1 { return .hole(size: size) }
        return .chunk(ChunkID(try reader.fingerprint()), size: size)
    }
}
