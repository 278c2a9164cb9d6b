package import Bytes

internal import Compression
internal import Parquet

/// The rows of a data file that are deleted (PROTOCOL.md, "Deletion Vector Format").
///
///     file    = version in 1 byte; vectors at the offsets that the log tells
///     vector  = size in 4 bytes, big-endian; data; CRC-32 of the data, big-endian
///     data    = 1681511377 in 4 bytes; count of bitmaps in 8; bitmap*
///     bitmap  = upper 32 bits of the rows in 4 bytes; a Roaring bitmap of the lower 32 bits in
///               the portable format (RoaringFormatSpec)
enum DeletionVector {
    private static let magic: UInt32 = 1_681_511_377
    private static let oldMagic: UInt32 = 1_681_511_376
    private static let sizeLimit: Int64 = 32 << 20

    static func read(
        _ reference: DeletionVectorReference, in directory: TableDirectory, rowCount: Int64
    ) throws(TableLogError) -> RowSelection {
        guard reference.size >= 0, reference.size <= sizeLimit, reference.cardinality >= 0 else {
            throw damaged(reference, "a size of at most 32 MiB")
        }
        let data = try bytes(reference, directory)
        let rows: RowSelection
        do throws(MalformedBytes) {
            rows = try decode(data, rowCount: rowCount)
        } catch {
            throw damaged(reference, error.description)
        }
        guard rows.count == reference.cardinality else {
            throw damaged(reference, "\(reference.cardinality) rows of \(rowCount)")
        }
        return rows
    }

    private static func damaged(
        _ reference: DeletionVectorReference, _ expected: String
    ) -> TableLogError {
        TableLogError(.damaged, reference.place.string, "deletion vector: expected \(expected)")
    }

    private static func bytes(
        _ reference: DeletionVectorReference, _ directory: TableDirectory
    ) throws(TableLogError) -> [UInt8] {
        if let path = try reference.pathInTable {
            return try bytes(reference, try directory.open(path))
        }
        guard let data = Base85.decode(reference.place), data.count >= reference.size else {
            throw damaged(reference, "\(reference.size) bytes in Base85")
        }
        return Array(data.prefix(Int(reference.size)))
    }

    private static func bytes(
        _ reference: DeletionVectorReference, _ file: FileSource
    ) throws(TableLogError) -> [UInt8] {
        let offset = reference.offset ?? 1
        let size = Int(reference.size)
        do throws(ParquetError) {
            let framed = try file.read(size + 8, at: offset)
            var reader = ByteReader(framed)
            guard let declared = try? reader.u32(), declared.byteSwapped == UInt32(size),
                let taken = try? reader.take(size), let checksum = try? reader.u32(),
                CRC32.of(Array(taken).span) == checksum.byteSwapped
            else { throw ParquetError(.checksum, at: offset, "a vector of its size and CRC-32") }
            return Array(taken)
        } catch {
            throw TableLogError(error, reference.place.string)
        }
    }

    /// Takes ascending rows out of the data; throws when they do not ascend, or the file has no
    /// such rows.
    static func decode(
        _ data: [UInt8], rowCount: Int64
    ) throws(MalformedBytes) -> RowSelection {
        var reader = ByteReader(data)
        let found = try reader.u32()
        if found.byteSwapped == oldMagic { return try decodeOld(&reader, rowCount) }
        guard found == magic else { throw reader.invalid("a magic number") }
        let count = try reader.u64()
        guard count <= UInt64(reader.remaining) else { throw reader.invalid("bitmaps") }
        var rows = HiddenRows(rowCount: rowCount)
        var last: Int64 = -1
        for _ in 0..<count {
            let key = Int64(try reader.u32())
            guard key > last, key < 1 << 31 else { throw reader.invalid("keys in order") }
            last = key
            try RoaringBitmap.decode(&reader, base: key << 32, into: &rows)
        }
        return rows.selection
    }
}

extension DeletionVector {
    /// The form that the protocol's own example has, and early writers left: big-endian magic and
    /// count, and for each bitmap its size; the place of a bitmap gives the upper bits.
    private static func decodeOld(
        _ reader: inout ByteReader, _ rowCount: Int64
    ) throws(MalformedBytes) -> RowSelection {
        let count = try reader.u32().byteSwapped
        guard count <= UInt32(clamping: reader.remaining) else { throw reader.invalid("bitmaps") }
        var rows = HiddenRows(rowCount: rowCount)
        for key in 0..<Int64(count) {
            let size = try reader.u32().byteSwapped
            var bitmap = ByteReader(
                Array(try reader.take(Int(size), "a bitmap")))
            try RoaringBitmap.decode(&bitmap, base: key << 32, into: &rows)
        }
        return rows.selection
    }
}

/// Rows of a file, as they come out of a vector: a small one can name more than there are.
struct HiddenRows {
    let rowCount: Int64
    private(set) var selection = RowSelection()

    init(rowCount: Int64) { self.rowCount = rowCount }

    /// Adds rows behind all that are there.
    mutating func add(
        _ range: Range<Int64>, _ reader: ByteReader
    ) throws(MalformedBytes) {
        guard range.lowerBound >= selection.ranges.last?.upperBound ?? 0 else {
            throw reader.invalid("rows in order")
        }
        guard range.upperBound <= rowCount else {
            throw reader.invalid("none but the \(rowCount) rows of the file")
        }
        selection.add(range)
    }
}

