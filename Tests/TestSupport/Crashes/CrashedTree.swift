internal import Platform

/// What is left of a tree after a crash.
struct CrashedTree {
    struct Item: Hashable {
        var path: [UInt8]
        var node: FileNode
        var kind: FileChange.Kind
        var bytes: [UInt8]
        var attributes: FileChange.Attributes
        var ctime: Timestamp
    }

    /// Each directory stands before what is in it; the first is the root, with an empty path.
    var items: [Item] = []

    /// Two trees with different numbers differ.
    var fingerprint: Int {
        var hasher = Hasher()
        hasher.combine(items)
        return hasher.finalize()
    }
}
