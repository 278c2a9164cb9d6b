import Bytes
import Platform
import Testing
import TestSupport

@testable import Trees

struct LiveTreeTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `Each part of metadata that cannot be set costs only itself`() throws {
        let tree = try LiveTree(directory.path)
        let path = Array("file".utf8)
        try directory.write([1], "file")
        let wanted = FileMetadata(
            mode: 0o604, uid: HostSystem.isRoot ? 0 : 1, gid: 0,
            mtime: Timestamp(seconds: 1_500_000_000, nanoseconds: 7),
            attributes: [ExtendedAttribute(name: Array("none.at.all".utf8), value: [])])
        for unset in [
            try tree.applyEach(wanted, to: tree.root.open(path, [.readOnly]), path),
            try tree.applyEachByName(wanted, at: path),
        ] {
            #expect(unset.map(\.part) == [.attribute(Array("none.at.all".utf8))])
        }
        let status = try FileStatus.of(directory.path("file"))
        #expect(status.mode == 0o604)
        #expect(status.mtime == wanted.mtime)
        #expect(throws: PlatformError.self) { try tree.applyByName(wanted, at: path) }
    }

    /// Version 2, then tag, permissions and id of each entry (acl_to_text(3), xattr form).
    private func list(group: UInt8, mask: UInt8) -> [UInt8] {
        func entry(_ tag: UInt8, _ permissions: UInt8) -> [UInt8] {
            [tag, 0, permissions, 0, 255, 255, 255, 255]
        }
        return [2, 0, 0, 0] + entry(1, 7) + entry(4, group) + entry(16, mask) + entry(32, 0)
    }

    @Test(arguments: [0, 1, 4, 5, 7] as [UInt8])
    func `Without its access list a file is no wider for its group`(group: UInt8) {
        let mode = PosixACL.mode(0o1770, withoutList: list(group: group, mask: 7))
        #expect(mode == 0o1700 | UInt32(group) << 3)
    }

    @Test func `An access list that cannot be read gives the group nothing`() {
        let whole = list(group: 7, mask: 7)
        for count in 0..<20 {
            #expect(PosixACL.mode(0o770, withoutList: Array(whole.prefix(count))) == 0o700)
        }
    }

    @Test func `Room is made by removing one file or one empty directory`() throws {
        let tree = try LiveTree(directory.path)
        try directory.write([1], "full/inside")
        try directory.makeDirectories(Array("empty".utf8))
        try tree.makeRoom(at: Array("nothing".utf8))
        try tree.makeRoom(at: Array("empty".utf8))
        #expect(throws: PlatformError.self) { try tree.makeRoom(at: Array("full".utf8)) }
        try tree.makeRoom(at: Array("full/inside".utf8))
        #expect(try tree.root.descriptor.names([]) == [Array("full".utf8)])
    }

    @Test(arguments: [false, true])
    func `A careful removal keeps what it is told to keep, and what that lies in`(
        isDryRun: Bool
    ) throws {
        let tree = try LiveTree(directory.path)
        for path in ["d/a", "d/b/c", "d/e/f", "d/.varve-replica/g"] {
            try directory.write([1], path)
        }
        let outcome = try tree.removeCarefully(Array("d".utf8), isDryRun: isDryRun) { path, _ in
            path == Array("d/b/c".utf8)
        }
        #expect(outcome.removed == 3)
        #expect(
            Set(outcome.kept.map(\.path))
                == [Array("d/b/c".utf8), Array("d/.varve-replica".utf8)])
        #expect(try tree.status(Array("d/b/c".utf8)) != nil)
        #expect(try (tree.status(Array("d/a".utf8)) != nil) == isDryRun)
    }

    @Test func `A name that is free is taken by a rename, and one that is not stays`() throws {
        let tree = try LiveTree(directory.path)
        try directory.write([1], "one")
        try directory.write([2], "two")
        #expect(throws: PlatformError.self) {
            try FileOperations.renameWithoutReplacing(
                Array("one".utf8), to: Array("two".utf8), at: tree.root.descriptor.raw)
        }
        let swapped = try FileOperations.exchange(
            Array("one".utf8), with: Array("two".utf8), at: tree.root.descriptor.raw,
            toDirectory: tree.root.descriptor.raw)
        #expect(try directory.read("one") == (swapped ? [2] : [1]))
    }
}
