internal import Bytes
internal import Operations
internal import Platform
internal import Remote
internal import Repository
internal import Restoring
internal import Snapshots

// What was asked for makes no sense, or names what is not there.

extension Failure {
    private static func usage(_ message: String, _ advice: String) -> Failure {
        Failure(message: message, advice: advice, status: .usage)
    }

    init(_ error: RequestError) {
        self =
            Self.ofSources(error) ?? Self.ofTargets(error)
            ?? Self.usage("the request makes no sense", "Look into the manual of the command.")
    }

    private static func ofSources(_ error: RequestError) -> Failure? {
        switch error {
        case .sourceInRepository(let path):
            usage(
                "\(PathBytes.printable(path)) lies in the repository",
                "Name the directory that holds your data.")
        case .tooManySources(let count, let limit):
            usage(
                "\(count) sources are too many for one snapshot",
                "Name at most \(limit), or the directory that holds them.")
        case .repositoryHasTwin(let source, let twin):
            usage(
                "the repository lies in \(PathBytes.printable(source)), and "
                    + "\(PathBytes.printable(twin)) has the same place in another source",
                "Snapshot the two sources apart, or move the repository out of the source.")
        case .remoteMigration(let path):
            usage(
                "\(PathBytes.printable(path)) is on another host, and a migration stays on this "
                    + "one",
                "`varve replicate` keeps a live copy of a store on another host. A directory here "
                    + "whose name has a colon is written as ./name.")
        case .repositoryInMigration(let side):
            usage(
                "the repository lies in the \(side == .source ? "source" : "target") of the "
                    + "migration",
                "Name a repository outside of source and target.")
        case .noStreams(let path):
            usage(
                "there are no streams in \(PathBytes.printable(path))",
                "Streams end in '.varve'; make them with `varve send --output` that directory.")
        case .emptyPattern:
            usage("the pattern is empty", "Give a name, such as '*.parquet'.")
        default: nil
        }
    }

    private static func ofTargets(_ error: RequestError) -> Failure? {
        switch error {
        case .location(let error):
            usage(error.message, "Write /path, ssh://[user@]host[:port]/path or host:path.")
        case .targetInRepository(let path):
            usage(
                "the target \(PathBytes.printable(path)) lies in the repository",
                "Restore into another directory.")
        case .repositoryInTarget(let path):
            usage(
                "the repository lies in the target \(PathBytes.printable(path)), and --delete "
                    + "would remove it",
                "Restore without --delete, or into another directory.")
        case .nested(let path, let place):
            usage(
                "the target \(PathBytes.printable(path)) and the "
                    + "\(place == .store ? "store" : "repository") lie in one another",
                "Name a directory of its own.")
        case .tableOfPart:
            usage(
                "'--table' is about a table of the whole snapshot",
                "Name the snapshot without what follows the colon.")
        case .otherHost(let host):
            usage(
                "the snapshot was taken on \(PathBytes.printable(host)), not here",
                "Name the directory of the table with --target.")
        case .notEmpty(let path):
            usage(
                "\(PathBytes.printable(path)) is there already, and not empty",
                "Name a new directory, or restore in place with --in-place.")
        case .fileIsThere(let path):
            Failure(
                message: "\(PathBytes.printable(path)) is there already",
                meaning: "Nothing was written: files are never replaced.",
                advice: "If it is this stream, nothing is left to do; else remove it, or name "
                    + "another.")
        case .noParent(let path):
            Failure(
                message: "there is no directory in which \(PathBytes.printable(path)) could be "
                    + "made",
                meaning: "Nothing was changed.",
                advice: "If a disk or share belongs there, mount it; else make the directory "
                    + "first.")
        default: nil
        }
    }
}

extension Failure {
    private static let listing = "`varve list` shows all snapshots."

    init(_ error: SnapshotSelectorError) {
        switch error {
        case .malformed(let name):
            self = Self.usage(
                "\"\(PathBytes.printable(name))\" is no snapshot's name",
                "Name it by at least four digits of its id, \"latest\", \"latest~2\" or "
                    + "\"@2026-11-20\"; \(Self.listing)")
        case .unknown(let prefix):
            self.init(message: "no snapshot's id begins with \(prefix)", advice: Self.listing)
        case .ambiguous(let prefix, let candidates):
            let names = candidates.map { "\n  " + $0.hex.prefix(prefix.count + 12) }
            self.init(
                message: "the ids of \(candidates.count) snapshots begin with \(prefix)",
                advice: "Give more digits:" + names.joined())
        case .none(let host):
            let whose = host.map { " of host " + PathBytes.printable($0) } ?? ""
            self.init(
                message: "there is no snapshot\(whose) in the repository",
                advice: "Make one with `varve snapshot`.")
        case .tooFew(let wanted, let count):
            self.init(
                message: "latest~\(wanted) goes back beyond the first of "
                    + Wording.count(count, "snapshot"),
                advice: Self.listing)
        case .noneBefore(let time, let oldest, let moment):
            self.init(
                message: "no snapshot is as old as \(time)",
                advice: "The oldest is \(oldest.short) of \(CivilTime(local: moment)).")
        case .repository(let error): self.init(error)
        }
    }

    init(_ error: PathError) {
        let path = Wording.path(error.path)
        switch error.kind {
        case .missing:
            self.init(
                message: "the snapshot has nothing at \(path)",
                advice: "`varve ls` shows what it has, `varve find` where else there is one.")
        case .directory:
            self.init(
                message: "\(path) is a directory",
                advice: "`varve ls` lists it, `varve restore` brings it back.")
        case .symlink(let target):
            self.init(
                message: "\(path) is a symlink to \(PathBytes.printable(target))",
                advice: "Name the file that it leads to.")
        case .notAFile:
            self.init(
                message: "\(path) is a fifo or device, and has no content",
                advice: "`varve restore` brings it back.")
        }
    }

    init(_ error: RestoreError) {
        let again = "What was restored stays; run it again and it does the rest."
        switch error {
        case .target(let error):
            self.init(
                message: "\(error)", meaning: again,
                advice: "Make sure that the target can be written, then run it again.")
        case .repository(let error):
            self.init(error)
            meaning = again
        case .interrupted(let error): self.init(error, again)
        case .noSuchPath(let path): self.init(PathError(kind: .missing, path: path))
        }
    }
}
