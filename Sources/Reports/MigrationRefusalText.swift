internal import Bytes
internal import Migration
internal import Platform

/// What a refusal of a migration says, and what to do about it.
struct MigrationRefusalText {
    let message: String
    let advice: String

    private init(_ message: String, _ advice: String) {
        self.message = message
        self.advice = advice
    }

    init(_ refusal: MigrationRefusal) {
        switch refusal {
        case .sourceIsNoDirectory(let path):
            self.init(
                "\(Self.name(path)) is not a directory", "Name the directory that holds the store.")
        case .targetIsNoDirectory(let path):
            self.init(
                "the target \(Self.name(path)) is not a directory",
                "Name a directory that does not exist or is empty.")
        case .overlapping(let overlap, let source, let target):
            self.init(overlap, Self.name(source), Self.name(target))
        case .journalInside(let place):
            self.init(
                "the journal would lie in \(Self.name(place))",
                "Name a directory outside of source and target with --journal.")
        case .targetNotEmpty(let target, let first, let others, let journal):
            self.init(
                "the target \(Self.name(target)) is not empty: it holds \(Self.name(first))"
                    + (others > 0 ? " and \(others) more" : ""),
                "Name a directory that does not exist or is empty. To go on with a migration, name "
                    + "its journal with --journal; \(Self.name(journal)) has none.")
        case .noRoom(let shortage):
            self.init(
                Self.describe(shortage), "Make room, or name a target on a larger file system.")
        case .reservedName(let name):
            self.init(
                "the source has \(Self.name(name)), a name that a migration needs itself",
                "It may be what a migration to there left: if so, remove it. Else leave it out "
                    + "with --exclude.")
        case .foreignPaths(let paths):
            self.init(
                "the target has \(Wording.count(paths.count, "path")) that this migration did not "
                    + "write so, such as \(Self.name(paths[0]))",
                "Move them away, or remove them to have the source's copied again:"
                    + paths.prefix(10).map { "\n    " + Self.name($0) }.joined())
        default: self.init(ofJournal: refusal)
        }
    }

    private init(_ overlap: MigrationRefusal.PlaceOverlap, _ source: String, _ target: String) {
        let message =
            switch overlap {
            case .same: "source and target are the same directory, \(source)"
            case .targetInSource: "the target \(target) lies in the source \(source)"
            case .sourceInTarget: "the source \(source) lies in the target \(target)"
            }
        self.init(
            message, "Name a target outside of the source, and the source outside of the target.")
    }

    /// Refusals because of what an earlier run left.
    private init(ofJournal refusal: MigrationRefusal) {
        switch refusal {
        case .otherMigration(let journal, let source, let target):
            self.init(
                "the journal in \(Self.name(journal)) belongs to a migration from "
                    + "\(Self.name(source)) to \(Self.name(target))",
                "Name another directory with --journal.")
        case .otherScope(let scope):
            self.init(
                "the migration was begun with another scope: " + scope.joined(separator: " "),
                "Go on with the same patterns and options, or remove target and journal to begin "
                    + "anew.")
        case .otherDirectory(let path, let side):
            let anew =
                side == .source
                ? "To migrate what is there now, remove target and journal and begin anew."
                : "To begin anew, remove the journal."
            self.init(
                "\(Self.name(path)) is another directory than the one that this migration began "
                    + "with", "Is its file system mounted? " + anew)
        case .finished(let journal):
            self.init(
                "this migration is finished, and its source was cleaned",
                "To migrate what is in the source now, name another target, or remove "
                    + "\(Self.name(journal)) and empty the target.")
        case .cleaningBegan:
            self.init(
                "the clean-up of the source began; copying now would take what was removed "
                    + "for lost",
                "Finish it with --clean-source.")
        case .lostEnd(let paths):
            self.init(
                "the journal lost its last line, and the source lacks "
                    + "\(Wording.count(paths.count, "path")) that the target has, such as "
                    + Self.name(paths[0]),
                "If they were removed from the source on purpose, remove them from the target too, "
                    + "and run the command again.")
        case .journalTooLarge:
            self.init(
                "the journal would become larger than it can be read again",
                "Migrate parts of the source by themselves, with --exclude or one after the other.")
        default:
            self.init(
                "there is no receipt that proves the target",
                "Run the migration without --clean-source first: it copies and verifies.")
        }
    }

    /// What is short, as a clause.
    static func describe(_ shortage: SpaceShortage) -> String {
        switch shortage {
        case .bytes(let free, let needed):
            "the target has \(Wording.bytes(free)) free, and \(Wording.bytes(needed)) are needed"
        case .files(let free, let needed):
            "the file system of the target has room for \(Wording.count(free, "file")), and "
                + "\(needed) are needed"
        }
    }

    private static func name(_ path: [UInt8]) -> String { PathBytes.printable(path) }
}
