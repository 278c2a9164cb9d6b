internal import Bytes
internal import Compression
internal import Hashing
internal import Platform
internal import Repository
internal import SystemPackage
internal import Targets
internal import Trees
internal import Wire

/// Sends files of a store as they are asked for.
struct StoreContent {
    private let tree: TargetTree
    private let encoder: BlobEncoder?
    private var wants: [WantedFile] = []

    init(_ tree: TargetTree, compresses: Bool) {
        self.tree = tree
        encoder = compresses ? BlobEncoder(.standard) : nil
    }

    mutating func receiveWants(_ source: any ByteSource) throws {
        var records = RecordReader(source)
        while let record = try records.next(WantRecord.self) {
            switch record {
            case .file(let number, let path):
                guard wants.count < TwoWayLimits.files else {
                    throw RemoteFailure(.violation, "too many files")
                }
                wants.append(WantedFile(number: number, path: path))
            case .copy(let copy): try take(copy)
            }
        }
    }

    private mutating func take(_ copy: PieceCopy) throws(RemoteFailure) {
        guard let want = wants.last, want.copies.count < PieceSearch.pieces else {
            throw RemoteFailure(.violation, "a piece of no file")
        }
        let end = want.copies.last.map { $0.offset + UInt64($0.size) } ?? 0
        guard copy.offset >= end else { throw RemoteFailure(.violation, "pieces out of order") }
        wants[wants.count - 1].copies.append(copy)
    }

    func write(to sink: any ByteSink) throws {
        var writer = RecordWriter(sink)
        for want in wants {
            try Interruption.check()
            try write(want, &writer)
        }
        try writer.end()
    }

    private func write(_ want: WantedFile, _ writer: inout RecordWriter) throws {
        let (number, path) = (want.number, want.path)
        guard let file = try open(path) else {
            return try writer.write(FileRecord.file(number, nil))
        }
        let status = try file.descriptor.status(path)
        guard status.type == .regular else {
            return try writer.write(FileRecord.file(number, nil))
        }
        try writer.write(FileRecord.file(number, (status.size, status.mtime)))
        var hasher = SHA256Hasher()
        var offset: UInt64 = 0
        var copies = want.copies[...]
        while offset < status.size {
            let copy = copies.first
            let end = min(copy?.offset ?? status.size, status.size)
            let isCopy = offset == end
            let count =
                isCopy
                ? copy?.size ?? 0 : Int(min(UInt64(TwoWayLimits.piece), end - offset))
            let bytes = try file.descriptor.read(count, at: offset, path)
            guard count > 0, bytes.count == count else {
                throw RemoteFailure(.missing, "it became shorter while it was read", object: path)
            }
            hasher.update(bytes.span)
            if isCopy, let copy {
                copies = copies.dropFirst()
                try write(copy, bytes, &writer)
            } else {
                try write(bytes, &writer)
            }
            offset += UInt64(count)
        }
        try writer.write(FileRecord.end(hasher.finish()))
    }

    private final class OpenFile {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }

    /// Nil where there is no such file, or a symlink is in its way.
    private func open(_ path: [UInt8]) throws(PlatformError) -> OpenFile? {
        do throws(PlatformError) {
            return OpenFile(try tree.target.root.open(path, [.readOnly, .nonBlocking]))
        } catch {
            guard error.isNotFound || error.errno == .tooManySymbolicLinkLevels else {
                throw error
            }
            return nil
        }
    }

    private func write(
        _ copy: PieceCopy, _ bytes: [UInt8], _ writer: inout RecordWriter
    ) throws {
        let id = ChunkID(of: bytes.span)
        try writer.write(
            FileRecord.copy(size: bytes.count, id, path: copy.path, place: copy.place))
    }

    private func write(_ bytes: [UInt8], _ writer: inout RecordWriter) throws {
        let id = ChunkID(of: bytes.span)
        var (codec, stored) = (BlobCodec.stored, bytes)
        if let encoder {
            let (tried, encoded) = try encoder.encode(bytes.span, id.fingerprint.xxh3)
            if tried == .zstd { (codec, stored) = (tried, encoded) }
        }
        try writer.write(FileRecord.data(codec, size: bytes.count, id, stored))
    }
}
