import Bytes
import Platform
import SystemPackage
import Testing
import TestSupport

private func errno<Value>(of body: () throws -> Value) -> Errno? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? PlatformError)?.errno
    }
}

struct FileOperationsTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func `Publishing gives a name once and never replaces`() throws {
        try directory.write([1], "one")
        try directory.write([2], "other")
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try FileOperations.renameWithoutReplacing(bytes("one"), to: bytes("name"), at: top.raw)
        #expect(
            errno {
                try FileOperations.renameWithoutReplacing(
                    bytes("other"),
                    to: bytes("name"),
                    at: top.raw
                )
            } == .fileExists
        )
        #expect(try directory.read("name") == [1])
        #expect(try directory.read("other") == [2])
        #expect(errno { try directory.read("one") } == .noSuchFileOrDirectory)
        try FileOperations.rename(bytes("other"), to: bytes("name"), at: top.raw)
        #expect(try directory.read("name") == [2])
    }

    @Test func `Publishing does not replace a dangling symlink`() throws {
        try directory.write([1], "one")
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try FileOperations.makeSymlink(bytes("name"), to: bytes("nowhere"), at: top.raw)
        #expect(
            errno {
                try FileOperations.renameWithoutReplacing(
                    bytes("one"),
                    to: bytes("name"),
                    at: top.raw
                )
            } == .fileExists
        )
    }

    @Test(arguments: ["x", "../a/b", String(repeating: "t", count: 4_095)])
    func `A symlink keeps its target as it is`(target: String) throws {
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try FileOperations.makeSymlink(bytes("link"), to: bytes(target), at: top.raw)
        #expect(try FileOperations.readLink(bytes("link"), at: top.raw) == bytes(target))
    }

    @Test(arguments: [
        Timestamp(seconds: 0, nanoseconds: 0), Timestamp(seconds: 1_700_000_000, nanoseconds: 1),
        Timestamp(seconds: 1_700_000_000, nanoseconds: 999_999_999),
        Timestamp(seconds: -1, nanoseconds: 500_000_000),
        Timestamp(seconds: 4_102_444_800, nanoseconds: 7),
    ])
    func `Times are set to the nanosecond on files and on symlinks`(time: Timestamp) throws {
        let path = try directory.write([1], "file")
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try FileOperations.makeSymlink(bytes("link"), to: bytes("file"), at: top.raw)
        try FileOperations.setModificationTime(bytes("link"), time, at: top.raw)
        #expect(try FileStatus.of(bytes("link"), at: top.raw).mtime == time)
        #expect(try FileStatus.of(path).mtime != time)
        try Descriptor.open(path, .readOnly).setModificationTime(time, path)
        #expect(try FileStatus.of(path).mtime == time)
    }

    @Test(arguments: [0o000, 0o400, 0o644, 0o1777, 0o2755, 0o4755, 0o7777] as [UInt32])
    func `All twelve permission bits are set and told`(mode: UInt32) throws {
        let path = try directory.write([1], "file")
        let file = try Descriptor.open(path, .readOnly)
        try file.setMode(mode, path)
        #expect(try file.status(path).mode == mode)
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try FileOperations.setMode(bytes("file"), 0o600, at: top.raw)
        #expect(try FileStatus.of(path).mode == 0o600)
    }

    @Test func `Hard links share an inode`() throws {
        let path = try directory.write([1], "file")
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try FileOperations.link(bytes("file"), to: bytes("same"), at: top.raw)
        let status = try FileStatus.of(path)
        #expect(status.links == 2)
        #expect(try FileStatus.of(directory.path("same")) == status)
        #expect(
            errno { try FileOperations.link(bytes("file"), to: bytes("same"), at: top.raw) }
                == .fileExists
        )
    }

    @Test func `A status follows symlinks only where it says so`() throws {
        try directory.write([1, 2], "file")
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try FileOperations.makeSymlink(bytes("link"), to: bytes("file"), at: top.raw)
        #expect(try FileStatus.of(directory.path("link")).type == .symlink)
        #expect(try FileStatus.following(directory.path("link")).size == 2)
        try FileOperations.makeSymlink(bytes("loop"), to: bytes("loop"), at: top.raw)
        #expect(
            errno { try FileStatus.following(directory.path("loop")) }
                == .tooManySymbolicLinkLevels
        )
    }
}

struct ExtendedAttributesTests {
    private static let wanted = [
        ExtendedAttribute(name: Array("user.a".utf8), value: []),
        ExtendedAttribute(name: Array("user.binary".utf8), value: [0, 0xff, 0x0a, 0]),
        ExtendedAttribute(name: Array("user.long".utf8), value: .init(repeating: 7, count: 3_000)),
    ]

    /// Nil, with a note, where the file system keeps no attributes.
    private func file() throws -> (TemporaryDirectory, [UInt8])? {
        let directory = try TemporaryDirectory()
        let path = try directory.write([1], "file")
        do throws(PlatformError) {
            try ExtendedAttributes.write(
                [Self.wanted[0]],
                to: path,
                at: Descriptor.workingDirectory
            )
        } catch  where error.errno == .notSupported {
            return nil
        }
        return (directory, path)
    }

    @Test func `Attributes are written and read and removed`() throws {
        guard let (directory, path) = try file() else { return }
        let file = try Descriptor.open(path, .readOnly)
        try ExtendedAttributes.write(Self.wanted, to: file, path)
        #expect(try ExtendedAttributes.read(file, path) == Self.wanted)
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        #expect(try ExtendedAttributes.read(Array("file".utf8), at: top.raw) == Self.wanted)
        let others = [Self.wanted[1], ExtendedAttribute(name: Self.wanted[2].name, value: [1])]
        try ExtendedAttributes.write(others, to: Array("file".utf8), at: top.raw)
        #expect(try ExtendedAttributes.read(file, path) == others)
        try ExtendedAttributes.write([], to: file, path)
        #expect(try ExtendedAttributes.read(file, path).isEmpty)
    }

    @Test func `Many names are listed although they need a larger buffer`() throws {
        guard let (directory, path) = try file() else { return }
        defer { withExtendedLifetime(directory) {} }
        let wanted = (100..<140).map { number in
            ExtendedAttribute(name: Array("user.attribute-\(number)".utf8), value: [1])
        }
        let file = try Descriptor.open(path, .readOnly)
        try ExtendedAttributes.write(wanted, to: file, path)
        #expect(try ExtendedAttributes.read(file, path) == wanted)
    }

    @Test func `A directory has attributes and a symlink is not followed`() throws {
        guard let (directory, _) = try file() else { return }
        let top = try Descriptor.open(directory.path, [.readOnly, .directory])
        try ExtendedAttributes.write([Self.wanted[1]], to: [], at: top.raw)
        #expect(try ExtendedAttributes.read(top, []) == [Self.wanted[1]])
        try FileOperations.makeSymlink(Array("link".utf8), to: Array("file".utf8), at: top.raw)
        #expect(try ExtendedAttributes.read(Array("link".utf8), at: top.raw).isEmpty)
    }

    @Test(.needs("getfattr")) func `getfattr sees the same`() throws {
        guard let (directory, path) = try file() else { return }
        defer { withExtendedLifetime(directory) {} }
        let file = try Descriptor.open(path, .readOnly)
        try ExtendedAttributes.write([Self.wanted[1]], to: file, path)
        let printed = try ExternalTool("getfattr").text(
            ["--absolute-names", "-d", "-e", "hex", String(decoding: path, as: UTF8.self)])
        #expect(printed.contains("user.binary=0x00ff0a00"))
    }
}
