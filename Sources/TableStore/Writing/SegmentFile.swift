internal import Bytes
internal import Parquet
internal import Platform
internal import SystemPackage

/// A data file that is being written, under the name that it will have: nothing names it before
/// the commit does.
final class SegmentFile: ByteSink {
    /// Below the table.
    let path: [UInt8]
    private let descriptor: Descriptor
    private var offset: UInt64 = 0

    /// Makes a file that is not there yet.
    init(_ path: [UInt8], in root: borrowing PinnedDirectory) throws(PlatformError) {
        self.path = path
        descriptor = try root.open(path, [.writeOnly, .create, .exclusive], mode: 0o666)
    }

    func write(_ bytes: [UInt8]) throws(ParquetError) {
        do throws(PlatformError) {
            try descriptor.write(bytes.span, at: offset, path)
        } catch {
            throw ParquetError(
                .inputOutput, at: Int64(clamping: offset), "\(error)",
                systemNumber: error.errno.rawValue)
        }
        offset += UInt64(bytes.count)
    }

    func sync() throws(PlatformError) { try descriptor.sync(path) }
}
