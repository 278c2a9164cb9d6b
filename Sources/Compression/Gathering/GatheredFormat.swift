internal import Bytes

// Gathered columns: text whose lines have fields, column by column. Version 1:
//
//     offset  size
//          0     1  format version, 1
//          1     1  delimiter of fields: any byte but line feed
//          2     1  number of columns, 1 to 255
//          3     …  size of each column in bytes (varints)
//          …     …  a zstd frame of all columns, one after the other
//
// A field reaches up to and with the delimiter or line feed that ends it; the last one of the text
// may lack both. The first field of a line lies in the first column, each other in the one behind
// that of the field before it, and in the last column what is more. So any bytes can be written in
// this way and are found again from the columns alone: lines may have any number of fields, begin
// or end in the middle, and hold quotes, carriage returns or NUL.

/// How the lines of a text are divided.
package struct LineShape: Equatable, Sendable {
    package let delimiter: UInt8
    /// 1 to 255.
    package let columnCount: Int

    static let lineFeed: UInt8 = 0x0a
    package static let columnLimit = 255

    package init(delimiter: UInt8, columnCount: Int) {
        precondition(delimiter != Self.lineFeed && (1...Self.columnLimit).contains(columnCount))
        self.delimiter = delimiter
        self.columnCount = columnCount
    }
}

/// What stands before the frame.
struct GatheredHeader: Equatable {
    var shape: LineShape
    /// Bytes of each column.
    var sizes: [Int]

    private static let version: UInt8 = 1

    init(_ shape: LineShape, sizes: [Int]) {
        self.shape = shape
        self.sizes = sizes
    }

    func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.u8(Self.version)
        writer.u8(shape.delimiter)
        writer.u8(UInt8(clamping: shape.columnCount))
        for size in sizes { writer.count(size) }
        return writer.bytes
    }

    /// Decodes a header whose columns together must have `size` bytes.
    init(_ reader: inout ByteReader, size: Int) throws(MalformedBytes) {
        guard try reader.u8() == Self.version else {
            throw reader.invalid("format \(Self.version) of gathered columns")
        }
        let delimiter = try reader.u8()
        guard delimiter != LineShape.lineFeed else { throw reader.invalid("a delimiter") }
        let count = Int(try reader.u8())
        guard count > 0 else { throw reader.invalid("at least one column") }
        shape = LineShape(delimiter: delimiter, columnCount: count)
        sizes = []
        var rest = size
        for _ in 0..<count {
            let size = try reader.count(limit: rest, "the size of a column")
            sizes.append(size)
            rest -= size
        }
        guard rest == 0 else { throw reader.invalid("columns of \(size) bytes together") }
    }
}
