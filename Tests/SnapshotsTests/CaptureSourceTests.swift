import Upkeep
@testable import Capturing
@testable import Restoring
@testable import Snapshots
@testable import Trees
import Bytes
import Platform
import Repository
import SystemPackage
import Testing
import TestSupport

/// Sources that are odd, broken, or change under the reader.
struct CaptureSourceTests {
    private let vault: Vault

    init() throws { vault = try Vault() }

    private var place: CInt { Descriptor.workingDirectory }

    private func capture(_ sources: String...) throws -> CaptureResult {
        try vault.capture(sources: sources.map(vault.directory.path))
    }

    private func captureError(_ sources: String...) -> CaptureError? {
        failure(CaptureError.self) {
            try vault.capture(sources: sources.map(vault.directory.path))
        }
    }

    private func paths(_ result: CaptureResult) throws -> [String] {
        try vault.entries(result.record.root).map { PathBytes.printable($0.path) }
    }

    private func expectRestored(_ result: CaptureResult) throws {
        #expect(try vault.restore(result.record).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    // MARK: - What is a source

    @Test func `A source that is missing is an error and no snapshot`() throws {
        for sources in [["nothing"], ["source", "nothing"]] {
            let error = failure(CaptureError.self) {
                try vault.capture(sources: sources.map(vault.directory.path))
            }
            guard case .source(let cause)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(cause.isNotFound)
            #expect(cause.path == vault.directory.path("nothing"))
        }
        #expect(try vault.repository().snapshotIDs().isEmpty)
    }

    @Test func `An empty source is a snapshot of one directory`() throws {
        let result = try capture("source")
        #expect(try paths(result) == [""])
        try expectRestored(result)
    }

    @Test func `A file as a source lies at the top by its name`() throws {
        try vault.directory.write([1, 2], "source/file")
        try vault.directory.write([3], "source/other")
        let result = try capture("source/file")
        #expect(try paths(result) == ["file"])
        try vault.restore(result.record)
        #expect(try vault.directory.read("target/file") == [1, 2])
        #expect(try paths(capture("source/file", "source/other")) == ["file", "other"])
    }

    @Test func `Several sources lie below their names, in order`() throws {
        try vault.directory.write([1], "one/b/x")
        try vault.directory.write([2], "two/a/y")
        try vault.directory.write([3], "file")
        let result = try capture("one/b", "two/a", "file")
        #expect(try paths(result) == ["a", "a/y", "b", "b/x", "file"])
        try vault.restore(result.record)
        #expect(try vault.directory.read("target/a/y") == [2])
        #expect(try vault.directory.read("target/file") == [3])
        try vault.settle(result.record)
        let again = try capture("one/b", "two/a", "file")
        #expect(again.record.root == result.record.root)
        #expect(again.record.statistics.bytesRead == 0)
    }

    @Test func `Sources of the same name are refused`() throws {
        try vault.directory.write([1], "one/a/x")
        try vault.directory.write([2], "two/a")
        let error = captureError("one/a", "two/a")
        guard case .sameName(let name)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(name == [UInt8]("a"))
        #expect(try vault.repository().snapshotIDs().isEmpty)
    }

    @Test func `A symlink as source is followed and one inside is not`() throws {
        try vault.directory.write([1], "source/file")
        try FileOperations.makeSymlink(
            vault.directory.path("way"), to: [UInt8]("source"), at: place)
        try FileOperations.makeSymlink(
            vault.directory.path("source/loop"), to: [UInt8]("."), at: place)
        try FileOperations.makeSymlink(
            vault.directory.path("source/loop2"), to: [UInt8]("../source/loop2"), at: place)
        #expect(try paths(capture("way")) == ["", "file", "loop", "loop2"])
    }

    // MARK: - Shapes

    @Test func `A tree of 2,000 levels survives`() throws {
        var path = vault.source
        for _ in 0..<2_000 { path += [UInt8]("/d") }
        // One call cannot make a path of that length.
        var directory = try Descriptor.open(vault.sourcePath, [.readOnly, .directory])
        for _ in 0..<2_000 {
            try FileOperations.makeDirectory([UInt8]("d"), at: directory.raw)
            directory = try Descriptor.open(
                [UInt8]("d"), [.readOnly, .directory], at: directory.raw)
        }
        let file = try Descriptor.open(
            [UInt8]("bottom"), [.writeOnly, .create], at: directory.raw)
        try file.write([UInt8]("deep").span, at: 0, [])
        let result = try capture("source")
        #expect(result.problems.isEmpty)
        #expect(result.record.root.itemCount == 2_002)
        let restored = try vault.restore(result.record)
        #expect(restored.failures.isEmpty)
        #expect(restored.filesWritten == 1)
        let top = try PinnedDirectory(vault.directory.path("target"))
        let bottom = path.dropFirst(vault.source.count + 1) + [UInt8]("/bottom")
        let found = try top.open(Array(bottom), .readOnly)
        #expect(try found.read(10, at: 0, []) == [UInt8]("deep"))
    }

    /// A path that a manifest cannot hold must not spoil the rest of the snapshot.
    @Test func `What lies deeper than a manifest can say is told and left out`() throws {
        let name = [UInt8](repeating: UInt8(ascii: "n"), count: 250)
        var directory = try Descriptor.open(vault.sourcePath, [.readOnly, .directory])
        for _ in 0..<(ManifestPath.pathLimit / 251 + 5) {
            try FileOperations.makeDirectory(name, at: directory.raw)
            directory = try Descriptor.open(name, [.readOnly, .directory], at: directory.raw)
        }
        try vault.directory.write([1], "source/file")
        let result = try capture("source")
        #expect(!result.record.isComplete)
        #expect(!result.problems.isEmpty)
        #expect(try vault.entry("file", of: result.record) != nil)
    }

    @Test func `A directory of 100,000 entries survives`() throws {
        let directory = try Descriptor.open(vault.sourcePath, [.readOnly, .directory])
        // Names of two files: file systems allow some 65,000 each.
        for number in 0..<100_000 {
            let name = [UInt8]("entry \(number)")
            if number < 2 {
                try vault.directory.write([UInt8(number)], "source/entry \(number)")
            } else {
                try FileOperations.link(
                    [UInt8]("entry \(number & 1)"), to: name, at: directory.raw)
            }
        }
        let result = try capture("source")
        #expect(result.problems.isEmpty)
        #expect(result.record.root.itemCount == 100_001)
        #expect(try vault.entry("entry 99999", of: result.record)?.size == 1)
    }

    @Test func `A fifo that nobody writes is not waited for`() throws {
        try FileOperations.makeSpecial(
            vault.directory.path("source/fifo"), .fifo, device: 0, at: place)
        try expectRestored(capture("source"))
        #expect(try paths(capture("source/fifo")) == ["fifo"])
    }

    @Test(.needs("python3"))
    func `A socket is left out and noted`() throws {
        let path = vault.directory.text + "/source/socket"
        let script = "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
        _ = try ExternalTool("python3").text(["-c", script, path])
        let result = try capture("source")
        #expect(result.problems.map(\.kind) == [.skipped])
        #expect(result.problems.first?.path == [UInt8]("socket"))
        #expect(result.record.isComplete, "a note is no fault")
        #expect(try paths(result) == [""])
    }

    @Test func `Devices come back only when asked for`() throws {
        let path = vault.directory.path("source/null")
        do throws(PlatformError) {
            try FileOperations.makeSpecial(path, .characterDevice, device: 0x103, at: place)
        } catch {
            // Only root may, and not in every container; then there is nothing to lose either.
            guard error.errno == .notPermitted else { throw error }
            return
        }
        let result = try capture("source")
        let plain = try vault.restore(result.record)
        #expect(plain.notes.contains(.deviceLeftOut([UInt8]("null"))))
        #expect((try? FileStatus.of(vault.directory.path("target/null"))) == nil)
        var options = RestoreOptions()
        options.restoresDevices = true
        #expect(try vault.restore(result.record, options).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    // MARK: - What is left out

    @Test func `What a pattern excludes is not in the snapshot`() throws {
        for path in ["a.tmp", "b", "cache/c", "sub/cache/d", "sub/e.tmp"] {
            try vault.directory.write([1], "source/\(path)")
        }
        var options = Vault.options()
        options.filter.patterns = ExcludePatterns(lines: [[UInt8]("*.tmp"), [UInt8]("/cache")])
        let result = try vault.capture(options)
        #expect(try paths(result) == ["", "b", "sub", "sub/cache", "sub/cache/d"])
    }

    @Test func `Of a directory with a valid CACHEDIR.TAG only the tag is kept`() throws {
        let tag = [UInt8]("Signature: 8a477f597d28d172789f06886806bc55\n# more")
        try vault.directory.write(tag, "source/cache/CACHEDIR.TAG")
        try vault.directory.write([1], "source/cache/deep/file")
        try vault.directory.write([UInt8]("no signature"), "source/not/CACHEDIR.TAG")
        try vault.directory.write([1], "source/not/file")
        try FileOperations.makeSpecial(
            vault.directory.path("source/CACHEDIR.TAG"), .fifo, device: 0, at: place)
        var options = Vault.options()
        options.filter.excludesCaches = true
        #expect(
            try paths(try vault.capture(options)) == [
                "", "CACHEDIR.TAG", "cache", "cache/CACHEDIR.TAG", "not", "not/CACHEDIR.TAG",
                "not/file",
            ])
        #expect(try paths(try vault.capture()).count == 9)
    }

    /// Runs `body` with an empty file system at "source/mounted"; not where mounting is refused.
    private func withMount(_ body: () throws -> Void) throws {
        try vault.directory.makeDirectories([UInt8]("source/mounted"))
        let mounted = vault.directory.text + "/source/mounted"
        let arguments = ["-t", "tmpfs", "tmpfs", mounted]
        guard try ExternalTool("mount").run(arguments).status == 0 else { return }
        defer { _ = try? ExternalTool("umount").run([mounted]) }
        try body()
    }

    @Test(.needs("mount"))
    func `Other file systems are left out on request`() throws {
        try vault.directory.write([1], "source/mounted/below")
        try vault.directory.write([1], "source/file")
        try withMount {
            try vault.directory.write([1], "source/mounted/inside")
            #expect(try paths(try vault.capture()) == ["", "file", "mounted", "mounted/inside"])
            var options = Vault.options()
            options.filter.staysOnFileSystem = true
            #expect(try paths(try vault.capture(options)) == ["", "file", "mounted"])
        }
    }

    /// Some file systems hold megabytes of attributes, and a node of the manifest does not.
    @Test(.needs("mount"))
    func `More attributes than an entry can hold are told and left out`() throws {
        try withMount {
            let path = try vault.directory.write([1], "source/mounted/file")
            let attributes = (0..<100).map { number in
                ExtendedAttribute(
                    name: [UInt8]("user.\(number)"), value: [UInt8](repeating: 7, count: 60_000))
            }
            do throws(PlatformError) {
                try ExtendedAttributes.write(attributes, to: path, at: place)
            } catch {
                return  // This one does not hold as much.
            }
            try vault.directory.write([1], "source/mounted/other")
            let result = try capture("source")
            #expect(result.problems.map(\.path) == [[UInt8]("mounted/file")])
            #expect(!result.record.isComplete)
            #expect(try paths(result) == ["", "mounted", "mounted/file", "mounted/other"])
            #expect(try vault.check().damages.isEmpty)
        }
    }
}
