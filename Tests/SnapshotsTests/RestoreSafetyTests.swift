@testable import Repository
import Capturing
@testable import Restoring
@testable import Snapshots
import Bytes
import Hashing
import Platform
import Testing
import TestSupport

/// Whatever lies in the target, nothing outside it is touched and nothing in it is lost that the
/// user did not ask to be replaced.
struct RestoreSafetyTests {
    private let vault: Vault
    private let record: SnapshotRecord

    init() throws {
        vault = try Vault()
        try vault.directory.write([UInt8]("new"), "source/directory/file")
        try vault.directory.write([UInt8]("top"), "source/file")
        try vault.directory.write([UInt8]("older"), "outside/file")
        try vault.directory.makeDirectories([UInt8]("target"))
        record = try vault.capture().record
    }

    private func symlink(_ path: String, to target: String) throws {
        try FileOperations.makeSymlink(
            vault.directory.path(path), to: [UInt8](target), at: Descriptor.workingDirectory)
    }

    private static func all() -> [RestoreOptions] {
        OverwritePolicy.allCases.flatMap { policy in
            [false, true].map { deletes in
                var options = RestoreOptions()
                options.overwrite = policy
                options.deletes = deletes
                options.verifies = true
                return options
            }
        }
    }

    /// Runs a restore in every way, and expects the outside to stay as it is.
    private func expectOutsideUntouched(_ prepare: () throws -> Void) throws {
        let before = try vault.listing("outside")
        for options in Self.all() {
            try TemporaryDirectory.remove(vault.directory.path("target"))
            try vault.directory.makeDirectories([UInt8]("target"))
            try prepare()
            _ = try vault.restore(record, options)
            expectSame(before, try vault.listing("outside"))
        }
    }

    @Test func `A symlink in place of a directory leads nowhere`() throws {
        try expectOutsideUntouched { try symlink("target/directory", to: "../outside") }
        try expectOutsideUntouched {
            try symlink("target/directory", to: vault.directory.text + "/outside")
        }
    }

    @Test func `A symlink in place of a file leads nowhere`() throws {
        try expectOutsideUntouched { try symlink("target/file", to: "../outside/file") }
        try expectOutsideUntouched { try symlink("target/file", to: "../outside/new") }
    }

    @Test func `What a symlink stood for is restored beside it`() throws {
        try symlink("target/directory", to: "../outside")
        try symlink("target/file", to: "../outside/file")
        let result = try vault.restore(record)
        #expect(result.failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `With delete, a symlink is removed and not what it leads to`() throws {
        try expectOutsideUntouched { try symlink("target/more", to: "../outside") }
        var options = RestoreOptions()
        options.deletes = true
        #expect(try vault.restore(record, options).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `The target itself may be a symlink that the user named`() throws {
        try vault.directory.makeDirectories([UInt8]("elsewhere"))
        try symlink("way", to: "elsewhere")
        #expect(try vault.restore(record, to: "way").failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("elsewhere"))
    }

    /// The other name lies outside; writing into the file would change what it names.
    @Test func `A file with other names is replaced and not written into`() throws {
        let outside = vault.directory.path("outside/file")
        let before = try FileStatus.of(outside)
        for options in Self.all() {
            try TemporaryDirectory.remove(vault.directory.path("target"))
            try vault.directory.makeDirectories([UInt8]("target"))
            try FileOperations.link(
                outside, to: vault.directory.path("target/file"), at: Descriptor.workingDirectory)
            #expect(try vault.restore(record, options).failures.isEmpty)
            let isKept = options.overwrite == .never
            let wanted = isKept ? "older" : "top"
            #expect(try vault.directory.read("target/file") == [UInt8](wanted))
            #expect(try vault.directory.read("outside/file") == [UInt8]("older"))
            let after = try FileStatus.of(outside)
            #expect(after.links == (isKept ? 2 : 1))
            #expect(after.mtime == before.mtime)
            #expect(after.mode == before.mode)
        }
    }

    @Test func `A fifo in place of a file is not waited for`() throws {
        try FileOperations.makeSpecial(
            vault.directory.path("target/file"), .fifo, device: 0,
            at: Descriptor.workingDirectory)
        #expect(try vault.restore(record).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    private func putOtherKindsInTheWay() throws {
        try vault.directory.write([1], "target/file/in/the/way")
        try vault.directory.write([1], "target/directory")
    }

