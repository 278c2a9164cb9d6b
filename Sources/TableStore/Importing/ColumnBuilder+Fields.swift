internal import Bytes
internal import Parquet
internal import TableLog

/// The bytes of a block with the fields that were found in it.
struct FieldRows {
    let bytes: [UInt8]
    let fields: CSVFields
    /// Whether no byte is above 0x7f, so that all text is UTF-8.
    let isASCII: Bool

    var count: Int { fields.rowCount }

    func place(_ row: Int, _ field: Int) -> Range<Int> {
        let place = fields.places[row * fields.width + field] & ~CSVFields.quoted
        return Int(place >> 32)..<Int(place & 0xffff_ffff)
    }
}

/// A value that does not fit, by its row among those that were added together.
struct FieldProblem {
    var row: Int
    var problem: ValueProblem
}

// MARK: - Whole columns of fields
extension ColumnBuilder {
    /// Appends a field of each row; for those that do not fit there is a placeholder then.
    mutating func append(_ rows: FieldRows, _ field: Int) -> [FieldProblem] {
        switch type {
        case _ where !nullWords.isEmpty: appendSingly(rows, field)
        case .long:
            unsafe append(rows, field, { $0.int64s += $1 }) { text, count in
                unsafe FieldText.integer(text, count)
            }
        case .integer:
            unsafe append(rows, field, { $0.int32s += $1 }) { text, count in
                guard let value = unsafe FieldText.integer(text, count) else { return nil }
                return Int32(exactly: value)
            }
        case .date:
            unsafe append(rows, field, { $0.int32s += $1 }) { text, count in
                unsafe FieldText.date(text, count)
            }
        case .decimal(let precision, let scale) where precision <= 18:
            appendDecimals(rows, field, precision, scale)
        case .string where rows.isASCII && !isPartition: appendTexts(rows, field)
        default: appendSingly(rows, field)
        }
    }

    private mutating func appendDecimals(
        _ rows: FieldRows, _ field: Int, _ precision: Int, _ scale: Int
    ) -> [FieldProblem] {
        let limit = Int64(truncatingIfNeeded: ExactNumber.powers[precision])
        return unsafe append(rows, field, { $0.int64s += $1 }) { text, count in
            unsafe FieldText.decimal(text, count, scale: scale, limit: limit)
        }
    }

    /// Appends the value of a field that is no common one; false for a placeholder.
    private mutating func appendOdd(
        _ rows: FieldRows, _ row: Int, _ field: Int, _ problems: inout [FieldProblem]
    ) -> Bool {
        let place = rows.place(row, field)
        let isQuoted = rows.fields.places[row * rows.fields.width + field] & CSVFields.quoted != 0
        do throws(ValueProblem) {
            let isNullWord =
                !isQuoted && !nullWords.isEmpty
                && ExactText(utf8: rows.bytes[place]).map(nullWords.contains) == true
            if !place.isEmpty || isQuoted, !isNullWord {
                try append(text: rows.bytes[place])
                return true
            }
            // Nothing at all is null, except where null may not be and text may.
            if isNullable || type != .string || isNullWord {
                try appendNull()
                return false
            }
            try append(text: [])
            return true
        } catch {
            problems.append(FieldProblem(row: row, problem: error))
            appendPlaceholder()
            return false
        }
    }

    private mutating func appendSingly(_ rows: FieldRows, _ field: Int) -> [FieldProblem] {
        var problems: [FieldProblem] = []
        for row in 0..<rows.count { _ = appendOdd(rows, row, field, &problems) }
        return problems
    }

    /// Appends numbers that `parse` understands in one go, and lets others be looked at one by one.
    ///
    /// Soundness of the pointers: `CSVFields` holds places inside of the bytes, `width` for each
    /// row; the buffer has room for all rows.
    @inline(__always)
    private mutating func append<Value: BitwiseCopyable>(
        _ rows: FieldRows, _ field: Int, _ store: (inout ColumnBuilder, [Value]) -> Void,
        _ parse: (UnsafePointer<UInt8>, Int) -> Value?
    ) -> [FieldProblem] {
        var (problems, row): ([FieldProblem], Int) = ([], 0)
        while row < rows.count {
            let values = unsafe [Value](unsafeUninitializedCapacity: rows.count - row) {
                buffer, filled in
                unsafe Self.parse(rows, field, from: row, into: buffer, &filled, parse)
            }
            store(&self, values)
            addPresent(values.count)
            row += values.count
            guard row < rows.count else { break }
            _ = appendOdd(rows, row, field, &problems)
            row += 1
        }
        return problems
    }

