/// A first-in first-out queue with constant-time ends.
///
/// Inlinable, because each entry of a capture goes through it: a generic of another module that is
/// not specialised cost a tenth of a night without changes.
package struct Queue<Element> {
    @usableFromInline package var elements: [Element?] = []
    @usableFromInline package var start = 0

    /// An empty queue.
    @inlinable package init() {}

    /// How many elements wait.
    @inlinable package var count: Int { elements.count - start }
    /// Whether none waits.
    @inlinable package var isEmpty: Bool { count == 0 }
    /// The one that has waited longest.
    @inlinable package var first: Element? { isEmpty ? nil : elements[start] }

    /// The element `index` places after the first; must be there.
    @inlinable package subscript(index: Int) -> Element {
        guard let element = elements[start + index] else { preconditionFailure("past the end") }
        return element
    }

    /// Adds an element behind all others.
    @inlinable package mutating func append(_ element: Element) { elements.append(element) }

    @discardableResult @inlinable package mutating func removeFirst() -> Element? {
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
