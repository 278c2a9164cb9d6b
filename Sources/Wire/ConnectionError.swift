internal import Bytes
package import Platform
package import Repository
internal import SystemPackage

/// Why a conversation with another host failed.
package struct ConnectionError: Error, Equatable {
    package enum Kind: Equatable, Sendable {
        /// ssh could not be started, or did not reach the host.
        case unreachable
        /// The host did not let us in.
        case loginRefused
        /// The host is not the one that ssh knows by that name.
        case hostKey
        /// The host has no varve that could be run.
        case programMissing
        /// The remote shell printed text before the protocol.
        case noise
        /// What came is not what the protocol allows.
        case violation
        /// One side is too old for the other.
        case unsupported
        /// The connection ended, or nothing came for too long.
        case lost
        /// The other side refused, and the conversation can go on.
        case remote(RemoteFailure)
        /// This side gave up what it had begun.
        case cancelled
    }

    package var kind: Kind
    /// The place that was spoken to.
    package var location: String
    /// What is known beyond the kind; printable, perhaps several lines.
    package var detail: String

    package init(_ kind: Kind, _ location: String, _ detail: String = "") {
        self.kind = kind
        self.location = location
        self.detail = detail
    }

    package init(_ error: WireError, _ location: String) {
        if let farewell = error.farewell {
            self.init(.remote(farewell), location, "\(farewell)")
            return
        }
        let kind: Kind =
            switch error.kind {
            case .noise: .noise
            case .unsupported: .unsupported
            default: .violation
            }
        self.init(kind, location, error.message)
    }

    /// The same as an error of the storage that is reached through the connection.
    package var storageError: StorageError {
        if case .remote(let failure) = kind { return failure.storageError(location) }
        let storage: StorageError.Kind =
            switch kind {
            case .remote: .refused
            case .unreachable, .lost: .temporary
            case .loginRefused, .hostKey: .refused
            case .programMissing, .noise, .violation, .unsupported: .unsupported
            case .cancelled: .interrupted
            }
        return StorageError(storage, location, "cannot reach \(location): \(reason)")
    }
}

extension ConnectionError: CustomStringConvertible {
    package var description: String { "\(location): \(reason)" }

    /// What happened, without the place.
    package var reason: String {
        let what =
            switch kind {
            case .unreachable: "cannot be reached"
            case .loginRefused: "the host refuses the login"
            case .hostKey: "ssh does not trust the host's key"
            case .programMissing: "there is no varve on the host"
            case .noise: "the remote shell printed text before varve could speak"
            case .violation: "what came is not what varve sends"
            case .unsupported: "the versions of varve do not fit"
            case .lost: "the connection was lost"
            case .remote(let failure): "\(failure)"
            case .cancelled: "given up"
            }
        if case .remote = kind { return what }
        return detail.isEmpty ? what : "\(what): \(detail)"
    }
}
