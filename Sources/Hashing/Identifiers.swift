package import Bytes

/// Names a piece of file content: XXH3-128 and SHA-256 of its plain bytes.
package struct ChunkID: Hashable, Sendable {
    package let fingerprint: Fingerprint

    package init(_ fingerprint: Fingerprint) { self.fingerprint = fingerprint }

    package init(of bytes: Span<UInt8>) {
        self.init(Fingerprint(xxh3: XXH3Digest(of: bytes), sha256: SHA256Digest(of: bytes)))
    }
}

/// Names a manifest or content node.
///
/// The SHA-256 half covers a prefix that no chunk has, so a chunk with the bytes of a node has
/// another id: data can never pass for a node.
package struct NodeID: Hashable, Sendable {
    package let fingerprint: Fingerprint

    private static let domain = Array("varve node\0".utf8)

    package init(_ fingerprint: Fingerprint) { self.fingerprint = fingerprint }

    package init(of bytes: Span<UInt8>) {
        var hasher = SHA256Hasher()
        hasher.update(Self.domain.span)
        hasher.update(bytes)
        self.init(Fingerprint(xxh3: XXH3Digest(of: bytes), sha256: hasher.finish()))
    }
}

/// What a blob holds; bound into its id.
package enum BlobKind: UInt8, Sendable {
    case chunk = 0
    case node = 1
}

/// Names a blob of either kind.
package enum BlobID: Hashable, Sendable {
    case chunk(ChunkID)
    case node(NodeID)

    package init(_ kind: BlobKind, _ fingerprint: Fingerprint) {
        self = kind == .chunk ? .chunk(ChunkID(fingerprint)) : .node(NodeID(fingerprint))
    }

    package init(of bytes: Span<UInt8>, _ kind: BlobKind) {
        self = kind == .chunk ? .chunk(ChunkID(of: bytes)) : .node(NodeID(of: bytes))
    }

    package var kind: BlobKind {
        switch self {
        case .chunk: .chunk
        case .node: .node
        }
    }

    package var fingerprint: Fingerprint {
        switch self {
        case .chunk(let id): id.fingerprint
        case .node(let id): id.fingerprint
        }
    }
}