/// The portable format of Roaring bitmaps of 32 bits (github.com/RoaringBitmap/RoaringFormatSpec).
enum RoaringBitmap {
    /// What stands at the beginning of a bitmap with runs, in 16 bits, and without.
    private static let (withRuns, withoutRuns): (UInt32, UInt32) = (12_347, 12_346)

    private struct Container {
        let key: Int64
        let cardinality: Int
        let hasRuns: Bool
    }

    static func decode(
        _ reader: inout ByteReader, base: Int64, into rows: inout HiddenRows
    ) throws(MalformedBytes) {
        let containers = try containers(&reader)
        for container in containers {
            let start = base | container.key << 16
            if container.hasRuns {
                try runs(&reader, start, into: &rows)
            } else if container.cardinality <= 4096 {
                try list(&reader, start, container.cardinality, into: &rows)
            } else {
                try bits(&reader, start, into: &rows)
            }
        }
    }

    private static func containers(
        _ reader: inout ByteReader
    ) throws(MalformedBytes) -> [Container] {
        let cookie = try reader.u32()
        var (count, runs): (Int, [UInt8]) = (0, [])
        if cookie & 0xffff == withRuns {
            count = Int(cookie >> 16) + 1
            runs = Array(try reader.take((count + 7) / 8))
        } else {
            guard cookie == withoutRuns else { throw reader.invalid("a Roaring bitmap") }
            count = Int(try reader.u32())
            guard count <= 65_536 else { throw reader.invalid("at most 65536 containers") }
        }
        var containers: [Container] = []
        for index in 0..<count {
            let key = Int64(try reader.u16())
            guard key > containers.last?.key ?? -1 else { throw reader.invalid("keys in order") }
            let cardinality = Int(try reader.u16()) + 1
            let hasRuns = !runs.isEmpty && runs[index >> 3] & (1 << UInt8(index & 7)) != 0
            containers.append(Container(key: key, cardinality: cardinality, hasRuns: hasRuns))
        }
        // Offsets of the containers follow; they lie one behind the other anyway.
        if runs.isEmpty || count >= 4 { _ = try reader.take(4 * count) }
        return containers
    }

    private static func runs(
        _ reader: inout ByteReader, _ start: Int64, into rows: inout HiddenRows
    ) throws(MalformedBytes) {
        for _ in 0..<(try reader.u16()) {
            let first = start + Int64(try reader.u16())
            let end = first + Int64(try reader.u16()) + 1
            guard end <= start + 65_536 else { throw reader.invalid("a run of one container") }
            try rows.add(first..<end, reader)
        }
    }

    private static func list(
        _ reader: inout ByteReader, _ start: Int64, _ count: Int, into rows: inout HiddenRows
    ) throws(MalformedBytes) {
        for _ in 0..<count {
            let row = start + Int64(try reader.u16())
            try rows.add(row..<row + 1, reader)
        }
    }

    private static func bits(
        _ reader: inout ByteReader, _ start: Int64, into rows: inout HiddenRows
    ) throws(MalformedBytes) {
        for word in 0..<Int64(1024) {
            var bits = try reader.u64()
            while bits != 0 {
                let first = bits.trailingZeroBitCount
                let length = (~(bits >> UInt64(first))).trailingZeroBitCount
                let row = start + word * 64 + Int64(first)
                try rows.add(row..<row + Int64(length), reader)
                if first + length >= 64 { break }
                bits &= ~UInt64(0) << UInt64(first + length)
            }
        }
    }
}

/// Z85 (rfc.zeromq.org/spec/32): five characters for four bytes.
enum Base85 {
    private static let digits = Array(
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
            .utf8)

    static func decode(_ text: ExactText) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 5 == 0 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: characters.count, by: 5) {
            var word: UInt64 = 0
            for character in characters[start..<start + 5] {
                guard let digit = digits.firstIndex(of: character) else { return nil }
                word = word * 85 + UInt64(digit)
            }
            guard word <= UInt64(UInt32.max) else { return nil }
            for shift in [24, 16, 8, 0] {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return bytes
    }
}

extension DeletionVectorReference {
    /// The file below the table that holds the vector; nil for vectors in the log itself, for those
    /// outside of the table, and where the place is none.
    package var filePath: ExactText? {
        guard storage == "u", let digits = ExactText(utf8: place.utf8.suffix(20)),
            digits.utf8.count == 20, let id = Base85.decode(digits),
            id.count == 16
        else { return nil }
        let hex = Array(Hex.encode(id))
        let uuid = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(hex[$0]) }
            .joined(separator: "-")
        guard let prefix = ExactText(utf8: place.utf8.dropLast(20)) else { return nil }
        let name = "deletion_vector_\(uuid).bin"
        return prefix.isEmpty ? ExactText(name) : "\(prefix)/\(name)"
    }

    /// The same; throws where there must be a file below the table and is none.
    package var pathInTable: ExactText? {
        get throws(TableLogError) {
            switch storage {
            case "i": return nil
            case "u":
                guard let path = filePath else {
                    throw TableLogError(
                        .damaged, place.string, "deletion vector: expected a UUID in Base85")
                }
                guard DataPath.isPlain(Array(path.utf8)) else { throw outside }
                return path
            default: throw outside
            }
        }
    }

    private var outside: TableLogError {
        TableLogError.outside(place, "a deletion vector outside of the table")
    }
}
