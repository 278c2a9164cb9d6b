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
    package var id: RepositoryID
    /// How contents are cut, for the life of the repository.
    package var chunking: ChunkingParameters

    /// The version that this varve writes.
    package static let version: UInt16 = 1
    /// The largest configuration that is read, in bytes.
    package static let sizeLimit = 64 << 10

    private static let hash: UInt8 = 1
    private static let noCipher: UInt8 = 0
    private static let fastCDC: UInt8 = 1

    /// The configuration of a new repository.
    package init(id: RepositoryID, chunking: ChunkingParameters) {
        self.id = id
        self.chunking = chunking
    }

    /// The bytes of the object `config`.
    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.magic("varvecfg")
        writer.u16(Self.version)
        writer.u8(Self.hash)
        writer.u8(Self.noCipher)
        writer.digest(id.digest)
        writer.u8(Self.fastCDC)
        for size in [chunking.minimum, chunking.average, chunking.maximum] {
            writer.u32(UInt32(clamping: size))
        }
        writer.u8(0)
        writer.digest(SHA256Digest(of: writer.bytes.span))
        return writer.bytes
    }

    /// Throws `unsupported` for a version or feature of later releases, else damage.
    package init(decoding bytes: [UInt8]) throws(RepositoryError) {
        var reader = ByteReader(bytes)
        let version = try about(.config) { () throws(MalformedBytes) in
            try reader.magic("varvecfg")
            return try reader.u16()
        }
        guard version == Self.version else {
            throw Self.unsupported("format version \(version), this varve reads version 1")
        }
        try Self.checkDigest(bytes)
        let fields = try about(.config) { () throws(MalformedBytes) in
            try ConfigFields(decoding: &reader)
        }
        try Self.checkKnown(fields)
        do throws(ChunkingError) {
            let chunking = try ChunkingParameters(
                minimum: fields.minimum, average: fields.average, maximum: fields.maximum)
            self.init(id: fields.id, chunking: chunking)
        } catch {
            throw RepositoryError(.damaged("\(error)"), .config)
        }
    }

    private static func checkDigest(_ bytes: [UInt8]) throws(RepositoryError) {
        let end = bytes.count - SHA256Digest.size
        guard end > 0,
            SHA256Digest(of: bytes.span.extracting(0..<end)).bytes[...] == bytes[end...]
        else { throw RepositoryError(.damaged("its SHA-256 does not match"), .config) }
    }

    private static func checkKnown(_ fields: ConfigFields) throws(RepositoryError) {
        guard fields.hash == hash else {
            throw unsupported("hash number \(fields.hash) is not known")
        }
        guard fields.chunker == fastCDC else {
            throw unsupported("chunker number \(fields.chunker) is not known")
        }
        guard fields.cipher == noCipher, fields.slots == 0 else {
            let numbers = "(cipher \(fields.cipher), \(fields.slots) key slots)"
            throw unsupported("the repository is encrypted \(numbers)")
        }
        guard fields.isAtEnd else {
            throw RepositoryError(.damaged("longer than its fields"), .config)
        }
    }

    private static func unsupported(_ what: String) -> RepositoryError {
        RepositoryError(.unsupported("\(what); a newer varve may read it"), .config)
    }
}

/// The fields behind the version, as they are written.
private struct ConfigFields {
    let hash: UInt8
    let cipher: UInt8
    let id: RepositoryID
    let chunker: UInt8
    let minimum: Int
    let average: Int
    let maximum: Int
    let slots: UInt8
    /// Whether nothing but the final SHA-256 follows.
    let isAtEnd: Bool

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        hash = try reader.u8()
        cipher = try reader.u8()
        id = RepositoryID(try reader.sha256())
        chunker = try reader.u8()
        minimum = Int(try reader.u32())
        average = Int(try reader.u32())
        maximum = Int(try reader.u32())
        slots = try reader.u8("a number of key slots")
        isAtEnd = reader.remaining == SHA256Digest.size
    }
}
