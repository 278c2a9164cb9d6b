internal import Bytes
package import JSON
internal import Operations
package import Repository
package import Snapshots

/// One difference between two snapshots, as text and as JSON.
package enum DifferenceText {
    fileprivate struct Kind {
        let kind: ManifestChange.Kind
        let letter: String
        /// What `change` says in JSON.
        let name: String
        /// Its key among the totals.
        let key: String
    }

    fileprivate static let kinds: [Kind] = [
        Kind(kind: .added, letter: "+", name: "added", key: "added"),
        Kind(kind: .removed, letter: "-", name: "removed", key: "removed"),
        Kind(kind: .changed, letter: "M", name: "changed", key: "changed"),
        Kind(kind: .metadata, letter: "U", name: "metadata", key: "metadata_changed"),
        Kind(kind: .type, letter: "T", name: "type", key: "type_changed"),
    ]

    private static func kind(_ change: ManifestChange) -> Kind? {
        kinds.first { $0.kind == change.kind }
    }

    /// A letter and the path.
    package static func line(_ change: ManifestChange) -> String {
        "\(kind(change)?.letter ?? "?") \(Wording.path(change.path))"
    }

    /// The entries on both sides; null where there is none.
    package static func json(_ change: ManifestChange) -> JSONValue {
        var object: JSONObject = ["change": .text(kind(change)?.name)]
        object.setBytes("path", change.path)
        object["before"] = change.before.map(\.json.value) ?? .null
        object["after"] = change.after.map(\.json.value) ?? .null
        return object.value
    }

    /// What stands before the list of differences in the document of two snapshots.
    package static func head(_ before: SnapshotID, _ after: SnapshotID) -> String {
        #"{"before_id":"\#(before.hex)","after_id":"\#(after.hex)","changes":"#
    }
}

/// Counts differences by their kinds.
package struct DifferenceTotals {
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

    private var totals: [ManifestChange.Kind: Total] = [:]

    /// No differences yet.
    package init() {}

    /// Counts a difference.
    package mutating func add(_ change: ManifestChange) {
        totals[change.kind, default: Total()].add(change)
    }

    /// A line for each kind that there is.
    package var lines: [String] {
        DifferenceText.kinds.compactMap { kind in
            totals[kind.kind].map { Self.line(kind, $0) }
        }
    }

    private static func line(_ kind: DifferenceText.Kind, _ total: Total) -> String {
        let count = "\(Wording.grouped(total.paths)) \(kind.name)"
        return switch kind.kind {
        case .added: "\(count), \(Wording.bytes(total.bytesAfter))"
        case .removed: "\(count), \(Wording.bytes(total.bytesBefore))"
        case .metadata: count
        case .changed, .type:
            "\(count), \(Wording.bytes(total.bytesBefore)) before and "
                + "\(Wording.bytes(total.bytesAfter)) after"
        }
    }

    /// An object for each kind, also for those that there are none of.
    package var json: JSONValue {
        var object = JSONObject()
        for kind in DifferenceText.kinds {
            let total = totals[kind.kind] ?? Total()
            let member: JSONObject = [
                "paths": .number(total.paths), "bytes_before": .number(total.bytesBefore),
                "bytes_after": .number(total.bytesAfter),
            ]
            object[kind.key] = member.value
        }
        return object.value
    }
}
