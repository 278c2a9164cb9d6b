internal import ArgumentParser
internal import Bytes
internal import Reports
internal import TableLog
internal import TableStore

struct TableScanCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "Print rows of a table.",
        discussion: """
            A filter compares columns with values: = != < <= > >=, IS NULL, IN (…), BETWEEN, with \
            AND, OR, NOT and parentheses. Texts stand in quotes of either kind, names with odd \
            characters in backticks. Data files, row groups and pages that have no such row are \
            not read.

            Examples:
              varve table scan orders --limit 10
              varve table scan orders --columns id,price --where 'price >= 9.9 AND day IS NOT NULL'
              varve table scan orders --format ndjson --at-version 3
            """
    )

    @OptionGroup var directory: TableDirectoryArgument
    @OptionGroup var selection: TableSelectionOptions

    @Option(help: ArgumentHelp("How rows are printed; --json means ndjson.", valueName: "format"))
    var format = ScanFormat.table

    @OptionGroup var version: TableVersionOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let table = try StoredTable(directory.path, at: version.choice)
        var scan = try TableScan(table, try selection.request())
        switch console.isJSON ? .ndjson : format {
        case .table: try TableRows.print(&scan, console)
        case .csv: try TableRows.print(&scan, .csv(delimiter: UInt8(ascii: ",")), console)
        case .ndjson: try TableRows.print(&scan, .ndjson, console)
        }
        guard console.isVerbose, !console.isJSON else { return }
        let read = Wording.count(scan.openedFiles, "data file")
        console.warn(Message("read \(read), skipped \(scan.skippedFiles)"))
    }
}

/// Which rows and columns.
struct TableSelectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("These columns only, with commas between.", valueName: "columns"))
    var columns: TextArgument?

    @Option(help: ArgumentHelp("Only rows that match.", valueName: "filter"))
    var `where`: TextArgument?

    @Option(help: ArgumentHelp("At most so many rows.", valueName: "count"))
    var limit: Int64?

    func validate() throws {
        if let limit, limit < 0 {
            throw ValidationError("The value of '--limit' must not be negative.")
        }
    }

    func request() throws -> ScanRequest {
        var request = ScanRequest()
        request.columns = columns.map { ColumnList.names($0) }
        request.filter = try `where`.map { text in try Filter(parsing: text.text.string) }
        request.limit = limit
        return request
    }
}

enum ScanFormat: String, CaseIterable, ExpressibleByArgument {
    case table, csv, ndjson
}
