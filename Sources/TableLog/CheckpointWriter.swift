internal import Bytes
internal import Parquet

/// Writes classic checkpoints: one row an action, each action a structure that may be null.
enum CheckpointWriter {
    /// Rows and bytes of a checkpoint, for the hint that tells of it.
    struct Outcome {
        let bytes: [UInt8]
        let rowCount: Int
    }

    private static func map(_ name: ExactText) -> [SchemaElement] {
        [
            .group(name, 1, .map), .group("key_value", 2, nil, .repeated),
            .leaf("key", .byteArray, .string, nullable: false), .leaf("value", .byteArray, .string),
        ]
    }

    private static func list(_ name: ExactText) -> [SchemaElement] {
        [
            .group(name, 1, .list), .group("list", 1, nil, .repeated),
            .leaf("element", .byteArray, .string),
        ]
    }

    private static func text(_ name: ExactText) -> SchemaElement {
        .leaf(name, .byteArray, .string)
    }

    private static let deletionVector: [SchemaElement] = [
        .group("deletionVector", 5), text("storageType"), text("pathOrInlineDv"),
        .leaf("offset", .int32), .leaf("sizeInBytes", .int32), .leaf("cardinality", .int64),
    ]

    private static var elements: [SchemaElement] {
        var elements: [SchemaElement] = [
            .group("txn", 3), text("appId"), .leaf("version", .int64),
            .leaf("lastUpdated", .int64),
        ]
        elements += [.group("add", 8), text("path")] + map("partitionValues")
        elements += [
            .leaf("size", .int64), .leaf("modificationTime", .int64), .leaf("dataChange", .boolean),
            text("stats"),
        ]
        elements += map("tags") + deletionVector
        elements += [
            .group("remove", 7), text("path"), .leaf("deletionTimestamp", .int64),
            .leaf("dataChange", .boolean), .leaf("extendedFileMetadata", .boolean),
        ]
        elements += map("partitionValues") + [.leaf("size", .int64)] + deletionVector
        elements += [
            .group("metaData", 8), text("id"), text("name"), text("description"),
            .group("format", 2), text("provider"),
        ]
        elements += map("options") + [text("schemaString")] + list("partitionColumns")
        elements += map("configuration") + [.leaf("createdTime", .int64)]
        elements += [
            .group("protocol", 4), .leaf("minReaderVersion", .int32),
            .leaf("minWriterVersion", .int32),
        ]
        elements += list("readerFeatures") + list("writerFeatures")
        return elements + [
            .group("domainMetadata", 3), text("domain"), text("configuration"),
            .leaf("removed", .boolean),
        ]
    }

    /// The checkpoint of a table; tombstones older than `expiry` are left out.
    static func encode(
        _ snapshot: TableSnapshot, tombstonesSince expiry: Int64
    ) throws(ParquetError) -> Outcome {
        let adds = snapshot.files.values.sorted { $0.path < $1.path }
        let removes = snapshot.tombstones.values
            .filter { ($0.deletionTimestamp ?? 0) > expiry }.sorted { $0.path < $1.path }
        let transactions = snapshot.transactions.values
            .sorted { $0.application < $1.application }
        let domains = snapshot.domains.values.sorted { $0.domain < $1.domain }
        let count = transactions.count + adds.count + removes.count + domains.count + 2
        let layout = Layout(
            transactions: transactions.count, adds: adds.count, removes: removes.count,
            domains: domains.count)
        let columns = [
            layout.column(.transactions, transactionFields(transactions)),
            layout.column(.adds, addFields(adds)), layout.column(.removes, removeFields(removes)),
            layout.column(.metadata, metadataFields(snapshot.metadata)),
            layout.column(.protocolVersion, protocolFields(snapshot.protocolVersion)),
            layout.column(.domains, domainFields(domains)),
        ]
        let schema = try Schema(writing: elements)
        var options = WriterOptions()
        options.profile = .compatible
        var writer = try ParquetWriter(MemoryFile(), schema, options)
        try writer.write(RecordBatch(rowCount: count, columns: columns))
        _ = try writer.finish()
        return Outcome(bytes: writer.sink.bytes, rowCount: count)
    }

    private static func transactionFields(_ actions: [TransactionAction]) -> [Column] {
        [
            .strings(actions.map(\.application)), .int64(actions.map(\.version)),
            .int64(actions.map(\.lastUpdated)),
        ]
    }

    private static func addFields(_ adds: [AddFile]) -> [Column] {
        [
            .strings(adds.map(\.path)), .maps(adds.map(\.partitionValues)),
            .int64(adds.map(\.size)), .int64(adds.map(\.modificationTime)),
            // What a checkpoint holds is no change.
            .boolean(adds.map { _ in false }), .strings(adds.map(\.statistics)),
            .maps(adds.map(\.tags)), vectors(adds.map(\.deletionVector)),
        ]
    }

