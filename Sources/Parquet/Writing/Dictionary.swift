/// The distinct values of a leaf in a row group, sorted, and for each value its place among them.
///
/// Sorted, so that the dictionary depends on what there is and not on the order in which it comes:
/// an insert of known values renumbers nothing.
struct ValueDictionary {
    let values: DenseValues
    let indices: [UInt32]

    /// Bits of an index, at least one: readers have stumbled over none.
    var width: Int { max(1, Int.bitWidth - (values.count - 1).leadingZeroBitCount) }

    /// Makes the dictionary; nil when it would have more than `entries` values or `bytes` bytes.
    init?(_ source: DenseValues, _ hashes: [UInt32], entries: Int, bytes: Int) {
        guard source.count > 0, entries > 0 else { return nil }
        var found: Found?
        switch source.kind {
        case .boolean, .int128: return nil
        case .int32: found = Self.find(source.int32s, hashes, entries)
        case .int64: found = Self.find(source.int64s, hashes, entries)
        case .float: found = Self.find(source.floats.map(\.bitPattern), hashes, entries)
        case .double: found = Self.find(source.doubles.map(\.bitPattern), hashes, entries)
        case .bytes:
            found = Self.find(source.data, hashes, entries) {
                Int(source.offsets[$0])..<Int(source.offsets[$0 + 1])
            }
        case .fixed(let width):
            found = Self.find(source.data, hashes, entries) { $0 * width..<($0 + 1) * width }
        }
        guard let found else { return nil }
        let order = Self.order(found.firsts, source)
        var sorted = DenseValues(source.kind, byteLimit: .max)
        for entry in order {
            let first = found.firsts[Int(entry)]
            guard (try? sorted.append(source, first..<first + 1)) != nil,
                sorted.data.count <= bytes
            else { return nil }
        }
        var places = [UInt32](repeating: 0, count: order.count)
        for (place, entry) in order.enumerated() {
            places[Int(entry)] = UInt32(truncatingIfNeeded: place)
        }
        values = sorted
        indices = found.entries.map { places[Int($0)] }
    }

    /// Entries in the order in which they come first.
    private struct Found {
        /// Where each entry comes first.
        var firsts: [Int] = []
        /// The entry of each value.
        var entries: [UInt32] = []
    }

    /// Slots of an open table, four for each entry.
    private static func slots(_ entries: Int) -> [Int32] {
        var count = 16
        while count < entries * 4 { count *= 2 }
        return [Int32](repeating: -1, count: count)
    }

    private static func find<Key: Equatable>(
        _ keys: [Key], _ hashes: [UInt32], _ limit: Int
    ) -> Found? {
        var slots = slots(limit)
        var found = Found()
        found.entries.reserveCapacity(keys.count)
        for index in keys.indices {
            var slot = Int(hashes[index]) & (slots.count - 1)
            while true {
                let entry = slots[slot]
                if entry < 0 {
                    guard found.firsts.count < limit else { return nil }
                    slots[slot] = Int32(truncatingIfNeeded: found.firsts.count)
                    found.entries.append(UInt32(truncatingIfNeeded: found.firsts.count))
                    found.firsts.append(index)
                    break
                }
                if keys[found.firsts[Int(entry)]] == keys[index] {
                    found.entries.append(UInt32(bitPattern: entry))
                    break
                }
                slot = (slot + 1) & (slots.count - 1)
            }
        }
        return found
    }

    private static func find(
        _ data: [UInt8], _ hashes: [UInt32], _ limit: Int, _ range: (Int) -> Range<Int>
    ) -> Found? {
        var slots = slots(limit)
        var found = Found()
        found.entries.reserveCapacity(hashes.count)
        for index in hashes.indices {
            let value = range(index)
            var slot = Int(hashes[index]) & (slots.count - 1)
            while true {
                let entry = slots[slot]
                if entry < 0 {
                    guard found.firsts.count < limit else { return nil }
                    slots[slot] = Int32(truncatingIfNeeded: found.firsts.count)
                    found.entries.append(UInt32(truncatingIfNeeded: found.firsts.count))
                    found.firsts.append(index)
                    break
                }
                let first = found.firsts[Int(entry)]
                if hashes[first] == hashes[index], equal(data, range(first), value) {
                    found.entries.append(UInt32(bitPattern: entry))
                    break
                }
                slot = (slot + 1) & (slots.count - 1)
            }
        }
        return found
    }

    /// Takes eight bytes a step.
    ///
    /// Soundness of the pointer: words are loaded inside of both ranges, which are checked.
    private static func equal(_ data: [UInt8], _ one: Range<Int>, _ other: Range<Int>) -> Bool {
        let count = one.count
        guard count == other.count else { return false }
        precondition(one.upperBound <= data.count && other.upperBound <= data.count)
        precondition(one.lowerBound >= 0 && other.lowerBound >= 0)
        return unsafe data.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return true }
            let (mine, theirs) = unsafe (base + one.lowerBound, base + other.lowerBound)
            var offset = 0
            while offset &+ 8 <= count {
                let word = unsafe mine.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                let same = unsafe theirs.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                if word != same { return false }
                offset &+= 8
            }
            while offset < count {
                let byte = unsafe mine.load(fromByteOffset: offset, as: UInt8.self)
                if unsafe theirs.load(fromByteOffset: offset, as: UInt8.self) != byte {
                    return false
                }
                offset &+= 1
            }
            return true
        }
    }

    /// Entries in the order of their values; floats by their bits, which is as good as any.
    private static func order(_ firsts: [Int], _ source: DenseValues) -> [UInt32] {
        let entries = (0..<UInt32(truncatingIfNeeded: firsts.count))
        func sorted<Key: Comparable>(_ key: (Int) -> Key) -> [UInt32] {
            let keys = firsts.map(key)
            return entries.sorted { keys[Int($0)] < keys[Int($1)] }
        }
        switch source.kind {
        case .int32: return sorted { source.int32s[$0] }
        case .int64: return sorted { source.int64s[$0] }
        case .float: return sorted { source.floats[$0].bitPattern }
        case .double: return sorted { source.doubles[$0].bitPattern }
        case .bytes, .fixed:
            return entries.sorted {
                source.slice(firsts[Int($0)]).lexicographicallyPrecedes(
                    source.slice(firsts[Int($1)]))
            }
        case .boolean, .int128: return Array(entries)
        }
    }
}

extension DenseValues {
    /// The bytes of a value of a kind that has them.
    func slice(_ index: Int) -> ArraySlice<UInt8> {
        if case .fixed(let width) = kind { return data[index * width..<(index + 1) * width] }
        return data[Int(offsets[index])..<Int(offsets[index + 1])]
    }
}
