internal import JSON
internal import Platform

/// Shows how far long work is, from a thread of its own: as a line on standard error that is
/// rewritten, if that is a terminal, or as JSON lines on standard output.
///
/// The thread is never waited for, so that work of milliseconds is not held up. It writes only
/// under the lock that `stop` takes: after `stop`, nothing more appears.
final class ProgressDisplay: Sendable {
    private enum Form { case line, json }

    private struct State {
        var isOver = false
        var isDrawn = false
        var rate = RateEstimate()
    }

    private let progress: WorkProgress
    private let form: Form
    private let start = ContinuousClock.now
    private let state = Monitor(State())

    /// Five times a second for eyes, once a second for programs.
    private var interval: Duration { form == .line ? .milliseconds(200) : .seconds(1) }

    private init(_ progress: WorkProgress, _ form: Form) {
        self.progress = progress
        self.form = form
    }

    /// Runs `body` with its progress on show, where that is wanted.
    ///
    /// Standard output is left alone unless it is free for it: `onOutput`.
    static func showing<Value, Failure: Error>(
        _ console: Console,
        onOutput: Bool = true,
        _ body: (WorkProgress) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let isJSON = console.isJSON && onOutput
        let log = EntryLog(isJSON: isJSON)
        let isFollowed = console.isVerbose && onOutput
        let progress = isFollowed ? WorkProgress { log.add($0, $1) } : WorkProgress()
        defer { log.flush() }
        guard !console.isQuiet, isJSON || Descriptor.isTerminal(2) else {
            return try body(progress)
        }
        let display = ProgressDisplay(progress, isJSON ? .json : .line)
        console.display = display
        _ = WorkerThreads(count: 1) { _ in display.run() }
        defer {
            display.stop()
            console.display = nil
        }
        return try body(progress)
    }

    private func run() {
        var isOver = false
        while !isOver {
            HostSystem.sleep(interval)
            isOver = state.withState { state in
                if !state.isOver { show(&state) }
                return state.isOver
            }
        }
    }

    /// Runs `body`, which prints, with no line of progress in its way.
    func clearing(_ body: () -> Void) {
        state.update { state in
            if state.isDrawn { Self.write("\r\u{1b}[K", to: 2) }
            state.isDrawn = false
            body()
        }
    }

    private func stop() {
        state.update { state in
            state.isOver = true
            if state.isDrawn { Self.write("\r\u{1b}[K", to: 2) }
        }
    }

    private func show(_ state: inout State) {
        let counters = progress.snapshot
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        let fraction = Double(attoseconds) / 1e18
        switch form {
        case .json:
            let milliseconds = UInt64(seconds) * 1000 + UInt64(fraction * 1000)
            Self.write(ProgressLine.json(counters, milliseconds: milliseconds).text + "\n", to: 1)
        case .line:
            state.rate.add(bytes: counters.bytesDone, at: Double(seconds) + fraction)
            let columns = Descriptor.columns(2)
            let text = ProgressLine.text(
                counters,
                seconds: UInt64(seconds),
                bytesPerSecond: state.rate.bytesPerSecond,
                columns: (columns > 0 ? columns : 80) - 1
            )
            Self.write("\r" + text + "\u{1b}[K", to: 2)
            state.isDrawn = true
        }
    }

    private static func write(_ text: String, to descriptor: Int32) {
        // Progress that nobody reads is no reason to stop the work.
        try? Descriptor.write(Array(text.utf8).span, toStandard: descriptor)
    }
}
