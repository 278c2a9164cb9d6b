package import Platform
package import Trees

/// How a migration copies (varve-migrate(1), "Strategies").
package enum CopyStrategy: String, CaseIterable, Sendable {
    /// One file after the other, in path order, by one thread.
    case sequential
    /// Several threads, each with a file of its own.
    case parallel
    /// Several threads that share large files, part by part.
    case chunked

    /// Threads that copy; one, or twice the processors, because threads wait for disks, but not so
    /// many that a disk seeks.
    package func threads(on host: Host) -> Int {
        self == .sequential ? 1 : min(16, max(4, 2 * host.processors))
    }

    /// Bytes of a part of a file that is shared.
    static let partSize: UInt64 = 32 << 20
}

/// What a migration is asked for.
package struct MigrationRequest: Sendable {
    /// As the user named them.
    package var source: [UInt8]
    package var target: [UInt8]
    /// The directory of journal and receipt; nil for the usual place beside the target.
    package var journal: [UInt8]?
    package var filter: WalkFilter
    /// What `filter` was made of: a migration that goes on must have the same.
    package var scope: [String]
    /// Nil: what the cost model takes for fastest.
    package var strategy: CopyStrategy?
    /// Makes tables of directories of row files.
    package var makesTables = false
    package var bytesPerSecond: UInt64?
    /// Passes that catch up with a changing source, at most.
    package var passLimit = 8
    /// Time to wait before a pass that looks for changes once more.
    package var pause = Duration.seconds(1)
    package var host = Host.system

    package init(
        source: [UInt8], target: [UInt8], filter: WalkFilter, scope: [String] = []
    ) {
        self.source = source
        self.target = target
        self.filter = filter
        self.scope = scope
    }
}
