internal import ArgumentParser
internal import Bytes
internal import Platform
internal import TableLog
internal import TableStore

/// The directory of a table.
struct TableDirectoryArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The directory of the table.", valueName: "directory"),
        completion: .directory
    )
    var directory: ByteArgument

    var path: [UInt8] { directory.bytes }
}

/// Which version of a table is read.
struct TableVersionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The table as it was at this version.", valueName: "version"))
    var atVersion: Int64?

    @Option(
        help: ArgumentHelp(
            "The table as it was at this time: 2026-11-20, 2026-11-20T03:00, or @ and seconds.",
            valueName: "time"
        )
    )
    var atTime: TimeArgument?

    func validate() throws {
        if atVersion != nil, atTime != nil {
            throw ValidationError("'--at-version' and '--at-time' exclude each other.")
        }
    }

    var choice: VersionChoice {
        if let atVersion { return .number(atVersion) }
        return atTime.map { .time($0.moment) } ?? .latest
    }
}

/// What a new table is to be.
struct TableDesignOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The columns: 'id long not null, name string, price decimal(12,2), day date'.",
            discussion: """
                Types are string, long, integer, short, byte, float, double, boolean, binary, \
                date, timestamp, timestamp_ntz (without time zone) and decimal(precision,scale). \
                A document of JSON will do too: a schema of Delta Lake or a JSON Schema.
                """,
            valueName: "schema"
        )
    )
    var schema: TextArgument?

    @Option(
        help: ArgumentHelp("A file that holds what --schema takes.", valueName: "file"),
        completion: .file()
    )
    var schemaFile: ByteArgument?

    @Option(
        help: ArgumentHelp(
            "Columns whose values decide in which directory a row lies, with commas between.",
            valueName: "columns"
        )
    )
    var partitionBy: TextArgument?

    @Option(
        help: ArgumentHelp(
            "Columns that the rows of a data file are sorted by, with commas between.",
            valueName: "columns"
        )
    )
    var sortBy: TextArgument?

    var isEmpty: Bool {
        schema == nil && schemaFile == nil && partitionBy == nil && sortBy == nil
    }

    /// The schema that was given; nil when it is to be found in files.
    func givenSchema() throws -> TableSchema? {
        if let schema { return try SchemaGrammar.parse(schema.text.string) }
        return try schemaFile.map { file in try SchemaGrammar.read(file.bytes) }
    }

    func validate() throws {
        if schema != nil, schemaFile != nil {
            throw ValidationError("'--schema' and '--schema-file' exclude each other.")
        }
    }

    func design(_ schema: TableSchema) -> TableDesign {
        var design = TableDesign(schema)
        design.partitionBy = ColumnList.names(partitionBy)
        design.sortBy = ColumnList.names(sortBy)
        return design
    }
}

/// Names with commas between.
enum ColumnList {
    static func names(_ list: TextArgument?) -> [ExactText] {
        let blank = UInt8(ascii: " ")
        return (list?.text.utf8.split(separator: UInt8(ascii: ",")) ?? []).map { part in
            var name = Substring(part).utf8.drop { $0 == blank }
            while name.last == blank { name.removeLast() }
            return ExactText(Substring(name))
        }
    }
}

/// What files of rows look like.
struct TableFormatOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The format of the files; otherwise their names decide.", valueName: "format")
    )
    var inputFormat: InputFormatArgument?

    @Flag(
        inversion: .prefixedNo,
        help: """
            Whether the first line of CSV names the columns; yes, and one that holds numbers is \
            refused unless --header says that they are names.
            """
    )
    var header: Bool?

    @Option(
        help: ArgumentHelp(
            "What stands between the fields of CSV: one character, or 'tab'.",
            discussion: "Without it a comma; a tab in .tsv, '|' in .tbl.",
            valueName: "character"
        )
    )
    var delimiter: DelimiterArgument?

    @Option(
        help: ArgumentHelp(
            "How the text of CSV and NDJSON is encoded: utf-8, utf-16, utf-16le, utf-16be, utf-32 "
                + "or latin-1.",
            discussion: "Without it UTF-8, and a file that is another is refused.",
            valueName: "encoding"
        )
    )
    var encoding: EncodingArgument?

    @Option(
        help: ArgumentHelp(
            "A word that stands for null in CSV, such as NA; may be given several times.",
            valueName: "word"
        )
    )
    var null: [TextArgument] = []

    var options: ImportOptions {
        var options = ImportOptions()
        options.format = inputFormat?.format
        options.encoding = encoding?.encoding
        options.nullWords = Set(null.map(\.text))
        options.hasHeader = header ?? true
        options.doubtsHeader = header == nil
        options.delimiter = delimiter?.byte
        return options
    }
}

/// How files of rows are read into a table.
struct TableInputOptions: ParsableArguments {
    @OptionGroup var format: TableFormatOptions

    @Option(
        help: ArgumentHelp(
            "What becomes of rows that do not fit: fail, skip (the row) or reject-file.",
            valueName: "policy"
        )
    )
    var onError = ErrorPolicyArgument.fail

    @Option(
        help: ArgumentHelp("About how large data files become.", valueName: "size")
    )
    var targetSize: SizeArgument?

    @Flag(
        help: """
            Pass over files that were imported with --once before, whatever their names: they are \
            known by their content.
            """
    )
    var once = false

    @Argument(
        help: ArgumentHelp("Files of CSV, NDJSON or Parquet.", valueName: "file"),
        completion: .file()
    )
    var files: [ByteArgument]

    var options: ImportOptions {
        var options = format.options
        options.onError = onError.policy
        options.once = once
        if let targetSize { options.targetSize = Int64(clamping: targetSize.count.bytes) }
        return options
    }
}

enum InputFormatArgument: String, CaseIterable, ExpressibleByArgument {
    case csv, ndjson, parquet

    var format: RowFormat {
        switch self {
        case .csv: .csv
        case .ndjson: .ndjson
        case .parquet: .parquet
        }
    }
}

enum EncodingArgument: String, CaseIterable, ExpressibleByArgument {
    case utf8 = "utf-8"
    case utf16 = "utf-16"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    case utf32 = "utf-32"
    case latin1 = "latin-1"

    var encoding: TextEncoding? { TextEncoding(rawValue: rawValue) }
}

enum ErrorPolicyArgument: String, CaseIterable, ExpressibleByArgument {
    case fail, skip
    case rejectFile = "reject-file"

    var policy: ErrorPolicy {
        switch self {
        case .fail: .fail
        case .skip: .skip
        case .rejectFile: .rejectFile
        }
    }
}

/// One byte of ASCII.
struct DelimiterArgument: ExpressibleByArgument {
    let byte: UInt8

    init?(argument: String) {
        if argument == "tab" || argument == "\\t" {
            byte = UInt8(ascii: "\t")
            return
        }
        let bytes = Array(argument.utf8)
        guard bytes.count == 1, bytes[0] < 0x80, bytes[0] != 0x22, bytes[0] != 0x0a,
            bytes[0] != 0x0d
        else { return nil }
        byte = bytes[0]
    }
}
