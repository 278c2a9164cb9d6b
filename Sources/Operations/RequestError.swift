package import Remote

/// A request that makes no sense, or would do harm; nothing was done.
package enum RequestError: Error {
    /// One of two places that must lie apart.
    package enum Place: Equatable, Sendable {
        case store
        case repository
    }

    /// One of the two directories of a migration.
    package enum MigrationSide: Equatable, Sendable {
        case source
        case target
    }

    /// The text names no place.
    case location(LocationError)
    /// A source lies in the repository.
    case sourceInRepository([UInt8])
    /// More sources than one snapshot may have.
    case tooManySources(Int, limit: Int)
    /// A pattern that leaves out the repository in one source would leave out something else, here
    /// `twin`, in another one.
    case repositoryHasTwin(source: [UInt8], twin: [UInt8])
    case targetInRepository([UInt8])
    /// A restore that removes would remove the repository.
    case repositoryInTarget([UInt8])
    /// A target and what it is made of lie in one another.
    case nested(target: [UInt8], Place)
    /// A table of a part of a snapshot was asked for.
    case tableOfPart
    /// A table is to come back in place, and its snapshot is of another host.
    case otherHost([UInt8])
    case notEmpty([UInt8])
    /// A migration to or from another host.
    case remoteMigration([UInt8])
    case repositoryInMigration(MigrationSide)
    case noStreams([UInt8])
    case emptyPattern
    /// What is to be written is there already, and files are never replaced.
    case fileIsThere([UInt8])
    /// The directory above what is to be made is not there.
    case noParent([UInt8])
}
