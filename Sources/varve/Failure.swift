internal import Capturing
internal import Replicas
internal import Restoring
internal import Snapshots
internal import TwoWay
internal import Upkeep
internal import Wire
internal import ArgumentParser
internal import Bytes
internal import Migration
internal import Platform
internal import Repository
internal import SystemPackage
internal import TableStore

/// A command line that makes no sense, found after parsing.
struct UsageError: Error {
    var message: String
    var advice: String

    init(_ message: String, _ advice: String) {
        self.message = message
        self.advice = advice
    }
}

/// An error as its reader needs it: what happened, what it means for the data, what to do next.
struct Failure {
    var message: String
    var meaning: String = ""
    var advice: String = ""
    var status = ExitStatus.failed

    /// For standard error: a line each.
    var text: String {
        let rest = [meaning, advice].filter { !$0.isEmpty }
        return (["varve: " + message] + rest.map { "  " + $0 }).joined(separator: "\n") + "\n"
    }

    var json: JSONValue {
        let object: JSONObject = [
            "type": "error", "message": .string(message), "meaning": .string(meaning),
            "advice": .string(advice), "exit_code": .integer(Int64(status.code)),
        ]
        return object.value
    }
}

extension Failure {
    init(_ error: any Error) {
        // A signal from the terminal ends ssh too: what follows is no fault of the connection.
        let interruption = Result { () throws(Interrupted) in try Interruption.check() }
        if case .failure(let interrupted) = interruption, Self.isLoss(error) {
            self.init(
                interrupted,
                "What was committed stays; nothing else was changed.",
                "Run it again; what was stored already is not stored twice."
            )
            return
        }
        switch error {
        case let error as UsageError: self.init(error)
        case let error as RepositoryError: self.init(error)
        case let error as CaptureError: self.init(error)
        case let error as RestoreError: self.init(error)
        case let error as TableRestoreError: self.init(error)
        case let error as CheckError: self.init(error)
        case let error as SnapshotSelectorError: self.init(error)
        case let error as TableStoreError: self.init(error)
        case let error as MigrationError: self.init(error)
        case let error as PathError: self.init(error)
        case let error as OutputError: self.init(error)
        case let error as SyncError: self.init(error)
        case let error as StreamError: self.init(error)
        case let error as FileIsThere: self.init(error)
        case let error as ReplicaError: self.init(error)
        case let error as StoreSyncError: self.init(error)
        case let error as RemoteFailure: self.init(error)
        case let error as WireError: self.init(error)
        case let error as PlatformError: self.init(error)
        case let error as Interrupted:
            self.init(error, "What was committed stays; nothing else was changed.", "")
        default: self.init(parsing: error)
        }
    }

    private init(_ error: FileIsThere) {
        self.init(
            message: "\(PathBytes.printable(error.path)) is there already",
            meaning: "Nothing was written: files are never replaced.",
            advice: "If it is this stream, nothing is left to do; else remove it, or name another."
        )
    }

    private init(_ error: UsageError) {
        self.init(message: error.message, meaning: "", advice: error.advice, status: .usage)
    }

    /// What ArgumentParser has to say, with its hint at the usage.
    private init(parsing error: any Error) {
        var text = Varve.fullMessage(for: error)
        if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            PathBytes.printable(LosslessText.decode(line))
        }
        self.init(
            message: lines.first ?? "",
            advice: lines.dropFirst().joined(separator: "\n  "),
            status: Varve.exitCode(for: error) == .validationFailure ? .usage : .failed
        )
    }

    private init(_ error: Interrupted, _ meaning: String, _ advice: String) {
        self.init(
            message: "interrupted",
            meaning: meaning,
            advice: advice,
            status: .interrupted(error.signal)
        )
    }

    private init(_ error: PlatformError) {
        self.init(
            message: "\(error)",
            meaning: "Nothing was changed.",
            advice: "Put right what the system complains of, then run the command again."
        )
    }

    private init(_ error: OutputError) {
        switch error {
        case .closed: self.init(message: "standard output was closed", status: .done)
        case .failed(let error) where error.errno == .brokenPipe:
            self.init(
                message: "the reader of standard output stopped before the end",
                meaning: "Nothing was changed here; the reader tells what it did.",
                advice: "Put right what it complains of, then run the command again."
            )
        case .failed(let error):
            self.init(
                message: "cannot write to standard output: \(error.errno)",
                meaning: "What was printed is not all there is.",
                advice: "Print to another place and run the command again."
            )
        }
    }
}

