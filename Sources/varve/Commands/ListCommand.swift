internal import Snapshots
internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository

struct ListCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the snapshots of a repository, newest last.",
        discussion: """
            Examples:
              varve list --repo /backup/repo
              varve list --host db1 --source /data/store --tag nightly
              varve list --json
            """
    )

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup(title: "Which snapshots") var filter: FilterOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let series = try SnapshotSeries(try repository.open())
        if !series.damaged.isEmpty { console.status = .partial }
        for error in series.damaged { console.report(damaged: error) }
        let items = try filter.apply(to: series.items)
        if console.isJSON {
            return try console.print(.array(items.map { $0.record.json($0.id).value }))
        }
        guard !items.isEmpty else {
            if !console.isQuiet {
                console.warn("varve: there are no \(filter.isEmpty ? "" : "such ")snapshots")
            }
            return
        }
        for line in Self.table(items).lines { try console.print(line: line) }
    }

    private static func table(_ items: [SnapshotSeries.Item]) -> Table {
        var table = Table([
            ("id", .leading), ("time", .leading), ("host", .leading), ("size", .trailing),
            ("files", .trailing), ("sources", .leading), ("tags", .leading),
        ])
        for (id, record) in items {
            table.append([
                id.short, "\(CivilTime(local: record.time))", PathBytes.printable(record.host),
                Wording.bytes(record.root.byteCount), Wording.grouped(record.statistics.files),
                Wording.list(record.sources), Wording.list(record.tags),
            ])
        }
        return table
    }
}
