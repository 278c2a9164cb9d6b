package import Bytes
internal import Platform
package import TableLog

/// What a new table is to be.
package struct TableDesign: Sendable {
    package var schema: TableSchema
    /// Names of columns.
    package var partitionBy: [ExactText] = []
    /// Names of columns.
    package var sortBy: [ExactText] = []
    package var name: ExactText?

    package init(_ schema: TableSchema) { self.schema = schema }

    /// Checks that columns are there, once each, and of types to partition and sort by.
    func metadata() throws(TableStoreError) -> TableMetadata {
        try SchemaGrammar.check(schema)
        var metadata = TableMetadata(id: ExactText(UniqueName.uuid()), schemaText: schema.text)
        metadata.name = name
        metadata.createdTime = Timestamp.now().milliseconds
        var partitions: [Int] = []
        for column in partitionBy { partitions.append(try schema.index(of: column)) }
        guard Set(partitions).count == partitions.count else {
            throw .request("a column is named twice to partition by")
        }
        guard partitions.count < schema.fields.count else {
            throw .request("a table needs a column that it is not partitioned by")
        }
        metadata.partitionColumns = partitions.map { schema.fields[$0].name }
        var sorting: [Int] = []
        for column in sortBy { sorting.append(try schema.index(of: column)) }
        for index in sorting where partitions.contains(index) {
            throw .request(
                "\(schema.fields[index].name) is the same in all rows of a partition: there is "
                    + "nothing to sort")
        }
        guard Set(sorting).count == sorting.count else {
            throw .request("a column is named twice to sort by")
        }
        if !sorting.isEmpty {
            metadata.configuration[StoredTable.sortSetting] =
                ExactText(sorting.map { schema.fields[$0].name }.joined(separator: ","))
        }
        return metadata
    }

    /// The lowest versions that allow what the schema has (PROTOCOL.md, "Valid Feature Names").
    var protocolVersion: ProtocolAction {
        guard schema.fields.contains(where: { $0.type == .timestampWithoutZone }) else {
            return ProtocolAction(readerVersion: 1, writerVersion: 2)
        }
        return ProtocolAction(
            readerVersion: 3, writerVersion: 7, readerFeatures: ["timestampNtz"],
            writerFeatures: ["timestampNtz", "appendOnly", "invariants"])
    }
}
