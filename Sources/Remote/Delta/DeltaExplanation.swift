internal import Bytes
internal import Compression
internal import Platform
package import Repository
package import Snapshots

/// What a delta is made of, file by file, and what shipping it would cost.
package struct DeltaExplanation: Sendable {
    /// Bytes of content by how they come about, and what they cost to ship.
    package struct Share: Equatable, Sendable {
        /// In chunks that are there already.
        package var copied: UInt64 = 0
        /// In chunks shipped as patches.
        package var patched: UInt64 = 0
        /// In chunks shipped whole.
        package var new: UInt64 = 0
        package var holes: UInt64 = 0
        /// Bytes to ship.
        package var shipped: UInt64 = 0

        package init() {}

        mutating func add(_ blob: EncodedBlob) {
            let size = UInt64(blob.plainSize)
            if blob.codec == .patch { patched += size } else { new += size }
            shipped += UInt64(blob.bytes.count)
        }

        package static func + (one: Self, other: Self) -> Self {
            var sum = one
            sum.copied += other.copied
            sum.patched += other.patched
            sum.new += other.new
            sum.holes += other.holes
            sum.shipped += other.shipped
            return sum
        }
    }

    package struct File: Sendable {
        package var path: [UInt8]
        package var size: UInt64
        package var share: Share
    }

    /// Files whose content differs, in path order.
    ///
    /// A chunk that several files need counts for the first.
    package private(set) var files: [File] = []
    /// Manifest nodes to ship, and their bytes.
    package private(set) var nodes = 0
    package private(set) var nodeBytes: UInt64 = 0

    package var total: Share { files.reduce(Share()) { $0 + $1.share } }

    /// Bytes of all blobs that turn one snapshot into the other.
    package var shippedBytes: UInt64 { total.shipped + nodeBytes }

    /// Works out what `DeltaSender` would send, without sending it.
    package init(
        from before: Snapshot, to after: Snapshot, _ repository: Repository
    ) throws {
        let nodes = NodeSource(repository)
        let delta = try SnapshotDelta(
            from: before.record.root, to: after.record.root, nodes, listsFiles: true)
        files = delta.files.map { file in
            var share = Share()
            share.copied = file.copiedBytes
            share.holes = file.holeBytes
            return File(path: file.path, size: file.size, share: share)
        }
        let encoder = BlobEncoder(.standard)
        let tries = after.record.parent != before.id
        for blob in delta.blobs {
            try Interruption.check()
            let encoded = try EncodedBlob.make(
                blob, repository, nodes.blobs, encoder, triesPatches: tries,
                isKnown: delta.knownChunks.contains)
            if let file = blob.file {
                files[file].share.add(encoded)
            } else {
                self.nodes += 1
                nodeBytes += UInt64(encoded.bytes.count)
            }
        }
    }
}
