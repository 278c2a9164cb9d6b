internal import Bytes
internal import JSON
internal import Platform
internal import Trees

extension FileStamp {
    /// An array of size, mtime in s and ns, ctime in s and ns, inode.
    var json: JSONValue {
        .array([
            .number(size), .number(mtime.seconds), .number(mtime.nanoseconds),
            .number(ctime.seconds), .number(ctime.nanoseconds), .number(inode),
        ])
    }

    init?(_ json: JSONValue?) {
        guard let values = json?.array, values.count == 6,
            let size = values[0].uint64, let mtime = Timestamp(values[1], values[2]),
            let ctime = Timestamp(values[3], values[4]), let inode = values[5].uint64
        else { return nil }
        self.init(size: size, mtime: mtime, ctime: ctime, inode: inode)
    }
}

extension Timestamp {
    init?(_ seconds: JSONValue, _ nanoseconds: JSONValue) {
        guard let seconds = seconds.int64, let nanoseconds = nanoseconds.uint64,
            nanoseconds < 1_000_000_000
        else { return nil }
        self.init(seconds: seconds, nanoseconds: UInt32(nanoseconds))
    }

    /// An array of seconds and nanoseconds.
    var json: JSONValue { .array([.number(seconds), .number(nanoseconds)]) }

    init?(_ json: JSONValue?) {
        guard let values = json?.array, values.count == 2 else { return nil }
        self.init(values[0], values[1])
    }
}

extension JSONValue {
    /// A whole number that is not negative.
    var uint64: UInt64? { if case .number(let text) = self { UInt64(text.string) } else { nil } }
}
