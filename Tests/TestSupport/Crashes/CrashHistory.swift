internal import Bytes
package import Platform

// What a power cut leaves of a tree: the model.
//
// The trace of a run (FileTrace) is a list of changes. A crash is a number of changes that were
// made, and a seed that decides what of them is left. Nothing is lost that a sync returned for:
// a sync of a file keeps its content, size and attributes, a sync of a directory the names in it,
// a sync of the file system everything. All else may be lost, within these rules:
//
// Names. Each change of a name is atomic, a rename over two directories and over an old name too.
// Half of the crashes keep a prefix of all changes of names, which is what the journals of ext4 and
// XFS do: they commit transactions in order (jbd2; the XFS log). The other half keep a prefix for
// each directory by itself, so that of two directories the later change may be there without the
// earlier one. That is weaker than either journal, and covers fast commits of ext4 and the log
// trees of btrfs, which are written for one file. A rename belongs to both of its directories, and
// never leads to a directory that is gone; the removal of a directory belongs to what was in it.
// No model takes the sync of a file to keep its name, or the sync of a directory to keep the name
// of the directory, though ext4 mostly does both.
//
// Content. What was written since the last sync of a file is there, or not, or in part: the file
// as it was then; as it was after any of the later writes; the new size with zeros in place of all
// that was not there before (delayed allocation; XFS holes); empty, where it was cut off between
// (open with truncation, without the heuristics of auto_da_alloc); or each sector of 512 bytes by
// itself new, old or zeros where there was nothing, perhaps cut off at any length. Content is never
// ordered against names: a file that was renamed to its place without a sync may be empty there.
//
// Attributes (mode, owner, times, extended ones). A prefix of the changes for each file by itself,
// in a journal not more than it has of names. Symlinks and special files, which cannot be synced,
// have all that they were given.
//
// Not modelled: sectors that cannot be read, metadata that is torn, disks that lie about a flush.

