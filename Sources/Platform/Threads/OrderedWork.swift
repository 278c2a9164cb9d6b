/// Work on several threads whose results come out in the order in which it was given out.
///
///     source ─▶ [thread] ─▶ result 0, 1, 2 … ─▶ next()
///
/// A thread takes the next input, one thread at a time, works on it beside the others, and leaves
/// the result to whoever calls `next`. No more than `window` inputs are taken ahead of the results
/// that were fetched, so memory is bounded by as many results.
package final class OrderedWork<Output: Sendable> {
    private struct State {
        /// Results that were fetched.
        var fetched = 0
        /// Inputs that threads set out to take, some of which were not there.
        var begun = 0
        /// How many inputs there are, once that is known.
        var end: Int?
        var isStopped = false
        var results: [Int: Output] = [:]
    }

    private let state: Monitor<State>
    private var threads: WorkerThreads?

    /// Starts `threads` threads; `source` returns nil at the end, and is called by one at a time.
    package init<Input: Sendable>(
        threads count: Int, window: Int, source: @escaping @Sendable () -> Input?,
        work: @escaping @Sendable (Input) -> Output
    ) {
        precondition(count > 0 && window >= count)
        let state = Monitor(State())
        let taken = Monitor(0)
        self.state = state
        threads = WorkerThreads(count: count) { _ in
            while Self.mayTake(state, window) {
                let next = taken.withState { number -> (Int, Input)? in
                    guard let input = source() else { return nil }
                    number += 1
                    return (number - 1, input)
                }
                guard let (number, input) = next else {
                    let end = taken.withState { $0 }
                    return state.update { $0.end = end }
                }
                let output = work(input)
                state.update { $0.results[number] = output }
            }
        }
    }

    /// Waits until there is room for another result; false when no more are wanted.
    private static func mayTake(_ state: Monitor<State>, _ window: Int) -> Bool {
        state.wait { state in
            if state.isStopped || state.end != nil { return false }
            guard state.begun < state.fetched + window else { return nil }
            state.begun += 1
            return true
        }
    }

    /// Waits for the next result; nil at the end.
    package func next() -> Output? {
        state.wait { state -> Output?? in
            if let output = state.results.removeValue(forKey: state.fetched) {
                state.fetched += 1
                return .some(output)
            }
            if let end = state.end, state.fetched >= end { return .some(nil) }
            return nil
        }
    }

    /// Lets the threads finish what they are at, and waits for them; results are dropped.
    deinit {
        state.update { state in
            state.isStopped = true
            state.results.removeAll()
        }
        threads.take()?.join()
    }
}
