internal import Bytes
internal import JSON
internal import Parquet
internal import Platform
internal import TableLog

/// Reads the rows of one file as those of a table, and hands them on batch by batch.
struct FileImport {
    private let path: [UInt8]
    private let options: ImportOptions
    private let layout: TableLayout
    private let sink: (RecordBatch) throws(TableStoreError) -> Void
    private(set) var rowCount: Int64 = 0
    private(set) var rejectedCount: Int64 = 0
    /// The first of the rows that were left out.
    private(set) var rejected: [RejectedRow] = []

    static let listedRejections = 100
    /// Blocks that are read and taken apart while a row group is encoded.
    private static let waitingBlocks = 14

    private var schema: TableSchema { layout.schema }

    init(
        _ path: [UInt8], _ options: ImportOptions, _ layout: TableLayout,
        _ sink: @escaping (RecordBatch) throws(TableStoreError) -> Void
    ) {
        self.path = path
        self.options = options
        self.layout = layout
        self.sink = sink
    }

    /// Throws `.input` for a row that does not fit, unless rows are to be skipped.
    mutating func run() throws(TableStoreError) {
        switch try options.format(path) {
        case .csv: try csv()
        case .ndjson: try ndjson()
        case .parquet: try parquet()
        }
    }

    /// Notes a row that is left out, or ends the import with it.
    private mutating func reject(
        _ line: Int?, _ problem: ColumnProblem
    ) throws(TableStoreError) {
        let row = RejectedRow(
            file: path, line: line, column: problem.column, detail: problem.detail)
        guard options.onError == .skip else {
            throw TableStoreError(.input, PathBytes.printable(path), row.problem)
        }
        rejectedCount += 1
        if rejected.count < Self.listedRejections { rejected.append(row) }
    }

    private mutating func write(_ rows: RecordBatch) throws(TableStoreError) {
        try checkInterruption()
        try sink(rows)
        rowCount += Int64(rows.rowCount)
    }
}

/// The blocks of a file until one cannot be had.
private struct BlockSource {
    private var blocks: CSVBlocks?

    init(_ blocks: CSVBlocks) { self.blocks = blocks }

    mutating func next() -> Result<CSVBlock, TableStoreError>? {
        do throws(TableStoreError) {
            guard let block = try blocks?.next() else { return nil }
            return .success(block)
        } catch {
            blocks = nil
            return .failure(error)
        }
    }
}

// MARK: - CSV
extension FileImport {
    private mutating func csv() throws(TableStoreError) {
        var reader = try CSVReader(
            try InputFile(text: path, options.progress, options.encoding),
            delimiter: options.delimiter(path),
            keepsEmptyLines: schema.fields.count == 1)
        var (places, width) = (schema.fields.indices.map { Optional($0) }, schema.fields.count)
        if options.hasHeader {
            switch try reader.next() {
            case .failure(let problem):
                throw TableStoreError(.input, "", "line 1: expected \(problem.expected)")
            case .success(false): return
            case .success(true): (places, width) = try header(reader)
            }
        }
        let parsing = CSVParsing(
            layout: layout, places: places, width: width, delimiter: reader.delimiter,
            keepsEmptyLines: schema.fields.count == 1, nullWords: options.nullWords)
        try blocks(after: reader, parsing)
    }

    /// Takes the blocks of a file apart on all processors, and writes their rows in their order.
    private mutating func blocks(
        after reader: CSVReader, _ parsing: CSVParsing
    ) throws(TableStoreError) {
        let blocks = Monitor(BlockSource(CSVBlocks(after: reader)))
        let work = OrderedWork(
            threads: Processors.count, window: Processors.count + Self.waitingBlocks,
            source: { blocks.withState { $0.next() } },
            work: { (block: Result<CSVBlock, TableStoreError>) in
                block.map { parsing.parse($0) }
            })
        var line = reader.nextLine
        while let result = work.next() {
            switch result {
            case .failure(let error):
                guard error.kind == .input else { throw error }
                throw TableStoreError(.input, error.file, "line \(line): \(error.detail)")
            case .success(let block):
                try take(block, firstLine: line)
                line += block.lineCount
            }
        }
    }

    private mutating func take(
        _ block: ParsedBlock, firstLine: Int
    ) throws(TableStoreError) {
        for (line, problem) in block.rejected { try reject(firstLine + line, problem) }
        rejectedCount += Int64(block.rejectedCount - block.rejected.count)
        try write(block.rows)
    }

