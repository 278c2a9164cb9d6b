internal import Bytes
internal import JSON
internal import Parquet
internal import Platform

/// Reads checkpoints: in one file, in several, and with sidecars.
struct CheckpointReader {
    private let directory: any LogFiles
    private static let batchRows = 8192

    init(_ directory: any LogFiles) { self.directory = directory }

    /// What is read of each action.
    ///
    /// Statistics and partition values are there in parsed form too,
    /// which the text makes needless.
    private static let fields: [ExactText: Set<ExactText>] = [
        "protocol": [
            "minReaderVersion", "minWriterVersion", "readerFeatures", "writerFeatures",
        ],
        "metaData": [
            "id", "name", "description", "format", "schemaString", "partitionColumns",
            "configuration", "createdTime",
        ],
        "add": [
            "path", "partitionValues", "size", "modificationTime", "dataChange", "stats", "tags",
            "deletionVector",
        ],
        "remove": [
            "path", "deletionTimestamp", "dataChange", "partitionValues", "size", "deletionVector",
        ],
        "txn": ["appId", "version", "lastUpdated"],
        "domainMetadata": ["domain", "configuration", "removed"],
        "sidecar": ["path"],
    ]

    /// The names in the directory for sidecars that a checkpoint needs.
    ///
    /// Any checkpoint may name some, one with a classic name too (PROTOCOL.md, "V2 Spec"); of files
    /// of Parquet nothing else is read.
    func sidecars(_ names: [String]) throws(TableLogError) -> [ExactText] {
        var sidecars: [ExactText] = []
        for name in names {
            let actions = try file("\(TableDirectory.log)/\(name)", ["sidecar"])
            for case .sidecar(let path) in actions { sidecars.append(path) }
        }
        return sidecars
    }

    /// The actions of all files of a checkpoint, and of the sidecars that they name.
    func actions(_ names: [String]) throws(TableLogError) -> [LogAction] {
        var actions: [LogAction] = []
        for name in names { actions += try file("\(TableDirectory.log)/\(name)") }
        for case .sidecar(let path) in actions {
            // A bare name in the directory for sidecars; anything else is not ours to follow.
            guard !path.utf8.contains(UInt8(ascii: "/")), !path.isEmpty else {
                throw TableLogError(.unsupported, path.string, "a sidecar outside of _sidecars")
            }
            actions += try file("\(TableDirectory.log)/_sidecars/\(path)")
        }
        return actions
    }

    /// The actions of a file, in Parquet those of some kinds only.
    private func file(
        _ path: ExactText, _ kinds: Set<ExactText>? = nil
    ) throws(TableLogError) -> [LogAction] {
        let source: any ByteSource
        do throws(TableLogError) {
            source = try directory.source(path)
        } catch {
            guard error.cause?.isNotFound == true else { throw error }
            throw TableLogError(.damaged, path.string, "a file of a checkpoint is missing")
        }
        guard !path.hasSuffix(".json") else {
            return try LogReader.actions(try Self.bytes(source, path.string), path.string)
        }
        return try Self.rows(source, path.string, kinds)
    }

    private static func bytes(
        _ source: any ByteSource, _ path: String
    ) throws(TableLogError) -> [UInt8] {
        do throws(ParquetError) {
            guard source.size <= 1 << 30 else {
                throw ParquetError(.tooLarge, at: 0, "a checkpoint of more than 1 GiB")
            }
            return try source.read(Int(source.size), at: 0)
        } catch {
            throw TableLogError(error, path)
        }
    }

    /// The actions of a file of Parquet.
    static func rows(
        _ source: any ByteSource, _ path: String, _ kinds: Set<ExactText>? = nil
    ) throws(TableLogError) -> [LogAction] {
        var actions: [LogAction] = []
        for batch in try batches(source, path, kinds) {
            for (field, column) in zip(batch.fields, batch.columns) {
                for row in 0..<column.count where !column.isNull(row) {
                    let value = RowJSON.value(column, field, row)
                    let line = JSONValue.object([.init(field.name, value)])
                    if let action = try LogAction.parse(line, path) { actions.append(action) }
                }
            }
        }
        return actions
    }

    /// Columns of the actions, with the fields that they are of.
    private struct Batch {
        let fields: [Field]
        let columns: [Column]
    }

    private static func batches(
        _ source: any ByteSource, _ path: String, _ kinds: Set<ExactText>?
    ) throws(TableLogError) -> [Batch] {
        do throws(ParquetError) {
            let file = try ParquetFile(source)
            let wanted = file.schema.fields.compactMap { field in
                kinds?.contains(field.name) == false
                    ? nil : fields[field.name].flatMap(field.keeping)
            }
            guard !wanted.isEmpty else { return [] }
            var batches: [Batch] = []
            for group in file.footer.rowGroups.indices {
                var reader = try RowGroupReader(file, rowGroup: group, fields: wanted)
                while let batch = try reader.next(limit: batchRows) {
                    batches.append(Batch(fields: wanted, columns: batch.columns))
                }
            }
            return batches
        } catch {
            throw TableLogError(error, path)
        }
    }
}

/// Values of a row as JSON: the form that actions are understood from.
enum RowJSON {
    static func value(_ column: Column, _ field: Field?, _ row: Int) -> JSONValue {
        guard !column.isNull(row) else { return .null }
        switch column.values {
        case .boolean(let values): return .bool(values[row])
        case .int32(let values): return .number(values[row])
        case .int64(let values): return .number(values[row])
        case .int128(let values): return .number(values[row])
        case .float(let values): return .number("\(values[row])")
        case .double(let values): return .number("\(values[row])")
        case .bytes, .fixed: return .string(text(column, row))
        case .structure(let columns):
            guard case .structure(let fields)? = field?.content else { return .null }
            return .object(
                zip(fields, columns).map { .init($0.name, value($1, $0, row)) })
        case .list(let offsets, let element):
            var inner: Field?
            if case .list(let found)? = field?.content { inner = found }
            return .array(
                (Int(offsets[row])..<Int(offsets[row + 1])).map { value(element, inner, $0) })
        case .map(let offsets, let keys, let values):
            return .object(
                (Int(offsets[row])..<Int(offsets[row + 1])).map { entry in
                    .init(text(keys, entry), values.map { value($0, nil, entry) } ?? .null)
                })
        }
    }

    private static func text(_ column: Column, _ row: Int) -> ExactText {
        ExactText(String(decoding: column.bytes(row) ?? [], as: UTF8.self))
    }
}
