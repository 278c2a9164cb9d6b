internal import CLinux
internal import Glibc

// The one file with threads and locks. `Monitor` is unchecked-Sendable because its state is only
// ever touched between lock and unlock; everything else is built from it.

/// State that several threads share, with a condition that they can wait for (man 3 pthread_cond).
@safe package final class Monitor<State>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var state: State

    package init(_ state: sending State) {
        self.state = state
        unsafe mutex = .allocate(capacity: 1)
        unsafe condition = .allocate(capacity: 1)
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` alone; nobody is woken.
    package func withState<Value, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Runs `body` alone, then wakes everyone who waits.
    package func update<Value, Failure: Error>(
        _ body: (inout State) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return try body(&state)
    }

    /// Waits until `ready` returns a value; it runs alone, and others are woken afterwards.
    package func wait<Value>(_ ready: (inout State) -> Value?) -> Value {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        while true {
            if let value = ready(&state) { return value }
            unsafe pthread_cond_wait(condition, mutex)
        }
    }
}

/// A queue of at most `capacity` elements between threads; a full one makes its writers wait.
package final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [(element: Element, size: Int)?] = []
        var first = 0
        var count = 0
        /// Sum of the sizes of what is in the queue.
        var size = 0
        var isClosed = false

        mutating func append(_ element: Element, size: Int) {
            elements[(first + count) % elements.count] = (element, size)
            count += 1
            self.size += size
        }

        var next: Element? { count > 0 ? elements[first]?.element : nil }

        mutating func removeFirst() -> Element? {
            guard let removed = elements[first] else { return nil }
            elements[first] = nil
            first = (first + 1) % elements.count
            count -= 1
            size -= removed.size
            return removed.element
        }
    }

    private let state: Monitor<State>
    private let sizeLimit: Int

    /// Makes a queue that also holds no more than `sizeLimit` in the sizes told to `push`, but
    /// always room for one element.
    package init(capacity: Int, sizeLimit: Int = .max) {
        precondition(capacity > 0)
        self.sizeLimit = sizeLimit
        state = Monitor(State(elements: Array(repeating: nil, count: capacity)))
    }

    /// Waits for room; returns false, dropping the element, once the queue is closed.
    @discardableResult
    package func push(_ element: Element, size: Int = 0) -> Bool {
        state.wait { state in
            if state.isClosed { return false }
            guard state.count < state.elements.count else { return nil }
            guard state.count == 0 || size <= sizeLimit - state.size else { return nil }
            state.append(element, size: size)
            return true
        }
    }

    /// Waits for an element; nil once the queue is closed and drained.
    package func pop() -> Element? {
        state.wait { state -> Element?? in
            if state.count > 0 { return .some(state.removeFirst()) }
            return state.isClosed ? .some(nil) : nil
        }
    }

    /// Waits for an element and takes those with it that are there too, as many as together weigh
    /// no more than `limit`; none once the queue is closed and drained.
    package func pop(weighing weight: (Element) -> Int, upTo limit: Int) -> [Element] {
        guard let first = pop() else { return [] }
        var taken = [first]
        var rest = limit - min(limit, weight(first))
        state.update { state in
            while let next = state.next {
                let more = weight(next)
                guard more <= rest, let element = state.removeFirst() else { return }
                taken.append(element)
                rest -= more
            }
        }
        return taken
    }

    /// Ends the queue: what is in it is still delivered.
    package func close() {
        state.update { $0.isClosed = true }
    }
}

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

/// The machine as far as it decides how many threads are worth having.
package enum Processors {
    /// Processors that this process may use (sched_getaffinity(2)); those of the machine when the
    /// system does not tell.
    package static let count: Int = {
        let allowed = Int(varve_processors())
        return max(1, allowed > 0 ? allowed : Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }()
}
