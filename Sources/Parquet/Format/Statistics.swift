/// Bounds and counts of a page or column chunk as they are stored: values in PLAIN encoding,
/// byte arrays without their length.
package struct Statistics: Equatable, Sendable {
    /// Bounds by signed comparison, of old writers; never written here.
    package var oldMinimum: [UInt8]?
    package var oldMaximum: [UInt8]?
    package var nullCount: Int64?
    package var distinctCount: Int64?
    package var minimum: [UInt8]?
    package var maximum: [UInt8]?
    package var isMinimumExact: Bool?
    package var isMaximumExact: Bool?
    package var nanCount: Int64?

    package init() {}

    static func read(_ reader: inout CompactReader) throws(ParquetError) -> Statistics {
        var statistics = Statistics()
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: statistics.oldMaximum = try reader.binary(field)
            case 2: statistics.oldMinimum = try reader.binary(field)
            case 3: statistics.nullCount = try reader.int64(field)
            case 4: statistics.distinctCount = try reader.int64(field)
            case 5: statistics.maximum = try reader.binary(field)
            case 6: statistics.minimum = try reader.binary(field)
            case 7: statistics.isMaximumExact = try reader.bool(field)
            case 8: statistics.isMinimumExact = try reader.bool(field)
            case 9: statistics.nanCount = try reader.int64(field)
            default: try reader.skip(field)
            }
        }
        return statistics
    }

    func write(_ id: Int16, to writer: inout CompactWriter) {
        writer.begin(id)
        if let oldMaximum { writer.field(1, oldMaximum) }
        if let oldMinimum { writer.field(2, oldMinimum) }
        if let nullCount { writer.field(3, nullCount) }
        if let distinctCount { writer.field(4, distinctCount) }
        if let maximum { writer.field(5, maximum) }
        if let minimum { writer.field(6, minimum) }
        if let isMaximumExact { writer.field(7, isMaximumExact) }
        if let isMinimumExact { writer.field(8, isMinimumExact) }
        if let nanCount { writer.field(9, nanCount) }
        writer.end()
    }
}
