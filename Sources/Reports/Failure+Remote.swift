internal import Bytes
internal import Capturing
internal import Platform
internal import Remote
internal import Repository
internal import Restoring
internal import Snapshots
internal import SystemPackage
internal import Upkeep
internal import Wire

// What goes wrong between hosts.

extension Failure {
    /// Whether the connection to another host broke.
    static func isLoss(_ error: any Error) -> Bool {
        switch error {
        case let error as ConnectionError: error.kind == .lost || error.kind == .unreachable
        case let error as StorageError: error.kind == .temporary
        case let error as RepositoryError:
            if case .storage(let cause) = error.kind { isLoss(cause) } else { false }
        case CaptureError.repository(let error): isLoss(error)
        case RestoreError.repository(let error): isLoss(error)
        case TableRestoreError.repository(let error): isLoss(error)
        case CheckError.repository(let error): isLoss(error)
        case SnapshotSelectorError.repository(let error): isLoss(error)
        default: false
        }
    }

    init(_ error: ConnectionError) {
        self.init(message: "\(error)", meaning: "Nothing was changed.")
        let host = "ssh -T \(Self.destination(error.location))"
        switch error.kind {
        case .unreachable:
            advice = "Try `\(host) true`; once that works, run the command again."
        case .loginRefused:
            advice = "Try `\(host) true`: it must log in without asking, by a key or an agent."
        case .hostKey:
            advice = "Log in once with ssh by hand, and compare the key with the host's own."
        case .programMissing:
            advice = "Install varve on the host, or say where it is with --remote-varve."
        case .noise:
            advice =
                "Make the shell's start-up files there print nothing unless they run on a "
                + "terminal; `\(host) true` must print nothing."
        case .violation:
            meaning = "What was committed stays; what came was not used."
            advice = "Make sure that --remote-varve runs varve, of a version like this one."
        case .unsupported: advice = "Use the same version of varve on both hosts."
        case .lost, .cancelled:
            meaning = "What was committed stays; there are no half snapshots."
            advice = "Run the command again; what was stored already is not stored twice."
        case .remote(let failure):
            meaning = Self.committedStays
            explain(failure)
        }
    }

    /// A storage that did not do what it was asked for.
    init(_ error: StorageError) {
        self.init(message: "\(error)")
        explain(error)
    }

    mutating func explain(_ error: StorageError) {
        meaning = Self.committedStays
        switch error.kind {
        case .environment(let cause): explain(cause)
        case .missing, .damaged:
            meaning = "What depends on this object cannot be read; everything else can."
            advice = "Run `varve check` to see which files of which snapshots are affected."
        case .exists: advice = "Look at what is there; `varve check` says whether it is sound."
        case .held:
            status = .held
            advice = "Wait until the other one has finished, then run the command again."
        case .refused:
            advice = "The host grants this key no more: ask whoever set up `varve serve` there."
        case .unsupported: advice = "Use the same version of varve on both hosts."
        case .interrupted, .temporary:
            meaning = "What was committed stays; there are no half snapshots."
            advice = "Run the command again; what was stored already is not stored twice."
        }
    }

    init(_ error: StreamError) {
        self.init(message: "\(error)")
        switch error.kind {
        case .unsupported:
            meaning = "Nothing was written."
            advice = "Use the version of varve that made the stream, or a newer one."
        case .lacks:
            meaning = "Nothing was written."
            advice =
                "Apply the streams that come before this one, or make one with `varve send "
                + "--from` a snapshot that the receiver has."
        case .damaged:
            meaning = "The snapshots before the damage are whole; what follows was not used."
            advice = "Copy or send the stream again; what arrived whole is not stored twice."
        case .cutShort:
            meaning = "Snapshots that arrived whole stay, and blobs that the next try finds."
            advice = "Copy or send the stream again."
        case .incomplete:
            meaning = "The snapshot was not made; others are not affected."
            advice =
                "Send it with --from a snapshot that the receiver has, or without --from; run "
                + "`varve check` on the sender's repository."
        }
    }

    /// What ssh is told to connect to, from the description of a location.
    private static func destination(_ location: String) -> String {
        guard case .remote(let remote)? = try? RepositoryLocation(parsing: Array(location.utf8))
        else { return location }
        let port = remote.port.map { "-p \($0) " } ?? ""
        return port + PathBytes.printable(remote.destination)
    }

    private mutating func explain(_ failure: RemoteFailure) {
        switch failure.kind {
        case .notARepository:
            status = .noRepository
            meaning = "Nothing was changed."
            advice = Self.placeAdvice
        case .alreadyExists:
            meaning = "Nothing was changed."
            advice = "Name a directory that does not exist or is empty."
        case .forbidden:
            advice = "The host grants this key no more: ask whoever set up `varve serve` there."
        case .system: advice = "Put right on the host what its system complains of."
        case .unsupported: advice = "Use the same version of varve on both hosts."
        case .damaged, .missing: advice = "Run `varve check` on the host."
        case .invalid:
            advice = "Run `varve check` here, and look at the memory and disks of this host."
        case .held:
            status = .held
            advice = "Wait until the other one has finished, then run the command again."
        case .changedThere:
            meaning = "What others made there is as it was; the rest goes on with the next run."
            advice = "Save what is worth it, then run it again with --overwrite."
        case .violation: advice = "Use the same version of varve on both hosts."
        case .other: advice = "Look at what the host itself reports, such as in the log of its ssh."
        }
    }

    /// On the side that serves, for the log of ssh.
    init(_ failure: RemoteFailure) {
        self.init(message: "\(failure)", meaning: "The session was ended.")
    }

    init(_ error: WireError) {
        self.init(message: "the client: \(error)", meaning: "The session was ended.")
    }
}
