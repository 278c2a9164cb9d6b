extension Column {
    /// Puts columns of the same kind one behind the other; there is one at least.
    package static func joined(_ pieces: [Column]) -> Column {
        guard pieces.count > 1 else { return pieces[0] }
        var validity: Bitmap?
        if pieces.contains(where: { $0.validity != nil }) {
            var joined = Bitmap()
            for piece in pieces {
                if let bits = piece.validity {
                    joined.append(bits)
                } else {
                    joined.append(true, count: piece.count)
                }
            }
            validity = joined
        }
        return Column(
            count: pieces.reduce(0) { $0 + $1.count }, validity: validity,
            values: ColumnValues.joined(pieces.map(\.values)))
    }
}

extension ColumnValues {
    /// Takes what `part` finds in each piece; a piece of another kind is a mistake of ours.
    private static func all<Part>(
        _ pieces: [ColumnValues], _ part: (ColumnValues) -> Part?
    ) -> [Part] {
        let parts = pieces.compactMap(part)
        precondition(parts.count == pieces.count, "columns of one kind")
        return parts
    }

    fileprivate static func joined(_ pieces: [ColumnValues]) -> ColumnValues {
        switch pieces[0] {
        case .boolean:
            var joined = Bitmap()
            for part in all(pieces, { if case .boolean(let bits) = $0 { bits } else { nil } }) {
                joined.append(part)
            }
            return .boolean(joined)
        case .int32:
            return .int32(flat(all(pieces) { if case .int32(let part) = $0 { part } else { nil } }))
        case .int64:
            return .int64(flat(all(pieces) { if case .int64(let part) = $0 { part } else { nil } }))
        case .int128:
            return .int128(
                flat(all(pieces) { if case .int128(let part) = $0 { part } else { nil } }))
        case .float:
            return .float(flat(all(pieces) { if case .float(let part) = $0 { part } else { nil } }))
        case .double:
            return .double(
                flat(all(pieces) { if case .double(let part) = $0 { part } else { nil } }))
        case .fixed(let width, _):
            let parts = all(pieces) { if case .fixed(_, let part) = $0 { part } else { nil } }
            return .fixed(width: width, data: flat(parts))
        case .bytes:
            let parts = all(pieces) {
                if case .bytes(let offsets, let data) = $0 { (offsets, data) } else { nil }
            }
            return .bytes(offsets: offsets(parts.map(\.0)), data: flat(parts.map(\.1)))
        case .structure, .list, .map: return joinedNested(pieces)
        }
    }

    private static func joinedNested(_ pieces: [ColumnValues]) -> ColumnValues {
        switch pieces[0] {
        case .structure(let first):
            let parts = all(pieces) { if case .structure(let part) = $0 { part } else { nil } }
            return .structure(
                first.indices.map { index in Column.joined(parts.map { $0[index] }) })
        case .list:
            let parts = all(pieces) {
                if case .list(let offsets, let element) = $0 { (offsets, element) } else { nil }
            }
            return .list(
                offsets: offsets(parts.map(\.0)), element: Column.joined(parts.map(\.1)))
        default:
            let parts = all(pieces) {
                if case .map(let offsets, let key, let value) = $0 {
                    (offsets, key, value)
                } else {
                    nil
                }
            }
            let values = parts.compactMap(\.2)
            return .map(
                offsets: offsets(parts.map(\.0)), key: Column.joined(parts.map(\.1)),
                value: values.count == parts.count ? Column.joined(values) : nil)
        }
    }

    private static func flat<Value>(_ parts: [[Value]]) -> [Value] {
        var joined: [Value] = []
        joined.reserveCapacity(parts.reduce(0) { $0 + $1.count })
        for part in parts { joined += part }
        return joined
    }

    private static func offsets(_ parts: [[Int32]]) -> [Int32] {
        var joined: [Int32] = [0]
        joined.reserveCapacity(parts.reduce(1) { $0 + $1.count })
        for part in parts {
            let shift = joined[joined.count - 1]
            for offset in part.dropFirst() { joined.append(shift + offset) }
        }
        return joined
    }
}
