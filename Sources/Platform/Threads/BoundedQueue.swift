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
