package import Bytes
internal import Repository

/// What a side may ask of the other beyond version 1.
package struct WireFeatures: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Packs, streams and chunks of files may hold blobs of the codec for gathered columns.
    package static let gatheredBlobs = WireFeatures(rawValue: 1)

    /// All that this version knows.
    package static let known: WireFeatures = [.gatheredBlobs]
}

// hello (client)                          welcome (server)
//     2  oldest version                       2  version
//     2  newest version                       4  features in use
//     8  salt                                 1  what is there: 0 storage, 1 repository
//     4  features that must be had            1  rights: 1 write, 2 remove
//     4  features that may be used         4·4  limits: open objects, staged objects, streams,
//     1  purpose: 0 use, 1 create,                bytes of a stream under way
//        2 replica, 3 sync                    …  config: count (varint), bytes
//     …  path: count (varint), bytes          …  names of index segments, then of snapshots: each
//                                                whether these are all (1), count (varint), 32 each

/// The client's first words.
package struct ClientHello: Equatable, Sendable {
    package enum Purpose: UInt8, Sendable {
        /// A storage that is there, with a repository in it.
        case use = 0
        /// Make the directory, which must be missing or empty.
        case create = 1
        /// A directory that is to be made equal to a snapshot; made if it is missing.
        case replica = 2
        /// A store that is to be synced with another; made if it is missing.
        case sync = 3
    }

    package static let version: UInt16 = 1

    package var oldest = version
    package var newest = version
    package var salt: UInt64
    package var mandatory: WireFeatures = [.gatheredBlobs]
    package var optional: WireFeatures = []
    package var purpose: Purpose
    package var path: [UInt8]

    package init(salt: UInt64, _ purpose: Purpose, _ path: [UInt8]) {
        self.salt = salt
        self.purpose = purpose
        self.path = path
    }

    func encode(_ writer: inout ByteWriter) {
        writer.u16(oldest)
        writer.u16(newest)
        writer.u64(salt)
        writer.u32(mandatory.rawValue)
        writer.u32(optional.rawValue)
        writer.u8(purpose.rawValue)
        writer.string(path)
    }

    package init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        oldest = try reader.u16()
        newest = try reader.u16()
        salt = try reader.u64()
        mandatory = WireFeatures(rawValue: try reader.u32())
        optional = WireFeatures(rawValue: try reader.u32())
        guard let purpose = Purpose(rawValue: try reader.u8()) else {
            throw reader.invalid("a known purpose")
        }
        self.purpose = purpose
        path = try reader.string(limit: WireLimits.path, "a path")
        try reader.finish()
    }
}

/// What the server allows; the client keeps within it.
package struct ServerLimits: Equatable, Sendable {
    package var objects: UInt32 = 512
    package var staged: UInt32 = 64
    package var streams: UInt32 = 4
    package var window = UInt32(WireLimits.window)

    package init() {}

    func encode(_ writer: inout ByteWriter) {
        for limit in [objects, staged, streams, window] { writer.u32(limit) }
    }

    package init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        objects = try reader.u32()
        staged = try reader.u32()
        streams = try reader.u32()
        window = min(try reader.u32(), UInt32(WireLimits.window))
        guard objects > 0, staged > 0 else { throw reader.invalid("limits above zero") }
    }
}

/// Names that the server tells unasked, so that opening a repository is one round trip.
package struct NameList: Equatable, Sendable {
    package var names: [SHA256Digest]
    /// Whether there are no more than these.
    package var isComplete: Bool

    package init(_ all: [SHA256Digest], limit: Int) {
        isComplete = all.count <= limit
        names = isComplete ? all : []
    }

    func encode(_ writer: inout ByteWriter) {
        writer.u8(isComplete ? 1 : 0)
        writer.count(names.count)
        for name in names { writer.digest(name) }
    }

    package init(decoding reader: inout ByteReader, limit: Int) throws(MalformedBytes) {
        isComplete = try reader.u8() == 1
        let count = try reader.count(limit: limit, "a number of names")
        names = []
        for _ in 0..<count { names.append(try reader.sha256()) }
    }
}

/// The server's first words.
package struct ServerHello: Equatable, Sendable {
    package var version = ClientHello.version
    package var features: WireFeatures = [.gatheredBlobs]
    /// The configuration; nil where there is a storage without a repository.
    package var config: [UInt8]?
    package var mayWrite: Bool
    package var mayRemove: Bool
    package var limits: ServerLimits
    package var index: NameList
    package var snapshots: NameList

    static let indexLimit = 4 << 10
    static let snapshotLimit = 16 << 10

    package init(
        config: [UInt8]?, mayWrite: Bool, mayRemove: Bool, limits: ServerLimits,
        index: [SHA256Digest], snapshots: [SHA256Digest]
    ) {
        self.config = config
        self.mayWrite = mayWrite
        self.mayRemove = mayRemove
        self.limits = limits
        self.index = NameList(index, limit: Self.indexLimit)
        self.snapshots = NameList(snapshots, limit: Self.snapshotLimit)
    }

    func encode(_ writer: inout ByteWriter) {
        writer.u16(version)
        writer.u32(features.rawValue)
        writer.u8(config == nil ? 0 : 1)
        writer.u8((mayWrite ? 1 : 0) | (mayRemove ? 2 : 0))
        limits.encode(&writer)
        writer.string(config ?? [])
        index.encode(&writer)
        snapshots.encode(&writer)
    }

    package init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        version = try reader.u16()
        features = WireFeatures(rawValue: try reader.u32())
        let isRepository = try reader.u8() == 1
        let rights = try reader.u8()
        mayWrite = rights & 1 != 0
        mayRemove = rights & 2 != 0
        limits = try ServerLimits(decoding: &reader)
        let config = try reader.string(limit: RepositoryConfig.sizeLimit, "a configuration")
        self.config = isRepository ? config : nil
        index = try NameList(decoding: &reader, limit: Self.indexLimit)
        snapshots = try NameList(decoding: &reader, limit: Self.snapshotLimit)
        try reader.finish()
    }
}
