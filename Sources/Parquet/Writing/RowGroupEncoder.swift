internal import Compression

/// A row group as it will stand in a file.
package struct EncodedRowGroup: Equatable, Sendable {
    package var rowCount: Int64
    /// One for each leaf of the schema.
    package var chunks: [EncodedChunk]

    package init(rowCount: Int64, chunks: [EncodedChunk]) {
        self.rowCount = rowCount
        self.chunks = chunks
    }
}

/// Encodes row groups: a function of their rows and nothing else, so that equal rows come out as
/// equal bytes, in any file and at any place in it.
///
/// Holds a context for compression: one per thread. Fields may be encoded on different threads.
package struct RowGroupEncoder {
    private let schema: Schema
    private let options: WriterOptions
    private let encoder: ZstdEncoder

    package init(_ schema: Schema, _ options: WriterOptions) {
        self.schema = schema
        self.options = options
        encoder = ZstdEncoder(.zstd(options.compressionLevel))
    }

    /// Encodes the rows of one field; the result has a chunk for each of its leaves.
    package func encode(
        _ column: Column, of field: Field
    ) throws(ParquetError) -> [EncodedChunk] {
        var chunks: [EncodedChunk] = []
        for shredded in try Shredder.shred(field, column, schema) {
            chunks.append(try ChunkEncoder.encode(shredded, options, encoder))
        }
        return chunks
    }

    /// Encodes rows, with a column for each field of the schema.
    package func encode(_ batch: RecordBatch) throws(ParquetError) -> EncodedRowGroup {
        guard batch.columns.count == schema.fields.count,
            batch.columns.allSatisfy({ $0.count == batch.rowCount })
        else {
            throw ParquetError(.invalid, at: -1, "\(schema.fields.count) columns of equal length")
        }
        var chunks: [EncodedChunk] = []
        for (field, column) in zip(schema.fields, batch.columns) {
            chunks += try encode(column, of: field)
        }
        return EncodedRowGroup(rowCount: Int64(batch.rowCount), chunks: chunks)
    }
}
