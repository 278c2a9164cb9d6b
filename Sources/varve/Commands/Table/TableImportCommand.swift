internal import ArgumentParser
internal import Bytes
internal import TableLog
internal import TableStore

struct TableImportCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import files of rows into a table, which is made where there is none.",
        discussion: """
            All rows of all files come in one commit: readers see all of them, or none. A new \
            table has the schema that is given, or else one found in the files: the first 200,000 \
            rows of each decide.

            In CSV an empty field is null, and "" an empty text. Times without a zone are taken \
            for UTC. Binary values are Base64.

            Examples:
              varve table import orders orders.csv
              varve table import orders 2026-*.ndjson --partition-by day --on-error=skip
              varve table import lineitem lineitem.tbl --no-header --schema 'l_orderkey long, …'
            """
    )

    @OptionGroup var directory: TableDirectoryArgument
    @OptionGroup var design: TableDesignOptions
    @OptionGroup var input: TableInputOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let files = input.files.map(\.bytes)
        let report: ImportReport
        if try StoredTable.exists(directory.path) {
            if !design.isEmpty {
                throw UsageError(
                    "there is a table already, and what it is cannot be changed by an import",
                    "Leave out --schema, --partition-by and --sort-by, or name another directory.")
            }
            report = try TableImport.append(
                files, to: try StoredTable(directory.path), input.options)
        } else {
            let schema =
                try design.schema.map(SchemaGrammar.parse)
                ?? SchemaInference.infer(files, input.options)
            report = try TableImport.create(
                files, at: directory.path, design.design(schema), input.options)
        }
        try TableImportText(report, directory.path).print(console)
    }
}

struct TableAppendCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Append files of rows to a table that is there.",
        discussion: """
            As import, but never makes a table.

            Examples:
              varve table append orders today.csv
            """
    )

    @OptionGroup var directory: TableDirectoryArgument
    @OptionGroup var input: TableInputOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let report = try TableImport.append(
            input.files.map(\.bytes), to: try StoredTable(directory.path), input.options)
        try TableImportText(report, directory.path).print(console)
    }
}
