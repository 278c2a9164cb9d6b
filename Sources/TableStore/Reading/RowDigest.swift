package import TableLog

internal import Bytes
internal import Hashing
internal import Parquet

// A digest of rows that does not depend on their order, nor on how they are cut into files, row
// groups and pages, nor on encodings: two tables with equal digests have the same rows, each as
// often, as far as XXH3-128 can tell. It finds faults; it is no defence against forgers.
//
//     digest of rows   the number of rows, and the sum of their hashes modulo 2^128
//     hash of a row    XXH3-128 of its values, one after the other, in the order of the schema
//     value            0 for null; else 1, then
//         boolean                     1 byte
//         integers, dates, times      8 bytes, little-endian
//         decimals                    the same, the unscaled number; 16 bytes above 18 digits
//         float, double               8 bytes, the bits of the double; one NaN for all
//         strings, binary             length in 8 bytes, bytes
//         structure                   its values
//         array, map                  length in 8 bytes, then elements, or keys and values in turn

/// How many rows there are, and a digest of them whatever their order.
package struct RowDigest: Equatable, Sendable {
    package private(set) var rows: Int64 = 0
    private var high: UInt64 = 0
    private var low: UInt64 = 0

    package init() {}

    /// Digits of the sum.
    package var hex: String {
        var writer = ByteWriter()
        writer.u64(low)
        writer.u64(high)
        return Hex.encode(writer.bytes.reversed())
    }

    /// Takes further rows into account.
    package mutating func add(_ other: RowDigest) {
        rows &+= other.rows
        add(high: other.high, low: other.low)
    }

    private mutating func add(high: UInt64, low: UInt64) {
        let (sum, carry) = self.low.addingReportingOverflow(low)
        self.low = sum
        self.high = self.high &+ high &+ (carry ? 1 : 0)
    }

    mutating func add(_ batch: RecordBatch) {
        var writer = ByteWriter()
        for row in 0..<batch.rowCount {
            writer.removeAll()
            for column in batch.columns { RowBytes.append(column, row, to: &writer) }
            let hash = XXH3Digest(of: writer.bytes.span)
            add(high: hash.high, low: hash.low)
        }
        rows &+= Int64(batch.rowCount)
    }
}

extension StoredTable {
    /// Reads the rows of the table at this version, `limit` of them at most.
    package func rowDigest(limit: Int64? = nil) throws(TableStoreError) -> RowDigest {
        var request = ScanRequest()
        request.limit = limit
        var scan = try TableScan(self, request)
        var digest = RowDigest()
        while let batch = try scan.next() { digest.add(batch) }
        return digest
    }
}

extension RowDigest {
    /// Reads files of rows as rows of a table with this schema; any row that does not fit is an
    /// error.
    package init(
        of files: [[UInt8]], _ schema: TableSchema, _ options: ImportOptions = ImportOptions()
    ) throws(TableStoreError) {
        var digest = RowDigest()
        let layout = TableLayout(schema)
        for file in files {
            var reading = FileImport(file, options, layout) { batch throws(TableStoreError) in
                digest.add(batch)
            }
            do throws(TableStoreError) {
                try reading.run()
            } catch {
                throw error.inFile(file)
            }
        }
        self = digest
    }
}

/// The bytes of values that are hashed.
private enum RowBytes {
    static func append(_ column: Column, _ row: Int, to writer: inout ByteWriter) {
        guard !column.isNull(row) else { return writer.u8(0) }
        writer.u8(1)
        switch column.values {
        case .boolean(let bits): writer.u8(bits[row] ? 1 : 0)
        case .int32(let values): writer.u64(UInt64(bitPattern: Int64(values[row])))
        case .int64(let values): writer.u64(UInt64(bitPattern: values[row]))
        case .int128(let values):
            writer.u64(UInt64(truncatingIfNeeded: values[row]))
            writer.u64(UInt64(truncatingIfNeeded: values[row] >> 64))
        case .float(let values): append(Double(values[row]), to: &writer)
        case .double(let values): append(values[row], to: &writer)
        case .bytes(let offsets, let data):
            append(data[Int(offsets[row])..<Int(offsets[row + 1])], to: &writer)
        case .fixed(let width, let data):
            append(data[row * width..<(row + 1) * width], to: &writer)
        case .structure(let fields): for field in fields { append(field, row, to: &writer) }
        case .list(let offsets, let element):
            let range = Int(offsets[row])..<Int(offsets[row + 1])
            writer.u64(UInt64(range.count))
            for inner in range { append(element, inner, to: &writer) }
        case .map(let offsets, let key, let value):
            let range = Int(offsets[row])..<Int(offsets[row + 1])
            writer.u64(UInt64(range.count))
            for inner in range {
                append(key, inner, to: &writer)
                if let value { append(value, inner, to: &writer) }
            }
        }
    }

    private static func append(_ bytes: ArraySlice<UInt8>, to writer: inout ByteWriter) {
        writer.u64(UInt64(bytes.count))
        writer.raw(bytes)
    }

    private static func append(_ number: Double, to writer: inout ByteWriter) {
        writer.u64(number.isNaN ? Double.nan.bitPattern : number.bitPattern)
    }
}
