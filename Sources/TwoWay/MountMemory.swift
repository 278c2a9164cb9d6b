internal import Bytes
internal import Hashing
internal import Platform
internal import Targets
internal import Trees
internal import Wire

// Where file systems were mounted in a store at the last sync, .varve-replica/mounts; version 1:
//
//     offset  size
//          0     8  magic "varvemnt"
//          8     1  format version, 1
//          9     8  number of paths
//         17     …  paths in order (varint count, bytes)
//          …     8  low half of XXH3-128 of everything before
//
// Whoever removes the file says that none of them will be mounted any more.

/// What a store remembers of file systems that are mounted in it.
enum MountMemory {
    private static let version: UInt8 = 1
    private static let path = PathBytes.join(TargetPlaces.directory, Array("mounts".utf8))

    static func read(_ tree: TargetTree) throws -> Set<[UInt8]> {
        guard let bytes = try TargetFile.read(path, tree.target.root) else { return [] }
        do throws(MalformedBytes) {
            var reader = try TargetFile.checked(bytes, "varvemnt", version)
            var mounts: Set<[UInt8]> = []
            for _ in 0..<(try reader.u64()) { mounts.insert(try TwoWayPath.decode(&reader)) }
            try reader.finish()
            return mounts
        } catch {
            throw RemoteFailure(
                .damaged, "the list of mounted file systems: \(error)", object: path)
        }
    }

    static func write(_ mounts: Set<[UInt8]>, _ tree: TargetTree) throws(PlatformError) {
        var writer = ByteWriter()
        writer.magic("varvemnt")
        writer.u8(version)
        writer.u64(UInt64(mounts.count))
        for mount in mounts.sorted(by: PathBytes.isBefore) { writer.string(mount) }
        writer.u64(XXH3Digest(of: writer.bytes.span).low)
        try SmallFile.replace(at: path, with: writer.bytes, in: tree.target.root)
    }
}
