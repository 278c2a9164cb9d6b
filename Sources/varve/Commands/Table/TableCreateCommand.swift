internal import ArgumentParser
internal import Reports
internal import TableLog
internal import TableStore

struct TableCreateCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make an empty table.",
        discussion: """
            The directory is made where it is missing, those above it are not. The schema is \
            given, or found in samples of the files that are to be imported later; no row of a \
            sample comes into the table.

            Examples:
              varve table create orders --schema 'id long not null, price decimal(12,2), day date' \
            --partition-by day --sort-by id
              varve table create orders --sample orders.csv --partition-by day
              varve table create orders --schema-file orders.schema.json
            """
    )

    @OptionGroup var directory: TableDirectoryArgument
    @OptionGroup var design: TableDesignOptions

    @Option(
        help: ArgumentHelp(
            "A file of rows to find the schema in; may be given several times.",
            valueName: "file"),
        completion: .file()
    )
    var sample: [ByteArgument] = []

    @OptionGroup var format: TableFormatOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        let isGiven = design.schema != nil || design.schemaFile != nil
        if !isGiven, sample.isEmpty {
            throw ValidationError("Give '--schema', '--schema-file' or '--sample'.")
        }
        if isGiven, !sample.isEmpty {
            throw ValidationError("'--sample' and a schema exclude each other.")
        }
    }

    func run(_ console: Console) throws {
        let schema =
            try design.givenSchema()
            ?? SchemaInference.infer(sample.map(\.bytes), format.options, readsAgain: false)
        let table = try StoredTable.create(directory.path, design.design(schema))
        try console.print(TableInfoText(TableInfo(table)).made(at: directory.path))
    }
}
