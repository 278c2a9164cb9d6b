import Operations
@testable import Replicas
@testable import Snapshots
@testable import Targets
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import Testing
import TestSupport
import Trees

/// What others do to a target while something is brought to it, and what a source cannot tell.
struct ReplicaRaceTests {
    private let pair: ReplicaPair

    init() throws {
        pair = try ReplicaPair()
        var random = SplitMix64(seed: 11)
        for name in ["a", "b", "d/c"] {
            try pair.directory.write(random.bytes(20_000), "source/\(name)")
        }
        try pair.replicate()
    }

    private func write(_ text: String, _ path: String) throws {
        try pair.directory.write(Array(text.utf8), path)
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try pair.directory.read(path), as: UTF8.self)
    }

    private func expectChangedThere(
        _ path: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
    ) {
        let error = #expect(throws: RemoteFailure.self, sourceLocation: sourceLocation) {
            try body()
        }
        #expect(error?.kind == .changedThere, sourceLocation: sourceLocation)
        #expect(error?.object == Array(path.utf8), sourceLocation: sourceLocation)
    }

    // MARK: Changes of others after the comparison

    @Test func `What was edited while content was sent is not replaced`() throws {
        try write("new here", "source/a")
        let item = try pair.depot.capture(pair.source)
        do {
            let target = try pair.open()
            let journal = try pair.stage(item, target)
            try write("theirs", "target/a")
            expectChangedThere("a") { _ = try target.publish(new: journal) }
        }
        #expect(try text("target/a") == "theirs")
        #expect(try pair.open().status.changes.map(\.path) == [Array("a".utf8)])
    }

    @Test func `What was edited is not removed because it is gone at the source`() throws {
        try FileOperations.remove(pair.directory.path("source/a"))
        let item = try pair.depot.capture(pair.source)
        let target = try pair.open()
        let journal = try pair.stage(item, target)
        try write("theirs", "target/a")
        _ = try target.publish(new: journal)
        #expect(try text("target/a") == "theirs")
    }

    @Test func `A publication that was killed does not overrule what came after it`() throws {
        try write("new here", "source/a")
        let item = try pair.depot.capture(pair.source)
        do {
            let target = try pair.open()
            let journal = try pair.stage(item, target)
            try SmallFile.replace(
                at: TargetPlaces.journal, with: journal.encoded(),
                in: try PinnedDirectory(pair.target))
        }
        try write("theirs", "target/a")
        expectChangedThere("a") { _ = try pair.open() }
        #expect(try text("target/a") == "theirs")
        try pair.replicate([.overwrite])
        try pair.expectEqual()
    }

    @Test func `What was thought right and was changed is not taken for right`() throws {
        // From another repository everything is compared, and kept.
        let other = try Depot()
        let item = try other.capture(pair.source)
        let sender = ReplicaSender(try other.repository(), item, known: nil, WorkProgress())
        let offer = GatheringSink()
        try sender.offer(to: offer)
        do {
            let target = try pair.open()
            var offers = ReplicaOffers(target.tree, target.state, target.options)
            try offers.receive(PieceSource(offer.bytes, 10_000))
            #expect(offers.wants.allSatisfy { $0 == 0 })
            try pair.directory.write(Array(repeating: 7, count: 20_000), "target/b")
            expectChangedThere("b") { _ = try target.publish(new: offers.journal) }
        }
        try pair.replicate([.overwrite])
        try pair.expectEqual()
    }

    // MARK: Other kinds of things

    @Test func `A symlink or fifo that was replaced is made anew on request`() throws {
        let source = try PinnedDirectory(pair.source)
        for name in ["one", "two"] {
            try FileOperations.makeSymlink(
                Array(name.utf8), to: Array("a".utf8), at: source.descriptor.raw)
        }
        try FileOperations.makeSpecial(
            Array("pipe".utf8), .fifo, device: 0, at: source.descriptor.raw)
        try pair.replicate()
        let target = try PinnedDirectory(pair.target)
        for name in ["one", "two", "pipe"] {
            try FileOperations.remove(Array(name.utf8), at: target.descriptor.raw)
        }
        try FileOperations.makeSymlink(
            Array("one".utf8), to: Array("b".utf8), at: target.descriptor.raw)
        try write("a file", "target/two")
        try write("a file", "target/pipe")
        #expect(throws: ReplicaError.self) { try pair.replicate() }
        try pair.replicate([.overwrite])
        try pair.expectEqual()
        #expect(try pair.open().status.changes.isEmpty)
    }

    @Test func `A directory that became a symlink is made anew on request`() throws {
        let target = try PinnedDirectory(pair.target)
        try FileOperations.rename(
            Array("d".utf8), to: Array("elsewhere".utf8), at: target.descriptor.raw)
        try FileOperations.makeSymlink(
            Array("d".utf8), to: Array("elsewhere".utf8), at: target.descriptor.raw)
        #expect(throws: ReplicaError.self) { try pair.replicate() }
        try pair.replicate([.overwrite])
        try pair.directory.write([], "source/elsewhere/c")
        #expect(try FileStatus.of(pair.directory.path("target/d")).type == .directory)
        #expect(
            try pair.directory.read("target/d/c") == pair.directory.read("source/d/c"))
    }

    // MARK: Order

    @Test func `A new directory can be entered before a commit names what is in it`() throws {
        try pair.commit(0, adding: ["p=1/a"])
        let item = try pair.depot.capture(pair.source)
        let target = try pair.open()
        let journal = try pair.stage(item, target)
        let commit = pair.directory.path("target/t/_delta_log/\(ReplicaPair.name(0))")
        let partition = pair.directory.path("target/t/p=1")
        let mode = try FileStatus.of(pair.directory.path("source/t/p=1")).mode
        let trace = try FileTrace(pair.target) { _, _ in
            guard (try? FileStatus.of(commit)) != nil else { return nil }
            let found = try? FileStatus.of(partition).mode
            #expect(found == mode)
            return nil
        }
        defer { trace.stop() }
        _ = try target.publish(new: journal)
        try pair.expectEqual()
    }

    @Test func `A staged file that is used later gets the mode and time of then`() throws {
        try write("new here", "source/a")
        let item = try pair.depot.capture(pair.source)
        do {
            let target = try pair.open()
            _ = try pair.stage(item, target)
        }
        let path = pair.directory.path("source/a")
        try FileOperations.setMode(path, 0o600, at: Descriptor.workingDirectory)
        try FileOperations.setModificationTime(
            path, Timestamp(seconds: 1_000, nanoseconds: 5), at: Descriptor.workingDirectory)
        try pair.replicate()
        try pair.expectEqual()
    }

    // MARK: What a source cannot tell

    @Test func `What could not be read at the source stays, also where all is offered`() throws {
        try FileOperations.remove(pair.directory.path("source/d/c"))
        var item = try pair.depot.capture(pair.source)
        item.record.problems.append(CaptureProblem(.unreadable, Array("d".utf8), "no permission"))
        let repository = try pair.depot.repository()
        let replication = Replication(try Replication.local(pair.target))
        let summary = try replication.run(item, of: [], in: repository, WorkProgress())
        #expect(summary.isWhole)
        #expect(try pair.directory.read("target/d/c").count == 20_000)
        // Once all can be read again, it goes.
        let again = try pair.depot.capture(pair.source)
        let next = Replication(try Replication.local(pair.target))
        _ = try next.run(again, of: [item, again], in: repository, WorkProgress())
        try pair.expectEqual()
    }

    @Test func `Of a table that lacks files nothing is brought over`() throws {
        try pair.commit(0, adding: ["p0"])
        try pair.replicate()
        try pair.commit(1, adding: ["p1"])
        try write("more", "source/b")
        var item = try pair.depot.capture(pair.source)
        item.record.tables = [CapturedTable(Array("t".utf8), .damaged, version: 1)]
        #expect(try pair.replicate(item).damagedTables == [Array("t".utf8)])
        #expect(try pair.readTable() == 0)
        #expect(try text("target/b") == "more")
    }

    @Test func `A key for a replica sets no attributes that give rights`() throws {
        let target = try pair.open()
        let item = try pair.depot.capture(pair.source)
        let sink = GatheringSink()
        var writer = RecordWriter(sink)
        let origin = ReplicaOrigin(repository: try pair.depot.repository().config.id, item)
        try writer.write(1) {
            $0.u8(ReplicaOffers.Scope.everything.rawValue)
            origin.encode(into: &$0)
        }
        let time = Timestamp(seconds: 1, nanoseconds: 0)
        let names = ["security.capability", "user.note", "trusted.x", "system.posix_acl_access"]
        let entry = ManifestEntry(
            path: [], payload: .directory, mode: 0o755, uid: 0, gid: 0, mtime: time, ctime: time,
            inode: 0, linkDevice: nil,
            attributes: names.sorted().map { ExtendedAttribute(name: Array($0.utf8), value: [1]) },
            isIncomplete: false)
        try writer.write(2) { ReplicaRecord(entry).encode(into: &$0) }
        try writer.end()
        var offers = ReplicaOffers(target.tree, target.state, target.options)
        offers.isTrusted = false
        try offers.receive(PieceSource(sink.bytes, 1000))
        let left = try offers.journal.puts[0].entry.attributes
        #expect(
            left.map { String(decoding: $0.name, as: UTF8.self) }.sorted() == [
                "system.posix_acl_access", "user.note",
            ])
    }
}
