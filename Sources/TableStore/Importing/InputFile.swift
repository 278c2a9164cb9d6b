internal import Platform
internal import Bytes

/// A file of rows that is read from its beginning to its end; a pipe will do.
final class InputFile: Sendable {
    let path: [UInt8]
    private let descriptor: Descriptor
    private let offset = Monitor(UInt64(0))
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
    ///
    /// For one caller at a time.
    func read(into buffer: inout [UInt8]) throws(TableStoreError) -> Bool {
        let place = offset.withState { $0 }
        let block: [UInt8]
        do throws(PlatformError) {
            block =
                try isSeekable
                ? descriptor.read(Self.blockSize, at: place, path)
                : descriptor.readSome(Self.blockSize, path)
        } catch {
            throw TableStoreError(outside: error)
        }
        offset.withState { $0 = place + UInt64(block.count) }
        progress?.update { $0.bytesDone += UInt64(block.count) }
        buffer += block
        return !block.isEmpty
    }
}
