/// A first-in first-out queue with constant-time ends.
package struct Queue<Element> {
    private var elements: [Element?] = []
    private var start = 0

    package init() {}

    /// How many elements wait.
    package var count: Int { elements.count - start }
    /// Whether none waits.
    package var isEmpty: Bool { count == 0 }
    /// The one that has waited longest.
    package var first: Element? { isEmpty ? nil : elements[start] }

    /// The element `index` places after the first; must be there.
    package subscript(index: Int) -> Element {
        guard let element = elements[start + index] else { preconditionFailure("past the end") }
        return element
    }

    /// Adds an element behind all others.
    package mutating func append(_ element: Element) { elements.append(element) }

    @discardableResult
    package mutating func removeFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[start]
        elements[start] = nil
        start += 1
        if start > 1024, start * 2 > elements.count {
            elements.removeFirst(start)
            start = 0
        }
        return element
    }
}
