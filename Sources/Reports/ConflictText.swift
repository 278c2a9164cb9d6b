internal import Bytes
internal import TwoWay

/// A conflict of a sync as its reader needs it: what happened, what it means, what to do next.
struct ConflictText {
    /// For programs.
    private(set) var word = ""
    private(set) var message = ""
    private(set) var meaning = "Nothing was changed in it, on either side."
    private(set) var advice = ""
    private(set) var version: Int64?
    private(set) var operation: String?

    init(_ conflict: SyncConflict, _ store: String, _ target: String) {
        let name = SyncReport.name(conflict.path)
        let place =
            switch conflict.side {
            case .here: store
            case .there: target
            case nil: "both stores"
            }
        switch conflict.kind {
        case .bothChanged, .bothHave, .removedAndChanged, .otherKind:
            describe(path: name, conflict.kind)
        case .changes, .bothRearranged, .sameApplication:
            describe(commitOf: name, conflict.kind, place)
        default: describe(table: name, conflict.kind, place, isTable: conflict.isTable)
        }
    }

    private mutating func describe(path name: String, _ kind: SyncConflict.Kind) {
        switch kind {
        case .bothChanged:
            word = "both_changed"
            message = "\(name) changed on both sides since the last sync"
            advice = "Copy the one that is wanted over the other."
        case .bothHave:
            word = "both_have"
            message = "\(name) is there on both sides, and differs; no sync tells which is newer"
            advice = "Remove the one that is not wanted, or copy the other over it."
        case .removedAndChanged:
            word = "removed_and_changed"
            message = "\(name) was removed on one side and changed on the other"
            advice = "Remove it on the other side as well, or copy it back."
        default:
            word = "other_kind"
            message = "\(name) is a table on one side and something else on the other"
            advice = "Rename one of them."
        }
    }

    private mutating func describe(
        table name: String, _ kind: SyncConflict.Kind, _ place: String, isTable: Bool
    ) {
        advice = Self.oneWay
        switch kind {
        case .tableRemoved:
            word = "table_removed"
            message = "the table \(name) was removed from \(place)"
            meaning = "It stays where it is: a sync never removes a table."
            advice = "Remove it on the other side as well, or copy it back."
        case .unrelatedTables:
            word = "unrelated_tables"
            message = "\(name) is another table on each side: their ids differ"
            advice = "Rename one of them; each is then brought to the other side."
        case .noCommonVersion:
            word = "no_common_version"
            message = "the table \(name) differs, and its logs have no version in common"
        case .logExpired:
            word = "log_expired"
            message = "the log of the table \(name) no longer has the version of the last sync"
        case .refused(let reason):
            word = "refused"
            let what = isTable ? "the table" : "the file"
            message = "\(what) \(name) cannot be synced: \(place): \(Self.printable(reason))"
        default: break
        }
    }

    private mutating func describe(
        commitOf name: String, _ kind: SyncConflict.Kind, _ place: String
    ) {
        advice = Self.oneWay
        switch kind {
        case .changes(let version, let operation, let what):
            word = "changes"
            message =
                "the table \(name) changed on both sides, and "
                + "\(note(version, operation)) in \(place) \(Self.printable(what))"
            meaning = "Only rows that were added on both sides can be brought together. " + meaning
        case .bothRearranged(let version, let operation, let file):
            word = "both_rearranged"
            message =
                "the table \(name) was compacted on both sides: \(note(version, operation)) in "
                + "\(place) replaces \(Self.printable(file)), which the other side replaced too"
        case .sameApplication(let version, let operation, let application):
            word = "same_application"
            message =
                "the application \(Self.printable(application)) wrote to the table \(name) on "
                + "both sides: \(note(version, operation)) in \(place)"
            meaning = "Whether rows are there twice cannot be known. " + meaning
        default: break
        }
    }

    /// Keeps the version that is at fault, and returns what to call it.
    private mutating func note(_ version: Int64, _ operation: String) -> String {
        self.version = version
        self.operation = operation
        return "version \(version)" + (operation.isEmpty ? "" : " (\(Self.printable(operation)))")
    }

    private static func printable(_ text: String) -> String { Wording.foreign(text) }

    /// As the command line shows it.
    var warning: Message { Message(message, [meaning, advice]) }

    private static let oneWay =
        "Let one side win: save what only the other has (`varve table export`), bring the table "
        + "over with `varve replicate --overwrite` or as a copy, and append what was saved."
}