    private static func removeFields(_ removes: [RemoveFile]) -> [Column] {
        [
            .strings(removes.map(\.path)), .int64(removes.map(\.deletionTimestamp)),
            .boolean(removes.map { _ in false }), .boolean(removes.map { _ in true }),
            .maps(removes.map(\.partitionValues)), .int64(removes.map(\.size)),
            vectors(removes.map(\.deletionVector)),
        ]
    }

    private static func vectors(_ vectors: [DeletionVectorReference?]) -> Column {
        Column(
            count: vectors.count, validity: Bitmap(vectors.map { $0 != nil }),
            values: .structure([
                .strings(vectors.map { $0?.storage }), .strings(vectors.map { $0?.place }),
                .int32(vectors.map { $0?.offset.map { Int32(clamping: $0) } }),
                .int32(vectors.map { $0.map { Int32(clamping: $0.size) } }),
                .int64(vectors.map { $0?.cardinality }),
            ]))
    }

    private static func domainFields(_ domains: [DomainAction]) -> [Column] {
        [
            .strings(domains.map(\.domain)), .strings(domains.map(\.configuration)),
            .boolean(domains.map { _ in false }),
        ]
    }

    private static func metadataFields(_ metadata: TableMetadata) -> [Column] {
        [
            .strings([metadata.id]), .strings([metadata.name]), .strings([metadata.description]),
            Column(
                count: 1,
                values: .structure([.strings(["parquet"]), .maps([[:]])])),
            .strings([metadata.schemaText]), .lists([metadata.partitionColumns]),
            .maps([metadata.configuration.mapValues { $0 }]), .int64([metadata.createdTime]),
        ]
    }

    private static func protocolFields(_ action: ProtocolAction) -> [Column] {
        [
            .int32([Int32(clamping: action.readerVersion)]),
            .int32([Int32(clamping: action.writerVersion)]), .lists([action.readerFeatures]),
            .lists([action.writerFeatures]),
        ]
    }
}

/// Which rows of a checkpoint have which action: first the transactions, then the files that are
/// there and those that were, metadata, protocol, domains.
private struct Layout {
    enum Part: Int, CaseIterable {
        case transactions
        case adds
        case removes
        case metadata
        case protocolVersion
        case domains
    }

    private let counts: [Int]

    init(transactions: Int, adds: Int, removes: Int, domains: Int) {
        counts = [transactions, adds, removes, 1, 1, domains]
    }

    /// The column of an action: its structures where they belong, null in all other rows.
    func column(_ part: Part, _ fields: [Column]) -> Column {
        let before = counts[..<part.rawValue].reduce(0, +)
        let after = counts[(part.rawValue + 1)...].reduce(0, +)
        let count = counts[part.rawValue]
        var validity = Bitmap(repeating: false, count: before)
        validity.append(true, count: count)
        validity.append(false, count: after)
        let padded = fields.map { field in
            Column.joined([
                field.nulls(before), field, field.nulls(after),
            ])
        }
        return Column(count: before + count + after, validity: validity, values: .structure(padded))
    }
}

extension Column {
    /// Null rows of the same kind.
    fileprivate func nulls(_ count: Int) -> Column {
        let offsets = [Int32](repeating: 0, count: count + 1)
        let empty: ColumnValues =
            switch values {
            case .boolean: .boolean(Bitmap(repeating: false, count: count))
            case .int32: .int32(.init(repeating: 0, count: count))
            case .int64: .int64(.init(repeating: 0, count: count))
            case .int128: .int128(.init(repeating: 0, count: count))
            case .float: .float(.init(repeating: 0, count: count))
            case .double: .double(.init(repeating: 0, count: count))
            case .bytes: .bytes(offsets: offsets, data: [])
            case .fixed(let width, _):
                .fixed(width: width, data: .init(repeating: 0, count: width * count))
            case .structure(let fields): .structure(fields.map { $0.nulls(count) })
            case .list(_, let element): .list(offsets: offsets, element: element.nulls(0))
            case .map(_, let key, let value):
                .map(offsets: offsets, key: key.nulls(0), value: value?.nulls(0))
            }
        return Column(
            count: count, validity: Bitmap(repeating: false, count: count), values: empty)
    }

    fileprivate static func maps(_ maps: [[ExactText: ExactText?]?]) -> Column {
        var (offsets, keys, values): ([Int32], [ExactText?], [ExactText?]) = ([0], [], [])
        for map in maps {
            for (key, value) in (map ?? [:]).sorted(by: { $0.key < $1.key }) {
                keys.append(key)
                values.append(value)
            }
            offsets.append(Int32(clamping: keys.count))
        }
        return Column(
            count: maps.count, validity: Bitmap(maps.map { $0 != nil }),
            values: .map(offsets: offsets, key: .strings(keys), value: .strings(values)))
    }

    fileprivate static func lists(_ lists: [[ExactText]?]) -> Column {
        var (offsets, elements): ([Int32], [ExactText?]) = ([0], [])
        for list in lists {
            elements += list ?? []
            offsets.append(Int32(clamping: elements.count))
        }
        return Column(
            count: lists.count, validity: Bitmap(lists.map { $0 != nil }),
            values: .list(offsets: offsets, element: .strings(elements)))
    }
}
