package import Bytes

internal import JSON

/// What one commit does to a table, as far as it matters to whoever brings it to another log of the
/// same table.
package struct CommitEffect: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// Rows come, and nothing else changes.
        case append
        /// The same rows lie in other files afterwards: a compaction.
        case rearrangement
        /// Anything else; the text says what it does, as a verb with its object.
        case change(String)
    }

    /// A file that the commit names, by its path below the table.
    package struct File: Equatable, Sendable {
        package var path: ExactText
        /// Nil where the log does not tell.
        package var size: Int64?
        /// What it belongs to; nil for a file of changed rows, which no version consists of.
        package var key: FileKey?
    }

    package private(set) var kind = Kind.append
    /// As the log calls it: WRITE, OPTIMIZE; empty where it does not say.
    package private(set) var operation: ExactText = ""
    package private(set) var files: [File] = []
    package private(set) var added: Set<FileKey> = []
    package private(set) var removed: Set<FileKey> = []
    /// Paths below the table of the files that go.
    package private(set) var replaced: [ExactText] = []
    /// Applications that note here how far they have written.
    package private(set) var applications: Set<ExactText> = []

    private var movesFiles = false
    private var hasQuietAdd = false

    private static let known: Set<ExactText> = [
        "add", "remove", "commitInfo", "txn", "metaData", "protocol", "cdc", "domainMetadata",
    ]

    /// Understands the bytes of a commit.
    ///
    /// Throws where they are no commit, or name files outside of the table.
    package init(parsing bytes: [UInt8], _ name: String) throws(TableLogError) {
        for line in bytes.split(separator: 0x0a) where line.contains(where: { $0 > 0x20 }) {
            let value: JSONValue
            do throws(JSONError) {
                value = try JSONValue(parsing: line)
            } catch {
                throw TableLogError(error, name)
            }
            let names = (value.members ?? []).filter { $0.value != .null }.map(\.name)
            if let unknown = names.first(where: { !Self.known.contains($0) }) {
                note("has an action '\(unknown)', which is not understood here")
            }
            if let action = try LogAction.parse(value, name) { try take(action) }
        }
        if hasQuietAdd, !movesFiles { note("tells anew of files that are there") }
        if kind == .append, movesFiles { kind = .rearrangement }
    }

    private mutating func note(_ change: String) {
        if case .change = kind { return }
        kind = .change(change)
    }

    private mutating func take(_ action: LogAction) throws(TableLogError) {
        switch action {
        case .add(let add): try take(add)
        case .remove(let remove):
            removed.insert(remove.key)
            replaced.append(try DataPath.decode(remove.path))
            if remove.dataChange { note("removes rows") } else { movesFiles = true }
        case .metadata: note("changes the schema or the settings of the table")
        case .protocolVersion: note("changes what the table needs")
        case .transaction(let transaction): applications.insert(transaction.application)
        case .domain: note("changes settings of a part of the system")
        case .change(let path):
            files.append(File(path: try DataPath.decode(path), size: nil, key: nil))
            note("lists rows that were changed")
        case .sidecar: note("names a part of a checkpoint")
        case .commitInfo(let text):
            let info = try? JSONValue(parsing: text)
            operation = info?["operation"]?.string ?? ""
        }
    }

    private mutating func take(_ add: AddFile) throws(TableLogError) {
        added.insert(add.key)
        if !add.dataChange { hasQuietAdd = true }
        files.append(File(path: try DataPath.decode(add.path), size: add.size, key: add.key))
        if let vector = add.deletionVector, let path = try vector.pathInTable {
            files.append(File(path: path, size: nil, key: add.key))
        }
    }
}

extension TableSnapshot {
    /// A text that is equal for two tables with the same rows in the same files, whatever the
    /// versions that led to them.
    package var identity: String {
        var lines = [
            metadata.id, metadata.schemaText, "\(metadata.partitionColumns)",
            "\(protocolVersion.json.text)",
        ]
        lines += metadata.configuration.map { "\($0.key)=\($0.value)" }.sorted()
        lines += files.values.map { file in
            let key = file.key
            return "\(key.path) \(key.deletionVector ?? "") \(file.size)"
        }.sorted()
        return lines.joined(separator: "\n")
    }

    /// Why nobody but a writer that understands all of the table may add to it; nil if this one
    /// does.
    package var refusesWriting: String? {
        do throws(TableLogError) {
            try checkWritable()
            // A commit that comes from elsewhere has its time, and its number, from there.
            return metadata.isSet("delta.enableInCommitTimestamps", to: "true")
                ? "its commits tell their own times" : nil
        } catch {
            return "\(error)"
        }
    }
}
