internal import Platform
internal import Bytes

/// A file of rows that is read from its beginning to its end; a pipe will do.
final class InputFile {
    let path: [UInt8]
    private let descriptor: Descriptor
    private var offset: UInt64 = 0
    private let isSeekable: Bool

    private static let blockSize = 1 << 20

    init(_ path: [UInt8]) throws(TableStoreError) {
        let type: FileType
        do throws(PlatformError) {
            type = try FileStatus.following(path).type
        } catch {
            throw TableStoreError(error)
        }
        self.path = path
        isSeekable = type == .regular
        descriptor = try calling("") { () throws(PlatformError) in
            try Descriptor.open(path, [.readOnly])
        }
        guard type != .directory else {
            throw TableStoreError(.input, PathBytes.printable(path), "a directory, not a file")
        }
        descriptor.adviseSequential()
    }

    /// Appends the next bytes; false at the end.
    func read(into buffer: inout [UInt8]) throws(TableStoreError) -> Bool {
        let block = try calling("") { () throws(PlatformError) in
            try isSeekable
                ? descriptor.read(Self.blockSize, at: offset, path)
                : descriptor.readSome(Self.blockSize, path)
        }
        offset += UInt64(block.count)
        buffer += block
        return !block.isEmpty
    }
}
