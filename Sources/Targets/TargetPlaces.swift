package import Bytes
internal import Hashing
package import Platform
internal import Trees

// In the target, .varve-replica/:
//
//     lock              held while a varve writes to the target
//     state             what the last replication left
//     journal           what is being published, whole or not there (ReplicaJournal)
//     staging/          files of the next replication: p-<key> being written, s-<key> whole
//     set-aside/        files that others made where the replica has its own; nothing is lost
//     sync-<pair>       what the last sync with another store left (TwoWayState)

/// Where in a target varve keeps what it needs.
package enum TargetPlaces {
    package static let directory = SourceWalk.replicaDirectory
    static let lock = inside("lock")
    package static let state = inside("state")
    package static let journal = inside("journal")
    package static let staging = inside("staging")
    static let setAside = inside("set-aside")

    private static func inside(_ name: String) -> [UInt8] {
        PathBytes.join(directory, Array(name.utf8))
    }

    package static func staged(_ key: SHA256Digest) -> [UInt8] {
        PathBytes.join(staging, Array("s-\(key.hex)".utf8))
    }

    package static func partial(_ key: SHA256Digest) -> [UInt8] {
        PathBytes.join(staging, Array("p-\(key.hex)".utf8))
    }
}

/// Small files of the target's own: whole, or not there.
package enum TargetFile {
    private static let checkSize = 8
    /// The state of some twenty million files.
    private static let sizeLimit: UInt64 = 4 << 30

    /// A reader of what stands between the head and the check, which must fit.
    package static func checked(
        _ bytes: [UInt8], _ magic: StaticString, _ version: UInt8
    ) throws(MalformedBytes) -> ByteReader {
        let end = max(0, bytes.count - Self.checkSize)
        var tail = ByteReader(bytes, in: end..<bytes.count)
        guard try tail.u64() == XXH3Digest(of: bytes.span.extracting(0..<end)).low else {
            throw tail.invalid("the check of everything before")
        }
        var reader = ByteReader(bytes, in: 0..<end)
        try reader.magic(magic)
        guard try reader.u8() == version else { throw reader.invalid("version \(version)") }
        return reader
    }

    /// Reads a file; nil when there is none.
    package static func read(
        _ path: [UInt8], _ root: borrowing PinnedDirectory
    ) throws(PlatformError) -> [UInt8]? {
        try SmallFile.read(path, limit: sizeLimit, in: root)
    }
}

extension SHA256Digest {
    /// What a staged file of this digest is called in a `StagingArea`.
    package var stagingKey: [UInt8] { Array(hex.utf8) }
}
