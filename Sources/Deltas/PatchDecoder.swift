package import Bytes
package import Compression

/// Why a patch was refused.
package enum PatchError: Error {
    case malformed(MalformedBytes)
    case compression(CompressionError)
}

extension PatchError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .malformed(let error): "\(error)"
        case .compression(let error): "\(error)"
        }
    }
}

/// Applies patches to their bases.
///
/// Holds a context: one per thread. Patches are hostile until checked: nothing is read outside the
/// bases, nothing written beyond the declared size, and each section must give bytes.
package final class PatchDecoder {
    private let decoder = ZstdDecoder()

    package init() {}

    /// Decodes a patch to exactly `size` bytes; `bases` holds the bases that its header lists, one
    /// after the other.
    ///
    /// The caller has checked `size` against a cap: no more than that many bytes are allocated.
    package func decode(
        _ patch: [UInt8], bases: Span<UInt8>, size: Int
    ) throws(PatchError) -> [UInt8] {
        do {
            return try sections(patch, bases, size)
        } catch let error as MalformedBytes {
            throw .malformed(error)
        } catch let error as CompressionError {
            throw .compression(error)
        } catch {
            throw .compression(.malformed("\(error)"))
        }
    }

    private func sections(_ patch: [UInt8], _ bases: Span<UInt8>, _ size: Int) throws -> [UInt8] {
        var reader = ByteReader(patch)
        let header = try PatchHeader(&reader)
        guard header.baseSize == bases.count else {
            throw reader.invalid("bases of the sizes that the header says")
        }
        var plain: [UInt8] = []
        plain.reserveCapacity(size)
        while !reader.isAtEnd { try section(&reader, bases, size, &plain) }
        guard plain.count == size else { throw reader.invalid("\(size) bytes in all sections") }
        return plain
    }

    private func section(
        _ reader: inout ByteReader, _ bases: Span<UInt8>, _ size: Int, _ plain: inout [UInt8]
    ) throws {
        guard let kind = PatchSectionKind(rawValue: try reader.u8("a kind of section")) else {
            throw reader.invalid("a known kind of section")
        }
        let count = try reader.count(limit: size - plain.count, "the plain size of a section")
        guard count > 0 else { throw reader.invalid("a section that gives bytes") }
        switch kind {
        case .copy:
            let offset = try reader.count(limit: bases.count, "an offset in the bases")
            guard count <= bases.count - offset else {
                throw reader.invalid("a copy that lies in the bases")
            }
            plain.append(copying: bases.extracting(offset..<offset + count))
        case .near:
            let offset = try reader.count(limit: bases.count, "an offset in the bases")
            let size = try reader.count(limit: bases.count - offset, "a window in the bases")
            let frame = try frame(&reader)
            plain += try decode(frame, bases.extracting(offset..<offset + size), count)
        case .frame:
            let frame = try frame(&reader)
            plain += try decode(frame, Span(), count)
        case .stored:
            plain += try reader.take(count, "stored bytes")
        case .edits:
            let offset = try reader.count(limit: bases.count, "an offset in the bases")
            guard count <= bases.count - offset else {
                throw reader.invalid("a run that lies in the bases")
            }
            // An edit takes at least three bytes, and replaces at least one.
            let editsSize = try reader.count(limit: 12 * count, "the size of edits")
            let edits = try decode(try frame(&reader), Span(), editsSize)
            try Edits.apply(edits, to: bases, at: offset, size: count, appendingTo: &plain)
        }
    }

    private func decode(
        _ frame: [UInt8], _ prefix: Span<UInt8>, _ size: Int
    ) throws(CompressionError) -> [UInt8] {
        try decoder.decode(frame.span, prefix: prefix, size: size)
    }

    private func frame(_ reader: inout ByteReader) throws(MalformedBytes) -> [UInt8] {
        let count = try reader.count(limit: reader.remaining, "the size of a frame")
        return Array(try reader.take(count, "a frame"))
    }
}
