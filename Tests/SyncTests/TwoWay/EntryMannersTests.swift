import Bytes
import Platform
import Targets
import Testing
import TestSupport
import Trees

@testable import TwoWay

/// What a sync brings is content; the rest belongs to the store that it is brought to.
struct EntryMannersTests {
    private let pair: StorePair

    init() throws { pair = try StorePair() }

    private func open(_ path: String) throws -> Descriptor {
        try Descriptor.open(pair.path(path), [.readOnly])
    }

    private func attributes(_ path: String) throws -> [ExtendedAttribute] {
        try ExtendedAttributes.read(try open(path), pair.path(path))
    }

    private func setMode(_ mode: UInt32, _ path: String) throws {
        try FileOperations.setMode(pair.path(path), mode, at: Descriptor.workingDirectory)
    }

    /// Mode in the other store, mode here, mode afterwards.
    @Test(
        arguments: [
            (0o644, 0o644, 0o644), (0o644, 0o600, 0o600), (0o600, 0o644, 0o600),
            (0o755, 0o644, 0o755), (0o755, 0o600, 0o700), (0o644, 0o755, 0o644),
            (0o777, 0o640, 0o750), (0o666, 0o4755, 0o644), (0o000, 0o777, 0o000),
        ])
    func `Permissions never widen when content is replaced`(
        theirs: Int, old: Int, wanted: Int
    ) throws {
        let mode = EntryManners.mode(
            of: UInt32(theirs), replacing: UInt32(old), hasAccessList: false)
        #expect(mode == UInt32(wanted))
        try pair.write("1", "here/a")
        try pair.sync()
        try pair.write("longer", "here/a")
        try setMode(UInt32(theirs), "here/a")
        try setMode(UInt32(old), "there/a")
        guard HostSystem.isRoot || theirs & 0o400 != 0 else { return }
        #expect(try pair.sync().isComplete)
        #expect(pair.read("there/a") == "longer" || wanted & 0o400 == 0)
        #expect(try FileStatus.of(pair.path("there/a")).mode == UInt32(wanted))
    }

    @Test func `What is replaced hands on its attributes`() throws {
        try pair.write("1", "here/a")
        try pair.sync()
        let kept = ExtendedAttribute(name: Array("user.origin".utf8), value: [7])
        let theirs = ExtendedAttribute(name: Array("user.theirs".utf8), value: [8])
        try ExtendedAttributes.write([kept], to: try open("there/a"), pair.path("there/a"))
        try ExtendedAttributes.write([theirs], to: try open("here/a"), pair.path("here/a"))
        try pair.write("longer", "here/a")
        #expect(try pair.sync().isComplete)
        #expect(pair.read("there/a") == "longer")
        #expect(try attributes("there/a") == [kept])
    }

    @Test(.enabled(if: HostSystem.isRoot, "only root gives files to others"))
    func `What is replaced keeps its owner, and a symlink too`() throws {
        try pair.write("1", "here/a")
        try FileOperations.makeSymlink(
            pair.path("here/l"), to: Array("a".utf8), at: Descriptor.workingDirectory)
        try pair.sync()
        for name in ["there/a", "there/l"] {
            try FileOperations.setOwner(
                pair.path(name), uid: 1000, gid: 1001, at: Descriptor.workingDirectory)
        }
        try pair.write("longer", "here/a")
        try pair.remove("here/l")
        try FileOperations.makeSymlink(
            pair.path("here/l"), to: Array("b".utf8), at: Descriptor.workingDirectory)
        #expect(try pair.sync().isComplete)
        for name in ["there/a", "there/l"] {
            let status = try FileStatus.of(pair.path(name))
            #expect(status.uid == 1000 && status.gid == 1001, "\(name)")
        }
        #expect(pair.read("there/a") == "longer")
    }

    @Test(.enabled(if: HostSystem.isRoot, "only root gives directories to any group"))
    func `What is new has the group of a set-group-id directory, and so has a directory`() throws {
        try pair.directory.makeDirectories(Array("there/shared".utf8))
        try FileOperations.setOwner(
            pair.path("there/shared"), uid: 0, gid: 1001, at: Descriptor.workingDirectory)
        try setMode(0o2775, "there/shared")
        try pair.sync()
        try pair.write("1", "here/shared/sub/deep")
        try pair.write("1", "here/shared/new")
        #expect(try pair.sync().isComplete)
        for name in ["there/shared/new", "there/shared/sub", "there/shared/sub/deep"] {
            #expect(try FileStatus.of(pair.path(name)).gid == 1001, "\(name)")
        }
        #expect(try FileStatus.of(pair.path("there/shared/sub")).mode & 0o2000 != 0)
        #expect(try FileStatus.of(pair.path("there/shared")).mode == 0o2775)
    }

    // MARK: Holes

