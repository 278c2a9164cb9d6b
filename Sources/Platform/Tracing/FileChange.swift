/// A file, directory, symlink or special file of a traced tree, whatever its names are.
///
/// Numbers count from 0, the root of the tree, in the order in which things came to be.
package struct FileNode: Hashable, Sendable {
    /// Counts from 0, the root.
    package let number: Int

    /// Names the node of that number, which need not exist.
    package init(_ number: Int) { self.number = number }
}

/// One change of a traced tree, made by a system call that succeeded.
package struct FileChange: Sendable {
    /// What a name stands for.
    package enum Kind: Hashable, Sendable {
        case regular
        case directory
        case symlink(target: [UInt8])
        case special(FileType, device: UInt64)
    }

    /// What a node has besides its content.
    package struct Attributes: Hashable, Sendable {
        /// The twelve permission bits.
        package var mode: UInt32
        /// The number that the file system gave the original.
        package var inode: UInt64
        /// Owner.
        package var uid: UInt32
        /// Group.
        package var gid: UInt32
        /// Of the content.
        package var mtime: Timestamp
        /// All of them, in the order of their names.
        package var extended: [ExtendedAttribute]
    }

    /// A name in a directory.
    package struct Entry: Hashable, Sendable {
        /// The directory that has the name.
        package var directory: FileNode
        /// One part of a path.
        package var name: [UInt8]

        /// The name in that directory.
        package init(_ directory: FileNode, _ name: [UInt8]) {
            self.directory = directory
            self.name = name
        }
    }

    /// What was changed, and of which node.
    package enum Action: Sendable {
        /// A new node with its first name.
        case make(FileNode, Kind, at: Entry)
        /// Another name of a file.
        case link(FileNode, at: Entry)
        case remove(FileNode, at: Entry)
        /// The node loses the one name and takes the other, whatever that stood for.
        case rename(FileNode, from: Entry, to: Entry, replaced: FileNode?)
        /// Two nodes take each other's name.
        case exchange(FileNode, at: Entry, FileNode, with: Entry)
        case write(FileNode, [UInt8], at: UInt64)
        /// The file is cut off, or grows by zeros.
        case resize(FileNode, to: UInt64)
        /// A hole is made inside of the file; its size stays.
        case punch(FileNode, Range<UInt64>)
        /// The node has these from now on.
        case set(FileNode, Attributes)
        /// Content and attributes of a file, or the names in a directory, are on the disk.
        case sync(FileNode)
        /// Everything in the file system is on the disk.
        case syncAll
        /// Whoever records says that something is done.
        case mark
    }

    /// What was done.
    package var action: Action
    /// The change time of the node after the call; for what has none, by the wall clock.
    package var time: Timestamp

    /// A change that was made at `time`.
    package init(_ action: Action, time: Timestamp) {
        self.action = action
        self.time = time
    }
}