extension Failure {
    private init(_ error: RepositoryError) {
        self.init(message: "\(error)")
        switch error.kind {
        case .notARepository:
            status = .noRepository
            meaning = "Nothing was changed."
            advice = "Check the path, or make a repository there with `varve init`."
        case .alreadyExists:
            meaning = "Nothing was changed."
            advice = "Name a directory that does not exist or is empty."
        case .unsupported:
            meaning = "Nothing was changed; the repository may be sound."
            advice = "Use a varve that is at least as new as the one that wrote it."
        case .damaged, .missing:
            meaning = "What depends on this object cannot be read; everything else can."
            advice = "Run `varve check` to see which files of which snapshots are affected."
        case .environment(let cause): explain(cause)
        }
    }

    /// The system refused something in the repository.
    private mutating func explain(_ cause: PlatformError) {
        meaning = "Nothing was committed; the snapshots in the repository are as they were."
        switch cause.errno {
        case .noSpace, .diskQuotaExceeded:
            advice = "Make room where the repository lies, then run the command again."
        case .permissionDenied, .notPermitted, .readOnlyFileSystem:
            advice = "Run as a user who may write there, or make it writable."
        case .connectionReset:
            meaning = "What was committed stays; there are no half snapshots."
            advice = "Run the command again; what was stored already is not stored twice."
        case .ioError:
            advice = "The disk may be failing: look at the kernel's log, then run `varve check`."
        default:
            advice = "Put right what the system complains of, then run the command again."
        }
    }

    private init(_ error: CaptureError) {
        let unchanged = "No snapshot was made; those in the repository are as they were."
        switch error {
        case .source(let error):
            self.init(
                message: "\(error)",
                meaning: unchanged,
                advice: "Make sure that the source exists and may be read, then run it again."
            )
        case .repository(let error): self.init(error)
        case .interrupted(let error):
            self.init(
                error,
                unchanged,
                "Run it again; what was stored already is not stored twice."
            )
        case .sameName(let name):
            self.init(
                message: "two sources have the name \(PathBytes.printable(name))",
                meaning: unchanged,
                advice: "Snapshot them one by one, or snapshot the directory that holds both.",
                status: .usage
            )
        }
    }
}

extension Failure {
    private init(_ error: SnapshotSelectorError) {
        let list = "`varve list` shows all snapshots."
        switch error {
        case .malformed(let name):
            self.init(
                message: "\"\(PathBytes.printable(name))\" is no snapshot's name",
                advice: "Name it by at least four digits of its id, \"latest\", \"latest~2\" or "
                    + "\"@2026-11-20\"; \(list)",
                status: .usage
            )
        case .unknown(let prefix):
            self.init(message: "no snapshot's id begins with \(prefix)", advice: list)
        case .ambiguous(let prefix, let candidates):
            let names = candidates.map { "  " + $0.hex.prefix(prefix.count + 12) }
            self.init(
                message: "the ids of \(candidates.count) snapshots begin with \(prefix)",
                advice: "Give more digits:\n" + names.map { "  " + $0 }.joined(separator: "\n")
            )
        case .none(let host):
            let whose = host.map { " of host " + PathBytes.printable($0) } ?? ""
            self.init(
                message: "there is no snapshot\(whose) in the repository",
                advice: "Make one with `varve snapshot`."
            )
        case .tooFew(let wanted, let count):
            self.init(
                message: "latest~\(wanted) goes back beyond the first of \(count) snapshots",
                advice: list
            )
        case .noneBefore(let time, let oldest, let moment):
            self.init(
                message: "no snapshot is as old as \(time)",
                advice: "The oldest is \(oldest.short) of \(CivilTime(local: moment))."
            )
        case .repository(let error): self.init(error)
        }
    }
}

extension Failure {
    private init(_ error: RestoreError) {
        let again = "What was restored stays; run it again and it does the rest."
        switch error {
        case .target(let error):
            self.init(
                message: "\(error)",
                meaning: again,
                advice: "Make sure that the target can be written, then run it again."
            )
        case .repository(let error):
            self.init(error)
            meaning = again
        case .interrupted(let error): self.init(error, again, "")
        case .noSuchPath(let path): self.init(PathError(kind: .missing, path: path))
        }
    }

    private init(_ error: CheckError) {
        switch error {
        case .repository(let error): self.init(error)
        case .interrupted(let error):
            self.init(error, "The check is not finished; nothing was changed.", "")
        }
    }

    private init(_ error: PathError) {
        let path = error.path.isEmpty ? "." : PathBytes.printable(error.path)
        switch error.kind {
        case .missing:
            self.init(
                message: "the snapshot has nothing at \(path)",
                advice: "`varve ls` shows what it has, `varve find` where else there is one."
            )
        case .directory:
            self.init(
                message: "\(path) is a directory",
                advice: "`varve ls` lists it, `varve restore` brings it back."
            )
        case .symlink(let target):
            self.init(
                message: "\(path) is a symlink to \(PathBytes.printable(target))",
                advice: "Name the file that it leads to."
            )
        case .notAFile:
            self.init(
                message: "\(path) is a fifo or device, and has no content",
                advice: "`varve restore` brings it back."
            )
        }
    }
}
