package import Bytes
internal import Hashing
internal import Platform

extension ManifestEntry {
    /// The entry as an item of a manifest leaf, its whole path with it.
    package func encode(into writer: inout ByteWriter) {
        ManifestCoding.encode(self, after: [], into: &writer)
    }

    /// Decodes and checks what `encode` wrote.
    package init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        self = try ManifestCoding.decodeEntry(after: [], from: &reader)
    }

    /// A digest of path, size and content of a file: equal only for the same bytes at one path.
    package var contentKey: SHA256Digest {
        let zero = Timestamp(seconds: 0, nanoseconds: 0)
        let plain = ManifestEntry(
            path: path, payload: payload, mode: 0, uid: 0, gid: 0, mtime: zero,
            ctime: zero, inode: 0, linkDevice: nil, attributes: [], isIncomplete: false)
        var writer = ByteWriter()
        plain.encode(into: &writer)
        return SHA256Digest(of: writer.bytes.span)
    }

    /// The entry as it travels without its content: one hole of the same size stands for it.
    package var withoutContent: ManifestEntry {
        var entry = self
        entry.linkDevice = nil
        entry.isIncomplete = false
        if case .file(let size, _) = payload {
            let hole: Content = size == 0 ? .empty : .pieces([.hole(size: size)])
            entry.payload = .file(size: size, hole)
        }
        return entry
    }
}
