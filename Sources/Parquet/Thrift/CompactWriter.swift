internal import Bytes

/// Writes structures in Thrift's compact protocol; `CompactReader` draws it.
struct CompactWriter {
    private var writer = ByteWriter()
    /// Ids of the last fields of the structures that are open, outermost first.
    private var last: [Int16] = [0]

    var bytes: [UInt8] { writer.bytes }

    private mutating func header(_ id: Int16, _ type: CompactType) {
        let before = last[last.count - 1]
        let delta = Int(id) - Int(before)
        if delta > 0, delta < 16 {
            writer.u8(UInt8(delta) << 4 | type.rawValue)
        } else {
            writer.u8(type.rawValue)
            writer.signed(Int64(id))
        }
        last[last.count - 1] = id
    }

    mutating func field(_ id: Int16, _ value: Bool) { header(id, value ? .yes : .no) }

    mutating func field(_ id: Int16, _ value: Int8) {
        header(id, .i8)
        writer.u8(UInt8(bitPattern: value))
    }

    mutating func field(_ id: Int16, _ value: Int16) {
        header(id, .i16)
        writer.signed(Int64(value))
    }

    mutating func field(_ id: Int16, _ value: Int32) {
        header(id, .i32)
        writer.signed(Int64(value))
    }

    mutating func field(_ id: Int16, _ value: Int64) {
        header(id, .i64)
        writer.signed(value)
    }

    mutating func field(_ id: Int16, _ value: [UInt8]) {
        header(id, .binary)
        writer.string(value)
    }

    mutating func field(_ id: Int16, _ value: ExactText) { field(id, Array(value.utf8)) }

    /// Begins a structure in field `id`; `end` ends it.
    mutating func begin(_ id: Int16) {
        header(id, .structure)
        last.append(0)
    }

    /// Begins a structure that is an element of a list; `end` ends it.
    mutating func begin() { last.append(0) }

    mutating func end() {
        writer.u8(0)
        last.removeLast()
    }

    /// Ends the outermost structure.
    mutating func finish() -> [UInt8] {
        precondition(last.count == 1)
        writer.u8(0)
        return writer.bytes
    }

    /// Writes an empty structure in field `id`.
    mutating func empty(_ id: Int16) {
        begin(id)
        end()
    }

    /// Writes the header of a list; its elements follow.
    mutating func list(_ id: Int16, of type: CompactType, count: Int) {
        header(id, .list)
        if count < 15 {
            writer.u8(UInt8(count) << 4 | type.rawValue)
        } else {
            writer.u8(0xf0 | type.rawValue)
            writer.count(count)
        }
    }

    mutating func element(_ value: Int64) { writer.signed(value) }
    mutating func element(_ value: Int32) { writer.signed(Int64(value)) }
    mutating func element(_ value: Bool) { writer.u8(value ? 1 : 2) }
    mutating func element(_ value: [UInt8]) { writer.string(value) }
    mutating func element(_ value: ExactText) { writer.string(Array(value.utf8)) }
}
