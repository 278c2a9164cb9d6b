/// Writes rows to a file: cuts them into row groups, encodes these and appends them.
package struct ParquetWriter<Sink: ByteSink> {
    private var cutter: RowGroupCutter
    private let encoder: RowGroupEncoder
    private var file: FileWriter<Sink>

    package init(
        _ sink: Sink, _ schema: Schema, _ options: WriterOptions = WriterOptions()
    ) throws(ParquetError) {
        cutter = RowGroupCutter(schema, options)
        encoder = RowGroupEncoder(schema, options)
        file = try FileWriter(sink, schema, options)
    }

    package var sink: Sink { file.sink }

    /// Adds rows, with a column for each field of the schema.
    package mutating func write(_ batch: RecordBatch) throws(ParquetError) {
        for group in try cutter.add(batch) { try file.append(try encoder.encode(group)) }
    }

    /// Writes what is left, indexes and footer.
    package mutating func finish(keyValues: [KeyValue] = []) throws(ParquetError) -> Footer {
        if let group = cutter.finish() { try file.append(try encoder.encode(group)) }
        return try file.finish(keyValues: keyValues)
    }
}
