internal import Bytes
package import Hashing

/// A blob as it lies in a pack, and as it travels between repositories.
package struct EncodedBlob: Sendable {
    /// How `bytes` are to be decoded.
    package var codec: BlobCodec
    /// The bytes in the pack.
    package var bytes: [UInt8]
    /// What they decode to, in bytes; whoever decodes them has checked it against a limit.
    package var plainSize: Int

    /// A blob that is encoded already.
    package init(_ codec: BlobCodec, _ bytes: [UInt8], plainSize: Int) {
        self.codec = codec
        self.bytes = bytes
        self.plainSize = plainSize
    }
}

/// A blob that came from elsewhere, encoded as it was there.
package struct ForeignBlob: Sendable {
    /// What it claims to be.
    package var id: BlobID
    /// What came.
    package var encoded: EncodedBlob

    /// A blob that nobody has checked yet.
    package init(_ id: BlobID, _ encoded: EncodedBlob) {
        self.id = id
        self.encoded = encoded
    }
}

/// Where an encoded blob comes from: errors name it.
enum BlobOrigin {
    case pack(BlobPlace)
    case received(BlobID)

    func damage(_ why: String) -> RepositoryError {
        switch self {
        case .pack(let place):
            RepositoryError(.damaged("blob at byte \(place.offset): \(why)"), .pack(place.pack))
        case .received(let id):
            RepositoryError(.damaged(why), "received blob \(id.fingerprint.hex)")
        }
    }

    var otherContent: RepositoryError { damage("its content does not match its id") }
}
