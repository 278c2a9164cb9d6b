package import Bytes

/// Tells repositories apart: 32 random bytes, chosen when one is made.
package struct RepositoryID: Hashable, Sendable {
    /// The random number that `init` chose.
    package let digest: SHA256Digest
    /// The id that a configuration has.
    package init(_ digest: SHA256Digest) { self.digest = digest }

    /// Its 64 hexadecimal digits.
    package var hex: String { digest.hex }
}

/// Names a pack: SHA-256 of its header and table of contents.
package struct PackID: Hashable, Sendable {
    /// The digest itself.
    package let digest: SHA256Digest
    /// Names a pack by its digest.
    package init(_ digest: SHA256Digest) { self.digest = digest }
}

/// Names an index segment: SHA-256 of its bytes.
package struct IndexID: Hashable, Sendable {
    /// The digest itself.
    package let digest: SHA256Digest
    /// Names an index segment by its digest.
    package init(_ digest: SHA256Digest) { self.digest = digest }
}

/// Names a snapshot: SHA-256 of its canonical bytes.
package struct SnapshotID: Hashable, Sendable {
    /// The digest itself.
    package let digest: SHA256Digest
    /// Names a snapshot by its digest.
    package init(_ digest: SHA256Digest) { self.digest = digest }

    /// All 64 hexadecimal digits.
    package var hex: String { digest.hex }
    /// As many digits as people read; enough to be unique for millions of snapshots.
    package var short: String { String(hex.prefix(12)) }
}

/// The kinds of objects that a storage keeps.
package enum ObjectKind: String, CaseIterable, Sendable {
    case config
    case pack = "packs"
    case index = "index"
    case snapshot = "snapshots"
    case lease = "leases"
}

/// Names one object of a repository in its storage.
package enum ObjectName: Hashable, Sendable {
    case config
    case pack(PackID)
    case index(IndexID)
    case snapshot(SnapshotID)

    /// What kind of object it names.
    package var kind: ObjectKind {
        switch self {
        case .config: .config
        case .pack: .pack
        case .index: .index
        case .snapshot: .snapshot
        }
    }

    /// The digest in the name; nil for the configuration.
    package var digest: SHA256Digest? {
        switch self {
        case .config: nil
        case .pack(let id): id.digest
        case .index(let id): id.digest
        case .snapshot(let id): id.digest
        }
    }

    /// The path below the repository, such as `packs/3f/3f9a…`.
    package var path: String {
        guard let hex = digest?.hex else { return kind.rawValue }
        let shard = kind == .pack ? "\(hex.prefix(2))/" : ""
        return "\(kind.rawValue)/\(shard)\(hex)"
    }

    /// The name of a listed object; nil for the configuration, which has a single name.
    package init?(_ kind: ObjectKind, _ digest: SHA256Digest) {
        switch kind {
        case .pack: self = .pack(PackID(digest))
        case .index: self = .index(IndexID(digest))
        case .snapshot: self = .snapshot(SnapshotID(digest))
        case .config, .lease: return nil
        }
    }
}

extension ObjectName: CustomStringConvertible {
    /// The path.
    package var description: String { path }
}
