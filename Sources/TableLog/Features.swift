internal import Bytes

/// Which tables are read, which are written, and which are refused, each by the name of what is not
/// understood.
enum Features {
    private static let readable: Set<ExactText> = [
        "columnMapping", "deletionVectors", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck",
    ]
    /// Those that a writer may meet without using them; what uses them is looked for separately.
    private static let writable: Set<ExactText> = [
        "appendOnly", "changeDataFeed", "checkConstraints", "columnMapping", "deletionVectors",
        "domainMetadata", "generatedColumns", "inCommitTimestamp", "invariants", "timestampNtz",
        "v2Checkpoint", "vacuumProtocolCheck",
    ]

    private static func refusal(_ what: String) -> TableLogError {
        TableLogError(.unsupported, "", "the table needs \(what), which is not understood here")
    }

    /// Whether the rows of the table can be read.
    static func checkReadable(_ table: TableSnapshot) throws(TableLogError) {
        let version = table.protocolVersion
        guard (1...3).contains(version.readerVersion) else {
            throw refusal("reader version \(version.readerVersion)")
        }
        if version.readerVersion == 3 {
            for feature in version.readerFeatures ?? [] where !readable.contains(feature) {
                throw refusal("reader feature '\(feature)'")
            }
        }
        guard table.metadata.columnMapping != nil else {
            let mode = table.metadata.configuration["delta.columnMapping.mode"] ?? ""
            throw refusal("column mapping by '\(mode)'")
        }
    }

    /// Whether the table can be written to.
    static func checkWritable(_ table: TableSnapshot) throws(TableLogError) {
        try checkReadable(table)
        let version = table.protocolVersion
        guard (1...7).contains(version.writerVersion) else {
            throw refusal("writer version \(version.writerVersion)")
        }
        if version.writerVersion == 7 {
            for feature in version.writerFeatures ?? [] where !writable.contains(feature) {
                throw refusal("writer feature '\(feature)'")
            }
        }
        guard version.writerVersion != 6 else { throw refusal("writer version 6") }
        try checkActive(table)
    }

    /// Refuses what is used, whatever the lists say.
    private static func checkActive(_ table: TableSnapshot) throws(TableLogError) {
        let configuration = table.metadata.configuration
        if let name = configuration.keys.sorted().first(where: {
            $0.hasPrefix("delta.constraints.")
        }) {
            throw refusal("constraint '\(name.string.dropFirst("delta.constraints.".count))'")
        }
        for name: ExactText in [
            "delta.enableChangeDataFeed", "delta.enableRowTracking",
            "delta.enableIcebergCompatV1", "delta.enableIcebergCompatV2",
        ] where table.metadata.isSet(name, to: "true") {
            throw refusal("setting '\(name)'")
        }
        let features = table.protocolVersion.writerFeatures ?? []
        let setting: ExactText = "delta.enableInCommitTimestamps"
        if table.metadata.isSet(setting, to: "true"), !features.contains("inCommitTimestamp") {
            throw refusal("setting '\(setting)' without its feature")
        }
        let schema = try table.metadata.schema()
        let isMapped = table.metadata.columnMapping != ColumnMapping.none
        if isMapped, let field = schema.allFields.first(where: { $0.fieldID == nil }) {
            throw refusal("a mapped column without an id, '\(field.name)'")
        }
        for field in schema.allFields {
            for note: ExactText in [
                "delta.invariants", "delta.generationExpression", "delta.identity.start",
                "CURRENT_DEFAULT",
            ] where field.note(note) != nil {
                throw refusal("'\(note)' of column '\(field.name)'")
            }
        }
    }

    /// Whether files may not be removed for good.
    static func isAppendOnly(_ table: TableSnapshot) -> Bool {
        table.metadata.isSet("delta.appendOnly", to: "true")
    }
}

extension TableMetadata {
    /// Whether a setting is a word, in any case: other writers take TRUE for true.
    func isSet(_ name: ExactText, to word: ExactText) -> Bool {
        configuration[name]?.folded == word
    }
}

extension TableSnapshot {
    /// Throws, with the name of what is not understood, unless the rows can be read.
    package func checkReadable() throws(TableLogError) { try Features.checkReadable(self) }

    /// Throws, with the name of what is not understood, unless the table can be written to.
    package func checkWritable() throws(TableLogError) { try Features.checkWritable(self) }
}
