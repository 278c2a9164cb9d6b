internal import Bytes
package import Capturing
internal import Hashing
package import Platform
internal import Remote
package import Replicas
package import Repository
internal import SystemPackage
internal import Trees

// One round: a snapshot of the store, then the replica made equal to it. What can fail does so as a
// whole: it is told, and tried again after a while that doubles up to a minute. The watch is there
// before the snapshot begins, so that no change falls between them.

/// How a store is watched.
package struct WatchSettings: Sendable {
    package var source: [UInt8]
    /// A round begins once nothing changed for so long.
    package var quiet: Duration = .milliseconds(100)
    /// Or once so long has passed since the first change.
    package var patience: Duration = .milliseconds(500)
    /// How often changes are looked for where nothing tells of them.
    package var interval: Duration = .seconds(5)
    package var alwaysPolls = false
    /// A round takes place at least so often: for what is not told, such as modes.
    package var rescan: Duration = .seconds(3600)
    package var health: [UInt8]?
    package var metrics: [UInt8]?
    package var firstRetry: Duration = .seconds(1)
    package var lastRetry: Duration = .seconds(60)

    package init(_ source: [UInt8]) { self.source = source }
}

/// What a watch has to tell.
package enum WatchEvent {
    /// Changes are looked for every so often, for this reason.
    case polls(String)
    /// More changed at once than the system told of: everything is looked at.
    case overflow
    case round(CaptureResult, ReplicationSummary?, lag: Duration?)
    /// A round failed and is tried again after a while.
    case failed(any Error, retry: Duration)
    /// A file for monitors could not be written.
    case unpublished(PlatformError)
}

