internal import Bytes
internal import JSON
internal import Parquet
internal import Platform
package import TableLog

/// Finds the schema that files of rows have in common.
package enum SchemaInference {
    /// Rows of a file that are looked at, at most.
    private static let rowLimit = 200_000

    /// Names and guesses in the order in which columns were first seen.
    private struct Guesses {
        var names: [ExactText] = []
        var places: [ExactText: Int] = [:]
        var guesses: [TypeGuess] = []

        mutating func place(_ name: ExactText) -> Int {
            if let place = places[name] { return place }
            places[name] = names.count
            names.append(name)
            guesses.append(TypeGuess())
            return names.count - 1
        }
    }

    /// Looks at the first rows of each file, or at all of them; a Parquet file that comes first has
    /// its own schema.
    ///
    /// Files that are to be imported afterwards, `readsAgain`, must not be pipes: what is looked at
    /// would be missing then.
    package static func infer(
        _ files: [[UInt8]], _ options: ImportOptions, readsAgain: Bool = true
    ) throws(TableStoreError) -> TableSchema {
        guard let first = files.first else { throw .request("there is no file to import") }
        for path in files where readsAgain {
            guard let type = try? FileStatus.following(path).type, type != .regular,
                type != .directory
            else { continue }
            throw .request(
                "\(PathBytes.printable(path)) can be read only once, and no schema was given for a "
                    + "new table: give --schema, or import a file")
        }
        if try options.format(first) == .parquet { return try parquet(first) }
        var guesses = Guesses()
        for path in files {
            options.progress?.update { $0.currentPath = path }
            do throws(TableStoreError) {
                switch try options.format(path) {
                case .csv: try csv(path, options, &guesses)
                case .ndjson: try ndjson(path, options, &guesses)
                case .parquet: continue
                }
            } catch {
                throw error.inFile(path)
            }
        }
        let schema = TableSchema(
            zip(guesses.names, guesses.guesses).map { TableField($0, $1.type) })
        try SchemaGrammar.check(schema)
        return schema
    }

    private static func csv(
        _ path: [UInt8], _ options: ImportOptions, _ guesses: inout Guesses
    ) throws(TableStoreError) {
        var reader = try CSVReader(
            try InputFile(text: path, nil, options.encoding), delimiter: options.delimiter(path))
        var places: [Int] = []
        for row in 0..<(options.looksAtAllRows ? .max : rowLimit) {
            if row & 1023 == 0 { try checkInterruption() }
            let next = try reader.next()
            if case .failure(let problem) = next, options.onError == .fail {
                throw Self.problem(reader.line, problem)
            }
            guard case .success(let isRow) = next else { continue }
            guard isRow else { return }
            if row == 0 { try HeaderDoubts.check(delimiter: reader, options) }
            if row == 0, options.hasHeader {
                if options.doubtsHeader { try HeaderDoubts.check(names: reader) }
                for field in reader.fields.indices {
                    let text = reader.text(field)
                    // Some writers end each line with a delimiter.
                    if text.isEmpty, field > 0, field == reader.fields.count - 1,
                        !reader.fields[field].isQuoted
                    {
                        continue
                    }
                    let name = try ColumnNames.header(text, field)
                    places.append(guesses.place(ColumnNames.allowed(name)))
                }
                continue
            }
            // Some writers end each line with a delimiter.
            let hasTail = reader.fields.last.map { $0.range.isEmpty && !$0.isQuoted } ?? false
            while !options.hasHeader, places.count < reader.fields.count - (hasTail ? 1 : 0) {
                places.append(guesses.place("column_\(places.count + 1)"))
            }
            for (place, field) in zip(places, reader.fields.indices) {
                let text = reader.text(field)
                let isNull =
                    text.isEmpty
                    || ExactText(utf8: text).map(options.nullWords.contains) == true
                if isNull, !reader.fields[field].isQuoted { continue }
                guesses.guesses[place].add(text: text)
            }
        }
    }

    private static func ndjson(
        _ path: [UInt8], _ options: ImportOptions, _ guesses: inout Guesses
    ) throws(TableStoreError) {
        var reader = try NDJSONReader(try InputFile(text: path, nil, options.encoding))
        var first: TableStoreError?
        for number in 0..<(options.looksAtAllRows ? .max : rowLimit) {
            if number & 1023 == 0 { try checkInterruption() }
            guard let row = try reader.next() else { break }
            if case .failure(let problem) = row {
                first = first ?? Self.problem(reader.line, problem)
                if options.onError == .fail { break }
            }
            guard case .success(let members) = row else { continue }
            for member in members {
                let place = guesses.place(ColumnNames.allowed(member.name))
                guard guesses.guesses[place].add(json: member.value) else {
                    throw TableStoreError(
                        .unsupported, "",
                        "line \(reader.line), column \(member.name): values of several parts")
                }
            }
        }
        // A file of which no row is understood says nothing of columns.
        if let first, options.onError == .fail || guesses.names.isEmpty { throw first }
    }

    private static func problem(_ line: Int, _ problem: ValueProblem) -> TableStoreError {
        TableStoreError(.input, "", "line \(line): expected \(problem.expected)")
    }

    private static func parquet(_ path: [UInt8]) throws(TableStoreError) -> TableSchema {
        let name = PathBytes.printable(path)
        let file = try ParquetInput.open(path)
        var fields: [TableField] = []
        for field in file.schema.fields {
            guard case .leaf(let index) = field.content,
                let type = ParquetInput.type(file.schema.leaves[index])
            else {
                throw TableStoreError(
                    .unsupported, name, "column \(field.name) has no type that tables have")
            }
            fields.append(
                TableField(ColumnNames.allowed(field.name), type, isNullable: field.isNullable))
        }
        let schema = TableSchema(fields)
        try SchemaGrammar.check(schema)
        return schema
    }
}

/// Names that tables allow.
enum ColumnNames {
    /// The name with a low line for each character that tables do not allow.
    static func allowed(_ name: ExactText) -> ExactText {
        let line = name.string.replacing("\r\n", with: "\n")
        let scalars = line.unicodeScalars.map { SchemaGrammar.isForbidden($0) ? "_" : $0 }
        var allowed = String.UnicodeScalarView()
        allowed.append(contentsOf: scalars)
        return ExactText(String(allowed))
    }

    /// The name in a field of the first line; one that has none, as pandas leaves that of its
    /// index, has that of its place.
    ///
    /// Throws where it is no UTF-8.
    static func header(
        _ text: ArraySlice<UInt8>, _ field: Int
    ) throws(TableStoreError) -> ExactText {
        if text.isEmpty { return "column_\(field + 1)" }
        guard let name = ExactText(utf8: text) else {
            throw TableStoreError(
                .input, "",
                "line 1: expected names of columns in UTF-8, found "
                    + "'\(String(decoding: text, as: UTF8.self))': --encoding latin-1 reads files "
                    + "of older systems")
        }
        return name
    }

    /// The column that is meant by a name in a file.
    static func index(of name: ExactText, _ schema: TableSchema) throws(TableStoreError) -> Int {
        let allowed = allowed(name)
        if allowed != name, let place = schema.fields.firstIndex(where: { $0.name == allowed }) {
            return place
        }
        return try schema.index(of: name)
    }
}

extension TableStoreError {
    /// The same error, with the file of rows that it is about.
    func inFile(_ path: [UInt8]) -> TableStoreError {
        guard file.isEmpty, kind != .interrupted, kind != .environment, kind != .file else {
            return self
        }
        var error = self
        error.file = PathBytes.printable(path)
        return error
    }
}
