internal import Bytes
internal import Hashing

/// Where a blob lies, and how it is encoded there.
struct BlobPlace: Hashable, Sendable {
    var pack: PackID
    var codec: BlobCodec
    /// Byte offset in the pack.
    var offset: UInt32
    var storedSize: UInt32
    var plainSize: UInt32

    init(
        pack: PackID, codec: BlobCodec, offset: UInt32, storedSize: UInt32, plainSize: UInt32
    ) {
        self.pack = pack
        self.codec = codec
        self.offset = offset
        self.storedSize = storedSize
        self.plainSize = plainSize
    }

    init(_ entry: PackEntry, in pack: PackID) {
        self.init(
            pack: pack, codec: entry.codec, offset: entry.offset, storedSize: entry.storedSize,
            plainSize: entry.plainSize)
    }
}

/// A blob and where it lies: what an index holds.
struct LocatedBlob: Hashable, Sendable {
    var id: BlobID
    var place: BlobPlace

    init(id: BlobID, place: BlobPlace) {
        self.id = id
        self.place = place
    }
}
