import Bytes
import Platform
import SystemPackage
import Testing
import TestSupport
import Trees

/// Content comes first: what cannot be set besides it is listed, and the rest is set.
struct UnsetMetadataTests {
    private static let mtime = Timestamp(seconds: 1_000_000_000, nanoseconds: 0)

    private static func metadata(_ attributes: [ExtendedAttribute]) throws -> FileMetadata {
        let status = try FileStatus.of(Array("/proc/self".utf8))
        return FileMetadata(
            mode: 0o640, uid: status.uid, gid: status.gid, mtime: mtime, attributes: attributes)
    }

    private static func attribute(_ name: String) -> ExtendedAttribute {
        ExtendedAttribute(name: Array(name.utf8), value: [1])
    }

    @Test func `An attribute that no file system has costs that attribute alone`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write([1], "file")
        let tree = try LiveTree(directory.path)
        let name = Array("file".utf8)
        let right = Self.attribute("user.right")
        let wanted = try Self.metadata([Self.attribute("no.such.class"), right])
        let file = try tree.root.open(name, [.readOnly])
        let unset = try tree.applyEach(wanted, to: file, name)
        #expect(unset.map(\.part) == [.attribute(Array("no.such.class".utf8))])
        let status = try FileStatus.of(path)
        #expect(status.mode == 0o640 && status.mtime == Self.mtime)
        #expect(try ExtendedAttributes.read(file, name) == [right])
    }

    @Test func `The same holds for what is set by its name`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("pipe")
        try FileOperations.makeSpecial(
            path, .fifo, device: 0, at: Descriptor.workingDirectory)
        let tree = try LiveTree(directory.path)
        let wanted = try Self.metadata([Self.attribute("no.such.class")])
        let unset = try tree.applyEachByName(wanted, at: Array("pipe".utf8))
        #expect(unset.map(\.part) == [.attribute(Array("no.such.class".utf8))])
        let status = try FileStatus.of(path)
        #expect(status.mode == 0o640 && status.mtime == Self.mtime)
    }

    // MARK: Access lists

    /// The value of the attribute for `u::rw-,u:1001:rw-,g::---,m::rw-,o::---`.
    private static let list: [UInt8] =
        [2, 0, 0, 0] + [1, 0, 6, 0, 255, 255, 255, 255] + [2, 0, 6, 0, 233, 3, 0, 0]
        + [4, 0, 0, 0, 255, 255, 255, 255] + [16, 0, 6, 0, 255, 255, 255, 255]
        + [32, 0, 0, 0, 255, 255, 255, 255]

    @Test func `An access list is read and written as the kernel keeps it`() throws {
        let list = try #require(PosixACL(Self.list))
        #expect(list.entries.count == 5 && list.value == Self.list)
        #expect(list.mode == 0o660, "the bits of the group are the mask")
        #expect(list.owningGroup == 0, "and the group may do nothing")
        for size in 0..<Self.list.count where size == 0 || size % 8 != 4 {
            #expect(PosixACL(Array(Self.list.prefix(size))) == nil)
        }
        #expect(PosixACL([1] + Self.list.dropFirst()) == nil, "another version")
    }

    @Test(arguments: [(0o666, 0o660), (0o600, 0o600), (0o444, 0o440), (0o000, 0o000)])
    func `What is made takes from a default list what its mode allows`(
        mode: Int, wanted: Int
    ) throws {
        let list = try #require(PosixACL(Self.list)).inherited(mode: UInt32(mode))
        #expect(list.mode == UInt32(wanted))
        #expect(list.entries.contains { $0.tag == 2 && $0.id == 1001 && $0.permissions == 6 })
    }
}
