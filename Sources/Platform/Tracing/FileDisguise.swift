/// Shows copies of files with the identity of those that they are copies of, in a debug build.
///
/// What a file system keeps over a crash, and what no call can set: the number of an inode and the
/// time of its last change. A copy that is changed afterwards shows when that was.
package final class FileDisguise: Sendable {
    private struct Shown {
        var owner: ObjectIdentifier
        /// The change time of the copy while it is as it was made.
        var madeAt: Timestamp
        var inode: UInt64
        var ctime: Timestamp
    }

    private static let shown = Monitor<[FileTrace.Key: Shown]>([:])

    /// Disguises nothing yet.
    package init() {}

    deinit { clear() }

    /// Shows the file with this status as another.
    package func add(_ copy: FileStatus, inode: UInt64, ctime: Timestamp) {
        guard let key = FileTrace.Key(copy) else { return }
        let shown = Shown(
            owner: ObjectIdentifier(self), madeAt: copy.ctime, inode: inode, ctime: ctime)
        Self.shown.withState { $0[key] = shown }
    }

    /// Shows all of its files as they are.
    package func clear() {
        let owner = ObjectIdentifier(self)
        Self.shown.withState { shown in shown = shown.filter { $0.value.owner != owner } }
    }

    static func apply(to status: inout FileStatus) {
        guard let key = FileTrace.Key(status), let shown = shown.withState({ $0[key] }) else {
            return
        }
        status.inode = shown.inode
        if status.ctime == shown.madeAt { status.ctime = shown.ctime }
    }
}
