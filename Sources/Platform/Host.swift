internal import Bytes

/// What a run takes from the machine besides files: times, randomness, waiting, processors, names.
///
/// It is handed to whoever needs one, so that a test can drive a run by a seed and a clock of its
/// own; `system` is the real one. Nothing else asks for a time or for randomness.
package struct Host: Sendable {
    /// The wall clock: may jump, in both directions.
    package var now: @Sendable () -> Timestamp
    /// A clock that only goes forward, for durations and deadlines.
    package var instant: @Sendable () -> ContinuousClock.Instant
    /// As many unpredictable bytes as asked for.
    package var randomBytes: @Sendable (Int) -> [UInt8]
    /// Waits at least as long.
    package var sleep: @Sendable (Duration) -> Void
    /// How many threads are worth having; at least one.
    package var processors: Int
    /// The host name, as its bytes.
    package var name: [UInt8]
    /// Differs after each start of the machine (random/boot_id in proc(5)); empty when unknown.
    package var bootID: [UInt8]

    package init(
        now: @escaping @Sendable () -> Timestamp,
        instant: @escaping @Sendable () -> ContinuousClock.Instant,
        randomBytes: @escaping @Sendable (Int) -> [UInt8],
        sleep: @escaping @Sendable (Duration) -> Void,
        processors: Int, name: [UInt8], bootID: [UInt8]
    ) {
        precondition(processors > 0)
        self.now = now
        self.instant = instant
        self.randomBytes = randomBytes
        self.sleep = sleep
        self.processors = processors
        self.name = name
        self.bootID = bootID
    }

    /// The machine that this process runs on.
    package static let system = Host(
        now: { Timestamp.now() }, instant: { ContinuousClock.now },
        randomBytes: { HostSystem.randomBytes($0) }, sleep: { HostSystem.sleep($0) },
        processors: Processors.count, name: HostSystem.hostName(), bootID: HostSystem.bootID())
}

extension Host {
    /// A name that nobody else has: `prefix` and 16 random hexadecimal digits.
    package func uniqueName(_ prefix: String) -> [UInt8] {
        Array((prefix + Hex.encode(randomBytes(8))).utf8)
    }

    /// The time since `start`.
    package func elapsed(since start: ContinuousClock.Instant) -> Duration { instant() - start }
}
