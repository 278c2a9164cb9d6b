internal import Bytes

/// Compares an index segment with the tables of contents of the packs that it names.
///
/// An entry that no table has would give an id other bytes, or claim blobs that nobody stored.
enum IndexAgreement {
    /// Entries of tables of contents that are held at a time: some 30 MB.
    private static let heldLimit = 256 << 10

    /// The number of entries that no table of contents has.
    ///
    /// Entries of the packs in `ignored` do not count. Throws when a table cannot be read.
    static func strayCount(
        _ segment: IndexSegment, in storage: any Storage, ignoring ignored: Set<PackID> = []
    ) throws(RepositoryError) -> Int {
        // A pack that is named twice counts once.
        var rest = Set(segment.packs).subtracting(ignored)
        var agreeing = try count(segment) { ignored.contains($0.place.pack) }
        while !rest.isEmpty {
            let held = try takeTables(&rest, storage)
            agreeing += try count(segment) { held.contains($0) }
        }
        return segment.entryCount - agreeing
    }

    private static func count(
        _ segment: IndexSegment, where isWanted: (LocatedBlob) -> Bool
    ) throws(RepositoryError) -> Int {
        var count = 0
        for number in 0..<segment.entryCount where isWanted(try segment.entry(number)) {
            count += 1
        }
        return count
    }

    /// The tables of contents of some of the packs, which are taken out of `packs`.
    private static func takeTables(
        _ packs: inout Set<PackID>, _ storage: any Storage
    ) throws(RepositoryError) -> Set<LocatedBlob> {
        var held: Set<LocatedBlob> = []
        while held.count < heldLimit, let pack = packs.popFirst() {
            for entry in try PackReader(pack, storage).entries() {
                held.insert(LocatedBlob(id: entry.id, place: BlobPlace(entry, in: pack)))
            }
        }
        return held
    }
}
