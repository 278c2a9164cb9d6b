internal import Snapshots
internal import Bytes
internal import Repository

/// Prints differences as they are found, and their totals.
struct DiffReport {
    private struct Total {
        var paths: UInt64 = 0
        var bytesBefore: UInt64 = 0
        var bytesAfter: UInt64 = 0

        mutating func add(_ change: ManifestChange) {
            paths += 1
            bytesBefore = bytesBefore.addingClamped(change.before?.size ?? 0)
            bytesAfter = bytesAfter.addingClamped(change.after?.size ?? 0)
        }
    }

    private let console: Console
    private let head: String
    private var list: JSONList?
    private var totals: [ManifestChange.Kind: Total] = [:]

    private static let kinds: [(kind: ManifestChange.Kind, letter: String, name: String)] = [
        (.added, "+", "added"), (.removed, "-", "removed"), (.changed, "M", "changed"),
        (.metadata, "U", "metadata"), (.type, "T", "type"),
    ]

    init(_ console: Console, _ before: SnapshotID, _ after: SnapshotID) throws {
        self.console = console
        head = #"{"before":"\#(before.hex)","after":"\#(after.hex)","changes":"#
        list = console.isJSON ? try JSONList(console, head: head) : nil
    }

    mutating func add(_ change: ManifestChange) throws {
        totals[change.kind, default: Total()].add(change)
        if list != nil {
            try list?.append(Self.json(change))
        } else {
            let path = change.path.isEmpty ? "." : PathBytes.printable(change.path)
            try console.print(line: "\(Self.letter(change.kind)) \(path)")
        }
    }

    func finish(printingTotals: Bool) throws {
        if let list {
            let tail = printingTotals ? #","stat":"# + totalsJSON.text + "}" : "}"
            try list.finish(tail: tail)
        } else if printingTotals {
            for line in totalLines { try console.print(line: line) }
        }
    }

    private var totalLines: [String] {
        Self.kinds.compactMap { kind, _, name in
            guard let total = totals[kind] else { return nil }
            let count = "\(Wording.grouped(total.paths)) \(name)"
            switch kind {
            case .added: return "\(count), \(Wording.bytes(total.bytesAfter))"
            case .removed: return "\(count), \(Wording.bytes(total.bytesBefore))"
            case .metadata: return count
            case .changed, .type:
                return "\(count), \(Wording.bytes(total.bytesBefore)) before and "
                    + "\(Wording.bytes(total.bytesAfter)) after"
            }
        }
    }

    private var totalsJSON: JSONValue {
        var object = JSONObject()
        for (kind, _, name) in Self.kinds {
            let total = totals[kind] ?? Total()
            let member: JSONObject = [
                "paths": .count(total.paths), "bytes_before": .count(total.bytesBefore),
                "bytes_after": .count(total.bytesAfter),
            ]
            object[name] = member.value
        }
        return object.value
    }

    private static func letter(_ kind: ManifestChange.Kind) -> String {
        kinds.first { $0.kind == kind }?.letter ?? "?"
    }

    private static func json(_ change: ManifestChange) -> JSONValue {
        var object = JSONObject()
        object["change"] = .string(kinds.first { $0.kind == change.kind }?.name ?? "")
        object.setBytes("path", change.path)
        object["before"] = change.before.map(\.json.value) ?? .null
        object["after"] = change.after.map(\.json.value) ?? .null
        return object.value
    }
}