/// Follows a store: snapshots it when it changes, and keeps a replica equal to it.
package final class StoreWatch {
    private let settings: WatchSettings
    private let host: Host
    private let own: OwnFiles
    private let options: CaptureOptions
    private let repository: () throws -> Repository
    private let replica: (destination: ReplicaDestination, options: ReplicaOptions, rate: UInt64?)?
    private let tell: (WatchEvent) throws -> Void

    private var watch: DirectoryWatch?
    private var signature: XXH3Digest?
    private var connection: (Connection, used: ContinuousClock.Instant)?
    package private(set) var record: WatchRecord

    /// A connection that was not used for longer may have been given up by the other side.
    private static let connectionLife: Duration = .seconds(300)
    private static let slice: Duration = .milliseconds(200)

    /// `repository` opens the repository anew for each round.
    package init(
        _ settings: WatchSettings, _ options: CaptureOptions,
        replica: (destination: ReplicaDestination, options: ReplicaOptions, rate: UInt64?)?,
        host: Host = .system, repository: @escaping () throws -> Repository,
        tell: @escaping (WatchEvent) throws -> Void
    ) {
        self.settings = settings
        self.host = host
        record = WatchRecord(host)
        own = OwnFiles([settings.health, settings.metrics].compactMap { $0 }, in: settings.source)
        var options = options
        own.exclude(from: &options.filter)
        self.options = options
        self.replica = replica
        self.repository = repository
        self.tell = tell
    }

    /// Goes on until it is interrupted, or `rounds` have gone well.
    package func run(rounds limit: Int = .max) throws {
        ServiceNotice.ready()
        defer { ServiceNotice.stopping() }
        var rounds = 0
        var retry = settings.firstRetry
        // The first round makes up for what changed before.
        var changed: ContinuousClock.Instant?
        while rounds < limit {
            try Interruption.check()
            do {
                try beginWatching()
                try round(changed)
                rounds += 1
                retry = settings.firstRetry
            } catch let error as Interrupted {
                throw error
            } catch {
                try Interruption.check()
                try fail(error, retry)
                sleep(retry)
                retry = min(retry * 2, settings.lastRetry)
                continue
            }
            if rounds < limit { changed = try waitForChange() }
        }
    }

    // MARK: A round

    private func round(_ changed: ContinuousClock.Instant?) throws {
        if watch == nil {
            signature = try StoreSignature.of(settings.source, options.filter, own, host)
        }
        let repository = try repository()
        let captured = try Capture.run(
            [settings.source], into: repository, options, WorkProgress())
        let summary = try replicate(captured, repository)
        // A change that was taken back has not been brought anywhere.
        let isIdle = captured.isUnchanged && summary?.wasEqual != false
        let lag = isIdle ? nil : changed.map { host.instant() - $0 }
        record.note(captured, summary, lag: lag)
        try tell(.round(captured, summary, lag: lag))
        try publish()
    }

    private func replicate(
        _ captured: CaptureResult, _ repository: Repository
    ) throws -> ReplicationSummary? {
        guard let replica else { return nil }
        let replication = StoreReplication(
            of: settings.source, through: repository, to: replica.destination, replica.options,
            bytesPerSecond: replica.rate)
        let open: Connection
        if let (known, used) = connection, host.instant() - used < Self.connectionLife {
            open = known
        } else {
            connection = nil
            open = try replica.destination.connect()
        }
        // Only a connection on which all went well is used again.
        connection = nil
        let summary = try replication.replicate(captured, open, WorkProgress())
        connection = (open, host.instant())
        return summary
    }

    private func fail(_ error: any Error, _ retry: Duration) throws {
        connection = nil
        watch = nil
        record.note(failure: "\(error)")
        try tell(.failed(error, retry: retry))
        try publish()
    }

    private func publish() throws {
        let problems = record.problems == 0 ? "ok" : "ok, but \(record.problems) paths unreadable"
        let state = record.failuresInARow == 0 ? problems : "failing: \(record.lastFailure)"
        ServiceNotice.status(state)
        for (path, text) in [(settings.health, record.health), (settings.metrics, record.metrics)] {
            guard let path else { continue }
            do throws(PlatformError) {
                try WatchRecord.publish(text, to: path)
            } catch {
                try tell(.unpublished(error))
            }
        }
    }

    private func sleep(_ duration: Duration) {
        let deadline = host.instant() + duration
        while host.instant() < deadline, !Interruption.isRequested {
            host.sleep(min(deadline - host.instant(), Self.slice))
        }
    }

    // MARK: Changes

    private func beginWatching() throws {
        guard watch == nil else { return }
        do {
            guard !settings.alwaysPolls else { return try polls("as it was asked for") }
            guard !FileSystem.isRemote(settings.source) else {
                return try polls("the store lies on a file system of the network")
            }
            watch = try DirectoryWatch(
                settings.source, ignoring: [SourceWalk.replicaDirectory], paths: own.paths)
            record.isPolling = false
        } catch let error as PlatformError where error.errno == .noSpace {
            try polls("the system watches no more directories (fs.inotify.max_user_watches)")
        } catch let error as PlatformError where error.errno == .tooManyOpenFiles {
            try polls("the system has no more watches (fs.inotify.max_user_instances)")
        } catch let error as PlatformError where !error.isNotFound {
            // Such as a directory that may not be read: a snapshot takes all the rest.
            try polls("\(error)")
        }
    }

    private func polls(_ why: String) throws {
        if !record.isPolling { try tell(.polls(why)) }
        record.isPolling = true
    }

    /// Waits for the next round to be due; tells when the first change was noticed, nil where there
    /// may be none.
    private func waitForChange() throws -> ContinuousClock.Instant? {
        let deadline = host.instant() + settings.rescan
        while host.instant() < deadline {
            try Interruption.check()
            if let watch {
                let notice = notice(watch)
                switch notice {
                case .quiet: ServiceNotice.status("ok")
                case .changed: return try settle(watch)
                case .overflow, .gone: return try restart(notice, watch)
                }
            } else {
                ServiceNotice.status("ok")
                sleep(settings.interval)
                let now = host.instant()
                let found = try? StoreSignature.of(settings.source, options.filter, own, host)
                if found != signature { return now }
            }
        }
        return nil
    }

    /// Directories that were made while changes were lost are not watched: all are watched anew.
    private func restart(
        _ notice: DirectoryWatch.Notice, _ watch: DirectoryWatch
    ) throws -> ContinuousClock.Instant {
        if notice == .overflow { try tell(.overflow) }
        self.watch = nil
        return watch.changedSince
    }

    /// What happened, or that the watch cannot go on and the round will tell why.
    private func notice(_ watch: DirectoryWatch) -> DirectoryWatch.Notice {
        (try? watch.wait(min(.seconds(10), settings.rescan))) ?? .gone
    }

    /// Waits until nothing changes any more, but not for ever.
    private func settle(_ watch: DirectoryWatch) throws -> ContinuousClock.Instant {
        let first = watch.changedSince
        while host.instant() < first + settings.patience {
            let next = (try? watch.wait(settings.quiet)) ?? .gone
            if next == .quiet { break }
            guard next == .changed else {
                _ = try restart(next, watch)
                break
            }
        }
        return first
    }
}

/// What tells that a store changed where nothing else does: a digest of the status of everything.
enum StoreSignature {
    static func of(
        _ source: [UInt8], _ filter: WalkFilter, _ own: OwnFiles, _ host: Host
    ) throws -> XXH3Digest {
        let walk = try SourceWalk(source, prefix: [], filter: filter)
        var digest = XXH3Digest(high: 0, low: 0)
        var writer = ByteWriter()
        try walk.visit(listers: host.processors) { entry throws(PlatformError) in
            writer.removeAll()
            writer.xxh3(digest)
            writer.string(entry.path)
            if case .success(let status) = entry.status {
                for number in [status.size, status.inode, UInt64(status.mode)] {
                    writer.varint(number)
                }
                let isOwn = status.type == .directory && own.isDirectoryOfOne(entry.path)
                writer.signed(isOwn ? 0 : status.mtime.seconds)
                writer.varint(isOwn ? 0 : UInt64(status.mtime.nanoseconds))
            }
            digest = XXH3Digest(of: writer.bytes.span)
        }
        return digest
    }
}
