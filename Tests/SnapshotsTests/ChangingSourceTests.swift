import Restoring
import Upkeep
@testable import Capturing
@testable import Snapshots
import Bytes
import Hashing
import Platform
import Repository
import Testing
import TestSupport

/// Files that change, shrink, grow or go while they are read.
struct ChangingSourceTests {
    private let vault: Vault
    private let path: [UInt8]

    init() throws {
        vault = try Vault()
        path = vault.directory.path("source/file")
    }

    /// Captures while another thread does `change` again and again.
    private func capture(
        _ options: CaptureOptions = Vault.options(),
        while change: @escaping @Sendable (Int) throws -> Void
    ) throws -> CaptureResult {
        let isOver = Monitor(false)
        let threads = WorkerThreads(count: 1) { _ in
            var round = 0
            while !isOver.withState({ $0 }) {
                try? change(round)
                round += 1
            }
        }
        let result = Result { try vault.capture(options) }
        isOver.update { $0 = true }
        threads.join()
        return try result.get()
    }

    /// Whatever was recorded can be restored, and says whether it is whole.
    private func expectHonest(_ result: CaptureResult) throws {
        #expect(result.problems.allSatisfy { $0.path == [UInt8]("file") })
        let isWhole = result.problems.isEmpty || result.problems.allSatisfy { !$0.isFault }
        #expect(result.record.isComplete == isWhole)
        #expect(try vault.check(readDataPercent: 100).damages.isEmpty)
        #expect(try vault.restore(result.record).failures.isEmpty)
        if let entry = try vault.entry("file", of: result.record) {
            let status = try FileStatus.of(vault.directory.path("target/file"))
            #expect(status.size == entry.size)
            #expect(entry.isIncomplete == !isWhole)
        }
    }

    @Test(.endsWithin(minutes: 5))
    func `A file that grows without end is recorded up to where it was`() throws {
        try vault.directory.write([UInt8](repeating: 1, count: 3_000_000), "source/file")
        let path = path
        let result = try capture { _ in
            let file = try Descriptor.open(path, [.writeOnly, .append])
            try file.write([UInt8](repeating: 2, count: 1_000).span, path)
            HostSystem.sleep(.microseconds(200))
        }
        #expect(result.problems.map(\.kind) == [.changedWhileRead])
        try expectHonest(result)
        let restored = try vault.directory.read("target/file")
        #expect(restored.prefix(3_000_000).allSatisfy { $0 == 1 })
        #expect(restored.dropFirst(3_000_000).allSatisfy { $0 == 2 })
    }

    @Test(.endsWithin(minutes: 5))
    func `A file that is cut short while it is read is recorded honestly`() throws {
        var random = SplitMix64(seed: 5)
        let content = random.bytes(2_000_000)
        try vault.directory.write(content, "source/file")
        let path = path
        let result = try capture { round in
            let file = try Descriptor.open(path, [.writeOnly])
            try file.truncate(to: UInt64(round % 7) * 100_000, path)
            try file.write(content.span, at: 0, path)
        }
        try expectHonest(result)
    }

    /// Each version is all of one byte, and replaces the one before it at once.
    @Test(.endsWithin(minutes: 5))
    func `A file that is replaced by renaming is captured as one of its versions`() throws {
        try vault.directory.write([UInt8](repeating: 0, count: 500_000), "source/file")
        let directory = vault.directory
        let path = path
        for _ in 0..<5 {
            let result = try capture { round in
                let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: round), count: 500_000)
                let new = try directory.write(bytes, "new")
                try FileOperations.rename(new, to: path, at: Descriptor.workingDirectory)
            }
            try expectHonest(result)
            let restored = try vault.directory.read("target/file")
            #expect(Set(restored).count == 1)
        }
    }

    @Test(.endsWithin(minutes: 5))
    func `A file that comes and goes is in the snapshot or noted as vanished`() throws {
        let directory = vault.directory
        let path = path
        for _ in 0..<20 {
            let result = try capture { round in
                try directory.write([UInt8(round % 7)], "source/file")
                try FileOperations.remove(path, at: Descriptor.workingDirectory)
            }
            let kinds: [CaptureProblem.Kind] = [.vanished, .changedWhileRead]
            #expect(result.problems.map(\.kind).allSatisfy(kinds.contains))
            #expect(try vault.check().damages.isEmpty)
        }
    }

    @Test(.endsWithin(minutes: 5))
    func `A directory that becomes a symlink is not followed`() throws {
        try vault.directory.write([UInt8]("secret"), "outside/file")
        let directory = vault.directory
        for _ in 0..<20 {
            let result = try capture { round in
                let place = Descriptor.workingDirectory
                let path = directory.path("source/directory")
                try? TemporaryDirectory.remove(path)
                try? FileOperations.remove(path, at: place)
                if round.isMultiple(of: 2) {
                    try directory.write([UInt8]("plain!"), "source/directory/file")
                } else {
                    try FileOperations.makeSymlink(path, to: [UInt8]("../outside"), at: place)
                }
            }
            let entry = try vault.entry("directory/file", of: result.record)
            guard case .file(_, .pieces(let pieces))? = entry?.payload else { continue }
            for case .chunk(let id, _) in pieces {
                #expect(id != ChunkID(of: [UInt8]("secret").span))
            }
        }
    }
}
