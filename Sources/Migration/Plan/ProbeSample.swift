internal import Bytes
internal import Platform

/// The part of a source that is migrated for a trial: two halves that are alike, so that what one
/// of them brought into memory does not speed up the other.
struct ProbeSample {
    /// A part of a file that is not small.
    struct Range: Sendable {
        var path: [UInt8]
        var offset: UInt64
        var count: Int
    }

    /// Spread evenly over the bytes of all files that are not small, in turn for each half.
    private(set) var ranges: ([Range], [Range]) = ([], [])
    /// Small files in runs of neighbours, as a migration meets them, in turn for each half.
    private(set) var files: ([Inventory.Item], [Inventory.Item]) = ([], [])

    private static let rangeCount: UInt64 = 16
    private static let rangeSize: UInt64 = 32 << 20
    private static let runCount = 32
    private static let runSize = 128
    /// The part of the room on the target that ranges may take, and small files as much.
    static let roomShare: UInt64 = 4

    /// `room` is how many bytes are free on the target.
    init(_ inventory: Inventory, room: UInt64) {
        let files = inventory.files
        let size = min(Self.rangeSize, room / Self.roomShare / Self.rangeCount)
        ranges = Self.halves(Self.ranges(files.filter { !$0.isSmall }, size), size: 1)
        let small = inventory.items.filter { $0.isFile && $0.isSmall }
        let runs = Self.runs(small).prefix(Int(clamping: room / Self.roomShare / Totals.smallSize))
        self.files = Self.halves(Array(runs), size: Self.runSize)
    }

    private typealias Totals = Inventory.Totals

    /// Files of one range at most are taken whole.
    private static func ranges(_ files: [Inventory.Item], _ size: UInt64) -> [Range] {
        let total = files.reduce(UInt64(0)) { $0 &+ $1.status.size }
        guard total > 0, size > 0 else { return [] }
        let stride = max(total / rangeCount, 1)
        var ranges: [Range] = []
        var (start, next): (UInt64, UInt64) = (0, 0)
        for file in files {
            let end = start &+ file.status.size
            while next < end {
                let offset = file.status.size <= size ? 0 : next - start
                let count = min(size, file.status.size - offset)
                ranges.append(Range(path: file.path, offset: offset, count: Int(count)))
                next = max(next &+ stride, start &+ offset &+ count)
            }
            start = end
        }
        return ranges
    }

    private static func runs(_ files: [Inventory.Item]) -> [Inventory.Item] {
        guard files.count > runCount * runSize else { return files }
        return (0..<runCount).flatMap { run in
            let start = run * (files.count - runSize) / (runCount - 1)
            return files[start..<start + runSize]
        }
    }

    /// Pieces of so many elements in turn; what is too little for that goes into both halves.
    private static func halves<Element>(
        _ elements: [Element], size: Int
    ) -> ([Element], [Element]) {
        guard elements.count > size else { return (elements, elements) }
        var halves: ([Element], [Element]) = ([], [])
        for (index, element) in elements.enumerated() {
            if index / size % 2 == 0 { halves.0.append(element) } else { halves.1.append(element) }
        }
        return halves
    }
}

extension Inventory {
    /// Only these files, with the directories above them.
    func only(_ files: some Sequence<Item>) -> Inventory {
        var wanted: Set<[UInt8]> = []
        for file in files {
            wanted.insert(file.path)
            var parent = PathBytes.parent(file.path)
            while !parent.isEmpty, wanted.insert(parent).inserted {
                parent = PathBytes.parent(parent)
            }
        }
        var inventory = Inventory(root: root)
        inventory.items = items.filter { wanted.contains($0.path) }
        return inventory
    }
}

extension Inventory.Item {
    /// Whether it costs mostly by being a file.
    var isSmall: Bool { status.size <= Inventory.Totals.smallSize }
}
