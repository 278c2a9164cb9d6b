import Bytes
import Platform
import SystemPackage
import Testing
import TestSupport

struct DirectoryListingTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func open(_ relative: String = "") throws -> Descriptor {
        try Descriptor.open(
            relative.isEmpty ? directory.path : directory.path(relative),
            [.readOnly, .directory]
        )
    }

    @Test(arguments: [0, 1, 2, 300, 12_000])
    func `Every name is listed once in the order of its bytes`(count: Int) throws {
        let descriptor = try open()
        for number in 0..<count {
            let name = Array("name-\(number * 7_919 % 100_003)".utf8)
            _ = try Descriptor.open(name, [.writeOnly, .create, .exclusive], at: descriptor.raw)
        }
        let entries = try descriptor.list(directory.path)
        #expect(entries.count == count)
        #expect(Set(entries.map(\.name)).count == count)
        for (one, next) in zip(entries, entries.dropFirst())
        where !one.name.lexicographicallyPrecedes(next.name) {
            Issue.record("\(PathBytes.printable(one.name))")
        }
        let names = try descriptor.names(directory.path)
        #expect(names.count == count, "a second listing starts from the beginning")
    }

    @Test func `Names are bytes of any kind and length`() throws {
        let names: [[UInt8]] = [
            [0x0a], [0xff, 0xfe], Array("...".utf8), Array("..a".utf8), [0x20], [0x5c],
            [UInt8](repeating: 0x78, count: 255), Array("-rf".utf8), [1], [0x2a],
        ]
        let descriptor = try open()
        for name in names {
            _ = try Descriptor.open(name, [.writeOnly, .create, .exclusive], at: descriptor.raw)
        }
        let listed = try descriptor.list(directory.path).map(\.name)
        #expect(listed == names.sorted { $0.lexicographicallyPrecedes($1) })
    }

    @Test func `The status comes with the name and does not follow symlinks`() throws {
        try directory.write([1, 2, 3], "a-file")
        try directory.makeDirectories(Array("b-directory".utf8))
        let top = try open()
        try FileOperations.makeSymlink(Array("c-link".utf8), to: Array("gone".utf8), at: top.raw)
        try FileOperations.makeSpecial(Array("d-fifo".utf8), .fifo, device: 0, at: top.raw)
        let statuses = try top.list(directory.path).map { try $0.status.get() }
        #expect(statuses.map(\.type) == [.regular, .directory, .symlink, .fifo])
        #expect(statuses[0].size == 3 && statuses[0].links == 1)
        #expect(statuses[0] == (try FileStatus.of(directory.path("a-file"))))
        #expect(statuses[2].size == 4)
    }

    @Test func `What is not a directory cannot be listed`() throws {
        let path = try directory.write([1], "file")
        #expect(throws: PlatformError.self) {
            _ = try Descriptor.open(path, .readOnly).names(path)
        }
    }
}

struct PinnedDirectoryTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write([1], "root/inside/file")
        try directory.write([2], "outside/file")
        let root = try Descriptor.open(directory.path("root"), [.readOnly, .directory])
        for (name, target) in [
            ("out", directory.path("outside")), ("up", Array("../outside".utf8)),
            ("in", Array("inside".utf8)), ("link", Array("inside/file".utf8)),
        ] {
            try FileOperations.makeSymlink(Array(name.utf8), to: target, at: root.raw)
        }
    }

    private func errno(_ path: String, _ flags: OpenFlags = .readOnly) throws -> Errno? {
        let root = try PinnedDirectory(directory.path("root"))
        do throws(PlatformError) {
            let mode: UInt32 = flags.contains(.create) ? 0o600 : 0
            _ = try root.open(Array(path.utf8), flags, mode: mode)
            return nil
        } catch {
            return error.errno
        }
    }

    @Test(arguments: ["inside/file", "inside", "inside/", "./inside/file", ""])
    func `What lies below is opened`(path: String) throws {
        #expect(try errno(path) == nil)
    }

    @Test(arguments: [
        "out/file", "up/file", "in/file", "link", "out", "up", "in/", "inside/../in/file",
    ])
    func `A symlink anywhere in the path is refused`(path: String) throws {
        #expect(try errno(path) == .tooManySymbolicLinkLevels)
    }

    @Test(arguments: ["..", "../outside/file", "inside/../../outside/file", "/etc/passwd", "/"])
    func `A path that leads outside is refused`(path: String) throws {
        #expect(try errno(path) == .improperLink)
    }

    @Test(arguments: ["out/new", "../new", "up/new", "in/new"])
    func `Nothing is created outside`(path: String) throws {
        #expect(try errno(path, [.writeOnly, .create]) != nil)
        let outside = try Descriptor.open(directory.path("outside"), [.readOnly, .directory])
        #expect(try outside.names([]) == [Array("file".utf8)])
    }

    @Test func `A symlink in the place of a new file is not written through`() throws {
        #expect(try errno("link", [.writeOnly, .create, .truncate]) == .tooManySymbolicLinkLevels)
        #expect(try directory.read("root/inside/file") == [1])
    }

    @Test func `The directory itself may be named through a symlink`() throws {
        let pinned = try PinnedDirectory(directory.path("root/out"))
        let file = try pinned.open(Array("file".utf8), .readOnly)
        #expect(try file.read(1, at: 0, []) == [2])
    }

    @Test func `A path far longer than PATH_MAX is reached`() throws {
        let root = try PinnedDirectory(directory.path("root"))
        let level = Array("0123456789".utf8)
        var path: [UInt8] = []
        var last = try root.open([], [.readOnly, .directory])
        for _ in 0..<2_000 {
            try FileOperations.makeDirectory(level, at: last.raw)
            last = try Descriptor.open(level, [.readOnly, .directory], at: last.raw)
            path = PathBytes.join(path, level)
        }
        let bytes: [UInt8] = [7]
        let file = PathBytes.join(path, Array("file".utf8))
        try root.open(file, [.writeOnly, .create], mode: 0o600).write(bytes.span, at: 0, file)
        #expect(path.count > 20_000)
        #expect(try root.open(file, .readOnly).read(9, at: 0, file) == [7])
        #expect(try root.open(path, [.readOnly, .directory]).names(path) == [Array("file".utf8)])
        for wrong in [PathBytes.join(path, level), path + Array("/../../in/file".utf8)] {
            #expect(throws: PlatformError.self) { _ = try root.open(wrong, .readOnly) }
        }
    }
}
