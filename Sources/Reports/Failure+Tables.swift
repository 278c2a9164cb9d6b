internal import Bytes
internal import Platform
internal import Repository
internal import Restoring
internal import SystemPackage
internal import TableLog
internal import TableStore

extension Failure {
    init(_ error: TableStoreError) {
        self.init(
            message: "\(error)", meaning: "Nothing was changed; the table is as it was.",
            advice: Self.advice(error.kind))
        switch error.kind {
        case .request, .filter, .schema:
            status = .usage
            meaning = ""
        case .notATable:
            status = .noRepository
            meaning = ""
        case .file: advice = Self.fileAdvice(error.cause?.errno)
        case .damaged: meaning = Self.damage(isAboutLog: error.isAboutLog)
        case .unsupported: meaning = "Nothing was changed; the table may be sound."
        case .environment: explainTable(error)
        case .interrupted:
            if error.isPartial { meaning = "What was removed is gone, and none of it was needed." }
            status = .interrupted(error.signal)
        case .header, .input, .alreadyExists, .noSuchVersion, .conflict, .refused: break
        }
        if error.kind == .damaged, error.isAboutLog {
            advice =
                "Bring the file back from a snapshot, or read what was before with --at-version."
        }
    }

    private static func damage(isAboutLog: Bool) -> String {
        isAboutLog
            ? "No version from there on can be read; those before it can."
            : "Rows that depend on this file cannot be read; the others can."
    }

    private static func advice(_ kind: TableStoreError.Kind) -> String {
        switch kind {
        case .request: "Put it right, and run the command again."
        case .filter:
            "Write it like --where 'id >= 3 AND day = \"2026-11-20\"': texts, dates and times "
                + "stand in quotes, the whole in quotes of the other kind; varve-table-scan(1)."
        case .schema:
            "Write it like --schema 'id long not null, price decimal(12,2), day date'; "
                + "varve-table-create(1)."
        case .header: "Run the command again with the option that fits."
        case .input:
            "Put the file right, give a fitting --schema, or leave rows out with --on-error=skip."
        case .notATable: "Check the path, or make a table there with `varve table create`."
        case .alreadyExists:
            "Name a directory that does not exist or is empty; `varve table append` adds rows "
                + "to a table that is there."
        default: laterAdvice(kind)
        }
    }

    private static func laterAdvice(_ kind: TableStoreError.Kind) -> String {
        switch kind {
        case .noSuchVersion:
            "`varve table history` lists the versions, `varve table verify --at-version` "
                + "tells whether one is whole; a snapshot may still hold what is gone."
        case .damaged:
            "Run `varve table verify`; bring the file back from a snapshot, or go back with "
                + "`varve table restore`."
        case .unsupported: "Use the program that made the table, or a newer varve."
        case .conflict: "Run the command again: it begins with the table as it is now."
        case .interrupted:
            "Run it again; files that it left behind are swept by `varve table vacuum`."
        default: ""
        }
    }

    /// The system refused something in the directory of a table.
    private mutating func explainTable(_ error: TableStoreError) {
        guard !error.isCommitted else {
            meaning = "The change was committed, and may be lost again in a power cut."
            advice =
                "Look with `varve table history` whether it is there before you run the command "
                + "again: rows would be added twice."
            return
        }
        meaning = "What was committed before is as it was; files without a commit mean nothing."
        advice =
            switch error.cause?.errno {
            case .noSpace?, .diskQuotaExceeded?:
                "Make room where the table lies, then run the command again."
            case .permissionDenied?, .notPermitted?, .readOnlyFileSystem?:
                "Run as a user who may read and write there."
            case .noSuchFileOrDirectory?:
                "Check the path; the directories above a new table must be there."
            default: Self.systemAdvice
            }
    }

    /// The system refused something about a file of rows.
    private static func fileAdvice(_ errno: Errno?) -> String {
        switch errno {
        case .noSpace?, .diskQuotaExceeded?:
            "Make room where the file is to be, then run the command again."
        case .noSuchFileOrDirectory?: "Check the path of the file."
        default: systemAdvice
        }
    }
}

extension Failure {
    private static let untouched = "What is there was not changed."

    init(_ error: TableRestoreError) {
        self = Self.beforeTheRestore(error) ?? Self.whileRestoring(error)
    }

    /// Nothing was changed.
    private static func beforeTheRestore(_ error: TableRestoreError) -> Failure? {
        switch error {
        case .noSuchTable(let name, let known): noSuchTable(name, known)
        case .otherTable(let why):
            Failure(
                message: "what is in the target is not this table: \(why)", meaning: untouched,
                advice: "Restore into a new directory with --target and without --in-place.")
        case .notInSnapshot(let why):
            Failure(
                message: why, meaning: untouched,
                advice: "`varve tables` tells what a snapshot has; try another snapshot.")
        case .snapshotLog(let error):
            Failure(
                message: "the log of the table in the snapshot cannot be used: \(error)",
                meaning: "Nothing was changed.",
                advice: "Restore its files with `varve restore snapshot:path --target`.")
        default: nil
        }
    }

    private static func noSuchTable(_ name: [UInt8], _ known: [[UInt8]]) -> Failure {
        let tables = known.map(Wording.path).joined(separator: ", ")
        return Failure(
            message: "the snapshot has no table \(PathBytes.printable(name))",
            meaning: "Nothing was changed.",
            advice: known.isEmpty
                ? "It has no tables at all." : "It has \(tables): name one by its path.")
    }

    private static func whileRestoring(_ error: TableRestoreError) -> Failure {
        var failure =
            switch error {
            case .table(let error):
                Failure(
                    message: "\(error)",
                    advice: error.kind == .conflict
                        ? "Run it again when fewer writers are at work."
                        : "Put right what it complains of, then run it again; it does the rest.")
            case .target(let error):
                Failure(
                    message: "\(error)",
                    advice: "Make sure that the table can be written, then run it again.")
            case .repository(let error): Failure(error)
            case .interrupted(let error): Failure(error, "", "Run it again.")
            case .hollow(let version, let why):
                Failure(
                    message: "version \(version) was committed, but files that it needs are gone: "
                        + why,
                    advice: "Run it again: it brings them back.")
            default: Failure(message: "\(error)")
            }
        failure.meaning =
            if case .hollow = error {
                "The table cannot be read whole until they are back."
            } else {
                "The table is at the version before or at the restored one; files that came back "
                    + "stay."
            }
        return failure
    }
}