    @inline(__always)
    private static func parse<Value: BitwiseCopyable>(
        _ rows: FieldRows, _ field: Int, from first: Int,
        into buffer: UnsafeMutableBufferPointer<Value>, _ filled: inout Int,
        _ parse: (UnsafePointer<UInt8>, Int) -> Value?
    ) {
        let (width, count) = (rows.fields.width, rows.count &- first)
        unsafe rows.bytes.withUnsafeBufferPointer { bytes in
            unsafe rows.fields.places.withUnsafeBufferPointer { places in
                guard let text = bytes.baseAddress, let start = places.baseAddress,
                    let target = buffer.baseAddress
                else { return }
                var place = unsafe start + (first &* width &+ field)
                var number = 0
                while number < count {
                    let bounds = unsafe place.pointee & ~CSVFields.quoted
                    let begin = Int(truncatingIfNeeded: bounds >> 32)
                    let end = Int(truncatingIfNeeded: bounds & 0xffff_ffff)
                    guard let value = unsafe parse(text + begin, end &- begin) else { break }
                    unsafe (target + number).initialize(to: value)
                    number &+= 1
                    unsafe place += width
                }
                filled = number
            }
        }
    }

    private mutating func addPresent(_ added: Int) {
        count += added
        if nullCount > 0 { validity.append(true, count: added) }
    }
}

// MARK: - Text
extension ColumnBuilder {
    /// Appends text of ASCII; where there is nothing between two delimiters it is null.
    ///
    /// Soundness of the pointers: as above; the room for all bytes, and 16 more, is summed up
    /// before they are copied, and as many follow those of the block.
    private mutating func appendTexts(_ rows: FieldRows, _ field: Int) -> [FieldProblem] {
        var total = 0
        for row in 0..<rows.count { total += rows.place(row, field).count }
        guard total <= Int(Int32.max) - data.count else { return appendSingly(rows, field) }
        let start = data.count
        let firstOffset = offsets.count
        data.append(contentsOf: repeatElement(0, count: total + CSVSplitting.padding))
        offsets.append(contentsOf: repeatElement(0, count: rows.count))
        var nulls: [Int] = []
        let (width, count, isNullable) = (rows.fields.width, rows.count, isNullable)
        unsafe data.withUnsafeMutableBytes { target in
            unsafe rows.bytes.withUnsafeBytes { source in
                unsafe rows.fields.places.withUnsafeBufferPointer { places in
                    unsafe offsets.withUnsafeMutableBufferPointer { offsets in
                        var end = start
                        for row in 0..<count {
                            let place = unsafe places[row &* width &+ field]
                            let bounds = place & ~CSVFields.quoted
                            let begin = Int(truncatingIfNeeded: bounds >> 32)
                            let size = Int(truncatingIfNeeded: bounds & 0xffff_ffff) &- begin
                            if size == 0, isNullable, place & CSVFields.quoted == 0 {
                                nulls.append(row)
                            }
                            unsafe Self.copy(source, begin, target, end, size)
                            end &+= size
                            unsafe offsets[firstOffset &+ row] = Int32(truncatingIfNeeded: end)
                        }
                    }
                }
            }
        }
        data.removeLast(CSVSplitting.padding)
        addRows(count, nulls: nulls)
        return []
    }

    /// Copies 16 bytes at once where there are no more.
    @inline(__always)
    private static func copy(
        _ source: UnsafeRawBufferPointer, _ from: Int, _ target: UnsafeMutableRawBufferPointer,
        _ to: Int, _ count: Int
    ) {
        guard let source = source.baseAddress, let target = target.baseAddress else { return }
        if count <= 16 {
            let block = unsafe source.loadUnaligned(fromByteOffset: from, as: SIMD16<UInt8>.self)
            unsafe target.storeBytes(of: block, toByteOffset: to, as: SIMD16<UInt8>.self)
        } else {
            unsafe (target + to).copyMemory(from: source + from, byteCount: count)
        }
    }

    /// Notes rows of which some are null.
    private mutating func addRows(_ added: Int, nulls: [Int]) {
        if nullCount == 0, !nulls.isEmpty { validity = Bitmap(repeating: true, count: count) }
        count += added
        nullCount += nulls.count
        guard nullCount > 0 else { return }
        var next = 0
        for row in nulls {
            validity.append(true, count: row - next)
            validity.append(false, count: 1)
            next = row + 1
        }
        validity.append(true, count: added - next)
    }
}
