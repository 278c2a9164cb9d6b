/// Why a step of a migration is not done; the step changed nothing.
package enum MigrationRefusal: Equatable, Sendable {
    /// The source is not a directory.
    case sourceIsNoDirectory([UInt8])
    case targetIsNoDirectory([UInt8])
    /// Source and target are one directory, or one lies in the other.
    case overlapping(PlaceOverlap, source: [UInt8], target: [UInt8])
    /// The journal would lie in `place`, which is the source or the target.
    case journalInside([UInt8])
    /// Nothing may be in a target when a migration begins; `journal` is where none was found.
    case targetNotEmpty([UInt8], first: [UInt8], others: Int, journal: [UInt8])
    /// The journal is that of a migration between other places.
    case otherMigration(journal: [UInt8], source: [UInt8], target: [UInt8])
    /// The migration was begun with these patterns and options.
    case otherScope([String])
    /// Another directory lies at the path of the source or the target, perhaps because a file
    /// system is not mounted.
    case otherDirectory([UInt8], Side)
    case noRoom(SpaceShortage)
    /// The migration is done, and its source was cleaned.
    case finished(journal: [UInt8])
    /// The clean-up began: copying now would take what was removed for lost.
    case cleaningBegan
    /// A name at the top of the source that a migration needs for itself.
    case reservedName([UInt8])
    /// The target has paths that the migration did not write so; all of them, never none.
    case foreignPaths([[UInt8]])
    /// The end of the journal is lost, and the source lacks what the target has; never none.
    case lostEnd(lacking: [[UInt8]])
    /// The journal would become larger than it may be when it is read.
    case journalTooLarge
    /// Nothing proves the target, so nothing may go from the source.
    case noReceipt

    package enum Side: Sendable { case source, target }

    package enum PlaceOverlap: Sendable {
        case same, targetInSource, sourceInTarget
    }
}

/// What a target lacks for what is to be copied.
package enum SpaceShortage: Equatable, Sendable {
    case bytes(free: UInt64, needed: UInt64)
    case files(free: UInt64, needed: UInt64)
}
