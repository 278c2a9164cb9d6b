internal import ArgumentParser
internal import Reports
internal import TableStore

struct TableExportCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write rows of a table to a file.",
        discussion: """
            The name of the file decides the format, unless --format does. The file is there whole \
            or not at all; one that is there already is replaced with --force only.

            Examples:
              varve table export orders --to orders.parquet
              varve table export orders --to day.csv --where 'day = "2026-11-20"'
            """
    )

    @OptionGroup var directory: TableDirectoryArgument

    @Option(
        help: ArgumentHelp("The file to write.", valueName: "file"), completion: .file())
    var to: ByteArgument

    @Option(help: ArgumentHelp("The format of the file.", valueName: "format"))
    var format: InputFormatArgument?

    @Option(help: ArgumentHelp("What stands between fields of CSV.", valueName: "character"))
    var delimiter: DelimiterArgument?

    @Flag(inversion: .prefixedNo, help: "Write the names of the columns into CSV.")
    var header = true

    @Flag(help: "Replace a file that is there.")
    var force = false

    @OptionGroup var selection: TableSelectionOptions
    @OptionGroup var version: TableVersionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        guard let format = format?.format ?? RowFormat(fileName: to.bytes) else {
            throw UsageError(
                "the name of \(to.printable) does not tell the format",
                "Give --format csv, ndjson or parquet.")
        }
        let table = try StoredTable(directory.path, at: version.choice)
        let rows = try TableExport.write(
            try selection.request(), of: table, as: format, to: to.bytes,
            delimiter: delimiter?.byte ?? UInt8(ascii: ","), header: header, replaces: force)
        try console.print(TableChangeText.export(rows, to: to.bytes))
    }
}
