internal import Bytes
internal import Platform
internal import TableLog
internal import TableStore
internal import Trees

/// What was proven of a table.
package struct TableProof: Equatable, Sendable {
    package var path: [UInt8]
    /// Nil for tables that cannot be read here.
    package var version: Int64?
    package var rows: Int64?
    /// Digits of the digest of rows, which does not depend on their order.
    package var digest: String?
    /// Why rows were not compared: the files were, byte for byte.
    package var reason: String?
    /// Made of row files; else taken over as it was.
    package var isMade: Bool
}

/// Compares tables of source and target by their rows.
struct TableVerification {
    let source: MigrationSource
    let target: MigrationTarget

    enum Outcome {
        case proven(TableProof)
        case different(String)
    }

    private enum Side: Sendable {
        case digest(RowDigest, version: Int64)
        case failed(TableStoreError)
    }

    /// A table that was copied: the version of the target on both sides.
    func compare(_ path: [UInt8]) throws(MigrationError) -> Outcome {
        let targetTable: StoredTable
        do throws(TableStoreError) {
            targetTable = try StoredTable(targetPath(path))
        } catch {
            return try unread(path, error)
        }
        let version = targetTable.snapshot.version
        let place = PathBytes.join(source.root.path, path)
        let sides = both(
            { () throws(TableStoreError) in
                try StoredTable(place, at: .number(version)).rowDigest()
            },
            { () throws(TableStoreError) in try targetTable.rowDigest() })
        return try judge(path, version, sides.0, sides.1, isMade: false)
    }

    /// A table that was made of row files: the rows of the files against those of the table.
    func compare(_ table: MadeTable) throws(MigrationError) -> Outcome {
        let files = TableConversion.paths(table.path, table.files, in: source)
        let made = try tabling(table.path) { () throws(TableStoreError) in
            try StoredTable(targetPath(table.path))
        }
        var format = ImportOptions()
        format.format = table.format
        let options = format
        let sides = both(
            { () throws(TableStoreError) in try RowDigest(of: files, made.schema, options) },
            { () throws(TableStoreError) in try made.rowDigest() })
        return try judge(table.path, made.snapshot.version, sides.0, sides.1, isMade: true)
    }

    private func targetPath(_ path: [UInt8]) -> [UInt8] {
        let root = Array("/proc/self/fd/\(target.tree.root.descriptor.raw)".utf8)
        return path.isEmpty ? root : PathBytes.join(root, path)
    }

    /// Reads the two sides at the same time.
    private func both(
        _ one: @escaping @Sendable () throws(TableStoreError) -> RowDigest,
        _ other: @escaping @Sendable () throws(TableStoreError) -> RowDigest
    ) -> (Result<RowDigest, TableStoreError>, Result<RowDigest, TableStoreError>) {
        let result = Monitor<Result<RowDigest, TableStoreError>?>(nil)
        let threads = WorkerThreads(count: 1) { _ in
            let found = Self.result(one)
            result.update { $0 = found }
        }
        let second = Self.result(other)
        threads.join()
        return (result.withState { $0 } ?? second, second)
    }

    private static func result(
        _ body: () throws(TableStoreError) -> RowDigest
    ) -> Result<RowDigest, TableStoreError> {
        do throws(TableStoreError) { return .success(try body()) } catch { return .failure(error) }
    }

    private func judge(
        _ path: [UInt8], _ version: Int64, _ one: Result<RowDigest, TableStoreError>,
        _ other: Result<RowDigest, TableStoreError>, isMade: Bool
    ) throws(MigrationError) -> Outcome {
        switch (one, other) {
        case (.success(let one), .success(let other)):
            guard one == other else {
                return .different(
                    "\(one.rows) rows with digest \(one.hex) in the source, \(other.rows) with "
                        + "\(other.hex) in the target")
            }
            return .proven(
                TableProof(
                    path: path, version: version, rows: one.rows, digest: one.hex, isMade: isMade))
        case (.failure(let error), _), (_, .failure(let error)):
            return try unread(path, error)
        }
    }

    /// Rows that nobody can read here are proven by the bytes of their files alone.
    private func unread(
        _ path: [UInt8], _ error: TableStoreError
    ) throws(MigrationError) -> Outcome {
        switch error.kind {
        case .unsupported, .damaged, .notATable, .noSuchVersion:
            return .proven(TableProof(path: path, reason: "\(error)", isMade: false))
        case .interrupted: throw .interrupted(Interrupted(signal: error.signal))
        default: throw .table(path: path, error)
        }
    }
}
