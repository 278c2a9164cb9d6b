internal import Bytes
package import Hashing

/// Where a blob lies, and how it is encoded there.
package struct BlobPlace: Hashable, Sendable {
    package var pack: PackID
    package var codec: BlobCodec
    /// Byte offset in the pack.
    package var offset: UInt32
    package var storedSize: UInt32
    package var plainSize: UInt32

    package init(
        pack: PackID, codec: BlobCodec, offset: UInt32, storedSize: UInt32, plainSize: UInt32
    ) {
        self.pack = pack
        self.codec = codec
        self.offset = offset
        self.storedSize = storedSize
        self.plainSize = plainSize
    }

    package init(_ entry: PackEntry, in pack: PackID) {
        self.init(
            pack: pack, codec: entry.codec, offset: entry.offset, storedSize: entry.storedSize,
            plainSize: entry.plainSize)
    }
}

/// A blob and where it lies: what an index holds.
package struct LocatedBlob: Hashable, Sendable {
    package var id: BlobID
    package var place: BlobPlace

    package init(id: BlobID, place: BlobPlace) {
        self.id = id
        self.place = place
    }
}
