package import Bytes

/// A node of the schema as it stands in the footer: depth first, groups with their child count.
package struct SchemaElement: Equatable, Sendable {
    package var name: ExactText
    /// Nil for groups.
    package var type: PhysicalType?
    /// Bytes of a fixed-length array.
    package var typeLength: Int32?
    /// Nil for the root only.
    package var repetition: Repetition?
    package var childCount: Int32?
    package var logicalType: LogicalType?
    package var fieldID: Int32?

    package init(name: ExactText) { self.name = name }

    static func read(_ reader: inout CompactReader) throws(ParquetError) -> SchemaElement {
        var name: ExactText?
        var element = SchemaElement(name: "")
        var (converted, scale, precision): (Int32?, Int32?, Int32?) = (nil, nil, nil)
        var fields = try reader.begin()
        while let field = try reader.next(&fields) {
            switch field.id {
            case 1: element.type = try reader.enumeration(field, "physical type")
            case 2: element.typeLength = try reader.int32(field)
            case 3: element.repetition = try reader.enumeration(field, "repetition")
            case 4: name = try reader.string(field)
            case 5: element.childCount = try reader.int32(field)
            case 6: converted = try reader.int32(field)
            case 7: scale = try reader.int32(field)
            case 8: precision = try reader.int32(field)
            case 9: element.fieldID = try reader.int32(field)
            case 10:
                try reader.structure(field)
                element.logicalType = try LogicalType.read(&reader)
            default: try reader.skip(field)
            }
        }
        guard let name else { throw reader.missing("the name of a field") }
        element.name = name
        if element.logicalType == nil, let converted {
            element.logicalType = LogicalType(
                converted: converted, precision: precision, scale: scale)
        }
        return element
    }

    func write(to writer: inout CompactWriter) {
        writer.begin()
        if let type { writer.field(1, type.rawValue) }
        if let typeLength { writer.field(2, typeLength) }
        if let repetition { writer.field(3, repetition.rawValue) }
        writer.field(4, name)
        if let childCount { writer.field(5, childCount) }
        if let converted = logicalType?.converted { writer.field(6, converted) }
        if case .decimal(let precision, let scale) = logicalType {
            writer.field(7, Int32(clamping: scale))
            writer.field(8, Int32(clamping: precision))
        }
        if let fieldID { writer.field(9, fieldID) }
        logicalType?.write(10, to: &writer)
        writer.end()
    }
}
