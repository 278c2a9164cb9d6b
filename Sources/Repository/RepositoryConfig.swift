package import Bytes
package import Chunking
internal import Hashing

// config, version 1:
//
//     offset  size
//          0     8  magic "varvecfg"
//          8     2  format version, 1
//         10     1  hash: 1 = XXH3-128 followed by SHA-256
//         11     1  cipher: 0 = none
//         12    32  repository id, random
//         44     1  chunker: 1 = FastCDC, normalised, four bytes a step
//         45    12  minimum, average and maximum chunk in bytes, 4 each
//         57     1  number of key slots, 0 while the cipher is none
//         58     …  key slots: type (1), length (varint), content
//          …    32  SHA-256 of everything before
//
// Integers are little-endian. The version comes first so that any reader can name it.

/// What is fixed for the life of a repository.
package struct RepositoryConfig: Equatable, Sendable {
    /// Random; tells repositories apart.
    package var id: SHA256Digest
    package var chunking: ChunkingParameters

    package static let version: UInt16 = 1
    package static let sizeLimit = 64 << 10

    private static let hash: UInt8 = 1
    private static let noCipher: UInt8 = 0
    private static let fastCDC: UInt8 = 1

    package init(id: SHA256Digest, chunking: ChunkingParameters) {
        self.id = id
        self.chunking = chunking
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.magic("varvecfg")
        writer.u16(Self.version)
        writer.u8(Self.hash)
        writer.u8(Self.noCipher)
        writer.digest(id)
        writer.u8(Self.fastCDC)
        for size in [chunking.minimum, chunking.average, chunking.maximum] {
            writer.u32(UInt32(clamping: size))
        }
        writer.u8(0)
        writer.digest(SHA256Digest(of: writer.bytes.span))
        return writer.bytes
    }

    package init(decoding bytes: [UInt8]) throws(RepositoryError) {
        self = try about(.config) {
            var reader = ByteReader(bytes)
            try reader.magic("varvecfg")
            let version = try reader.u16()
            guard version == Self.version else {
                throw Self.unsupported("format version \(version), this varve reads version 1")
            }
            try Self.checkDigest(bytes)
            return try Self.decodeFields(&reader)
        }
    }

    private static func checkDigest(_ bytes: [UInt8]) throws(RepositoryError) {
        let end = bytes.count - SHA256Digest.size
        guard end > 0,
            SHA256Digest(of: bytes.span.extracting(0..<end)).bytes[...] == bytes[end...]
        else { throw RepositoryError(.damaged("its SHA-256 does not match"), .config) }
    }

    private static func decodeFields(_ reader: inout ByteReader) throws -> Self {
        let hash = try reader.u8()
        guard hash == Self.hash else { throw unsupported("hash number \(hash) is not known") }
        let cipher = try reader.u8()
        let id = try reader.sha256()
        let chunker = try reader.u8()
        guard chunker == fastCDC else {
            throw unsupported("chunker number \(chunker) is not known")
        }
        let minimum = Int(try reader.u32())
        let average = Int(try reader.u32())
        let maximum = Int(try reader.u32())
        let slots = try reader.u8("a number of key slots")
        guard cipher == noCipher, slots == 0 else {
            throw unsupported("the repository is encrypted (cipher \(cipher), \(slots) key slots)")
        }
        _ = try reader.sha256()
        try reader.finish()
        let chunking = try ChunkingParameters(
            minimum: minimum, average: average, maximum: maximum)
        return Self(id: id, chunking: chunking)
    }

    private static func unsupported(_ what: String) -> RepositoryError {
        RepositoryError(.unsupported("\(what); a newer varve may read it"), .config)
    }
}
