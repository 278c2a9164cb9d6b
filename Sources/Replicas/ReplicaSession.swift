package import Platform
internal import Repository
internal import SystemPackage
package import Targets
package import Wire

/// The server's side of one replication after another, one step for each of its
/// requests; reads and writes the target.
package final class ReplicaSession {
    private let root: TargetRoot
    /// Whoever may do no more than write this directory may not make devices or set-id files in it:
    /// those would be doors to more.
    private let isTrusted: Bool
    private var target: ReplicaTarget?
    private var offers: ReplicaOffers?
    private var staging: ReplicaStaging?

    private let host: Host

    package convenience init(
        _ root: consuming PinnedDirectory, isTrusted: Bool = true, host: Host = .system
    ) {
        self.init(TargetRoot(root), isTrusted: isTrusted, host: host)
    }

    package init(_ root: TargetRoot, isTrusted: Bool = true, host: Host = .system) {
        self.root = root
        self.isTrusted = isTrusted
        self.host = host
    }

    /// Takes an upload.
    package func receive(_ request: ReplicaRequest, _ source: any ByteSource) throws -> [UInt8] {
        let target = try begun()
        switch request.step {
        case .offer:
            try target.requireUnchanged()
            var offers = ReplicaOffers(target.tree, target.state, target.options, host)
            offers.isTrusted = isTrusted
            try offers.receive(source)
            self.offers = offers
            staging = nil
        case .content:
            guard let offers, staging == nil, !target.options.contains(.dryRun) else {
                throw Self.untimely
            }
            var staging = try ReplicaStaging(target.tree, target.state, offers)
            try staging.receive(source)
            self.staging = staging
        case .supply:
            guard var staging else { throw Self.untimely }
            self.staging = nil
            try staging.receiveSupply(source)
            self.staging = staging
        default: throw Self.untimely
        }
        return []
    }

    /// Writes a download.
    package func send(_ request: ReplicaRequest, _ sink: any ByteSink) throws {
        switch request.step {
        case .begin: try begin(request.options).write(to: sink)
        case .wants:
            guard let offers else { throw Self.untimely }
            try sink.write(offers.wants)
        case .lacking:
            guard let staging else { throw Self.untimely }
            var writer = RecordWriter(sink)
            for piece in staging.lacking { try writer.write(piece) }
            try writer.end()
        case .publish: try publish().write(to: sink)
        case .release: release()
        default: throw Self.untimely
        }
    }

    private static let untimely = RemoteFailure(.violation, "a step that is not due")

    private func begun() throws -> ReplicaTarget {
        guard let target else { throw Self.untimely }
        return target
    }

    private func begin(_ options: ReplicaOptions) throws -> ReplicaStatus {
        release()
        let directory = try root.open(isDryRun: options.contains(.dryRun), host)
        let allowed = isTrusted ? options : options.subtracting(.setID)
        let target = try ReplicaTarget(directory, allowed, host)
        self.target = target
        return target.status
    }

    /// Lets go of the target, and of the lock with it.
    private func release() {
        offers = nil
        staging = nil
        target = nil
    }

    private func publish() throws -> ReplicaOutcome {
        let target = try begun()
        guard let staging, !target.options.contains(.dryRun) else { throw Self.untimely }
        // What it holds is right again only after a new comparison.
        defer { release() }
        let outcome = try target.publish(new: try staging.finishedOffers().journal)
        guard outcome.failureCount == 0 || target.options.contains(.listsFailures) else {
            throw RemoteFailure(
                .other,
                "all content is there, but the target could not hold all owners, "
                    + "attributes, modes and times; a newer varve lists them")
        }
        return outcome
    }
}
