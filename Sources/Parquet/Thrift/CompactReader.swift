internal import Bytes

/// The types of the compact protocol, as they stand in field and list headers.
enum CompactType: UInt8 {
    case yes = 1
    case no = 2
    case i8 = 3
    case i16 = 4
    case i32 = 5
    case i64 = 6
    case double = 7
    case binary = 8
    case list = 9
    case set = 10
    case map = 11
    case structure = 12
    case uuid = 13
}

/// A cursor over a structure in Thrift's compact protocol.
///
///     structure  = field* 00
///     field      = (delta of id << 4 | type), or type and the id as zigzag varint; then the value
///     list       = (size << 4 | type), or f0 | type and the size as varint; then the elements
///     binary     = size as varint, bytes
///     integers   = zigzag varint; i8 is one byte; a boolean field has its value in its type
///
/// The bytes are hostile until checked. Every element takes a byte at least, so a list cannot
/// declare more elements than bytes remain; structures and list elements are counted against a
/// budget that the caller sets, and skipping stops at a depth. Source: THRIFT-110,
/// thrift-compact-protocol.md.
struct CompactReader {
    private let bytes: [UInt8]
    private let end: Int
    private(set) var offset: Int
    private var budget: Int
    private let depthLimit: Int

    init(_ bytes: [UInt8], from offset: Int = 0, limits: ReaderLimits) {
        precondition(offset >= 0 && offset <= bytes.count)
        self.bytes = bytes
        self.offset = offset
        end = bytes.count
        budget = limits.metadataItems
        depthLimit = limits.depth
    }

    /// Where a structure stands: the id of the last field.
    struct Fields {
        fileprivate var last: Int16 = 0
    }

    /// The header of a field.
    struct Field {
        let id: Int16
        let type: CompactType
    }

    func error(_ kind: ParquetError.Kind, _ expected: String) -> ParquetError {
        ParquetError(kind, at: Int64(offset), expected)
    }

    private mutating func byte() throws(ParquetError) -> UInt8 {
        guard offset < end else { throw error(.truncated, "more of a Thrift structure") }
        defer { offset += 1 }
        return bytes[offset]
    }

    private mutating func varint() throws(ParquetError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let next = try byte()
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        throw error(.invalid, "a varint of at most ten bytes")
    }

    private mutating func zigzag() throws(ParquetError) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    private mutating func spend(_ count: Int) throws(ParquetError) {
        guard count <= budget else { throw error(.tooLarge, "structures of a Thrift message") }
        budget -= count
    }

    private func type(_ nibble: UInt8) throws(ParquetError) -> CompactType {
        guard let type = CompactType(rawValue: nibble) else {
            throw error(.invalid, "a type of the compact protocol")
        }
        return type
    }

    /// Counts a structure that is about to be read.
    mutating func begin() throws(ParquetError) -> Fields {
        try spend(1)
        return Fields()
    }

    /// Reads the header of the next field, or nil at the end of the structure.
    mutating func next(_ fields: inout Fields) throws(ParquetError) -> Field? {
        let header = try byte()
        guard header != 0 else { return nil }
        let type = try type(header & 0x0f)
        let id: Int16
        if header >> 4 == 0 {
            guard let explicit = Int16(exactly: try zigzag()) else {
                throw error(.invalid, "a field id of 16 bits")
            }
            id = explicit
        } else {
            let (sum, overflow) = fields.last.addingReportingOverflow(Int16(header >> 4))
            guard !overflow else { throw error(.invalid, "a field id of 16 bits") }
            id = sum
        }
        fields.last = id
        return Field(id: id, type: type)
    }

    private func expect(_ field: Field, _ type: CompactType) throws(ParquetError) {
        guard field.type == type else {
            throw error(.invalid, "field \(field.id) of type \(type)")
        }
    }
}

// MARK: - Values
extension CompactReader {
    func bool(_ field: Field) throws(ParquetError) -> Bool {
        guard field.type == .yes || field.type == .no else {
            throw error(.invalid, "a boolean in field \(field.id)")
        }
        return field.type == .yes
    }

    mutating func int64(_ field: Field) throws(ParquetError) -> Int64 {
        try expect(field, .i64)
        return try zigzag()
    }

    mutating func int32(_ field: Field) throws(ParquetError) -> Int32 {
        try expect(field, .i32)
        return try int32()
    }

