/// Encoding of values for data pages and dictionaries.
extension DenseValues {
    /// Appends the values in `range` in `encoding`, which is none of a dictionary and fits the
    /// kind.
    func encode(_ range: Range<Int>, _ encoding: Encoding, into target: inout [UInt8]) {
        switch encoding {
        case .plain: encodePlain(range, into: &target)
        case .deltaBinaryPacked:
            if kind == .int32 {
                DeltaEncoder.encode(int32s[range], into: &target)
            } else {
                DeltaEncoder.encode(int64s[range], into: &target)
            }
        case .deltaLengthByteArray:
            DeltaEncoder.encode(lengths(range)[...], into: &target)
            target += data[Int(offsets[range.lowerBound])..<Int(offsets[range.upperBound])]
        case .deltaByteArray: encodeFrontCoded(range, into: &target)
        case .byteStreamSplit: encodeSplit(range, into: &target)
        case .plainDictionary, .rle, .bitPacked, .rleDictionary, .alp:
            preconditionFailure("an encoding that values are not written in")
        }
    }

    private func lengths(_ range: Range<Int>) -> [Int32] {
        range.map { offsets[$0 + 1] - offsets[$0] }
    }

    private func encodePlain(_ range: Range<Int>, into target: inout [UInt8]) {
        switch kind {
        case .boolean:
            var packer = BitPacker()
            for flag in booleans[range] { packer.put(UInt64(flag), width: 1, to: &target) }
            packer.finish(to: &target)
        case .int32: Self.append(int32s[range], to: &target)
        case .int64: Self.append(int64s[range], to: &target)
        case .float: Self.append(floats[range], to: &target)
        case .double: Self.append(doubles[range], to: &target)
        case .bytes:
            for index in range {
                let value = Int(offsets[index])..<Int(offsets[index + 1])
                target.appendLittleEndian(UInt64(value.count), size: 4)
                target += data[value]
            }
        case .fixed(let width):
            target += data[range.lowerBound * width..<range.upperBound * width]
        case .int128: preconditionFailure("decimals are stored as bytes")
        }
    }

    /// Little-endian, which is the order of the machines that this runs on.
    @inline(__always)
    private static func append<Value: BitwiseCopyable>(
        _ values: ArraySlice<Value>, to target: inout [UInt8]
    ) {
        unsafe values.withUnsafeBytes { unsafe target.append(contentsOf: $0) }
    }

    private func encodeFrontCoded(_ range: Range<Int>, into target: inout [UInt8]) {
        var prefixes: [Int32] = []
        var suffixes: [Int32] = []
        var rest: [UInt8] = []
        var previous = 0..<0
        for index in range {
            let value = Int(offsets[index])..<Int(offsets[index + 1])
            var shared = 0
            let most = min(previous.count, value.count)
            while shared < most,
                data[previous.lowerBound + shared] == data[value.lowerBound + shared]
            { shared += 1 }
            prefixes.append(Int32(truncatingIfNeeded: shared))
            suffixes.append(Int32(truncatingIfNeeded: value.count - shared))
            rest += data[value.dropFirst(shared)]
            previous = value
        }
        DeltaEncoder.encode(prefixes[...], into: &target)
        DeltaEncoder.encode(suffixes[...], into: &target)
        target += rest
    }

    private func encodeSplit(_ range: Range<Int>, into target: inout [UInt8]) {
        var joined: [UInt8] = []
        encodePlain(range, into: &joined)
        let width = kind.plainWidth ?? 1
        for stream in 0..<width {
            for index in stride(from: stream, to: joined.count, by: width) {
                target.append(joined[index])
            }
        }
    }
}
