// Anchors are places chosen by content: those where a hash of eight bytes has its upper bits zero.
// Equal content has equal anchors wherever it lies, so they tell how far content moved, and, as a
// small sample of them, whether two contents are alike ("features": Zou et al., "Odess", 2021).
//
// Soundness of the pointers: words are loaded only where `anchorSize` bytes remain in the span; the
// pointer does not leave its closure.

/// Bytes that the key of an anchor is made of: enough that text of few words does not repeat them.
private let anchorSize = 64

/// Calls `body` with the key and the offset of each anchor.
@inline(__always)
private func forEachAnchor(_ bytes: Span<UInt8>, _ body: (UInt64, Int) -> Void) {
    guard bytes.count >= anchorSize else { return }
    unsafe bytes.withUnsafeBytes { bytes in
        for offset in 0...bytes.count &- anchorSize {
            let word = unsafe bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard (word &* 0x9e37_79b9_7f4a_7c15) >> 56 == 0 else { continue }
            var key = word
            var index = offset &+ 8
            while index < offset &+ anchorSize {
                let next = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                key = (key ^ next) &* 0xbf58_476d_1ce4_e5b9
                key ^= key >> 29
                index &+= 8
            }
            body(key, offset)
        }
    }
}

/// The anchors of one content, about one in 256 bytes.
struct Anchors {
    /// Offset of the key, or nothing for keys that occur often: they tell nothing.
    private var places: [UInt64: Int32] = [:]

    private static let repeated: Int32 = -1

    init(_ bytes: Span<UInt8>) {
        places.reserveCapacity(bytes.count / 200)
        forEachAnchor(bytes) { key, offset in
            if places.updateValue(Int32(clamping: offset), forKey: key) != nil {
                places[key] = Self.repeated
            }
        }
    }

    /// How far ahead of `range` of `bytes` most of its content lies here; nil when hardly any does.
    func drift(of bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var votes: [Int: Int] = [:]
        forEachAnchor(bytes.extracting(range)) { key, offset in
            guard let place = places[key], place != Self.repeated else { return }
            votes[Int(place) - offset - range.lowerBound, default: 0] += 1
        }
        let best = votes.max { ($0.value, -abs($0.key)) < ($1.value, -abs($1.key)) }
        return best.flatMap { $0.value >= 2 ? $0.key : nil }
    }
}

/// A few features of a content, by which similar contents find each other: the smallest keys of its
/// anchors (a bottom-k sample; Broder, "On the resemblance and containment of documents", 1997).
package struct Sketch: Equatable, Sendable {
    private let keys: [UInt64]

    /// Keys kept; enough to find contents that share a tenth of their anchors.
    private static let keyLimit = 32

    package init(_ bytes: Span<UInt8>) {
        var smallest: [UInt64] = []
        var bound = UInt64.max
        forEachAnchor(bytes) { key, _ in
            guard key < bound else { return }
            smallest.append(key)
            guard smallest.count >= 8 * Self.keyLimit else { return }
            smallest = Self.lowest(smallest)
            bound = smallest.last ?? bound
        }
        keys = Self.lowest(smallest)
    }

    private static func lowest(_ keys: [UInt64]) -> [UInt64] {
        Array(Set(keys).sorted().prefix(keyLimit))
    }

    /// How many features both have.
    package func shared(with other: Sketch) -> Int {
        Set(keys).intersection(other.keys).count
    }
}
