internal import Compression

/// How the values of a column chunk are encoded.
struct EncodingPlan {
    let encoding: Encoding
    /// For dictionaries only.
    let dictionary: ValueDictionary?
    /// About how many bits an encoded value takes; 0 for values of various lengths, which take
    /// their bytes and one more.
    let bitsPerValue: Int
}

/// Chooses encodings by trying them on a sample.
///
/// The choice is made once for a whole column chunk, and never taken back half-way: where a
/// dictionary gave up would move with every edit before. A sample of some thousand values is
/// encoded in each way and compressed; what is smallest is taken.
struct EncodingChoice {
    private let options: WriterOptions
    private let encoder: ZstdEncoder
    private static let windows = 4
    private static let windowSize = 1024

    init(_ options: WriterOptions, _ encoder: ZstdEncoder) {
        self.options = options
        self.encoder = encoder
    }

    /// `values` as they are stored, `hashes` one for each.
    func plan(_ values: DenseValues, _ hashes: [UInt32]) -> EncodingPlan {
        guard values.count > 0 else { return plain(values) }
        let ranges = Self.sample(values.count)
        let sampled = ranges.reduce(0) { $0 + $1.count }
        var best = plain(values)
        var smallest = Int.max
        for encoding in candidates(values.kind) {
            let (size, encodedSize) = cost(ranges) { range, target in
                values.encode(range, encoding, into: &target)
            }
            // Every later one has to be worth it: the first are the ones that all readers know.
            guard smallest == .max || size * 16 < smallest * 15 else { continue }
            smallest = size
            best = EncodingPlan(
                encoding: encoding, dictionary: nil,
                bitsPerValue: Self.bits(values.kind, encoding, encodedSize, sampled))
        }
        let entries = min(options.dictionaryEntries, values.count / 4 + 1)
        guard
            let dictionary = ValueDictionary(
                values, hashes, entries: entries, bytes: options.dictionaryBytes)
        else { return best }
        return worthDictionary(dictionary, values.count, ranges, sampled, smallest)
            ? EncodingPlan(
                encoding: .rleDictionary, dictionary: dictionary, bitsPerValue: dictionary.width)
            : best
    }

    private func plain(_ values: DenseValues) -> EncodingPlan {
        EncodingPlan(
            encoding: .plain, dictionary: nil,
            bitsPerValue: Self.bits(values.kind, .plain, 0, 1))
    }

    private func candidates(_ kind: StorageKind) -> [Encoding] {
        let isStandard = options.profile == .standard
        switch kind {
        case .boolean, .int128, .fixed: return [.plain]
        case .int32, .int64: return isStandard ? [.plain, .deltaBinaryPacked] : [.plain]
        case .float, .double:
            return isStandard && options.splitsFloats ? [.plain, .byteStreamSplit] : [.plain]
        case .bytes:
            return isStandard ? [.deltaLengthByteArray, .deltaByteArray] : [.plain]
        }
    }

    /// Runs of neighbours from all over the values, or all when they are few.
    private static func sample(_ count: Int) -> [Range<Int>] {
        guard count > windows * windowSize else { return [0..<count] }
        let step = (count - windowSize) / (windows - 1)
        return (0..<windows).map { $0 * step..<$0 * step + windowSize }
    }

    /// Bytes of the sample compressed, and before.
    private func cost(
        _ ranges: [Range<Int>], _ encode: (Range<Int>, inout [UInt8]) -> Void
    ) -> (Int, Int) {
        var (total, encodedSize) = (0, 0)
        var frame: [UInt8] = []
        for range in ranges {
            var encoded: [UInt8] = []
            encode(range, &encoded)
            encodedSize += encoded.count
            let isSmaller = encoder.encode(encoded.span, into: &frame, limit: encoded.count)
            total += isSmaller ? frame.count : encoded.count
        }
        return (total, encodedSize)
    }

    private func worthDictionary(
        _ dictionary: ValueDictionary, _ count: Int, _ ranges: [Range<Int>], _ sampled: Int,
        _ others: Int
    ) -> Bool {
        let (indices, _) = cost(ranges) { range, target in
            HybridEncoder.encode(
                indices: dictionary.indices[range], width: dictionary.width, into: &target)
        }
        var plain: [UInt8] = []
        dictionary.values.encode(0..<dictionary.values.count, .plain, into: &plain)
        var frame: [UInt8] = []
        let isSmaller = encoder.encode(plain.span, into: &frame, limit: plain.count)
        let head = isSmaller ? frame.count : plain.count
        // The dictionary is there once, the indices as often as there are values.
        return Double(head) + Double(indices) * Double(count) / Double(sampled)
            < Double(others) * Double(count) / Double(sampled)
    }

    /// Rounded up to a few steps, so that a little more or less changes no page.
    private static func bits(
        _ kind: StorageKind, _ encoding: Encoding, _ encodedSize: Int, _ sampled: Int
    ) -> Int {
        if kind == .bytes { return 0 }
        guard encoding == .deltaBinaryPacked else {
            return kind == .boolean ? 1 : 8 * (kind.plainWidth ?? 1)
        }
        let found = encodedSize * 8 / max(sampled, 1) + 1
        let steps = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64]
        return steps.first { $0 >= found } ?? 64
    }
}
