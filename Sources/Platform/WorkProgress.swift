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

    package init() {}

    package var snapshot: Counters { counters.withState { $0 } }

    package func update(_ change: (inout Counters) -> Void) { counters.withState { change(&$0) } }
}
