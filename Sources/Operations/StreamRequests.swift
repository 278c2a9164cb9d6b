internal import Bytes
package import Platform
package import Remote
package import Repository
package import Snapshots
internal import SystemPackage
internal import Wire

/// Writes what turns one snapshot into another as a stream.
package struct SendRequest {
    /// Where a stream goes.
    package enum Carrier {
        /// Nowhere: it is only counted.
        case nothing
        case standardOutput
        /// A file that must not exist, or a directory.
        case path([UInt8])
    }

    /// Which snapshot, by its name.
    package var snapshot: SnapshotSelector
    /// A snapshot that the receiver has.
    package var from: SnapshotSelector?
    /// "latest" and times look only at snapshots of this host.
    package var host: [UInt8]?
    /// Where the snapshots are.
    package var repository: RepositoryAccess
    /// Where the stream goes.
    package var carrier: Carrier
    /// At most so much is written a second; nil for no limit.
    package var bytesPerSecond: UInt64?

    /// A stream of a whole snapshot, until `from` is set.
    package init(
        _ snapshot: SnapshotSelector, of repository: RepositoryAccess, to carrier: Carrier
    ) {
        self.snapshot = snapshot
        self.repository = repository
        self.carrier = carrier
    }

    /// What was sent.
    package struct Result {
        /// How much it was.
        package let summary: SendSummary
        /// The snapshot that was sent.
        package let id: SnapshotID
        /// The snapshot that the receiver must have.
        package let from: SnapshotID?
    }

    /// Throws `RequestError.fileIsThere` where the file exists.
    package func run(_ progress: WorkProgress, _ note: NoteTaker) throws -> Result {
        let opened = try repository.open()
        let wanted = try snapshot.find(in: opened, host: host, note)
        let known = try from.map { try $0.find(in: opened, host: host, note) }
        var file: FileSink?
        if case .path(let target) = carrier {
            file = try Self.newFile(try Self.path(in: target, from: known?.id, to: wanted.id))
        }
        var sink: any ByteSink = StandardSink()
        if let file { sink = file }
        var isKept = true
        if case .nothing = carrier { (sink, isKept) = (CountingSink(), false) }
        if let bytesPerSecond { sink = LimitedSink(sink, bytesPerSecond: bytesPerSecond) }
        let summary = try DeltaSender(opened, isChecking: isKept, progress)
            .send([wanted.item], known: known.map { [$0.item] } ?? [], to: sink)
        try file?.finish()
        return Result(summary: summary, id: wanted.id, from: known?.id)
    }

    private static func newFile(_ path: [UInt8]) throws -> FileSink {
        guard try !Self.isThere(path) else { throw RequestError.fileIsThere(path) }
        return try FileSink(path)
    }

    private static func isThere(_ path: [UInt8]) throws(PlatformError) -> Bool {
        do throws(PlatformError) {
            _ = try FileStatus.of(path)
            return true
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }

    /// Where a stream goes that is written to `target`: into it, if it is a directory.
    private static func path(
        in target: [UInt8], from: SnapshotID?, to: SnapshotID
    ) throws(PlatformError) -> [UInt8] {
        do throws(PlatformError) {
            guard try FileStatus.following(target).type == .directory else { return target }
        } catch {
            guard error.isNotFound else { throw error }
            return target
        }
        let slashless = target.count > 1 && target.last == PathBytes.separator
        return PathBytes.join(
            slashless ? Array(target.dropLast()) : target,
            StreamDirectory.name(from: from, to: to)
        )
    }
}

/// Applies a stream, or all streams of a directory.
package struct ReceiveRequest {
    /// Standard input where none is named.
    package var path: [UInt8]?
    /// Where the streams go.
    package var repository: RepositoryAccess

    /// Streams of a file, of a directory, or of standard input.
    package init(_ path: [UInt8]?, into repository: RepositoryAccess) {
        self.path = path
        self.repository = repository
    }

    /// Applies what there is, noting each stream; returns what became of a directory.
    package func run(_ progress: WorkProgress, _ note: NoteTaker) throws -> ReceivedDirectory? {
        let opened = try repository.open()
        guard let path else {
            try receive(StandardSource(), opened, progress, note)
            return nil
        }
        guard try FileStatus.following(path).type == .directory else {
            try receive(try FileSource(path), opened, progress, note)
            return nil
        }
        var run = try DirectoryIntake(path, opened, progress)
        return try run.run(note)
    }

    private func receive(
        _ source: any ByteSource, _ repository: Repository, _ progress: WorkProgress,
        _ note: NoteTaker
    ) throws {
        try note(.received(try DeltaReceiver(repository, progress).receive(source)))
    }
}

/// What became of a directory of streams.
package struct ReceivedDirectory {
    /// Files that are streams by their names.
    package let streams: Int
    /// Applied just now.
    package let applied: Int
    /// Applied before.
    package let known: Int
    /// All of them are applied now.
    package let isComplete: Bool
}

/// Applies the streams of a directory in the order that they need.
private struct DirectoryIntake {
    private let repository: Repository
    private let progress: WorkProgress
    private let items: [StreamDirectory.Item]
    private let odd: [(path: [UInt8], reason: String)]
    private var present: Set<SnapshotID>
    private var isComplete = true

    init(_ directory: [UInt8], _ repository: Repository, _ progress: WorkProgress) throws {
        (items, odd) = try StreamDirectory.items(directory)
        guard !items.isEmpty || !odd.isEmpty else { throw RequestError.noStreams(directory) }
        self.repository = repository
        self.progress = progress
        present = Set(try repository.snapshotIDs())
    }

    mutating func run(_ note: NoteTaker) throws -> ReceivedDirectory {
        for (path, reason) in odd { try leaveOut(path, .unusable(reason), note) }
        var waiting = items.filter { !present.isSuperset(of: $0.header.snapshots) }
        let known = items.count - waiting.count
        while let next = waiting.firstIndex(where: { present.isSuperset(of: $0.header.needed) }) {
            try apply(waiting.remove(at: next), note)
        }
        for item in waiting {
            let missing = item.header.needed.filter { !present.contains($0) }
            try leaveOut(item.path, .lacks(missing), note)
        }
        let whole = items.count { present.isSuperset(of: $0.header.snapshots) }
        return ReceivedDirectory(
            streams: items.count + odd.count, applied: whole - known, known: known,
            isComplete: isComplete)
    }

    private mutating func apply(_ item: StreamDirectory.Item, _ note: NoteTaker) throws {
        do {
            let source = try FileSource(item.path)
            try note(.received(try DeltaReceiver(repository, progress).receive(source)))
        } catch {
            guard Self.isDamage(error) else { throw error }
            try leaveOut(item.path, .damaged(error), note)
        }
        // Of a damaged stream too, what came before the damage.
        present.formUnion(try repository.snapshotIDs())
    }

    private mutating func leaveOut(
        _ path: [UInt8], _ obstacle: StreamObstacle, _ note: NoteTaker
    ) throws {
        isComplete = false
        try note(.streamLeftOut(path, obstacle))
    }

    /// Whether a stream is at fault, and others may be right.
    private static func isDamage(_ error: any Error) -> Bool {
        error is StreamError || (error as? RepositoryError)?.isDamage == true
    }
}
