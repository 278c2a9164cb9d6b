internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Reports
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
            for UTC. Binary values are Base64. Blanks and other signs that names of columns cannot \
            have become low lines. A file that is imported twice is there twice, unless --once was \
            given both times; `varve table restore` takes the second time back.

            Examples:
              varve table import orders orders.csv
              varve table import orders 2026-*.ndjson --partition-by day --once
              varve table import lineitem lineitem.tbl --no-header --schema 'l_orderkey long, …'
            """
    )

    @OptionGroup var directory: TableDirectoryArgument
    @OptionGroup var design: TableDesignOptions
    @OptionGroup var input: TableInputOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let report = try ProgressDisplay.showing(console) { progress throws in
            try run(progress)
        }
        if report.isPartial { console.status = .partial }
        try console.print(TableChangeText.rows(report, directory.path))
    }

    private func run(_ progress: WorkProgress) throws -> ImportReport {
        let files = input.files.map(\.bytes)
        var options = input.options
        options.progress = progress
        guard try StoredTable.exists(directory.path) else {
            try StoredTable.checkPlace(directory.path)
            let schema =
                try design.givenSchema()
                ?? SchemaInference.infer(files, options)
            return try TableImport.create(
                files, at: directory.path, design.design(schema), options)
        }
        guard design.isEmpty else {
            throw UsageError(
                "there is a table already, and what it is cannot be changed by an import",
                "Leave out --schema, --partition-by and --sort-by, or name another directory.")
        }
        return try TableImport.append(files, to: try StoredTable(directory.path), options)
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
        var options = input.options
        let report = try ProgressDisplay.showing(console) { progress throws in
            options.progress = progress
            return try TableImport.append(
                input.files.map(\.bytes), to: try StoredTable(directory.path), options)
        }
        if report.isPartial { console.status = .partial }
        try console.print(TableChangeText.rows(report, directory.path))
    }
}
