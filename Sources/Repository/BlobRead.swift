internal import Hashing

/// A blob that was read.
struct BlobRead {
    private(set) var bytes: [UInt8] = []
    /// How deep a patch it is; 0 for what is no patch.
    var depth = 0
    /// Bytes of it and of all blobs that it needs, each as often as it is needed.
    private(set) var cost = 0

    init() {}

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        cost = bytes.count
    }

    /// Adds what another blob holds and needs.
    mutating func append(_ other: Self) {
        // A single base is not copied.
        if bytes.isEmpty { bytes = other.bytes } else { bytes += other.bytes }
        depth = max(depth, other.depth)
        addCost(other.cost)
    }

    mutating func addCost(_ more: Int) {
        // Of what others stored the sum may be as large as you like.
        let (sum, overflow) = cost.addingReportingOverflow(more)
        cost = overflow ? .max : sum
    }
}

/// The bases that were read last, so that each is read once for all that needs it.
struct RecentBases {
    private var blobs: [(id: ChunkID, read: BlobRead)] = []
    private var size = 0

    private static let sizeLimit = 12 << 20

    func find(_ id: ChunkID) -> BlobRead? { blobs.last { $0.id == id }?.read }

    mutating func add(_ id: ChunkID, _ read: BlobRead) {
        blobs.append((id, read))
        size += read.bytes.count
        while size > Self.sizeLimit, blobs.count > 1 {
            size -= blobs.removeFirst().read.bytes.count
        }
    }
}
