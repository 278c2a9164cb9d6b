internal import Platform
internal import Bytes

/// A file of rows that is read from its beginning to its end; a pipe will do.
final class InputFile {
    let path: [UInt8]
    private let descriptor: Descriptor
    private var offset: UInt64 = 0
    let isSeekable: Bool
    private let progress: WorkProgress?

    private static let blockSize = 1 << 20

    init(_ path: [UInt8], _ progress: WorkProgress? = nil) throws(TableStoreError) {
        let type: FileType
        do throws(PlatformError) {
            type = try FileStatus.following(path).type
            descriptor = try Descriptor.open(path, [.readOnly])
        } catch {
            throw TableStoreError(outside: error)
        }
        self.path = path
        self.progress = progress
        isSeekable = type == .regular
        guard type != .directory else {
            throw TableStoreError(.input, PathBytes.printable(path), "a directory, not a file")
        }
        descriptor.adviseSequential()
    }

    /// Appends the next bytes; false at the end.
    func read(into buffer: inout [UInt8]) throws(TableStoreError) -> Bool {
        let block: [UInt8]
        do throws(PlatformError) {
            block =
                try isSeekable
                ? descriptor.read(Self.blockSize, at: offset, path)
                : descriptor.readSome(Self.blockSize, path)
        } catch {
            throw TableStoreError(outside: error)
        }
        offset += UInt64(block.count)
        progress?.update { $0.bytesDone += UInt64(block.count) }
        buffer += block
        return !block.isEmpty
    }
}
