import Bytes
import Platform
import Testing
import TestSupport
import Trees

struct StagingAreaTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try FileOperations.makeDirectory(directory.path("stage"))
    }

    private func tree() throws -> LiveTree { try LiveTree(directory.path) }

    private func area() throws -> StagingArea {
        try StagingArea(Array("stage".utf8), in: try tree())
    }

    private func stage(_ text: String, as key: String, _ area: borrowing StagingArea) throws {
        let file = try area.stage(Array(key.utf8))
        try file.write(Array(text.utf8).span, at: 0, [])
    }

    private func names() throws -> [String] {
        let stage = try PinnedDirectory(directory.path("stage"))
        return try stage.descriptor.list([]).map { String(decoding: $0.name, as: UTF8.self) }
    }

    @Test func `A file has its sealed name only after it was sealed`() throws {
        var area = try area()
        let key = Array("k".utf8)
        try stage("content", as: "k", area)
        #expect(try area.status(key) == nil)
        #expect(try area.add(key, size: 7).isEmpty)
        #expect(try names() == ["p-k"])
        #expect(try area.seal() == [key])
        #expect(try names() == ["s-k"])
        #expect(try area.status(key)?.size == 7)
        #expect(try area.open(key).read(100, at: 0, []) == Array("content".utf8))
        #expect(try area.seal().isEmpty)
    }

    @Test(arguments: [1, 4, 5, 255])
    func `A batch is sealed in the order in which it was added`(count: Int) throws {
        var area = try area()
        let keys = (0..<count).map { Array("\($0)".utf8) }
        for key in keys.reversed() {
            try stage("x", as: String(decoding: key, as: UTF8.self), area)
            #expect(try area.add(key, size: 1).isEmpty)
        }
        #expect(try area.seal() == keys.reversed())
        #expect(try names().count == count)
    }

    @Test func `The 256th file, or the byte that fills 256 MiB, seals all before it`() throws {
        var area = try area()
        var sealed: [Int] = []
        for number in 0..<256 {
            try stage("x", as: "\(number)", area)
            sealed.append(try area.add(Array("\(number)".utf8), size: 1).count)
        }
        #expect(sealed == Array(repeating: 0, count: 255) + [256])
        try stage("x", as: "large", area)
        #expect(try area.add(Array("large".utf8), size: (256 << 20) - 1).isEmpty)
        try stage("x", as: "last", area)
        #expect(try area.add(Array("last".utf8), size: .max).count == 2)
    }

    @Test func `What an interrupted run left of a file is not in the new one`() throws {
        try stage("a longer text", as: "k", try area())
        var area = try area()
        try stage("short", as: "k", area)
        try area.add(Array("k".utf8), size: 5)
        try area.seal()
        #expect(try directory.read("stage/s-k") == Array("short".utf8))
    }

    @Test func `A later run publishes what an earlier one sealed`() throws {
        var first = try area()
        try stage("x", as: "k", first)
        try first.add(Array("k".utf8), size: 1)
        try first.seal()
        let second = try area()
        let path = Array("place".utf8)
        try second.publish(Array("k".utf8), at: path, in: try tree(), replacing: false)
        #expect(try directory.read("place") == Array("x".utf8))
        #expect(try names().isEmpty)
    }

    @Test func `A name that is taken stays unless it is to be replaced`() throws {
        var area = try area()
        let (key, path) = (Array("k".utf8), Array("place".utf8))
        try directory.write(Array("old".utf8), "place")
        try stage("new", as: "k", area)
        try area.add(key, size: 3)
        try area.seal()
        let error = #expect(throws: PlatformError.self) {
            try area.publish(key, at: path, in: try tree(), replacing: false)
        }
        #expect(error?.description.contains("exists") == true)
        #expect(try directory.read("place") == Array("old".utf8))
        try area.publish(key, at: path, in: try tree(), replacing: true)
        #expect(try directory.read("place") == Array("new".utf8))
    }

    @Test func `Only a sealed file is published`() throws {
        let area = try area()
        try stage("x", as: "k", area)
        #expect(throws: PlatformError.self) {
            try area.publish(
                Array("k".utf8), at: Array("place".utf8), in: try tree(), replacing: true)
        }
        #expect(try names() == ["p-k"])
    }

    @Test func `A file of a batch that could not be synced is never sealed`() throws {
        var area = try area()
        try stage("x", as: "k", area)
        try area.add(Array("k".utf8), size: 1)
        try area.discard(Array("k".utf8))
        #expect(throws: PlatformError.self) { try area.seal() }
        try stage("x", as: "k", area)
        #expect(try area.seal().isEmpty)
        #expect(try names() == ["p-k"])
    }

    @Test(arguments: [1, 8, 9])
    func `Directories that are gone do not stop the sync of the others`(count: Int) throws {
        let paths = Set((0..<count).map { Array("d\($0)".utf8) })
        for path in paths.dropFirst() {
            try FileOperations.makeDirectory(PathBytes.join(directory.path, path))
        }
        try tree().sync(directories: paths)
    }
}