    @Test func `With delete, a directory and a file of another kind make room`() throws {
        try putOtherKindsInTheWay()
        var options = RestoreOptions()
        options.deletes = true
        let result = try vault.restore(record, options)
        #expect(result.failures.isEmpty)
        #expect(result.deleted == 5)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test(arguments: [OverwritePolicy.always, .ifChanged])
    func `Without delete, a directory and a file of another kind stay and are listed`(
        policy: OverwritePolicy
    ) throws {
        try putOtherKindsInTheWay()
        let before = try vault.listing("target")
        var options = RestoreOptions()
        options.overwrite = policy
        let result = try vault.restore(record, options)
        #expect(result.failures.map(\.path) == [[UInt8]("directory"), [UInt8]("file")])
        #expect(result.deleted == 0)
        #expect(try vault.listing("target").dropFirst() == before.dropFirst())
    }

    @Test func `With never, nothing of another kind goes, even with delete`() throws {
        try putOtherKindsInTheWay()
        let before = try vault.listing("target")
        var options = RestoreOptions()
        options.overwrite = .never
        options.deletes = true
        let result = try vault.restore(record, options)
        #expect(result.failures.isEmpty)
        #expect(result.deleted == 0)
        #expect(try vault.listing("target").dropFirst() == before.dropFirst())
    }

    @Test func `An empty directory makes room for a file`() throws {
        try vault.directory.makeDirectories([UInt8]("target/file"))
        #expect(try vault.restore(record).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `Files and directories that may not be written are restored all the same`() throws {
        let place = Descriptor.workingDirectory
        try vault.directory.write([1], "target/file")
        try vault.directory.write([1], "target/directory/file")
        for path in ["target/file", "target/directory/file"] {
            try FileOperations.setMode(vault.directory.path(path), 0o400, at: place)
        }
        try FileOperations.setMode(vault.directory.path("target/directory"), 0o500, at: place)
        #expect(try vault.restore(record).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `A target that is a file is refused`() throws {
        try vault.directory.write([1], "file")
        let error = failure(RestoreError.self) { try vault.restore(record, to: "file") }
        guard case .target? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try vault.directory.read("file") == [1])
    }

    @Test func `A target is made with the directories above it`() throws {
        #expect(try vault.restore(record, to: "a/b/c").failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("a/b/c"))
    }
}

/// Restoring what cannot be restored whole.
struct DamagedRestoreTests {
    private let vault: Vault
    private let record: SnapshotRecord
    private let bad: ManifestEntry

    /// Three files of some chunks; one chunk of the second file is not what it was.
    init() throws {
        vault = try Vault()
        var random = SplitMix64(seed: 8)
        for name in ["a", "bad", "c"] {
            try vault.directory.write(random.bytes(200_000), "source/\(name)")
        }
        record = try vault.capture().record
        bad = try #require(try vault.entry("bad", of: record))
        guard case .file(_, let content) = bad.payload else { return }
        let pieces = try NodeSource(try vault.repository()).pieces(content)
        guard case .chunk(let id, _) = pieces[pieces.count / 2] else { return }
        try vault.damage(.chunk(id))
    }

    @Test func `A file with a damaged chunk fails and all others are restored`() throws {
        let result = try vault.restore(record)
        #expect(result.failures.map(\.path) == [[UInt8]("bad")])
        guard case .repository(let error)? = result.failures.first?.fault else {
            Issue.record("\(result.failures)")
            return
        }
        #expect(error.isDamage)
        let present = try vault.listing("target").map { $0.prefix { $0 != ":" } }
        #expect(present == ["", "a", "c"], "what is not whole does not look whole")
        #expect(try vault.directory.read("target/a") == vault.directory.read("source/a"))
    }

    @Test func `A file that was there fails without looking whole`() throws {
        var old = try vault.directory.read("source/bad")
        for index in stride(from: 0, to: old.count, by: 1000) { old[index] ^= 1 }
        try vault.directory.write(old, "target/bad")
        let result = try vault.restore(record)
        #expect(result.failures.map(\.path) == [[UInt8]("bad")])
        let status = try FileStatus.of(vault.directory.path("target/bad"))
        #expect(status.mtime != bad.mtime)
        var options = RestoreOptions()
        options.overwrite = .ifChanged
        #expect(try vault.restore(record, options).failures.map(\.path) == [[UInt8]("bad")])
    }

    @Test func `A file whose damaged chunk is right in the target needs none`() throws {
        let old = try vault.directory.read("source/bad")
        try vault.directory.write(old, "target/bad")
        #expect(try vault.restore(record).failures.isEmpty)
        expectSame(try vault.listing("source"), try vault.listing("target"))
    }

    @Test func `A damaged manifest is told before anything is removed`() throws {
        try vault.directory.write([1], "target/mine")
        try vault.damage(.node(record.root.id))
        var options = RestoreOptions()
        options.deletes = true
        let error = failure(RestoreError.self) { try vault.restore(record, options) }
        guard case .repository(let damage)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(damage.isDamage)
        #expect(try vault.directory.read("target/mine") == [1])
    }

    @Test func `A second name of a file that cannot be restored keeps what it had`() throws {
        let vault = try Vault()
        var random = SplitMix64(seed: 9)
        try vault.directory.write(random.bytes(5_000), "source/a")
        try FileOperations.link(
            vault.directory.path("source/a"), to: vault.directory.path("source/b"),
            at: Descriptor.workingDirectory)
        let record = try vault.capture().record
        let entry = try #require(try vault.entry("a", of: record))
        guard case .file(_, .pieces(let pieces)) = entry.payload,
            case .chunk(let id, _)? = pieces.first
        else { return }
        try vault.damage(.chunk(id))
        try vault.directory.write([UInt8]("mine"), "target/b")
        let result = try vault.restore(record)
        #expect(result.failures.map(\.path) == [[UInt8]("a"), [UInt8]("b")])
        #expect(try vault.directory.read("target/b") == [UInt8]("mine"))
    }
}

extension Vault {
    /// Flips a byte in the middle of the blob, wherever it lies.
    func damage(_ id: BlobID) throws {
        for place in try repository().places(of: id) {
            let bytes = try #require(storage.bytes(.pack(place.pack)))
            let middle = Int(place.offset + place.storedSize / 2)
            storage.damage(.pack(place.pack), bytes.flipped(middle))
        }
    }
}
