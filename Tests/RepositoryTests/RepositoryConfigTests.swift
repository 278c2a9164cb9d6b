import Bytes
import Chunking
import Hashing
import Platform
import Repository
import Testing
import TestSupport

struct RepositoryConfigTests {
    private static let config = RepositoryConfig(
        id: RepositoryID(SHA256Digest(0x0102_0304_0506_0708, 2, 3, 4)),
        chunking: chunking
    )
    private static let bytes = config.encoded()

    /// Minimum 64 KiB, average 256 KiB, maximum 1 MiB.
    private static let chunking: ChunkingParameters = {
        do {
            return try ChunkingParameters(minimum: 1 << 16, average: 1 << 18, maximum: 1 << 20)
        } catch {
            return .standard
        }
    }()

    /// Other fields, sealed by the right digest.
    private static func resealed(_ change: (inout [UInt8]) -> Void) -> [UInt8] {
        var body = Array(bytes.dropLast(SHA256Digest.size))
        change(&body)
        return body + SHA256Digest(of: body.span).bytes
    }

    @Test func `Decoding gives back what was encoded`() throws {
        #expect(try RepositoryConfig(decoding: Self.bytes) == Self.config)
        let chunking = try ChunkingParameters(
            minimum: 4 << 10,
            average: 1 << 20,
            maximum: 16 << 20
        )
        let config = RepositoryConfig(
            id: RepositoryID(SHA256Digest(1, 2, 3, 4)), chunking: chunking)
        #expect(try RepositoryConfig(decoding: config.encoded()) == config)
    }

    @Test func `The first version is laid out as documented`() {
        let body =
            "7661727665636667" + "0100" + "01" + "00"
            + "0102030405060708000000000000000200000000000000030000000000000004"
            + "01" + "00000100" + "00000400" + "00001000" + "00"
        #expect(Hex.encode(Self.bytes.prefix(58)) == body)
        #expect(Self.bytes.count == 58 + 32)
        #expect(Self.bytes == Self.resealed { _ in })
    }

    @Test func `Cut short anywhere it is refused`() {
        for count in 0..<Self.bytes.count {
            let error = failure { try RepositoryConfig(decoding: Array(Self.bytes.prefix(count))) }
            #expect(error?.isDamage == true, "\(count) bytes: \(String(describing: error))")
        }
    }

    @Test func `With any byte flipped it is refused`() {
        for index in Self.bytes.indices {
            for mask in [1, 0x80, 0xff] as [UInt8] {
                let error = failure {
                    try RepositoryConfig(decoding: Self.bytes.flipped(index, mask))
                }
                let isVersion = index == 8 || index == 9
                #expect(isVersion ? error?.isUnsupported == true : error?.isDamage == true)
            }
        }
    }

    @Test func `Bytes after it are refused`() {
        #expect(throws: RepositoryError.self) {
            _ = try RepositoryConfig(decoding: Self.bytes + [0])
        }
        #expect(throws: RepositoryError.self) {
            _ = try RepositoryConfig(decoding: Self.resealed { $0.append(0) })
        }
    }

    @Test(
        arguments: [
            (8, UInt8(2), "format version 2"), (9, 1, "format version 257"),
            (10, 2, "hash number 2"),
            (11, 1, "encrypted"), (11, 9, "encrypted (cipher 9"), (44, 7, "chunker number 7"),
            (57, 1, "1 key slots"),
        ] as [(Int, UInt8, String)]
    )
    func `What a later varve may write is refused by name`(
        offset: Int,
        value: UInt8,
        name: String
    ) {
        let bytes = Self.resealed { $0[offset] = value }
        let error = failure { try RepositoryConfig(decoding: bytes) }
        #expect(error?.isUnsupported == true)
        #expect(error.map { "\($0)".contains(name) } == true, "\(String(describing: error))")
    }

    @Test func `Key slots are refused as encryption and not misread`() {
        let bytes = Self.resealed { body in
            body[11] = 1
            body[57] = 2
            body += [1, 3, 0xaa, 0xbb, 0xcc, 2, 1, 0xdd]
        }
        let error = failure { try RepositoryConfig(decoding: bytes) }
        #expect(error?.isUnsupported == true)
        #expect(error.map { "\($0)".contains("encrypted (cipher 1, 2 key slots)") } == true)
    }

    @Test(
        arguments: [
            [0, 0, 0], [64 << 10, 64 << 10, 64 << 10], [65_537, 1 << 18, 1 << 20],
            [1 << 10, 1 << 18, 1 << 20], [1 << 16, 1 << 18, 1 << 31], [1 << 20, 1 << 18, 1 << 16],
            [0xffff_ffff, 0xffff_ffff, 0xffff_ffff],
        ] as [[UInt32]]
    )
    func `Chunk sizes that make no sense are refused`(sizes: [UInt32]) {
        var writer = ByteWriter()
        for size in sizes { writer.u32(size) }
        let bytes = Self.resealed { $0.replaceSubrange(45..<57, with: writer.bytes) }
        #expect(failure { try RepositoryConfig(decoding: bytes) }?.isDamage == true)
    }

    @Test func `A repository opens with the configuration it was made with`() throws {
        let storage = SimulatedStorage()
        let config = try Repository.create(storage, chunking: .standard)
        #expect(try Repository(storage).config == config)
        #expect(failure { try Repository.create(storage, chunking: .standard) } != nil)
        #expect(try Repository(storage).config == config)
        let other = try Repository.create(SimulatedStorage(), chunking: .standard)
        #expect(other.id != config.id)
    }

    @Test func `Without a configuration there is no repository`() throws {
        let error = failure { try Repository(SimulatedStorage()) }
        guard case .notARepository? = error?.kind else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func `A configuration that is far too large is not read`() {
        let storage = SimulatedStorage()
        storage.damage(.config, [UInt8](repeating: 0, count: RepositoryConfig.sizeLimit + 1))
        #expect(failure { try Repository(storage) }?.isDamage == true)
    }
}
