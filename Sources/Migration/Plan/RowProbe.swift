internal import Bytes
internal import Platform
internal import TableStore

/// Measures what rows cost, on the largest table and the smallest row file.
///
/// A table or file that cannot be read leaves the rate as it was: the migration itself tells.
struct RowProbe {
    private let source: [UInt8]
    private let inventory: Inventory
    private let tables: [PlannedTable]
    private let host: Host

    private static let rowLimit: Int64 = 100_000
    private static let byteLimit: UInt64 = 16 << 20

    init(_ source: [UInt8], _ inventory: Inventory, _ tables: [PlannedTable], _ host: Host) {
        self.source = source
        self.inventory = inventory
        self.tables = tables
        self.host = host
    }

    func measure(_ rates: inout DeviceRates) {
        if let seconds = secondsOfRow() { rates.row = seconds }
        if let rate = rateOfRowFiles() { rates.rowFiles = rate }
    }

    private func secondsOfRow() -> Double? {
        guard let largest = tables.max(by: { ($0.rows ?? 0) < ($1.rows ?? 0) }) else { return nil }
        let start = host.instant()
        let path = PathBytes.join(source, largest.path)
        guard let digest = try? StoredTable(path).rowDigest(limit: Self.rowLimit),
            digest.rows > 0
        else { return nil }
        return host.elapsed(since: start) / .seconds(1) / Double(digest.rows)
    }

    private func rateOfRowFiles() -> Double? {
        let sizes = inventory.rowDirectories.flatMap { directory in
            directory.files.map { (directory.format, $0) }
        }
        guard let (format, file) = sizes.min(by: { $0.1.status.size < $1.1.status.size }),
            (1...Self.byteLimit).contains(file.status.size)
        else { return nil }
        let path = PathBytes.join(source, file.path)
        var options = ImportOptions()
        options.format = format
        guard let schema = try? SchemaInference.infer([path], options) else { return nil }
        let start = host.instant()
        guard (try? RowDigest(of: [path], schema, options)) != nil else { return nil }
        let seconds = max(1e-6, host.elapsed(since: start) / .seconds(1))
        return Double(file.status.size) / seconds
    }
}
