/// The same work for many elements, on several threads at once.
package enum Threads {
    /// Calls `body` with each of `elements`, on at most `count` threads, and waits for all of them.
    ///
    /// After a failure no further element is begun; the first failure is thrown once all threads
    /// have ended.
    package static func forEach<Element: Sendable, Failure: Error>(
        _ elements: [Element], threads count: Int,
        _ body: @escaping @Sendable (Element) throws(Failure) -> Void
    ) throws(Failure) {
        try forEach(elements, threads: count, context: {}) {
            (element, _: inout Void) throws(Failure) in try body(element)
        }
    }

    /// The same, where each thread has something of its own, such as a decoder: it makes it with
    /// `context` before its first element.
    package static func forEach<Element: Sendable, Context: ~Copyable, Failure: Error>(
        _ elements: [Element], threads count: Int, context: @escaping @Sendable () -> Context,
        _ body: @escaping @Sendable (Element, inout Context) throws(Failure) -> Void
    ) throws(Failure) {
        precondition(count > 0)
        let progress = Monitor(ForEachState<Failure>())
        WorkerThreads(count: min(count, elements.count)) { _ in
            var own = context()
            while let index = progress.withState({ $0.take(elements.count) }) {
                do throws(Failure) {
                    try body(elements[index], &own)
                } catch {
                    progress.withState { $0.failure = $0.failure ?? error }
                }
            }
        }.join()
        if let failure = progress.withState({ $0.failure }) { throw failure }
    }
}

/// How far the threads have come.
private struct ForEachState<Failure: Error> {
    var begun = 0
    var failure: Failure?

    /// The index of the next element; nil when none is left, or one failed.
    mutating func take(_ count: Int) -> Int? {
        guard begun < count, failure == nil else { return nil }
        defer { begun += 1 }
        return begun
    }
}
