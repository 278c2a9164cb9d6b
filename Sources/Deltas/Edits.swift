internal import Bytes

/// Bytes that differ in place: a run of content that lies in the bases, but for a few replaced
/// bytes.
struct Edits {
    /// Where in the bases the run begins.
    let place: Int
    /// Bytes of the run.
    private(set) var size = 0
    private var ops = ByteWriter()
    private var count = 0
    private var literals: [UInt8] = []
    /// Equal bytes since the last edit.
    private var copied = 0

    /// Equal runs shorter than this between two edits are written with them.
    static let leastCopy = 8

    init(place: Int) { self.place = place }

    var hasEdits: Bool { count > 0 }

    /// Takes in a unit of `plain`, which lies `drift` bytes ahead in the bases; `edits` are those
    /// of its bytes that differ there.
    mutating func add(_ unit: Range<Int>, of plain: Span<UInt8>, _ edits: [Range<Int>]) {
        var offset = unit.lowerBound
        for edit in edits {
            copied += edit.lowerBound - offset
            ops.count(copied)
            ops.count(edit.count)
            literals.append(copying: plain.extracting(edit))
            copied = 0
            count += 1
            offset = edit.upperBound
        }
        copied += unit.upperBound - offset
        size += unit.count
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: ops.count + literals.count + 4)
        writer.count(count)
        writer.raw(ops.bytes)
        writer.raw(literals)
        return writer.bytes
    }

    /// Appends the run of `size` bytes that `edits` make of the bases from `place` on, where there
    /// must be as many.
    static func apply(
        _ edits: [UInt8], to bases: Span<UInt8>, at place: Int, size: Int,
        appendingTo plain: inout [UInt8]
    ) throws(MalformedBytes) {
        var ops = ByteReader(edits)
        let count = try ops.count(limit: size, "a number of edits")
        var literals = try behind(count, ops, size)
        var offset = 0
        for _ in 0..<count {
            let copied = try ops.count(limit: size - offset, "bytes to copy")
            plain.append(copying: bases.extracting(place + offset..<place + offset + copied))
            offset += copied
            let replaced = try ops.count(limit: size - offset, "bytes to replace")
            guard replaced > 0 else { throw ops.invalid("an edit that replaces bytes") }
            plain += try literals.take(replaced, "new bytes")
            offset += replaced
        }
        try literals.finish()
        plain.append(copying: bases.extracting(place + offset..<place + size))
    }

    /// A reader of what stands behind `count` edits.
    private static func behind(
        _ count: Int, _ ops: ByteReader, _ size: Int
    ) throws(MalformedBytes) -> ByteReader {
        var reader = ops
        for _ in 0..<count {
            _ = try reader.count(limit: size, "bytes to copy")
            _ = try reader.count(limit: size, "bytes to replace")
        }
        return reader
    }
}

/// The ranges of `unit` of `plain` that differ from `bases`, which is `drift` bytes ahead and holds
/// all of the unit; nil when they have more than `limit` bytes.
///
/// Soundness of the pointers: words are loaded only where eight bytes remain in the unit, which is
/// checked to lie in both spans before the loop; no pointer leaves its closure.
func differences(
    _ plain: Span<UInt8>, _ unit: Range<Int>, _ bases: Span<UInt8>, drift: Int, limit: Int
) -> [Range<Int>]? {
    precondition(unit.lowerBound >= 0 && unit.upperBound <= plain.count)
    precondition(unit.lowerBound + drift >= 0 && unit.upperBound + drift <= bases.count)
    return unsafe plain.withUnsafeBytes { plain in
        unsafe bases.withUnsafeBytes { bases in
            var found: [Range<Int>] = []
            var total = 0
            var offset = unit.lowerBound
            while offset < unit.upperBound {
                if offset &+ 8 <= unit.upperBound,
                    unsafe plain.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                        == bases.loadUnaligned(fromByteOffset: offset &+ drift, as: UInt64.self)
                {
                    offset &+= 8
                    continue
                }
                guard unsafe plain[offset] != bases[offset &+ drift] else {
                    offset &+= 1
                    continue
                }
                if let last = found.last, offset &- last.upperBound < Edits.leastCopy {
                    total &+= offset &+ 1 &- last.upperBound
                    found[found.count &- 1] = last.lowerBound..<offset &+ 1
                } else {
                    total &+= 1
                    found.append(offset..<offset &+ 1)
                }
                if total > limit { return nil }
                offset &+= 1
            }
            return found
        }
    }
}
