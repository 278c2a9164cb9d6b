internal import ArgumentParser

/// Holds the commands for tables.
struct TableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table",
        abstract: "Keep rows in tables: import, scan, change and verify them.",
        discussion: """
            A table is a directory with a log and immutable Parquet files, in the format of Delta \
            Lake: DuckDB, Spark, Polars and delta-rs read it too. Each change is a version; older \
            versions stay readable until vacuum.

            Examples:
              varve table import orders orders.csv --partition-by day
              varve table scan orders --where 'price > 100 AND day = "2026-11-20"'
              varve table history orders
            """,
        subcommands: [
            TableCreateCommand.self, TableImportCommand.self, TableAppendCommand.self,
            TableScanCommand.self, TableExportCommand.self, TableInfoCommand.self,
            TableHistoryCommand.self, TableDeleteCommand.self, TableCompactCommand.self,
            TableVacuumCommand.self, TableRestoreCommand.self, TableVerifyCommand.self,
        ]
    )
}
