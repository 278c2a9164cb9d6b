import Capturing
import Chunking
import Platform
import Remote
import Repository
import Restoring
import Snapshots
import Testing
import TestSupport
import Trees
@testable import Operations

/// What the command line does can be done without it.
@Suite struct RequestTests {
    private let directory: TemporaryDirectory
    private let access: RepositoryAccess

    init() throws {
        directory = try TemporaryDirectory()
        access = RepositoryAccess(.directory(directory.path("repo")), .standard)
        _ = try access.create(.standard)
        try directory.makeDirectories(Array("store/d".utf8))
        try directory.write([1, 2, 3], "store/d/a")
    }

    private var options: CaptureOptions {
        CaptureOptions(filter: WalkFilter(patterns: ExcludePatterns()), host: [0x68])
    }

    private func snapshot(_ sources: [[UInt8]]) throws -> CaptureResult {
        try SnapshotRequest(sources, into: access, options).run(WorkProgress()) { _ in }
    }

    @Test func `What a request captured another one brings back`() throws {
        let captured = try snapshot([directory.path("store")])
        let id = try #require(captured.id)
        let path = try SnapshotPath(parsing: Array("latest:d".utf8))
        let request = RestoreRequest(
            path, from: access, to: directory.path("out"), RestoreOptions())
        let restored = try request.run(WorkProgress()) { _ in }
        #expect(restored.id == id && restored.result.failures.isEmpty)
        #expect(try directory.read("out/a") == [1, 2, 3])
    }

    @Test func `A repository in a source is left out with a note`() throws {
        var inside: [[UInt8]] = []
        let request = SnapshotRequest([directory.path], into: access, options)
        let result = try request.run(WorkProgress()) { note in
            if case .repositoryLeftOut(let path) = note { inside.append(path) }
        }
        #expect(inside == [Array("repo".utf8)])
        #expect(result.record.statistics.newFiles == 1)
    }

    @Test func `Requests that would do harm are refused before anything is done`() throws {
        #expect(throws: RequestError.self) { try snapshot([directory.path("repo/packs")]) }
        _ = try snapshot([directory.path("store")])
        let latest = try SnapshotPath(parsing: Array("latest".utf8))
        var options = RestoreOptions()
        options.deletes = true
        for target in ["repo/x", "."] {
            let request = RestoreRequest(latest, from: access, to: directory.path(target), options)
            #expect(throws: RequestError.self) { try request.run(WorkProgress()) { _ in } }
        }
    }

    @Test func `Snapshots are found by what they are of`() throws {
        _ = try snapshot([directory.path("store")])
        _ = try snapshot([directory.path("store/d")])
        var filter = SnapshotFilter()
        #expect(filter.isEmpty)
        filter.source = directory.path("store/d")
        let list = try SnapshotList(try access.open(), filter) { _ in }
        #expect(list.isComplete && list.items.count == 1)
        filter.host = [0x69]
        #expect(try SnapshotList(try access.open(), filter) { _ in }.items.isEmpty)
    }

    @Test func `Streams of a directory are applied in the order that they need`() throws {
        let other = RepositoryAccess(.directory(directory.path("other")), .standard)
        _ = try other.create(.standard)
        try directory.makeDirectories(Array("streams".utf8))
        _ = try snapshot([directory.path("store")])
        try directory.write([4], "store/b")
        _ = try snapshot([directory.path("store")])
        let before = try SnapshotPath(parsing: Array("latest~1".utf8)).snapshot
        for (from, to) in [(nil, before), (before, SnapshotSelector.latest)] {
            var request = SendRequest(to, of: access, to: .path(directory.path("streams")))
            request.from = from
            _ = try request.run(WorkProgress()) { _ in }
        }
        try directory.write([0], "streams/odd.varve")
        var leftOut = 0
        let request = ReceiveRequest(directory.path("streams"), into: other)
        let streams = try request.run(WorkProgress()) { note in
            if case .streamLeftOut = note { leftOut += 1 }
        }
        #expect(streams?.applied == 2 && streams?.isComplete == false && leftOut == 1)
        #expect(try other.open().snapshotIDs().count == 2)
    }
}
