internal import Bytes
package import Platform

/// The directory of a crash law: the tree that is traced, and that crashes leave.
///
/// All trees of a law lie at the same path, in memory where the system has a place for that.
package final class CrashPlace: Sendable {
    private let directory: TemporaryDirectory
    /// The path of the tree.
    package let root: [UInt8]
    private let disguise = FileDisguise()

    init() throws {
        directory = try TemporaryDirectory(inMemory: true)
        root = directory.path("tree")
        try FileOperations.makeDirectory(root)
    }

    /// The path of `relative` in the tree.
    package func path(_ relative: String) -> [UInt8] {
        PathBytes.join(root, Array(relative.utf8))
    }

    /// Makes a file with the directories above it, and returns its path.
    @discardableResult
    package func write(_ bytes: [UInt8], _ relative: String) throws -> [UInt8] {
        try TemporaryDirectory.write(bytes, Array(relative.utf8), in: root)
    }

    @discardableResult
    package func write(_ text: String, _ relative: String) throws -> [UInt8] {
        try write(Array(text.utf8), relative)
    }

    package func read(_ relative: String) throws -> [UInt8] { try Fixtures.read(path(relative)) }

    /// What a name in the tree stands for; nil where there is none.
    package func status(_ relative: String) -> FileStatus? {
        try? FileStatus.of(path(relative))
    }

    package func makeDirectory(_ relative: String) throws {
        try FileOperations.makeDirectory(path(relative))
    }

    /// Removes what is there and writes the tree that a crash left.
    ///
    /// It shows the numbers and change times of the files that were traced.
    func replace(with tree: CrashedTree) throws {
        disguise.clear()
        try TemporaryDirectory.remove(root)
        try FileOperations.makeDirectory(root)
        let top = try PinnedDirectory(root)
        var first: [FileNode: [UInt8]] = [:]
        for item in tree.items where !item.path.isEmpty {
            if let linked = first[item.node] {
                try FileOperations.link(linked, to: item.path, at: top.descriptor.raw)
            } else {
                first[item.node] = item.path
                try make(item, top.descriptor)
            }
        }
        for item in tree.items.reversed() where item.kind == .directory {
            let path = item.path.isEmpty ? [UInt8(ascii: ".")] : item.path
            let open = try Descriptor.open(
                path, [.readOnly, .directory], at: top.descriptor.raw)
            try set(item, open)
        }
        var disguised: Set<FileNode> = []
        for item in tree.items where disguised.insert(item.node).inserted {
            let path = item.path.isEmpty ? [UInt8(ascii: ".")] : item.path
            disguise.add(
                try FileStatus.of(path, at: top.descriptor.raw), inode: item.attributes.inode,
                ctime: item.ctime)
        }
    }

    private func make(_ item: CrashedTree.Item, _ top: borrowing Descriptor) throws {
        switch item.kind {
        case .directory: try FileOperations.makeDirectory(item.path, at: top.raw)
        case .regular:
            let file = try Descriptor.open(
                item.path, [.writeOnly, .create, .exclusive], at: top.raw)
            if !item.bytes.isEmpty { try file.write(item.bytes.span, at: 0, item.path) }
            try set(item, file)
        case .symlink(let target):
            try FileOperations.makeSymlink(item.path, to: target, at: top.raw)
            try FileOperations.setModificationTime(
                item.path, item.attributes.mtime, at: top.raw)
        case .special(let type, let device):
            try FileOperations.makeSpecial(item.path, type, device: device, at: top.raw)
        }
    }

    private func set(_ item: CrashedTree.Item, _ file: borrowing Descriptor) throws {
        let attributes = item.attributes
        if !attributes.extended.isEmpty {
            try ExtendedAttributes.write(attributes.extended, to: file, item.path)
        }
        if HostSystem.isRoot, attributes.uid != 0 || attributes.gid != 0 {
            try file.setOwner(uid: attributes.uid, gid: attributes.gid, item.path)
        }
        try file.setMode(attributes.mode, item.path)
        try file.setModificationTime(attributes.mtime, item.path)
    }
}
