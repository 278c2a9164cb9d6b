internal import Bytes
internal import JSON

/// Actions as they stand in commits; those of checkpoints come through the same form.
extension LogAction {
    /// Understands one line; nil for actions that are not known, which readers pass over.
    static func parse(_ line: JSONValue, _ file: String) throws(TableLogError) -> LogAction? {
        let fields = ActionFields(file: file)
        guard let members = line.members else { throw fields.damaged("an object") }
        for member in members where member.value != .null {
            let value = member.value
            switch member.name {
            case "protocol": return .protocolVersion(try fields.protocolAction(value))
            case "metaData": return .metadata(try fields.metadata(value))
            case "add": return .add(try fields.add(value))
            case "remove": return .remove(try fields.remove(value))
            case "txn": return .transaction(try fields.transaction(value))
            case "domainMetadata": return .domain(try fields.domain(value))
            case "cdc": return .change(path: try fields.string(value, "path"))
            case "sidecar": return .sidecar(path: try fields.string(value, "path"))
            case "commitInfo": return .commitInfo(ExactText(value.text))
            default: continue
            }
        }
        return nil
    }
}

/// Takes the fields of actions out of JSON, with errors that name the file.
struct ActionFields {
    let file: String

    func damaged(_ expected: String) -> TableLogError {
        TableLogError(.damaged, file, "expected \(expected) in an action")
    }

    func string(_ value: JSONValue, _ name: ExactText) throws(TableLogError) -> ExactText {
        guard let text = value[name]?.string else { throw damaged("text '\(name)'") }
        return text
    }

    private func integer(_ value: JSONValue, _ name: ExactText) throws(TableLogError) -> Int64 {
        guard let number = value[name]?.int64 else { throw damaged("number '\(name)'") }
        return number
    }

    private func strings(_ value: JSONValue?) throws(TableLogError) -> [ExactText]? {
        guard let value else { return nil }
        guard let list = value.array, !list.contains(where: { $0.string == nil }) else {
            throw damaged("a list of texts")
        }
        return list.compactMap(\.string)
    }

    private func texts(_ value: JSONValue?) throws(TableLogError) -> [ExactText: ExactText?]? {
        guard let value else { return nil }
        guard let members = value.members else { throw damaged("an object of texts") }
        var texts: [ExactText: ExactText?] = [:]
        for member in members {
            switch member.value {
            case .null: texts.updateValue(nil, forKey: member.name)
            case .string(let text): texts.updateValue(text, forKey: member.name)
            default: throw damaged("an object of texts")
            }
        }
        return texts
    }

    func protocolAction(_ value: JSONValue) throws(TableLogError) -> ProtocolAction {
        ProtocolAction(
            readerVersion: Int(clamping: try integer(value, "minReaderVersion")),
            writerVersion: Int(clamping: try integer(value, "minWriterVersion")),
            readerFeatures: try strings(value["readerFeatures"]),
            writerFeatures: try strings(value["writerFeatures"]))
    }

    func metadata(_ value: JSONValue) throws(TableLogError) -> TableMetadata {
        var metadata = TableMetadata(
            id: try string(value, "id"), schemaText: try string(value, "schemaString"),
            partitionColumns: try strings(value["partitionColumns"]) ?? [])
        metadata.name = value["name"]?.string
        metadata.description = value["description"]?.string
        metadata.createdTime = value["createdTime"]?.int64
        metadata.configuration = (try texts(value["configuration"]) ?? [:]).compactMapValues { $0 }
        if let provider = value["format"]?["provider"]?.string, provider != "parquet" {
            throw TableLogError(.unsupported, file, "data files in format '\(provider)'")
        }
        return metadata
    }

    func add(_ value: JSONValue) throws(TableLogError) -> AddFile {
        var add = AddFile(
            path: try string(value, "path"),
            partitionValues: try texts(value["partitionValues"]) ?? [:],
            size: try integer(value, "size"),
            modificationTime: try integer(value, "modificationTime"),
            dataChange: value["dataChange"]?.bool ?? true, statistics: value["stats"]?.string)
        add.tags = try texts(value["tags"])
        add.deletionVector = try deletionVector(value["deletionVector"])
        guard add.size >= 0 else { throw damaged("a size that is not negative") }
        return add
    }

    func remove(_ value: JSONValue) throws(TableLogError) -> RemoveFile {
        RemoveFile(
            path: try string(value, "path"), deletionTimestamp: value["deletionTimestamp"]?.int64,
            dataChange: value["dataChange"]?.bool ?? true,
            partitionValues: try texts(value["partitionValues"]), size: value["size"]?.int64,
            deletionVector: try deletionVector(value["deletionVector"]))
    }

