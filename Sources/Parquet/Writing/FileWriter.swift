internal import Bytes

/// Writes a file of row groups that are encoded already: new ones, and ones of other files.
///
/// Nothing in a row group depends on where it stands; offsets are in the indexes and the footer
/// only, which come last. So files that have row groups in common have their bytes in common.
package struct FileWriter<Sink: ByteSink> {
    private let schema: Schema
    private let options: WriterOptions
    package private(set) var sink: Sink
    private var offset: Int64 = 0
    private var groups: [RowGroup] = []
    private var offsetIndexes: [[OffsetIndex?]] = []
    private var columnIndexes: [[ColumnIndex?]] = []

    package init(
        _ sink: Sink, _ schema: Schema, _ options: WriterOptions
    ) throws(ParquetError) {
        self.sink = sink
        self.schema = schema
        self.options = options
        try write(ParquetFile.magic)
    }

    var schemaElements: [SchemaElement] { schema.elements }

    /// Rows written so far.
    package var rowCount: Int64 { groups.reduce(0) { $0 &+ $1.rowCount } }
    /// Bytes written so far.
    package var size: Int64 { offset }

    private mutating func write(_ bytes: [UInt8]) throws(ParquetError) {
        try sink.write(bytes)
        offset += Int64(bytes.count)
    }

    /// Writes a row group; one without rows is left out.
    package mutating func append(_ group: EncodedRowGroup) throws(ParquetError) {
        guard group.chunks.count == schema.leaves.count else {
            throw ParquetError(.invalid, at: offset, "a chunk for each column")
        }
        guard group.rowCount > 0 else { return }
        var columns: [ColumnChunk] = []
        for chunk in group.chunks {
            columns.append(chunk.column.moved(by: offset))
            try write(chunk.bytes)
        }
        add(
            columns, group.rowCount, options.sorting, group.chunks.map(\.offsetIndex),
            group.chunks.map(\.columnIndex))
    }

    /// Notes a row group whose chunks end at the end of the file so far; offsets in the indexes
    /// count from the beginning of each chunk.
    mutating func add(
        _ columns: [ColumnChunk], _ rowCount: Int64, _ sorting: [SortingColumn]?,
        _ offsets: [OffsetIndex?], _ bounds: [ColumnIndex?]
    ) {
        groups.append(
            RowGroup(
                columns: columns, plainSize: columns.reduce(0) { $0 &+ $1.plainSize },
                rowCount: rowCount, sorting: sorting?.isEmpty == true ? nil : sorting,
                ordinal: Int16(exactly: groups.count)))
        offsetIndexes.append(
            zip(offsets, columns).map { index, column in
                index.map { $0.moved(by: column.start) }
            })
        columnIndexes.append(bounds)
    }

    /// Copies bytes of a spliced row group.
    mutating func copy(
        _ range: Range<Int64>, of source: any ByteSource
    ) throws(ParquetError) {
        let count = range.upperBound - range.lowerBound
        try sink.copy(count, at: range.lowerBound, of: source)
        offset += count
    }

    /// Writes indexes and footer, and returns what the footer says.
    package mutating func finish(keyValues: [KeyValue] = []) throws(ParquetError) -> Footer {
        var indexes: [UInt8] = []
        for group in groups.indices {
            for (column, index) in columnIndexes[group].enumerated() {
                guard let index else { continue }
                groups[group].columns[column].columnIndex = append(index.encoded(), to: &indexes)
            }
        }
        for group in groups.indices {
            for (column, index) in offsetIndexes[group].enumerated() {
                guard let index else { continue }
                groups[group].columns[column].offsetIndex = append(index.encoded(), to: &indexes)
            }
        }
        try write(indexes)
        let footer = Footer(
            version: 2, schema: schema.elements, rowCount: rowCount, rowGroups: groups,
            keyValues: keyValues, createdBy: ExactText(options.createdBy),
            hasTypeOrder: schema.leaves.map { _ in true })
        let encoded = footer.encoded()
        guard let size = UInt32(exactly: encoded.count) else {
            throw ParquetError(.tooLarge, at: offset, "a footer of 4 GiB")
        }
        var tail = ByteWriter()
        tail.u32(size)
        try write(encoded + tail.bytes + ParquetFile.magic)
        return footer
    }

    /// Gathers indexes, which are many and small, for one write; returns where one will lie.
    private func append(_ index: [UInt8], to indexes: inout [UInt8]) -> ColumnChunk.Place {
        let place = offset + Int64(indexes.count)
        indexes += index
        return ColumnChunk.Place(offset: place, size: Int32(clamping: index.count))
    }
}

extension ColumnChunk {
    /// The chunk at another place; its indexes are forgotten, because they lie elsewhere.
    func moved(by distance: Int64) -> ColumnChunk {
        var moved = self
        moved.dataPageOffset &+= distance
        if let offset = dictionaryPageOffset { moved.dictionaryPageOffset = offset &+ distance }
        moved.offsetIndex = nil
        moved.columnIndex = nil
        return moved
    }
}

extension OffsetIndex {
    func moved(by distance: Int64) -> OffsetIndex {
        var moved = self
        for index in moved.locations.indices { moved.locations[index].offset &+= distance }
        return moved
    }
}
