package import Platform

internal import JSON

/// What tells whether a path changed: nobody can change a file and leave all of this as it was,
/// because the change time cannot be set.
package struct FileStamp: Hashable, Sendable {
    package var size: UInt64
    package var mtime: Timestamp
    package var ctime: Timestamp
    package var inode: UInt64

    package init(_ status: FileStatus) {
        size = status.type == .directory ? 0 : status.size
        mtime = status.mtime
        ctime = status.ctime
        inode = status.inode
    }

    /// The clock behind change times ticks every few milliseconds: what is written within the tick
    /// of the last change leaves no trace (as in git's "racy" index).
    private static let tick: Int64 = 20_000_000

    /// Whether a change right after `now` could leave the stamp as it is.
    func isRacy(at now: Timestamp) -> Bool {
        let seconds = now.seconds.subtractingReportingOverflow(ctime.seconds)
        guard !seconds.overflow, seconds.partialValue <= 1 else { return false }
        let nanoseconds = Int64(now.nanoseconds) - Int64(ctime.nanoseconds)
        return seconds.partialValue &* 1_000_000_000 &+ nanoseconds < Self.tick
    }

    /// The stamp, or one that no file has where a change after `now` could leave no trace: what may
    /// have changed counts as changed.
    func settled(at now: Timestamp) -> Self {
        guard isRacy(at: now) else { return self }
        var stamp = self
        stamp.ctime = Timestamp(seconds: 0, nanoseconds: 0)
        return stamp
    }
}

// MARK: - JSON
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
        self.size = size
        self.mtime = mtime
        self.ctime = ctime
        self.inode = inode
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
    var uint64: UInt64? { if case .number(let text) = self { UInt64(text) } else { nil } }
}
