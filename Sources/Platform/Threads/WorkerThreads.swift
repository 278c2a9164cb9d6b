internal import Glibc

/// Threads of our own for blocking work; the system's default stack of 8 MiB each.
package struct WorkerThreads: ~Copyable {
    private var threads: [pthread_t] = []

    /// Starts `count` threads that run `body` with their index.
    package init(count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        for index in 0..<count {
            let start = unsafe Unmanaged.passRetained(Start { body(index) })
            var thread = pthread_t()
            let failure = unsafe pthread_create(
                &thread, nil,
                { argument in
                    guard let argument = unsafe argument else { return nil }
                    unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue().run()
                    return nil
                }, start.toOpaque())
            precondition(failure == 0, "the system refuses threads")
            threads.append(thread)
        }
    }

    /// Waits until all threads have returned.
    package consuming func join() {
        for thread in threads { _ = pthread_join(thread, nil) }
    }

    /// Lets the threads run on unwatched; they must not need what their starter owns.
    package consuming func detach() {
        for thread in threads { _ = pthread_detach(thread) }
    }

    private final class Start {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