    /// Where the columns of the table stand, by the names in the first line.
    private func header(_ reader: CSVReader) throws(TableStoreError) -> ([Int?], Int) {
        var places = [Int?](repeating: nil, count: schema.fields.count)
        var width = reader.fields.count
        if width > 1, reader.fields[width - 1].range.isEmpty, !reader.fields[width - 1].isQuoted {
            width -= 1
        }
        for field in 0..<width {
            let name = try ColumnNames.header(reader.text(field), field)
            let column: Int
            do throws(TableStoreError) {
                column = try ColumnNames.index(of: name, schema)
            } catch {
                try HeaderDoubts.check(delimiter: reader, options)
                throw TableStoreError(
                    .input, "",
                    "line 1: \(error.detail); --no-header reads the line as a row")
            }
            guard places[column] == nil else {
                throw TableStoreError(.input, "", "line 1: column \(name) stands there twice")
            }
            places[column] = field
        }
        for (place, field) in zip(places, schema.fields) where place == nil && !field.isNullable {
            throw TableStoreError(
                .input, "", "line 1: column \(field.name), which is not null, is missing")
        }
        return (places, width)
    }
}

// MARK: - NDJSON
extension FileImport {
    private mutating func ndjson() throws(TableStoreError) {
        var reader = try NDJSONReader(
            try InputFile(text: path, options.progress, options.encoding))
        var rows = RowGathering(layout)
        var known: [ExactText: Int] = [:]
        while let row = try reader.next() {
            switch row {
            case .failure(let problem):
                try reject(reader.line, ColumnProblem(nil, "expected \(problem.expected)"))
            case .success(let members):
                do throws(ColumnProblem) {
                    let places = try places(members, &known)
                    try rows.add(members, places)
                } catch {
                    try reject(reader.line, error)
                }
            }
            if rows.isFull { try write(rows.take()) }
        }
        try write(rows.take())
    }

    /// Where the columns of the table stand in an object.
    private func places(
        _ members: [JSONValue.Member], _ known: inout [ExactText: Int]
    ) throws(ColumnProblem) -> [Int?] {
        var places = [Int?](repeating: nil, count: schema.fields.count)
        for (index, member) in members.enumerated() {
            var column = known[member.name]
            if column == nil {
                column = try? ColumnNames.index(of: member.name, schema)
                if let column { known[member.name] = column }
            }
            guard let column else {
                throw ColumnProblem(member.name, "the table has no such column")
            }
            places[column] = index
        }
        return places
    }
}

// MARK: - Parquet
extension FileImport {
    private mutating func parquet() throws(TableStoreError) {
        let file = try ParquetInput.open(path)
        var fields: [Field?] = Array(repeating: nil, count: schema.fields.count)
        for field in file.schema.fields {
            fields[try ColumnNames.index(of: field.name, schema)] = field
        }
        let present = fields.compactMap { $0 }
        for group in file.footer.rowGroups.indices {
            var reader = try parqueted("") { () throws(ParquetError) in
                try RowGroupReader(file, rowGroup: group, fields: present)
            }
            while let raw = try parqueted(
                "",
                { () throws(ParquetError) in
                    try reader.next(limit: TableScan.batchRows)
                })
            {
                try write(try conform(raw, fields, file))
            }
            let size = file.footer.rowGroups[group].columns.reduce(0) { $0 &+ $1.storedSize }
            options.progress?.update { $0.bytesDone += UInt64(clamping: size) }
        }
    }

    private func conform(
        _ raw: RecordBatch, _ fields: [Field?], _ file: ParquetFile
    ) throws(TableStoreError) -> RecordBatch {
        var (columns, next): ([Column], Int) = ([], 0)
        for (index, wanted) in schema.fields.enumerated() {
            guard let field = fields[index] else {
                columns.append(.nulls(wanted.type, count: raw.rowCount))
                continue
            }
            do throws(ParquetError) {
                columns.append(
                    try ParquetInput.conform(
                        raw.columns[next], field, wanted.type, file.schema))
            } catch {
                throw TableStoreError(.input, "", "expected \(error.expected)")
            }
            next += 1
        }
        return RecordBatch(rowCount: raw.rowCount, columns: columns)
    }
}