    @Test(arguments: [0, 1, 4095, 4096, 4097, 1 << 20, (1 << 20) + 1, 3 << 20])
    func `A hole stays a hole, wherever it begins`(offset: Int) throws {
        let file = try Descriptor.open(
            pair.path("here/a"), [.readWrite, .create], mode: 0o644)
        let size = UInt64(offset + (4 << 20))
        try file.truncate(to: size, [])
        try file.write([7].span, at: UInt64(offset), [])
        #expect(try pair.sync().isComplete)
        let (ours, theirs) = (
            try FileStatus.of(pair.path("here/a")), try FileStatus.of(pair.path("there/a"))
        )
        #expect(theirs.size == size && theirs.blocks <= max(ours.blocks, 16))
        #expect(try pair.directory.read("here/a") == pair.directory.read("there/a"))
    }

    @Test(arguments: 1...20) func `Runs and zeros are the whole`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var bytes = [UInt8](repeating: 0, count: Int.random(in: 0...40_000, using: &random))
        for _ in 0..<Int.random(in: 0...6, using: &random) where !bytes.isEmpty {
            bytes[Int.random(in: bytes.indices, using: &random)] = 1
        }
        let runs = ZeroBlocks.runs(of: bytes, at: UInt64.random(in: 0...9_000, using: &random))
        var copy = [UInt8](repeating: 0, count: bytes.count)
        for run in runs { copy.replaceSubrange(run, with: bytes[run]) }
        #expect(copy == bytes)
        #expect(zip(runs, runs.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
    }

    // MARK: Kinds

    @Test func `A directory that became a file or a symlink is synced in one run`() throws {
        try pair.write("1", "here/d/e/f")
        try pair.write("1", "here/l/f")
        try pair.sync()
        for name in ["here/d/e/f", "here/l/f"] { try pair.remove(name) }
        for name in ["here/d/e", "here/d", "here/l"] { try pair.remove(name, isDirectory: true) }
        try pair.write("a file", "here/d")
        try FileOperations.makeSymlink(
            pair.path("here/l"), to: Array("d".utf8), at: Descriptor.workingDirectory)
        #expect(try pair.sync().isComplete)
        #expect(pair.read("there/d") == "a file" && pair.read("there/l") == "a file")
        #expect(try pair.sync().hasNothingToDo)
    }

    @Test func `What somebody made in a directory that became a file stays`() throws {
        try pair.write("1", "here/d/f")
        try pair.sync()
        try pair.remove("here/d/f")
        try pair.remove("here/d", isDirectory: true)
        try pair.write("a file", "here/d")
        try pair.write("mine", "there/d/new")
        #expect(try !pair.sync().isComplete)
        #expect(pair.read("there/d/new") == "mine")
    }

    // MARK: Mounts

    private func walk(_ known: [TwoWayState], _ mounts: Set<[UInt8]>) throws -> StoreWalk {
        let tree = TargetTree(try LiveTree(pair.path("here")), host: .system)
        var walk = StoreWalk(tree, known: known, mounts: mounts, at: .now())
        try walk.run()
        return walk
    }

    @Test func `A file system that is not mounted any more is a problem, and no removal`() throws {
        try pair.write("1", "here/vol/left")
        let mounts = Set(["vol", "gone", "gone/deep"].map { Array($0.utf8) })
        let walk = try walk([], mounts)
        #expect(walk.problems.map(\.path) == ["gone", "vol"].map { Array($0.utf8) })
        #expect(walk.mounts == mounts, "it is still waited for")
        #expect(walk.seen.map(\.path) == [Array("vol".utf8)], "what it hides is not looked at")
    }

    @Test func `Where file systems are mounted is remembered whole, or damaged`() throws {
        let tree = TargetTree(try LiveTree(pair.path("here")), host: .system)
        _ = try tree.takeLock()
        #expect(try MountMemory.read(tree).isEmpty)
        let mounts = Set(["a", "b/c"].map { Array($0.utf8) })
        try MountMemory.write(mounts, tree)
        #expect(try MountMemory.read(tree) == mounts)
        let name = "here/.varve-replica/mounts"
        let bytes = try pair.directory.read(name)
        for size in 0..<bytes.count {
            try pair.directory.write(Array(bytes.prefix(size)), name)
            #expect(throws: (any Error).self) { try MountMemory.read(tree) }
        }
    }

    // MARK: Targets

    @Test func `A dry run makes no store, and a sync makes one for its owner alone`() throws {
        try pair.write("1", "here/a")
        try pair.remove("there", isDirectory: true)
        #expect(try pair.sync([.dryRun]).there.put == [Array("a".utf8)])
        #expect(throws: PlatformError.self) { try FileStatus.of(pair.path("there")) }
        #expect(try pair.sync().isComplete)
        #expect(try FileStatus.of(pair.path("there")).mode == 0o700)
        #expect(pair.read("there/a") == "1")
    }
}
