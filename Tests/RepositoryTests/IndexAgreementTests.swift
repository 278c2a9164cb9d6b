import Bytes
import Chunking
import Compression
import Hashing
import Testing
import TestSupport

@testable import Repository

/// Segments that say what no pack holds.
struct IndexAgreementTests {
    private let storage = SimulatedStorage()
    private let pack: PackID
    private let honest: [LocatedBlob]

    init() throws {
        _ = try Repository.create(storage, chunking: .standard)
        let writer = try RepositoryWriter(try Repository(storage))
        let blobs = (0..<5).map { TestBlob([UInt8](repeating: $0, count: 100 + Int($0))) }
        for blob in blobs { try writer.put(blob.id, blob.plain.span, BlobEncoder(.standard)) }
        _ = try writer.commit()
        let id = PackID(try #require(try storage.list(.pack).first))
        pack = id
        honest = try PackReader(id, storage).entries().map { entry in
            LocatedBlob(id: entry.id, place: BlobPlace(entry, in: id))
        }
    }

    private func verify(_ blobs: [LocatedBlob]) throws {
        let bytes = IndexFormat.encode(blobs)
        let name = ObjectName.index(IndexID(SHA256Digest(of: bytes.span)))
        storage.damage(name, bytes)
        try ObjectVerification.verify(name, try storage.open(name), in: storage)
    }

    @Test func `A segment that says what its packs hold is accepted, whole or in part`() throws {
        try verify(honest)
        try verify(Array(honest.prefix(1)))
        try verify([])
    }

    @Test(arguments: 0..<6)
    func `A segment with one entry that no pack holds is refused`(field: Int) throws {
        var blobs = honest
        switch field {
        case 0: blobs[0].id = TestBlob([9]).id
        case 1: blobs[0].place.offset += 1
        case 2: blobs[0].place.storedSize += 1
        case 3: blobs[0].place.plainSize -= 1
        case 4: blobs[0].place.codec = .patch
        default: blobs[0].place.pack = PackID(SHA256Digest(1, 2, 3, 4))
        }
        #expect(throws: RepositoryError.self) { try verify(blobs) }
    }
}
