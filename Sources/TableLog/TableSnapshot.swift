package import Bytes

/// A table at one version: what its log says when all is put together.
package struct TableSnapshot: Equatable, Sendable {
    package let version: Int64
    package internal(set) var protocolVersion: ProtocolAction
    package internal(set) var metadata: TableMetadata
    /// The data files that belong to the table.
    package internal(set) var files: [FileKey: AddFile]
    /// Files that belonged to it and may still be there.
    package internal(set) var tombstones: [FileKey: RemoveFile]
    package internal(set) var transactions: [ExactText: TransactionAction]
    package internal(set) var domains: [ExactText: DomainAction]
    /// When the commit was made, in milliseconds since 1970; nil when it is only in a checkpoint.
    package internal(set) var commitTime: Int64?

    /// Bytes of all data files.
    package var size: Int64 { files.values.reduce(0) { $0.addingClamped($1.size) } }
}

/// Puts actions together, in the order of their versions.
struct Replay {
    private var protocolVersion: ProtocolAction?
    private var metadata: TableMetadata?
    private var files: [FileKey: AddFile] = [:]
    private var tombstones: [FileKey: RemoveFile] = [:]
    private var transactions: [ExactText: TransactionAction] = [:]
    private var domains: [ExactText: DomainAction] = [:]

    /// Takes the actions of one commit, or of a checkpoint; their order means nothing, and a file
    /// that is removed and added again in one commit is there.
    mutating func apply(_ actions: [LogAction]) {
        for case .remove(let remove) in actions {
            files[remove.key] = nil
            tombstones[remove.key] = remove
        }
        for action in actions {
            switch action {
            case .add(let add):
                files[add.key] = add
                tombstones[add.key] = nil
            case .protocolVersion(let action): protocolVersion = action
            case .metadata(let action): metadata = action
            case .transaction(let action): transactions[action.application] = action
            case .domain(let action):
                domains[action.domain] = action.isRemoved ? nil : action
            case .remove, .change, .sidecar, .commitInfo: break
            }
        }
    }

    func snapshot(_ version: Int64, commitTime: Int64?) throws(TableLogError) -> TableSnapshot {
        guard let protocolVersion, let metadata else {
            throw TableLogError(
                .damaged, LogListing.name(version, ".json"),
                "no protocol or no metadata up to version \(version)")
        }
        return TableSnapshot(
            version: version, protocolVersion: protocolVersion, metadata: metadata, files: files,
            tombstones: tombstones, transactions: transactions, domains: domains,
            commitTime: commitTime)
    }
}
