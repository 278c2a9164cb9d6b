internal import Bytes
internal import Migration
internal import Platform
internal import SystemPackage

extension Failure {
    private static let goesOn =
        "The source is untouched; what was copied stays, and the same command goes on from there."

    init(_ error: MigrationError) {
        switch error {
        case .refused(let refusal):
            let text = MigrationRefusalText(refusal)
            self.init(message: text.message, meaning: "Nothing was changed.", advice: text.advice)
        case .held(let journal):
            self.init(
                message: "another process is at this migration (\(PathBytes.printable(journal)))",
                meaning: "Nothing was changed.",
                advice: "Wait until it is done.",
                status: .held)
        case .damaged(let file, let detail):
            self.init(
                message: "\(PathBytes.printable(file)) is damaged: \(detail)",
                meaning: "Nothing was changed; source and target are as they were.",
                advice: "To begin anew, remove the directory of the journal and empty the target.")
        case .source(let error):
            self.init(
                message: "\(error)", meaning: Self.goesOn,
                advice: "Make sure that the source exists and may be read, then run it again.")
        case .target(let error): self.init(target: error)
        case .journal(let error):
            self.init(
                message: "\(error)", meaning: Self.goesOn,
                advice: "Make sure that the journal can be written, or name another place for it "
                    + "with --journal when the migration begins.")
        case .table(let path, let error):
            self.init(error)
            message = "table \(Wording.path(path)): \(error)"
            meaning = Self.goesOn
        case .backup(let error):
            self.init(error)
            meaning = "The source is not backed up, and nothing was copied."
        case .unsettled(let passes, let paths): self.init(passes, unsettled: paths)
        case .notProven(let obstacles): self.init(obstacles)
        case .interrupted(let error):
            self.init(error, Self.goesOn)
        case .cleaning(let error): self.init(cleaning: error)
        }
    }

    /// The first of many, and how many more there are.
    static func list(_ items: [String]) -> [String] {
        let more = items.count > 20 ? ["  and \(Wording.grouped(items.count - 20)) more"] : []
        return items.prefix(20).map { "  " + $0 } + more
    }

    private init(cleaning error: MigrationError) {
        self.init(error)
        meaning =
            "The clean-up has begun: of what it removed from the source the target holds the only "
            + "copy."
        switch error {
        case .damaged:
            advice =
                "Keep the target as it is, and look yourself at what is left of the source: "
                + "nothing more is removed."
        case .interrupted: advice = "The same command goes on from there."
        default: break
        }
    }

    private init(target error: PlatformError) {
        let advice =
            switch error.errno {
            case .noSpace, .diskQuotaExceeded: "Make room on the target, then run it again."
            case .tooManySymbolicLinkLevels:
                "A directory of the target was replaced by a symlink: put that right first."
            default: "Make sure that the target can be written, then run it again."
            }
        self.init(message: "\(error)", meaning: Self.goesOn, advice: advice)
    }

    private init(_ passes: Int, unsettled paths: [[UInt8]]) {
        self.init(
            message: "after \(Wording.count(passes, "pass")) the source still changes, "
                + "\(Wording.count(paths.count, "path")) in the last",
            details: Self.list(paths.map(Wording.path)),
            meaning: Self.goesOn,
            advice: "Stop the writers, then run it again; --passes allows more passes, --pause "
                + "longer waits between them.")
    }

    private init(_ obstacles: [CleanUpObstacle]) {
        self.init(
            message: "the receipt no longer proves \(Wording.count(obstacles.count, "path"))",
            details: Self.list(obstacles.map { "\(Wording.path($0.path)): \($0.reason)" }),
            meaning: "Nothing was removed.",
            advice: "Run the migration without --clean-source: it copies what changed and "
                + "verifies again.")
    }
}
