internal import Bytes

// A directory of 3,004 files that nobody may read is one piece of news: the first three are named,
// the rest counted. Problems are equal when they are of one kind and reason, and lie in the same
// directory; those of one kind that lie one by one in many directories are folded at what is common
// to their paths.

/// Puts many equal problems together.
struct FoldedProblems {
    /// A problem, and what makes it equal to others.
    struct Item {
        let path: [UInt8]
        /// Kind and reason; never shown.
        let kind: String
        /// What is said of it when it stands alone.
        let text: String

        init(_ path: [UInt8], kind: String, text: String) {
            self.path = path
            self.kind = kind
            self.text = text
        }
    }

    /// Of equal problems, so many are named.
    private static let named = 3
    /// Fewer than so many more are not worth folding.
    private static let fewest = 3

    /// A message for each problem; of a run of equal ones the first three and a count of the rest.
    static func messages(_ items: [Item]) -> [Message] {
        var messages: [Message] = []
        var start = 0
        while start < items.count {
            let end = items[start...].firstIndex { $0.kind != items[start].kind } ?? items.count
            let run = items[start..<end]
            start = end
            let rest = run.dropFirst(named)
            guard rest.count >= fewest else {
                messages += run.map { Message($0.text) }
                continue
            }
            messages += run.prefix(named).map { Message($0.text) }
            let place = commonDirectory(run.map(\.path))
            let below = place.isEmpty ? "" : " below \(PathBytes.printable(place))/"
            messages.append(Message("and \(Wording.grouped(rest.count)) more of these\(below)"))
        }
        return messages
    }

    /// The deepest directory that all paths lie in.
    private static func commonDirectory(_ paths: [[UInt8]]) -> [UInt8] {
        guard var common = paths.first.map(PathBytes.parent) else { return [] }
        for path in paths {
            while !common.isEmpty, !PathBytes.isInside(path, common) {
                common = PathBytes.parent(common)
            }
        }
        return common
    }
}
