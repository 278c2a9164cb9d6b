package import Hashing
internal import Deltas
internal import Platform

/// Looks for damage in what lies below the snapshots of a repository: index, packs and blobs.
///
/// First the index and the packs are to be looked at; `verdict` then says of any blob whether it
/// can be read, given what was found. May be used from several threads.
package final class RepositoryInspection: Sendable {
    private struct State {
        var badPacks: Set<PackID> = []
        /// Places whose bytes are not what the blob's id says.
        var badPlaces: Set<BlobPlace> = []
        /// How deep patches are that can be read; `Int.max` for those that cannot.
        var patchDepths: [BlobPlace: Int] = [:]
    }

    private let repository: Repository
    private let state = Monitor(State())
    private let indexedPacks: Set<PackID>
    /// The packs in the storage.
    package let packs: [PackID]

    /// Lists the packs.
    package init(_ repository: Repository) throws(RepositoryError) {
        self.repository = repository
        packs = try repository.index.presentPacks()
        indexedPacks = Set(repository.index.segments.flatMap(\.packs))
    }

    private func noteBad(_ pack: PackID) {
        state.withState { _ = $0.badPacks.insert(pack) }
    }

    // MARK: Index

    /// The segments that can be read.
    package var indexSegments: [IndexID] { repository.index.segments.map(\.id) }

    /// Why segments are not what was written; the packs hold the same.
    package func indexFaults() throws(RepositoryError) -> [RepositoryError] {
        var faults: [RepositoryError] = []
        for segment in repository.index.segments {
            do throws(RepositoryError) {
                try segment.checkDigest()
            } catch {
                guard error.isDamage else { throw error }
                faults.append(error)
            }
        }
        return faults + repository.index.damage
    }

    /// Packs that the index lists and the storage does not have.
    package func missingPacks() throws(RepositoryError) -> [PackID] {
        let missing = try repository.index.missingPacks()
        for pack in missing { noteBad(pack) }
        return missing
    }

    /// How many entries of a segment no table of contents has: a restore may follow them.
    ///
    /// None where the segment or a pack cannot be read, of which other questions tell.
    package func strayEntryCount(in id: IndexID) throws(RepositoryError) -> Int {
        guard let segment = repository.index.segments.first(where: { $0.id == id }) else {
            return 0
        }
        do throws(RepositoryError) {
            let bad = state.withState { $0.badPacks }
            return try IndexAgreement.strayCount(segment, in: repository.storage, ignoring: bad)
        } catch {
            guard error.isDamage else { throw error }
            return 0
        }
    }

    // MARK: Packs

    /// What the table of contents of a pack says.
    package struct PackSummary: Sendable {
        /// Blobs in the pack.
        package var blobCount: Int
        /// Bytes of all its blobs, decoded.
        package var plainSize: UInt64
        /// Whether an index segment lists the pack.
        package var isIndexed: Bool
        /// Blobs that the index lacks, or says to be elsewhere; 0 for a pack that it does not list.
        package var misplacedCount = 0
    }

    /// Reads a table of contents and compares it with the index; throws damage when it is not what
    /// was written.
    package func summary(of pack: PackID) throws(RepositoryError) -> PackSummary {
        let entries: [PackEntry]
        do throws(RepositoryError) {
            entries = try PackReader(pack, repository.storage).entries()
        } catch {
            if error.isDamage { noteBad(pack) }
            throw error
        }
        var summary = PackSummary(
            blobCount: entries.count, plainSize: entries.reduce(0) { $0 + UInt64($1.plainSize) },
            isIndexed: indexedPacks.contains(pack))
        guard summary.isIndexed else { return summary }
        for entry in entries {
            let places = try repository.index.findAll(entry.id)
            if !places.contains(BlobPlace(entry, in: pack)) { summary.misplacedCount += 1 }
        }
        return summary
    }

    /// Reads all blobs of a pack and compares them with their ids, XXH3 and SHA-256; returns those
    /// that differ, with why.
    ///
    /// `advance` is called with the plain bytes read since the last call; false stops it.
    package func contentFaults(
        of pack: PackID, _ reader: BlobReader, advance: (UInt64) -> Bool
    ) throws(RepositoryError) -> [(id: BlobID, error: RepositoryError)] {
        let entries = try PackReader(pack, repository.storage).entries()
        let faults = reader.check(pack, entries, advance: advance)
        state.withState { $0.badPlaces.formUnion(faults.map(\.place)) }
        return faults.map { ($0.id, $0.error) }
    }

    // MARK: Blobs

    /// Whether a blob can be read, and what keeps it from it.
    package enum Verdict: Equatable, Sendable {
        case readable
        /// It can be read, but is so many bytes instead of those that are due.
        case otherSize(UInt64)
        /// All packs with it are missing or damaged; one of them.
        case lost(PackID)
        /// Its bytes are not what its id says.
        case damaged
        /// No pack has it.
        case absent
        /// It is encoded against blobs that cannot be read.
        case lacksBase
    }

    /// Judges a blob by what was found so far; `size` is what its file says, in bytes.
    package func verdict(
        on id: BlobID, size: UInt64?
    ) throws(RepositoryError) -> Verdict {
        var places = try repository.places(of: id)
        var readable = try readable(places)
        if !readable.contains(where: { size == nil || UInt64($0.plainSize) == size }) {
            places = try repository.index.findAll(id)
            readable = try self.readable(places)
        }
        if let first = readable.first {
            let isRight = readable.contains { size == nil || UInt64($0.plainSize) == size }
            return isRight ? .readable : .otherSize(UInt64(first.plainSize))
        }
        return state.withState { state in
            if places.contains(where: { state.badPlaces.contains($0) }) { return .damaged }
            if let place = places.first(where: { state.badPacks.contains($0.pack) }) {
                return .lost(place.pack)
            }
            return places.isEmpty ? .absent : .lacksBase
        }
    }

    private func readable(
        _ places: [BlobPlace], below limit: Int = PatchHeader.depthLimit + 1
    ) throws(RepositoryError) -> [BlobPlace] {
        var readable: [BlobPlace] = []
        for place in places where try isReadable(place, below: limit) { readable.append(place) }
        return readable
    }

    private func isReadable(
        _ place: BlobPlace, below limit: Int
    ) throws(RepositoryError) -> Bool {
        let isBad = state.withState { state in
            state.badPacks.contains(place.pack) || state.badPlaces.contains(place)
        }
        guard !isBad else { return false }
        guard place.codec == .patch else { return true }
        if let depth = state.withState({ $0.patchDepths[place] }) { return depth < limit }
        guard let header = try patchHeader(place) else { return false }
        guard header.depth < limit else { return false }
        let depth = try hasBases(header) ? header.depth : .max
        state.withState { $0.patchDepths[place] = depth }
        return depth < limit
    }

    /// Invariant 4; of patches that need each other, the second says that it is no deeper.
    private func hasBases(_ header: PatchHeader) throws(RepositoryError) -> Bool {
        for base in header.bases {
            let places = try repository.index.findAll(.chunk(ChunkID(base.fingerprint)))
            let readable = try readable(places, below: header.depth)
            guard readable.contains(where: { Int($0.plainSize) == base.size }) else {
                return false
            }
        }
        return true
    }

    /// The header; nil where it cannot be read.
    private func patchHeader(_ place: BlobPlace) throws(RepositoryError) -> PatchHeader? {
        do throws(RepositoryError) {
            return try repository.packReader(place.pack).patchHeader(place)
        } catch {
            guard error.isDamage else { throw error }
            return nil
        }
    }
}
