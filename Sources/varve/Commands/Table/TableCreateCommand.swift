internal import ArgumentParser
internal import Bytes
internal import TableLog
internal import TableStore

struct TableCreateCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Make an empty table.",
        discussion: """
            The directory is made where it is missing.

            Examples:
              varve table create orders --schema 'id long not null, price decimal(12,2), day date' \
            --partition-by day --sort-by id
            """
    )

    @OptionGroup var directory: TableDirectoryArgument
    @OptionGroup var design: TableDesignOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if design.schema == nil { throw ValidationError("Missing '--schema <schema>'.") }
    }

    func run(_ console: Console) throws {
        let schema = try SchemaGrammar.parse(design.schema ?? "")
        let table = try StoredTable.create(directory.path, design.design(schema))
        if console.isJSON { return try console.print(TableInfoText(TableInfo(table)).json) }
        if !console.isQuiet {
            try console.print(
                line: "made table " + PathBytes.printable(directory.path) + " with "
                    + Wording.count(schema.fields.count, "column"))
        }
    }
}
