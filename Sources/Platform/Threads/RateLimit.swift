/// Holds work back to a number of bytes a second, shared between threads.
package final class RateLimit: Sendable {
    private let bytesPerSecond: Double
    /// Waiting is broken up so that an interruption is noticed.
    private static let longestSleep = Duration.milliseconds(100)
    private let nextStart = Monitor(ContinuousClock.now)

    package init(bytesPerSecond: UInt64) { self.bytesPerSecond = Double(max(1, bytesPerSecond)) }

    /// Waits until `count` more bytes are allowed.
    package func wait(for count: Int) {
        let cost = Duration.seconds(Double(count) / bytesPerSecond)
        let start = nextStart.withState { next in
            let start = max(next, ContinuousClock.now)
            next = start + cost
            return start
        }
        while !Interruption.isRequested {
            let delay = start - ContinuousClock.now
            guard delay > .zero else { return }
            HostSystem.sleep(min(delay, Self.longestSleep))
        }
    }
}
