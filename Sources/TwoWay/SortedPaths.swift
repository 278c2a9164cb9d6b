internal import Bytes

/// Something that has a path; arrays of such are kept in the order of paths, each once, and
/// searched instead of being copied into dictionaries: a store has hundreds of thousands of them.
protocol PathKeyed {
    var path: [UInt8] { get }
}

extension Array where Element: PathKeyed {
    /// The element of this path, in an array in the order of paths.
    func find(_ path: [UInt8]) -> Element? {
        let index = firstIndex(notBefore: path)
        return index < count && self[index].path == path ? self[index] : nil
    }

    /// Whether the array, which is in the order of paths, has something below a directory.
    func hasInside(_ directory: [UInt8]) -> Bool {
        var index = firstIndex(notBefore: directory)
        if index < count, self[index].path == directory { index += 1 }
        return index < count && PathBytes.isInside(self[index].path, directory)
    }

    private func firstIndex(notBefore path: [UInt8]) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if PathBytes.isBefore(self[middle].path, path) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }
}

extension PlainEntry: PathKeyed {}
extension PlainFact: PathKeyed {}
extension TwoWayState.Plain: PathKeyed { var path: [UInt8] { fact.path } }

/// Goes through an array in the order of paths, beside others.
struct SortedCursor<Element: PathKeyed> {
    private let elements: [Element]
    private var position = 0

    init(_ elements: [Element]) { self.elements = elements }

    /// The path of the next element; nil at the end.
    var path: [UInt8]? { position < elements.count ? elements[position].path : nil }

    /// Takes the next element if it has this path.
    mutating func take(_ path: [UInt8]) -> Element? {
        guard position < elements.count, elements[position].path == path else { return nil }
        defer { position += 1 }
        return elements[position]
    }
}