    mutating func int16(_ field: Field) throws(ParquetError) -> Int16 {
        try expect(field, .i16)
        guard let value = Int16(exactly: try zigzag()) else {
            throw error(.invalid, "an integer of 16 bits")
        }
        return value
    }

    mutating func int8(_ field: Field) throws(ParquetError) -> Int8 {
        try expect(field, .i8)
        return Int8(bitPattern: try byte())
    }

    mutating func binary(_ field: Field) throws(ParquetError) -> [UInt8] {
        try expect(field, .binary)
        return try binary()
    }

    mutating func string(_ field: Field) throws(ParquetError) -> ExactText {
        try expect(field, .binary)
        return try string()
    }

    /// Checks that a structure follows.
    func structure(_ field: Field) throws(ParquetError) { try expect(field, .structure) }

    /// Reads the header of a list of `type`; its elements follow.
    mutating func list(_ field: Field, of type: CompactType) throws(ParquetError) -> Int {
        try expect(field, .list)
        let (count, found) = try listHeader()
        guard count == 0 || found == type || (type == .yes && found == .no) else {
            throw error(.invalid, "a list of type \(type) in field \(field.id)")
        }
        return count
    }

    private mutating func listHeader() throws(ParquetError) -> (Int, CompactType) {
        let header = try byte()
        var count = UInt64(header >> 4)
        if count == 15 { count = try varint() }
        guard count <= UInt64(end - offset) else {
            throw error(.truncated, "\(count) elements of a list")
        }
        try spend(Int(count))
        return (Int(count), count == 0 && header & 0x0f == 0 ? .yes : try type(header & 0x0f))
    }

    /// An element of a list.
    mutating func int32() throws(ParquetError) -> Int32 {
        guard let value = Int32(exactly: try zigzag()) else {
            throw error(.invalid, "an integer of 32 bits")
        }
        return value
    }

    /// An element of a list.
    mutating func int64() throws(ParquetError) -> Int64 { try zigzag() }

    /// An element of a list.
    mutating func bool() throws(ParquetError) -> Bool { try byte() == 1 }

    /// An element of a list.
    mutating func binary() throws(ParquetError) -> [UInt8] {
        let count = try varint()
        guard count <= UInt64(end - offset) else { throw error(.truncated, "\(count) bytes") }
        defer { offset += Int(count) }
        return Array(bytes[offset..<offset + Int(count)])
    }

    /// An element of a list; not UTF-8 is refused.
    mutating func string() throws(ParquetError) -> ExactText {
        let start = offset
        guard let string = ExactText(utf8: try binary()) else {
            throw ParquetError(.invalid, at: Int64(start), "UTF-8")
        }
        return string
    }
}

// MARK: - Skipping
extension CompactReader {
    /// Passes over the value of a field that is of no use here.
    mutating func skip(_ field: Field) throws(ParquetError) {
        if field.type == .yes || field.type == .no { return }
        try skip(field.type, depth: 0)
    }

    /// Passes over an element of a list or the value of a field.
    private mutating func skip(_ type: CompactType, depth: Int) throws(ParquetError) {
        guard depth < depthLimit else { throw error(.tooLarge, "depth of a Thrift message") }
        switch type {
        case .yes, .no, .i8: _ = try byte()
        case .i16, .i32, .i64: _ = try varint()
        case .double: try advance(8)
        case .uuid: try advance(16)
        case .binary:
            let count = try varint()
            try advance(Int(clamping: count))
        case .list, .set:
            let (count, element) = try listHeader()
            for _ in 0..<count { try skip(element, depth: depth + 1) }
        case .map: try skipMap(depth: depth)
        case .structure:
            var fields = try begin()
            while let field = try next(&fields) {
                guard field.type != .yes, field.type != .no else { continue }
                try skip(field.type, depth: depth + 1)
            }
        }
    }

    private mutating func skipMap(depth: Int) throws(ParquetError) {
        let count = try varint()
        guard count > 0 else { return }
        guard count <= UInt64(end - offset) else {
            throw error(.truncated, "\(count) elements of a map")
        }
        try spend(Int(count))
        let types = try byte()
        let (key, value) = (try type(types >> 4), try type(types & 0x0f))
        for _ in 0..<count {
            try skip(key, depth: depth + 1)
            try skip(value, depth: depth + 1)
        }
    }

    private mutating func advance(_ count: Int) throws(ParquetError) {
        guard count <= end - offset else { throw error(.truncated, "\(count) bytes") }
        offset += count
    }
}
