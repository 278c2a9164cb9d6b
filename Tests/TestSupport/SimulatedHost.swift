package import Platform

/// A machine whose clock stands still until it is told, and whose randomness comes from a seed.
package final class SimulatedHost: Sendable {
    private struct State {
        var time: Timestamp
        var passed = Duration.zero
        var random: SplitMix64
    }

    private let state: Monitor<State>
    private let start = ContinuousClock.now

    package init(
        seed: UInt64, at time: Timestamp = Timestamp(seconds: 1_800_000_000, nanoseconds: 0)
    ) {
        state = Monitor(State(time: time, random: SplitMix64(seed: seed)))
    }

    /// Moves both clocks forward.
    package func advance(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        state.update { state in
            state.passed += duration
            let nanoseconds = UInt32(attoseconds / 1_000_000_000) + state.time.nanoseconds
            state.time = Timestamp(
                seconds: state.time.seconds + seconds + Int64(nanoseconds / 1_000_000_000),
                nanoseconds: nanoseconds % 1_000_000_000)
        }
    }

    /// Sets the wall clock, as an operator or a time server may; durations do not notice.
    package func setClock(_ time: Timestamp) { state.update { $0.time = time } }

    /// The value to hand to a run, with clocks that sleeping moves instead of waiting.
    package func host(processors: Int = 2) -> Host {
        Host(
            now: { self.state.withState(\.time) },
            instant: { self.start + self.state.withState(\.passed) },
            randomBytes: { count in
                self.state.withState { state in
                    (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &state.random) }
                }
            },
            sleep: { self.advance($0) }, processors: processors,
            name: Array("simulated".utf8), bootID: Array("simulated-boot".utf8))
    }
}
