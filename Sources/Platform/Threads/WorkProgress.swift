/// What becomes of a file or other entry.
package enum EntryFate: String, Sendable {
    /// The snapshot before does not have it.
    case new
    /// It has other content than in the snapshot before.
    case changed
    /// It is as it was in the snapshot before, or in the target.
    case unchanged
    /// It was written to the target.
    case written
    /// It was left alone.
    case skipped
    /// It was removed from the target.
    case removed
}

/// How far long work is; shared between its threads and whoever shows it.
package final class WorkProgress: Sendable {
    package struct Counters: Sendable {
        package var filesDone: UInt64 = 0
        package var filesFound: UInt64 = 0
        package var bytesDone: UInt64 = 0
        package var bytesFound: UInt64 = 0
        /// Everything there is to do has been found.
        package var isTotalKnown = false
        package var currentPath: [UInt8] = []
    }

    private let counters = Monitor(Counters())
    /// Hears of each entry by its path, from any thread; nil where nobody wants to.
    private let follow: (@Sendable (EntryFate, [UInt8]) -> Void)?

    /// `follow` hears what becomes of each entry, from any thread.
    package init(follow: (@Sendable (EntryFate, [UInt8]) -> Void)? = nil) {
        self.follow = follow
    }

    /// Tells what became of an entry.
    package func tell(_ fate: EntryFate, _ path: [UInt8]) { follow?(fate, path) }

    package var snapshot: Counters { counters.withState { $0 } }

    package func update(_ change: (inout Counters) -> Void) { counters.withState { change(&$0) } }
}
