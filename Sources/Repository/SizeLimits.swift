/// The largest blobs and objects there are: what claims to be larger is damaged or hostile, and no
/// memory is taken for it.
package enum SizeLimits {
    /// A blob, plain or encoded, in bytes.
    package static let blob = PackFormat.blobSizeLimit
    /// A pack, in bytes.
    package static let pack = PackFormat.sizeLimit
    /// An index segment, in bytes.
    package static let index = IndexFormat.sizeLimit
}
