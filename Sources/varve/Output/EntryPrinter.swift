internal import JSON
internal import Reports
internal import Repository
internal import Snapshots

/// Prints manifest entries in the form that a command was asked for.
struct EntryPrinter {
    enum Form {
        /// Escaped paths, a line each.
        case paths
        /// A line each with everything.
        case long
        /// Raw paths, a NUL after each.
        case null
        case json
    }

    /// What the options of a command ask for.
    static func form(_ console: Console, isLong: Bool, isNull: Bool) -> Form {
        console.isJSON ? .json : isNull ? .null : isLong ? .long : .paths
    }

    private let console: Console
    private let form: Form
    private var list: JSONList?

    init(_ console: Console, _ form: Form) throws(OutputError) {
        self.console = console
        self.form = form
        list = form == .json ? try JSONList(console) : nil
    }

    /// Prints an entry; `snapshot` is put before the path, and a colon between them.
    mutating func print(_ entry: ManifestEntry, of snapshot: SnapshotID? = nil) throws(OutputError)
    {
        let prefix = snapshot.map { $0.short + ":" } ?? ""
        switch form {
        case .paths: try console.print(line: prefix + Wording.path(entry.path))
        case .long: try console.print(line: prefix + EntryText.long(entry))
        case .null: try console.print(Array(prefix.utf8) + entry.path + [0])
        case .json:
            var object = JSONObject()
            if let snapshot { object["snapshot_id"] = .id(snapshot) }
            object.append(entry.json)
            try list?.append(object.value)
        }
    }

    func finish() throws(OutputError) { try list?.finish() }
}
