package import Platform

/// Size, times and inode of a path: what differs when it was changed, as long as it is settled.
///
/// The change time cannot be set, but it comes from a clock with ticks: a change within the tick of
/// the one before leaves the stamp as it is (git's "racy" index). So a stamp counts only once the
/// change time is older than the time of looking by a window that covers the tick.
package struct FileStamp: Hashable, Sendable {
    package var size: UInt64
    package var mtime: Timestamp
    package var ctime: Timestamp
    /// Zero in `unknown` alone.
    package var inode: UInt64

    /// Fits no file.
    package static let unknown = FileStamp(
        size: 0, mtime: Timestamp(seconds: 0, nanoseconds: 0),
        ctime: Timestamp(seconds: 0, nanoseconds: 0), inode: 0)

    package init(size: UInt64, mtime: Timestamp, ctime: Timestamp, inode: UInt64) {
        self.size = size
        self.mtime = mtime
        self.ctime = ctime
        self.inode = inode
    }

    /// The size of a directory says nothing, and counts as zero.
    package init(_ status: FileStatus) {
        self.init(
            size: status.type == .directory ? 0 : status.size, mtime: status.mtime,
            ctime: status.ctime, inode: status.inode)
    }

    /// The same file with the same content, as far as a rename, which sets the change time, leaves
    /// that to see.
    package func isSameFile(_ other: Self) -> Bool {
        inode != 0 && size == other.size && mtime == other.mtime && inode == other.inode
    }
}

/// How much older than the time of looking a change time must be to be trusted.
package enum RacyWindow: Sendable {
    /// For a file system of this host whose clock is ours: it ticks every 4 to 10 ms.
    case local
    /// For any file system: FAT keeps times in steps of two seconds, a server has its own clock.
    case any

    var nanoseconds: Int64 {
        switch self {
        case .local: 20_000_000
        case .any: 2_000_000_000
        }
    }
}

extension FileStamp {
    /// Whether a change right after `now` could leave the stamp as it is.
    package func isRacy(at now: Timestamp, _ window: RacyWindow) -> Bool {
        ctime >= now.earlier(by: window)
    }

    /// The stamp; where a change after `now` could leave no trace, with a change time that no file
    /// has: what may have changed counts as changed.
    package func settled(at now: Timestamp, _ window: RacyWindow) -> Self {
        guard isRacy(at: now, window) else { return self }
        var stamp = self
        stamp.ctime = Self.unknown.ctime
        return stamp
    }
}

extension Timestamp {
    /// The time before which changes seen at this time are trusted; the earliest of all times where
    /// 64 bits of seconds do not reach.
    package func earlier(by window: RacyWindow) -> Timestamp {
        let second: Int64 = 1_000_000_000
        var seconds = seconds.subtractingReportingOverflow(window.nanoseconds / second)
        var left = Int64(nanoseconds) - window.nanoseconds % second
        if left < 0 {
            left += second
            if !seconds.overflow { seconds = seconds.partialValue.subtractingReportingOverflow(1) }
        }
        guard !seconds.overflow else { return Timestamp(seconds: .min, nanoseconds: 0) }
        return Timestamp(seconds: seconds.partialValue, nanoseconds: UInt32(left))
    }
}
