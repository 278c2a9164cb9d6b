internal import Restoring
internal import Bytes
internal import Platform
internal import Repository
internal import SystemPackage
internal import TableLog
internal import TableStore

extension Failure {
    init(_ error: TableStoreError) {
        self.init(message: "\(error)")
        let unchanged = "Nothing was changed; the table is as it was."
        meaning = unchanged
        switch error.kind {
        case .request:
            status = .usage
            meaning = ""
            advice = "Put it right, and run the command again."
        case .filter:
            status = .usage
            meaning = ""
            advice =
                "Write it like --where 'id >= 3 AND day = \"2026-11-20\"': texts, dates and times "
                + "stand in quotes, the whole in quotes of the other kind; varve-table-scan(1)."
        case .schema:
            status = .usage
            meaning = ""
            advice =
                "Write it like --schema 'id long not null, price decimal(12,2), day date'; "
                + "varve-table-create(1)."
        case .header:
            advice = "Run the command again with the option that fits."
        case .file: explainFile(error)
        case .input:
            advice =
                "Put the file right, give a fitting --schema, or leave rows out with "
                + "--on-error=skip."
        case .notATable:
            status = .noRepository
            meaning = ""
            advice = "Check the path, or make a table there with `varve table create`."
        case .alreadyExists:
            advice =
                "Name a directory that does not exist or is empty; `varve table append` adds rows "
                + "to a table that is there."
        case .noSuchVersion:
            advice =
                "`varve table history` lists the versions, `varve table verify --at-version` "
                + "tells whether one is whole; a snapshot may still hold what is gone."
        case .damaged where error.isAboutLog:
            meaning = "No version from there on can be read; those before it can."
            advice =
                "Bring the file back from a snapshot, or read what was before with --at-version."
        case .damaged:
            meaning = "Rows that depend on this file cannot be read; the others can."
            advice =
                "Run `varve table verify`; bring the file back from a snapshot, or go back with "
                + "`varve table restore`."
        case .unsupported:
            meaning = "Nothing was changed; the table may be sound."
            advice = "Use the program that made the table, or a newer varve."
        case .conflict:
            advice = "Run the command again: it begins with the table as it is now."
        case .refused: advice = ""
        case .environment: explainTable(error)
        case .interrupted:
            if error.isPartial { meaning = "What was removed is gone, and none of it was needed." }
            advice = "Run it again; files that it left behind are swept by `varve table vacuum`."
            status = .interrupted(error.signal)
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
        switch error.cause?.errno {
        case .noSpace?, .diskQuotaExceeded?:
            advice = "Make room where the table lies, then run the command again."
        case .permissionDenied?, .notPermitted?, .readOnlyFileSystem?:
            advice = "Run as a user who may read and write there."
        case .noSuchFileOrDirectory?:
            advice = "Check the path; the directories above a new table must be there."
        default:
            advice = "Put right what the system complains of, then run the command again."
        }
    }

    /// The system refused something about a file of rows.
    private mutating func explainFile(_ error: TableStoreError) {
        switch error.cause?.errno {
        case .noSpace?, .diskQuotaExceeded?:
            advice = "Make room where the file is to be, then run the command again."
        case .noSuchFileOrDirectory?: advice = "Check the path of the file."
        default:
            advice = "Put right what the system complains of, then run the command again."
        }
    }
}

extension Failure {
    init(_ error: TableRestoreError) {
        let whole =
            "The table is at the version before or at the restored one; files that came back stay."
        switch error {
        case .noSuchTable(let name, let known):
            let tables = Wording.list(known.map { $0.isEmpty ? Array(".".utf8) : $0 })
            self.init(
                message: "the snapshot has no table \(PathBytes.printable(name))",
                meaning: "Nothing was changed.",
                advice: known.isEmpty
                    ? "It has no tables at all." : "It has \(tables): name one by its path."
            )
        case .otherTable(let why):
            self.init(
                message: "what is in the target is not this table: \(why)",
                meaning: "What is there was not changed.",
                advice: "Restore into a new directory with --target and without --in-place."
            )
        case .notInSnapshot(let why):
            self.init(
                message: why,
                meaning: "What is there was not changed.",
                advice: "`varve tables` tells what a snapshot has; try another snapshot."
            )
        case .snapshotLog(let error):
            self.init(
                message: "the log of the table in the snapshot cannot be used: \(error)",
                meaning: "Nothing was changed.",
                advice: "Restore its files with `varve restore snapshot:path --target`."
            )
        case .table(let error):
            self.init(
                message: "\(error)",
                meaning: whole,
                advice: error.kind == .conflict
                    ? "Run it again when fewer writers are at work."
                    : "Put right what it complains of, then run it again; it does the rest."
            )
        case .hollow(let version, let why):
            self.init(
                message:
                    "version \(version) was committed, but files that it needs are gone: \(why)",
                meaning: "The table cannot be read whole until they are back.",
                advice: "Run it again: it brings them back."
            )
        case .target(let error):
            self.init(
                message: "\(error)",
                meaning: whole,
                advice: "Make sure that the table can be written, then run it again."
            )
        case .repository(let error):
            self.init(error)
            meaning = whole
        case .interrupted(let error):
            self.init(message: "interrupted", meaning: whole, advice: "Run it again.")
            status = .interrupted(error.signal)
        }
    }
}