/// The changes of a trace, arranged so that any crash can be made of them at once.
package struct CrashHistory: Sendable {
    /// A change of names in one directory or two.
    struct NameChange {
        /// Number of the change in the trace.
        var index: Int
        /// Those whose order it keeps.
        var directories: [FileNode]
        /// What the names stand for afterwards.
        var results: [(place: FileChange.Entry, node: FileNode?)]
        var time: Timestamp
        /// Changes, by their place in the list, that gave the directories above their names: what
        /// is moved there must be found there.
        var needs: [Int] = []
    }

    struct Content {
        var index: Int
        var bytes: [UInt8]
        var time: Timestamp
        /// The file was made shorter by this.
        var isCutOff: Bool
    }

    struct Node {
        var kind = FileChange.Kind.directory
        /// After each change of it; at first it is empty.
        var contents: [Content] = []
        var attributes: [(index: Int, value: FileChange.Attributes, time: Timestamp)] = []
        /// When it was synced.
        var syncs: [Int] = []
    }

    private(set) var nodes: [FileNode: Node] = [FileNode(0): Node()]
    private(set) var names: [NameChange] = []
    private var marks: [Int] = []
    /// For each directory, the change that named it last, and where.
    private var naming: [FileNode: (change: Int, parent: FileNode)] = [:]
    /// Changes in all.
    package private(set) var count = 0
    /// How many of them make the tree as it was at the start.
    package private(set) var start = 0
    /// The same for runs that do the same in the same order, whatever names they invent.
    package private(set) var shape: UInt64 = 0xcbf2_9ce4_8422_2325

    package init(_ changes: [FileChange]) {
        for (index, change) in changes.enumerated() {
            add(change, index)
            if case .syncAll = change.action, start == 0 { start = index + 1 }
        }
        count = changes.count
    }

    /// How many marks stand before change number `point`.
    func marks(before point: Int) -> Int { marks.count { $0 < point } }

    private mutating func add(_ change: FileChange, _ index: Int) {
        switch change.action {
        case .make(let node, let kind, let place):
            nodes[node] = Node(kind: kind)
            names(index, change, [place.directory], [(place, node)])
            fold(1, node)
        case .link(let node, let place):
            names(index, change, [place.directory], [(place, node)])
            fold(2, node)
        case .remove(let node, let place):
            names(index, change, [place.directory] + ifDirectory(node), [(place, nil)])
            fold(3, node)
        case .rename(let node, let from, let to, let replaced):
            let directories = [from.directory, to.directory] + (replaced.map(ifDirectory) ?? [])
            let needs = from.directory == to.directory ? [] : namings(of: to.directory)
            names(index, change, directories, [(from, nil), (to, node)], needs)
            fold(4, node)
        case .exchange(let node, let place, let other, let otherPlace):
            let directories = [place.directory, otherPlace.directory]
            names(index, change, directories, [(place, other), (otherPlace, node)])
            fold(10, node)
        case .write, .resize, .punch: content(change, index)
        case .set(let node, let value):
            nodes[node]?.attributes.append((index, value, change.time))
            fold(6, node)
        case .sync(let node):
            nodes[node]?.syncs.append(index)
            fold(7, node)
        case .syncAll:
            for node in nodes.keys { nodes[node]?.syncs.append(index) }
            fold(8, FileNode(0))
        case .mark:
            marks.append(index)
            fold(9, FileNode(0))
        }
    }

    /// FNV-1a over words.
    private mutating func fold(_ kind: UInt64, _ node: FileNode) {
        shape = (shape ^ (kind << 32 | UInt64(node.number))) &* 0x100_0000_01b3
    }

    private func ifDirectory(_ node: FileNode) -> [FileNode] {
        nodes[node]?.kind == .directory ? [node] : []
    }

    private mutating func names(
        _ index: Int, _ change: FileChange, _ directories: [FileNode],
        _ results: [(place: FileChange.Entry, node: FileNode?)], _ needs: [Int] = []
    ) {
        for case (let place, let node?) in results where nodes[node]?.kind == .directory {
            naming[node] = (names.count, place.directory)
        }
        var unique: [FileNode] = []
        for directory in directories where !unique.contains(directory) { unique.append(directory) }
        names.append(
            NameChange(
                index: index, directories: unique, results: results, time: change.time,
                needs: needs))
    }

    /// The changes by which a directory and those above it have the names that they have.
    private func namings(of directory: FileNode) -> [Int] {
        var changes: [Int] = []
        var next = directory
        while let (change, parent) = naming[next], !changes.contains(change) {
            changes.append(change)
            next = parent
        }
        return changes
    }

    private mutating func content(_ change: FileChange, _ index: Int) {
        let node: FileNode
        var bytes: [UInt8]
        var isCutOff = false
        switch change.action {
        case .write(let written, let new, let offset):
            node = written
            bytes = nodes[node]?.contents.last?.bytes ?? []
            let start = Int(offset)
            grow(&bytes, to: start + new.count)
            bytes.replaceSubrange(start..<start + new.count, with: new)
        case .resize(let resized, let size):
            node = resized
            bytes = nodes[node]?.contents.last?.bytes ?? []
            isCutOff = Int(size) < bytes.count
            if isCutOff { bytes.removeLast(bytes.count - Int(size)) }
            grow(&bytes, to: Int(size))
        case .punch(let punched, let range):
            node = punched
            bytes = nodes[node]?.contents.last?.bytes ?? []
            for place in range.clamped(to: 0..<UInt64(bytes.count)) { bytes[Int(place)] = 0 }
        default: return
        }
        let content = Content(index: index, bytes: bytes, time: change.time, isCutOff: isCutOff)
        nodes[node]?.contents.append(content)
        fold(5, node)
    }

    private func grow(_ bytes: inout [UInt8], to size: Int) {
        if bytes.count < size {
            bytes.append(contentsOf: repeatElement(0, count: size - bytes.count))
        }
    }
}

extension CrashHistory.Node {
    /// The last sync before `point`; -1 when there was none.
    func lastSync(before point: Int) -> Int { syncs.last { $0 < point } ?? -1 }
}
