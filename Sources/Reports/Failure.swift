internal import Bytes
internal import Capturing
package import JSON
internal import Migration
internal import Operations
internal import Platform
internal import Replicas
package import Repository
internal import Restoring
internal import Snapshots
internal import SystemPackage
internal import TableStore
internal import TwoWay
internal import Upkeep
internal import Wire

/// An error as its reader needs it: what happened, what it means for the data, what to do next.
package struct Failure {
    /// What happened, in one line.
    package var message: String
    /// What the message is about, a line each, where that is more than one thing.
    package var details: [String] = []
    /// What it means for the data; empty where that is plain.
    package var meaning: String = ""
    /// What to do next; empty where nothing helps.
    package var advice: String = ""
    /// What the program exits with.
    package var status = ExitStatus.failed

    /// A failure, of which all but the message may be left out.
    package init(
        message: String, details: [String] = [], meaning: String = "", advice: String = "",
        status: ExitStatus = .failed
    ) {
        self.message = message
        self.details = details
        self.meaning = meaning
        self.advice = advice
        self.status = status
    }

    /// For standard error: a line each, with nothing that a terminal would act on.
    package var text: String {
        let rest = [meaning, advice].flatMap { $0.split(separator: "\n").map(String.init) }
        let lines = ["varve: " + message] + (details + rest).map { "  " + $0 }
        return lines.map { TerminalText.harmless($0) + "\n" }.joined()
    }

    /// For programs: an object of the type "error".
    package var json: JSONValue {
        var object: JSONObject = ["type": "error", "message": .string(message)]
        if !details.isEmpty { object["details"] = .array(details.map { .string($0) }) }
        object["meaning"] = .string(meaning)
        object["advice"] = .string(advice)
        object["exit_code"] = .number(status.code)
        return object.value
    }
}

extension Failure {
    /// Replaces the advice to look for damage where looking for damage failed; `words` are those of
    /// the command line.
    package mutating func avoidAdvice(toRun words: [String]) {
        let isSame = ["check", "table verify"].contains { command in
            words.starts(with: command.split(separator: " ").map(String.init))
                && advice.contains("`varve \(command)`")
        }
        guard isSame else { return }
        advice = "Bring what is damaged back from another copy, such as a mirror, then try again."
    }

    /// Explains an error of the libraries; `other` explains those of the program itself.
    package init(_ error: any Error, other: (any Error) -> Failure) {
        // A signal from the terminal ends ssh too: what follows is no fault of the connection.
        let interruption = Result { () throws(Interrupted) in try Interruption.check() }
        if case .failure(let interrupted) = interruption, Self.isLoss(error) {
            self.init(
                interrupted,
                Self.finishedStays,
                "Run it again; what was stored already is not stored twice."
            )
            return
        }
        self = Self.ofRepositories(error) ?? Self.ofOtherHosts(error) ?? other(error)
    }

    private static func ofRepositories(_ error: any Error) -> Failure? {
        switch error {
        case let error as RequestError: Failure(error)
        case let error as RepositoryError: Failure(error)
        case let error as CaptureError: Failure(error)
        case let error as RestoreError: Failure(error)
        case let error as TableRestoreError: Failure(error)
        case let error as CheckError: Failure(error)
        case let error as SnapshotSelectorError: Failure(error)
        case let error as TableStoreError: Failure(error)
        case let error as MigrationError: Failure(error)
        case let error as PathError: Failure(error)
        default: nil
        }
    }

    private static func ofOtherHosts(_ error: any Error) -> Failure? {
        switch error {
        case let error as ConnectionError: Failure(error)
        case let error as StorageError: Failure(error)
        case let error as StreamError: Failure(error)
        case let error as ReplicaError: Failure(error)
        case let error as StoreSyncError: Failure(error)
        case let error as RemoteFailure: Failure(error)
        case let error as WireError: Failure(error)
        case let error as PlatformError: Failure(error)
        case let error as Interrupted:
            Failure(error, finishedStays)
        default: nil
        }
    }

    /// A signal ended the work.
    init(_ error: Interrupted, _ meaning: String, _ advice: String = "") {
        self.init(
            message: "interrupted", meaning: meaning, advice: advice,
            status: .interrupted(error.signal))
    }

    private init(_ error: PlatformError) {
        self.init(
            message: "\(error)", meaning: Self.finishedStays, advice: Self.systemAdvice)
    }

    /// True wherever the work may have ended.
    static let finishedStays = "What was finished before it stays."

    static let systemAdvice = "Put right what the system complains of, then run the command again."
}

extension Failure {
    /// A snapshot that is left out because it cannot be read.
    package init(leftOut error: RepositoryError) {
        self.init(error)
        message += "; this snapshot is left out"
    }

    init(_ error: RepositoryError) {
        self.init(message: "\(error)")
        switch error.kind {
        case .notARepository:
            status = .noRepository
            meaning = "Nothing was changed."
            advice = Self.placeAdvice
        case .alreadyExists:
            meaning = "Nothing was changed."
            advice = "Name a directory that does not exist or is empty."
        case .unsupported:
            meaning = "It may be sound, and was left as it is."
            advice = "Use a varve that is at least as new as the one that wrote it."
        case .damaged, .missing:
            meaning = "What depends on this object cannot be read; everything else can."
            advice = "Run `varve check` to see which files of which snapshots are affected."
        case .environment(let cause): explain(cause)
        case .storage(let cause): explain(cause)
        }
    }

    /// A disk that is not mounted looks like an empty directory: nothing is to be made there.
    static let placeAdvice =
        "Check the path, and that its disk or share is mounted. A new repository is made with "
        + "`varve init`."

    /// The system refused something in the repository.
    mutating func explain(_ cause: PlatformError) {
        meaning = Self.committedStays
        switch cause.errno {
        case .noSpace, .diskQuotaExceeded:
            advice = "Make room where the repository lies, then run the command again."
        case .permissionDenied, .notPermitted, .readOnlyFileSystem:
            advice = "Run as a user who may read and write there, or make it readable and writable."
        case .ioError:
            advice = "The disk may be failing: look at the kernel's log, then run `varve check`."
        default: advice = Self.systemAdvice
        }
    }

    static let committedStays =
        "What was committed stays; nothing that was not is part of any snapshot."

    init(_ error: CaptureError) {
        let unchanged = "No snapshot was made; those in the repository are as they were."
        switch error {
        case .source(let error):
            self.init(
                message: "\(error)", meaning: unchanged,
                advice: "Make sure that the source exists and may be read, then run it again.")
        case .repository(let error): self.init(error)
        case .interrupted(let error):
            self.init(
                error, unchanged, "Run it again; what was stored already is not stored twice.")
        case .sameName(let name):
            self.init(
                message: "two sources have the name \(PathBytes.printable(name))",
                meaning: unchanged,
                advice: "Snapshot them one by one, or snapshot the directory that holds both.",
                status: .usage)
        }
    }

    private init(_ error: CheckError) {
        switch error {
        case .repository(let error):
            self.init(error)
            guard error.concernsOneObject, !error.isUnsupported else { return }
            meaning = "The check is not finished; a check changes nothing."
            advice = "Bring the object back from another copy of the repository, then check it."
        case .interrupted(let error):
            self.init(error, "The check is not finished; a check changes nothing.")
        }
    }
}
