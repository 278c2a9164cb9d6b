package import Bytes

/// What a peer did that the protocol does not allow, or that ended the conversation.
package struct WireError: Error, Equatable {
    package enum Kind: Equatable, Sendable {
        /// Text came where the protocol should begin: a remote shell printed it.
        case noise
        /// Bytes that are no frame or message.
        case malformed
        /// A frame or message that may not come now: replayed, reordered, unasked for.
        case unexpected
        /// More than was agreed.
        case excessive
        /// A version or feature that this side does not have.
        case unsupported
    }

    package var kind: Kind
    /// Printable, whatever the peer sent.
    package var message: String
    /// What the server said as it ended the conversation.
    package var farewell: RemoteFailure?

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package init(_ error: MalformedBytes, _ what: String) {
        self.init(.malformed, "\(what): \(error)")
    }
}

extension WireError: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .noise: "text came before the protocol: \(message)"
        default: message
        }
    }
}
