internal import Bytes
package import Hashing
package import Platform
package import Repository
internal import SystemPackage
internal import Trees
internal import Wire

/// Reads and decodes pieces, each checked against its id.
package final class TargetPieces {
    private let tree: TargetTree
    private let decoder = ChunkDecoder()
    /// The file that was read last; copies come in runs.
    private var last: (path: [UInt8], file: TargetTree.Directory)?

    package init(_ tree: TargetTree) { self.tree = tree }

    /// Reads a piece of a file at the target; nil where it is not what it should be.
    package func read(
        _ path: [UInt8], _ offset: UInt64, _ size: Int, _ id: ChunkID
    ) throws(PlatformError) -> [UInt8]? {
        guard let bytes = try read(path, offset, size), ChunkID(of: bytes.span) == id else {
            return nil
        }
        return bytes
    }

    private func read(
        _ path: [UInt8], _ offset: UInt64, _ size: Int
    ) throws(PlatformError) -> [UInt8]? {
        if last?.path != path {
            last = nil
            do throws(PlatformError) {
                let file = try tree.target.root.open(path, [.readOnly, .nonBlocking])
                guard try file.status(path).type == .regular else { return nil }
                last = (path, TargetTree.Directory(file))
            } catch {
                guard error.isNotFound || error.errno == .tooManySymbolicLinkLevels else {
                    throw error
                }
                return nil
            }
        }
        guard let file = last?.file else { return nil }
        // A file that is shorter than the piece says so before memory is taken.
        let (end, overflow) = offset.addingReportingOverflow(UInt64(size))
        guard !overflow, try file.descriptor.status(path).size >= end else { return nil }
        let bytes = try file.descriptor.read(size, at: offset, path)
        return bytes.count == size ? bytes : nil
    }

    /// Decodes a piece that was sent; nil where a base at the target is not what it should be.
    package func decode(
        _ id: ChunkID, _ codec: BlobCodec, _ stored: [UInt8], _ size: Int,
        _ bases: [(path: [UInt8], offset: UInt64)]
    ) throws -> [UInt8]? {
        let plain: [UInt8]
        do {
            var bytes: [UInt8] = []
            if codec == .patch {
                let wanted = try ChunkDecoder.bases(of: stored)
                guard wanted.count == bases.count else {
                    throw RemoteFailure(.violation, "a patch with another number of bases")
                }
                for (base, place) in zip(wanted, bases) {
                    guard let found = try read(place.path, place.offset, base.size, base.id) else {
                        return nil
                    }
                    bytes += found
                }
            }
            plain = try decoder.decode(stored, codec, bases: bytes, size: size)
        } catch let error as RepositoryError {
            throw RemoteFailure(.invalid, "\(error)")
        }
        guard ChunkID(of: plain.span) == id else {
            throw RemoteFailure(.invalid, "a piece is not what its id says")
        }
        return plain
    }
}
