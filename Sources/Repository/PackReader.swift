internal import Bytes
internal import Deltas
internal import Hashing
internal import Platform

/// Reads the table of contents and blobs of one pack.
struct PackReader {
    let pack: PackID
    private let object: any StoredObject

    init(_ pack: PackID, _ storage: any Storage) throws(RepositoryError) {
        self.init(
            pack,
            try about(.pack(pack)) { () throws(StorageError) in
                try storage.open(.pack(pack))
            })
    }

    /// Reads an object that is to be, or is, the pack.
    init(_ pack: PackID, _ object: any StoredObject) {
        self.pack = pack
        self.object = object
    }

    var size: UInt64 { object.size }

    /// Reads and checks header, trailer and table of contents.
    func entries() throws(RepositoryError) -> [PackEntry] {
        do throws(RepositoryError) {
            try checkHeader()
        } catch {
            guard error.isUnsupported, isOfThisVersion else { throw error }
            throw RepositoryError(.damaged("its header is not what its name says"), .pack(pack))
        }
        return try table()
    }

    /// Whether the name, which covers the header, is that of a pack of this version.
    private var isOfThisVersion: Bool {
        do throws(RepositoryError) {
            _ = try table()
            return true
        } catch {
            return false
        }
    }

    private func read(_ count: Int, at offset: UInt64) throws(RepositoryError) -> [UInt8] {
        try about(.pack(pack)) { () throws(StorageError) in try object.read(count, at: offset) }
    }

    private func table() throws(RepositoryError) -> [PackEntry] {
        let trailerSize = UInt64(PackFormat.trailerSize)
        guard object.size >= UInt64(PackFormat.headerSize) + trailerSize else {
            let short = MalformedBytes(
                .truncated, at: Int(object.size), expected: "a whole pack")
            throw RepositoryError(short, .pack(pack))
        }
        let bytes = try read(PackFormat.trailerSize, at: object.size - trailerSize)
        let trailer = try about(.pack(pack)) { () throws(MalformedBytes) in
            try PackTrailer(decoding: bytes, packSize: object.size)
        }
        guard trailer.id == pack else {
            throw RepositoryError(
                .damaged("holds the pack \(trailer.id.digest.hex)"), .pack(pack))
        }
        let table = try read(trailer.blobCount * PackFormat.entrySize, at: trailer.tableOffset)
        return try about(.pack(pack)) { () throws(MalformedBytes) in
            try PackFormat.decodeTable(table, trailer)
        }
    }

    private func checkHeader() throws(RepositoryError) {
        var reader = ByteReader(try read(PackFormat.headerSize, at: 0))
        let (version, cipher) = try about(.pack(pack)) { () throws(MalformedBytes) in
            try reader.magic("varvepck")
            return (try reader.u8(), try reader.u8())
        }
        guard version == 1, cipher == 0 else {
            throw RepositoryError(
                .unsupported("pack format \(version), cipher \(cipher)"), .pack(pack))
        }
        try about(.pack(pack)) { () throws(MalformedBytes) in
            guard try reader.take(6).allSatisfy({ $0 == 0 }) else {
                throw reader.invalid("zero in reserved bytes")
            }
        }
    }

    /// The header of a blob that is a patch.
    func patchHeader(_ place: BlobPlace) throws(RepositoryError) -> PatchHeader {
        var beginning = place
        beginning.storedSize = min(place.storedSize, UInt32(PatchHeader.sizeLimit))
        return try BlobReader.header(of: try stored(beginning), .pack(place))
    }

    /// The stored bytes of a blob.
    func stored(_ place: BlobPlace) throws(RepositoryError) -> [UInt8] {
        let bytes = try read(Int(place.storedSize), at: UInt64(place.offset))
        guard bytes.count == Int(place.storedSize) else {
            throw RepositoryError(
                .damaged("ends before byte \(UInt64(place.offset) + UInt64(place.storedSize))"),
                .pack(pack))
        }
        return bytes
    }
}
