import Operations
@testable import Replicas
@testable import Targets
import Bytes
import Platform
import Repository
import Snapshots
import Testing
import TestSupport

/// A store, the repository that its snapshots go to, and a directory that follows it.
final class ReplicaPair: Sendable {
    let directory: TemporaryDirectory
    let depot: Depot
    var source: [UInt8] { directory.path("source") }
    var target: [UInt8] { directory.path("target") }

    init() throws {
        directory = try TemporaryDirectory()
        depot = try Depot()
        try FileOperations.makeDirectory(directory.path("source"))
    }

    /// Takes a snapshot and makes the target equal to it.
    @discardableResult
    func replicate(_ options: ReplicaOptions = [.setID]) throws -> ReplicationSummary {
        let item = try depot.capture(source)
        return try replicate(item, options)
    }

    @discardableResult
    func replicate(
        _ item: Depot.Item, _ options: ReplicaOptions = [.setID], to path: [UInt8]? = nil
    ) throws -> ReplicationSummary {
        let replication = Replication(try Replication.local(path ?? target), options)
        let repository = try depot.repository()
        return try replication.run(item, of: try depot.items(), in: repository, WorkProgress())
    }

    /// The lines of a tree, without what a replica does not keep or has of its own.
    static func listing(_ path: [UInt8]) throws -> [String] {
        try TreeListing.of(path).filter { !$0.hasPrefix(".varve-replica") }.map { line in
            line.replacing(#/ linked with .* mode /#, with: " mode ")
        }
    }

    func expectEqual(
        _ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expectSame(
            Self.listing(source), Self.listing(target), comment, sourceLocation: sourceLocation)
    }

    /// Opens the target as a server does.
    func open(_ options: ReplicaOptions = [.setID]) throws -> ReplicaTarget {
        let root = try PinnedDirectory(target)
        return try ReplicaTarget(root, options)
    }

    /// Stages a snapshot, and returns the journal that is to be published.
    func stage(_ item: Depot.Item, _ open: ReplicaTarget) throws -> ReplicaJournal {
        let repository = try depot.repository()
        let known = try depot.items().first { $0.id.digest == open.state.origin.snapshot }
        let sender = ReplicaSender(repository, item, known: known, WorkProgress())
        let offer = GatheringSink()
        try sender.offer(to: offer)
        var offers = ReplicaOffers(open.tree, open.state, open.options)
        try offers.receive(PieceSource(offer.bytes, 10_000))
        let content = GatheringSink()
        try sender.content(offers.wants, to: content)
        var staging = try ReplicaStaging(open.tree, open.state, offers)
        try staging.receive(PieceSource(content.bytes, 10_000))
        let supply = GatheringSink()
        try sender.supply(staging.lacking, to: supply)
        try staging.receiveSupply(PieceSource(supply.bytes, 10_000))
        return try staging.finishedOffers().journal
    }

    // MARK: A table of a kind

    /// Writes segments and the commit that names them, so that a reader can tell what is whole.
    func commit(
        _ version: Int, adding names: [String], removing: [String] = [], table: String = "t"
    ) throws {
        var random = SplitMix64(seed: UInt64(version) + 99)
        for name in names {
            try directory.write(random.bytes(30_000), "source/\(table)/\(name)")
        }
        try writeCommit(version, adding: names, removing: removing, table: table)
    }

    func writeCommit(
        _ version: Int, adding names: [String], removing: [String] = [], table: String = "t"
    ) throws {
        let lines = names.map { "add \($0)" } + removing.map { "remove \($0)" }
        try directory.write(
            Array(lines.joined(separator: "\n").utf8),
            "source/\(table)/_delta_log/\(Self.name(version))")
    }

    static func name(_ version: Int) -> String {
        let digits = String(version)
        return String(repeating: "0", count: 20 - digits.count) + digits + ".json"
    }

    private static func names(_ path: [UInt8]) -> [[UInt8]] {
        guard let directory = try? PinnedDirectory(path) else { return [] }
        return (try? directory.descriptor.names(path)) ?? []
    }

    /// The version of the table at the target, all of whose segments are there; nil when there is
    /// no table.
    func readTable(_ table: String = "t", in other: [UInt8]? = nil) throws -> Int? {
        let path = PathBytes.join(other ?? target, Array(table.utf8))
        func inside(_ name: String) -> [UInt8] { PathBytes.join(path, Array(name.utf8)) }
        var live: Set<String> = []
        var version = -1
        while let text = try? Fixtures.read(inside("_delta_log/\(Self.name(version + 1))")) {
            version += 1
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
                let name = String(line.split(separator: " ")[1])
                if line.hasPrefix("add") { live.insert(name) } else { live.remove(name) }
            }
        }
        for name in live {
            let status = try FileStatus.of(inside(name))
            #expect(status.size > 0)
        }
        let names = Self.names(inside("_delta_log"))
        #expect(names.count { $0.count == 25 } == version + 1, "no commit after a gap")
        return version < 0 ? nil : version
    }
}