    private func deletionVector(
        _ value: JSONValue?
    ) throws(TableLogError) -> DeletionVectorReference? {
        guard let value else { return nil }
        return DeletionVectorReference(
            storage: try string(value, "storageType"), place: try string(value, "pathOrInlineDv"),
            offset: value["offset"]?.int64, size: try integer(value, "sizeInBytes"),
            cardinality: try integer(value, "cardinality"))
    }

    func transaction(_ value: JSONValue) throws(TableLogError) -> TransactionAction {
        TransactionAction(
            application: try string(value, "appId"), version: try integer(value, "version"),
            lastUpdated: value["lastUpdated"]?.int64)
    }

    func domain(_ value: JSONValue) throws(TableLogError) -> DomainAction {
        DomainAction(
            domain: try string(value, "domain"),
            configuration: value["configuration"]?.string ?? "",
            isRemoved: value["removed"]?.bool ?? false)
    }
}

// MARK: - Writing
extension LogAction {
    /// The line of a commit.
    var json: JSONValue {
        switch self {
        case .protocolVersion(let action): .object([.init("protocol", action.json)])
        case .metadata(let action): .object([.init("metaData", action.json)])
        case .add(let action): .object([.init("add", action.json)])
        case .remove(let action): .object([.init("remove", action.json)])
        case .transaction(let action): .object([.init("txn", action.json)])
        case .domain(let action):
            .object([
                .init(
                    "domainMetadata",
                    .object([
                        .init("domain", .string(action.domain)),
                        .init("configuration", .string(action.configuration)),
                        .init("removed", .bool(action.isRemoved)),
                    ]))
            ])
        case .change(let path): .object([.init("cdc", .object([.init("path", .string(path))]))])
        case .sidecar(let path):
            .object([.init("sidecar", .object([.init("path", .string(path))]))])
        case .commitInfo(let text):
            .object([.init("commitInfo", (try? JSONValue(parsing: text)) ?? .object([]))])
        }
    }
}

extension JSONValue {
    /// Members without those that are nil.
    fileprivate static func fields(_ fields: [(ExactText, JSONValue?)]) -> JSONValue {
        .object(fields.compactMap { name, value in value.map { Member(name, $0) } })
    }

    /// An object of texts, sorted, so that equal ones come out equal.
    fileprivate static func texts(_ texts: [ExactText: ExactText?]) -> JSONValue {
        .object(
            texts.sorted { $0.key < $1.key }.map {
                Member($0.key, $0.value.map { .string($0) } ?? .null)
            })
    }
}

extension ProtocolAction {
    /// Lists are left out where versions do not allow them: other readers refuse even empty ones.
    var json: JSONValue {
        .fields([
            ("minReaderVersion", .number(readerVersion)),
            ("minWriterVersion", .number(writerVersion)),
            ("readerFeatures", readerFeatures.map { .array($0.map { .string($0) }) }),
            ("writerFeatures", writerFeatures.map { .array($0.map { .string($0) }) }),
        ])
    }
}

extension TableMetadata {
    var json: JSONValue {
        .fields([
            ("id", .string(id)), ("name", name.map { .string($0) }),
            ("description", description.map { .string($0) }),
            (
                "format",
                .object([.init("provider", .string("parquet")), .init("options", .object([]))])
            ),
            ("schemaString", .string(schemaText)),
            ("partitionColumns", .array(partitionColumns.map { .string($0) })),
            ("configuration", .texts(configuration.mapValues { $0 })),
            ("createdTime", createdTime.map { .number($0) }),
        ])
    }
}

extension DeletionVectorReference {
    var json: JSONValue {
        .fields([
            ("storageType", .string(storage)), ("pathOrInlineDv", .string(place)),
            ("offset", offset.map { .number($0) }), ("sizeInBytes", .number(size)),
            ("cardinality", .number(cardinality)),
        ])
    }
}

extension AddFile {
    var json: JSONValue {
        .fields([
            ("path", .string(path)), ("partitionValues", .texts(partitionValues)),
            ("size", .number(size)), ("modificationTime", .number(modificationTime)),
            ("dataChange", .bool(dataChange)), ("stats", statistics.map { .string($0) }),
            ("tags", tags.map { .texts($0) }), ("deletionVector", deletionVector.map { $0.json }),
        ])
    }
}

extension RemoveFile {
    var json: JSONValue {
        .fields([
            ("path", .string(path)), ("deletionTimestamp", deletionTimestamp.map { .number($0) }),
            ("dataChange", .bool(dataChange)), ("extendedFileMetadata", .bool(true)),
            ("partitionValues", .texts(partitionValues ?? [:])),
            ("size", size.map { .number($0) }), ("deletionVector", deletionVector.map { $0.json }),
        ])
    }
}

extension TransactionAction {
    var json: JSONValue {
        .fields([
            ("appId", .string(application)), ("version", .number(version)),
            ("lastUpdated", lastUpdated.map { .number($0) }),
        ])
    }
}