struct SmallFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test(arguments: [SmallFile.Durability.durable, .none], [0, 1, 5000])
    func `Content that was replaced is read back, and nothing else is left`(
        durability: SmallFile.Durability, count: Int
    ) throws {
        let root = try PinnedDirectory(directory.path)
        let path = Array("record".utf8)
        #expect(try SmallFile.read(path, limit: 10_000, in: root) == nil)
        try SmallFile.replace(at: path, with: [1, 2, 3], in: root, durability)
        let bytes = [UInt8](repeating: 7, count: count)
        try SmallFile.replace(at: path, with: bytes, in: root, durability)
        #expect(try SmallFile.read(path, limit: UInt64(count), in: root) == bytes)
        #expect(try root.descriptor.names([]) == [path])
    }

    @Test func `What a crash left under the other name is overwritten`() throws {
        let root = try PinnedDirectory(directory.path)
        try directory.write([UInt8](repeating: 1, count: 100), "record.new")
        try SmallFile.replace(at: Array("record".utf8), with: [2], in: root)
        #expect(try directory.read("record") == [2])
        #expect(try root.descriptor.names([]).count == 1)
    }

    @Test func `A file that cannot be replaced stays, and the new content goes`() throws {
        let root = try PinnedDirectory(directory.path)
        try directory.write([1], "record/inside")
        #expect(throws: PlatformError.self) {
            try SmallFile.replace(at: Array("record".utf8), with: [2], in: root)
        }
        #expect(try root.descriptor.names([]) == [Array("record".utf8)])
    }

    @Test func `A symlink in place of the other name is not followed`() throws {
        let root = try PinnedDirectory(directory.path)
        try directory.write([1], "precious")
        try FileOperations.makeSymlink(
            Array("record.new".utf8), to: Array("precious".utf8), at: root.descriptor.raw)
        #expect(throws: PlatformError.self) {
            try SmallFile.replace(at: Array("record".utf8), with: [2], in: root)
        }
        #expect(try directory.read("precious") == [1])
    }

    @Test func `A file named by the user is reached by its whole path`() throws {
        try SmallFile.replace(at: directory.path("health"), with: [1], mode: 0o644, .none)
        let status = try FileStatus.of(directory.path("health"))
        #expect(status.size == 1 && status.mode & 0o600 == 0o600)
    }

    @Test func `What is too large or no file is not read`() throws {
        let root = try PinnedDirectory(directory.path)
        try directory.write([1, 2], "record")
        try directory.write([1], "directory/inside")
        #expect(throws: PlatformError.self) {
            try SmallFile.read(Array("record".utf8), limit: 1, in: root)
        }
        #expect(throws: PlatformError.self) {
            try SmallFile.read(Array("directory".utf8), limit: 1, in: root)
        }
    }
}
