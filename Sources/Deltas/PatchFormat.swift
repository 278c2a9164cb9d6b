package import Bytes

// A patch: a blob as what differs from other blobs, its bases. Version 1:
//
//     offset  size
//          0     1  format version, 1
//          1     1  depth: 1 for a patch whose bases are no patches, else 1 + the deepest base's
//          2     1  number of bases, 1 to 16
//          3    52  for each base: fingerprint (48), plain size (4)
//          …     …  sections, to the end
//
//     section: kind (1), plain size (varint), then by kind
//        0 copy    offset in the bases (varint)
//        1 near    offset and size of a window in the bases (varints), size of the frame (varint),
//                  a zstd frame with the window as prefix
//        2 frame   size of the frame (varint), a zstd frame that needs no prefix
//        3 stored  the bytes themselves
//        4 edits   offset in the bases (varint), size of the edits (varint), size of the frame
//                  (varint), a zstd frame that decodes to the edits
//
//     edits: number (varint); for each: bytes to copy from the bases before it, bytes that it
//            replaces (varints, the latter at least 1); then the new bytes of all, one after the
//            other. What follows the last is copied.
//
// The bases count as one run of bytes, in the order they are listed. The plain bytes of the
// sections, one after the other, are the blob. Bases are chunks; nodes are never patched. A base
// must have a smaller depth, so that there are no circles.

/// A blob that a patch needs.
package struct BaseChunk: Equatable, Sendable {
    package var fingerprint: Fingerprint
    package var size: Int

    package init(fingerprint: Fingerprint, size: Int) {
        self.fingerprint = fingerprint
        self.size = size
    }
}

/// What stands at the head of a patch.
package struct PatchHeader: Equatable, Sendable {
    package var depth: Int
    package var bases: [BaseChunk]
    /// Where the sections begin.
    package var size: Int { Self.fixedSize + bases.count * Self.entrySize }
    /// Bytes of all bases.
    var baseSize: Int { bases.reduce(0) { $0 + $1.size } }

    private static let fixedSize = 3
    private static let entrySize = 52
    private static let version: UInt8 = 1

    /// Deepest patch: so many blobs must be read to read one.
    package static let depthLimit = 8
    package static let baseLimit = 16
    /// Bases of one patch together; a reader holds them in memory, at each depth.
    package static let baseBytesLimit = 12 << 20
    /// No header is larger.
    package static let sizeLimit = fixedSize + baseLimit * entrySize

    package init(depth: Int, bases: [BaseChunk]) {
        precondition((1...Self.depthLimit).contains(depth))
        precondition((1...Self.baseLimit).contains(bases.count))
        self.depth = depth
        self.bases = bases
    }

    package func encode(into writer: inout ByteWriter) {
        writer.u8(Self.version)
        writer.u8(UInt8(clamping: depth))
        writer.u8(UInt8(clamping: bases.count))
        for base in bases {
            writer.fingerprint(base.fingerprint)
            writer.u32(UInt32(clamping: base.size))
        }
    }

    /// The patch with another depth.
    package static func changingDepth(of patch: [UInt8], to depth: Int) -> [UInt8] {
        precondition((1...depthLimit).contains(depth) && patch.count > fixedSize)
        var changed = patch
        changed[1] = UInt8(clamping: depth)
        return changed
    }

    /// Decodes the header of a patch; `bytes` may go on behind it.
    package init(decoding bytes: [UInt8]) throws(MalformedBytes) {
        var reader = ByteReader(bytes)
        try self.init(&reader)
    }

    init(_ reader: inout ByteReader) throws(MalformedBytes) {
        guard try reader.u8() == Self.version else {
            throw reader.invalid("patch format \(Self.version)")
        }
        depth = Int(try reader.u8())
        let count = Int(try reader.u8())
        guard (1...Self.depthLimit).contains(depth), (1...Self.baseLimit).contains(count) else {
            throw reader.invalid("a depth of 1 to \(Self.depthLimit), 1 to \(Self.baseLimit) bases")
        }
        bases = []
        var total = 0
        for _ in 0..<count {
            let fingerprint = try reader.fingerprint()
            let size = Int(try reader.u32())
            total += size
            bases.append(BaseChunk(fingerprint: fingerprint, size: size))
        }
        guard total <= Self.baseBytesLimit else {
            throw reader.invalid("bases of at most \(Self.baseBytesLimit) bytes")
        }
    }
}

/// How a section of a patch gives its bytes.
enum PatchSectionKind: UInt8 {
    case copy = 0
    case near = 1
    case frame = 2
    case stored = 3
    case edits = 4
}
