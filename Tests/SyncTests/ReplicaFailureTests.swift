import Bytes
import Platform
import SystemPackage
import Testing
import TestSupport
import Trees

@testable import Replicas
@testable import Targets

/// What a target cannot hold, or give up, is listed; the rest is done.
struct ReplicaFailureTests {
    private let pair: ReplicaPair

    init() throws { pair = try ReplicaPair() }

    @Test func `A removal that fails is told, and the next run does it`() throws {
        for name in ["a", "d/b", "d/c"] { try pair.directory.write([1], "source/\(name)") }
        try pair.replicate()
        try TemporaryDirectory.remove(pair.directory.path("source/d"))
        let item = try pair.depot.capture(pair.source)
        do {
            let open = try pair.open()
            let journal = try pair.stage(item, open)
            let trace = try FileTrace(pair.target) { call, path in
                let isRefused = PathBytes.name(path).elementsEqual("b".utf8) && call == "remove"
                return isRefused ? PlatformError("remove", path, .notPermitted) : nil
            }
            defer { trace.stop() }
            let outcome = try open.publish(new: journal)
            #expect(outcome.failureCount == 1)
            #expect(outcome.failures.map(\.kind) == [.notRemoved])
            #expect(outcome.failures.map(\.path) == [Array("d/b".utf8)])
        }
        #expect(try pair.directory.read("target/d/b") == [1])
        let summary = try pair.replicate(item)
        #expect(!summary.wasEqual && summary.isComplete && summary.changes.isEmpty)
        try pair.expectEqual()
    }

    @Test func `Failures go to the client whole, and are counted where there are too many`() throws
    {
        var failures = TargetFailures()
        for number in 0..<2000 {
            let path = Array("\(number)".utf8)
            failures.note(TargetFailure(.attribute, path, attribute: [1, 2], errno: 95))
            failures.note(TargetFailure(.attribute, path, attribute: [1, 2], errno: 95))
        }
        #expect(failures.listed.count == TargetFailures.limit)
        var outcome = ReplicaOutcome()
        outcome.failures = failures.listed
        outcome.failureCount = failures.count
        let sink = GatheringSink()
        try outcome.write(to: sink)
        #expect(try ReplicaOutcome(reading: PieceSource(sink.bytes, 100)) == outcome)
    }

    @Test func `A dry run makes no target, and what is made is as open as the source`() throws {
        try pair.directory.write([1], "source/a")
        try FileOperations.setMode(pair.source, 0o750, at: Descriptor.workingDirectory)
        let item = try pair.depot.capture(pair.source)
        let summary = try pair.replicate(item, [.setID, .dryRun])
        #expect(summary.wanted == 1)
        #expect(throws: PlatformError.self) { try FileStatus.of(pair.target) }
        try pair.replicate(item)
        #expect(try FileStatus.of(pair.target).mode == 0o750)
    }
}
