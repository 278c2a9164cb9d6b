internal import Bytes
internal import Deltas
internal import Hashing
internal import Platform

/// Where every blob of a repository lies: the index segments, and in memory what no segment has.
final class BlobIndex: Sendable {
    private struct State {
        var segments: [IndexSegment] = []
        /// Blobs of packs that no segment lists.
        var loose: [BlobID: BlobPlace] = [:]
        /// Their further copies: two runs at once may store the same blob.
        var furtherLoose: [BlobID: [BlobPlace]] = [:]
        /// Packs that a segment, or `loose`, lists.
        var knownPacks: Set<PackID> = []
        /// Packs that were seen in the storage; nil before they were listed.
        var presentPacks: Set<PackID>?
        /// Packs that no segment listed when they were found: their names may not be durable yet.
        var foundPacks: Set<PackID> = []
        var damage: [RepositoryError] = []
        /// How deep patches are whose bases are there; `Int.max` where one is not.
        var patchDepths: [BlobPlace: Int] = [:]
    }

    private let storage: any Storage
    private let state = Monitor(State())

    /// Opens all segments; those that are damaged are left out and told by `damage`.
    init(_ storage: any Storage) throws(RepositoryError) {
        self.storage = storage
        let (segments, damage) = try Self.load(storage)
        state.update { state in
            state.segments = segments
            state.knownPacks = Set(segments.flatMap(\.packs))
            state.damage = damage
        }
    }

    /// Why segments could not be used.
    ///
    /// The tables of contents of their packs are read instead.
    var damage: [RepositoryError] { state.withState { $0.damage } }

    var segments: [IndexSegment] { state.withState { $0.segments } }

    private static func load(
        _ storage: any Storage
    ) throws(RepositoryError) -> (
        [IndexSegment], [RepositoryError]
    ) {
        var segments: [IndexSegment] = []
        var damage: [RepositoryError] = []
        let digests = try listed(storage, .index)
        storage.prepare(digests.map { .index(IndexID($0)) })
        for digest in digests {
            let name = ObjectName.index(IndexID(digest))
            do throws(RepositoryError) {
                let object = try about(name) { () throws(StorageError) in try storage.open(name) }
                segments.append(try IndexSegment(IndexID(digest), object))
            } catch  where error.isMissing {
                continue  // Another process merged it into a newer one.
            } catch  where error.isDamage {
                damage.append(error)
            }
        }
        return (segments, damage)
    }

    static func listed(
        _ storage: any Storage, _ kind: ObjectKind
    ) throws(RepositoryError)
        -> [SHA256Digest]
    {
        do throws(StorageError) {
            return try storage.list(kind)
        } catch {
            throw RepositoryError(error, kind.rawValue)
        }
    }

    /// Places where the blob is said to lie: those in the first segment that has any.
    ///
    /// `findAll` tells the rest, for when none of them is good.
    func find(_ id: BlobID) throws(RepositoryError) -> [BlobPlace] {
        for segment in segments {
            let places = try places(of: id, in: segment)
            if !places.isEmpty { return places + loosePlaces(id) }
        }
        return loosePlaces(id)
    }

    /// All places where the blob is said to lie, in all segments and in packs that none lists.
    func findAll(_ id: BlobID) throws(RepositoryError) -> [BlobPlace] {
        try listPacks()
        var found: [BlobPlace] = []
        for segment in segments { found += try places(of: id, in: segment) }
        return found + loosePlaces(id)
    }

    private func places(
        of id: BlobID, in segment: IndexSegment
    ) throws(RepositoryError)
        -> [BlobPlace]
    {
        do throws(RepositoryError) {
            return try segment.find(id)
        } catch  where error.isDamage {
            try replaceDamaged(segment, error)
            return []
        }
    }

    private func loosePlaces(_ id: BlobID) -> [BlobPlace] {
        state.withState { state in
            guard let place = state.loose[id] else { return [] }
            return [place] + (state.furtherLoose[id] ?? [])
        }
    }

    /// Reads the tables of contents of a damaged segment's packs in its stead.
    private func replaceDamaged(
        _ segment: IndexSegment, _ error: RepositoryError
    )
        throws(RepositoryError)
    {
        state.update { state in
            state.segments.removeAll { $0.id == segment.id }
            state.damage.append(error)
        }
        try readTables(segment.packs)
    }

    /// Places of the blob in packs that are there; lists the packs first if need be.
    ///
    /// A patch counts only with all of its bases. Its header is read for that.
    func findPresent(_ id: BlobID) throws(RepositoryError) -> [BlobPlace] {
        try listPacks()
        return try usablePlaces(of: id, below: PatchHeader.depthLimit + 1)
    }

    private func usablePlaces(
        of id: BlobID, below depth: Int
    ) throws(RepositoryError) -> [BlobPlace] {
        for segment in segments {
            let usable = try usableOnly(try places(of: id, in: segment), below: depth)
            if !usable.isEmpty { return usable }
        }
        return try usableOnly(loosePlaces(id), below: depth)
    }

    private func usableOnly(
        _ places: [BlobPlace], below depth: Int
    ) throws(RepositoryError) -> [BlobPlace] {
        var usable: [BlobPlace] = []
        for place in presentOnly(places) {
            guard place.codec == .patch else {
                usable.append(place)
                continue
            }
            if try patchDepth(place, below: depth) < depth { usable.append(place) }
        }
        return usable
    }

    /// Patches whose depths are remembered.
    private static let depthCacheLimit = 64 << 10

    /// The depth of a patch whose bases are there; at least `limit` for one that says so itself,
    /// whatever its bases are: patches that need each other end.
    private func patchDepth(
        _ place: BlobPlace, below limit: Int
    ) throws(RepositoryError) -> Int {
        if let known = state.withState({ $0.patchDepths[place] }) { return known }
        guard let header = try patchHeader(place) else { return .max }
        guard header.depth < limit else { return header.depth }
        let depth = try hasBases(header) ? header.depth : .max
        state.update { state in
            if state.patchDepths.count >= Self.depthCacheLimit { state.patchDepths = [:] }
            state.patchDepths[place] = depth
        }
        return depth
    }

    /// The header; nil where it cannot be read.
    private func patchHeader(_ place: BlobPlace) throws(RepositoryError) -> PatchHeader? {
        do throws(RepositoryError) {
            return try PackReader(place.pack, storage).patchHeader(place)
        } catch {
            guard error.isDamage else { throw error }
            return nil
        }
    }

    private func hasBases(_ header: PatchHeader) throws(RepositoryError) -> Bool {
        for base in header.bases {
            let id = BlobID.chunk(ChunkID(base.fingerprint))
            let places = try usablePlaces(of: id, below: header.depth)
            guard places.contains(where: { Int($0.plainSize) == base.size }) else { return false }
        }
        return true
    }

    /// Whether a pack is known to be there.
    func isPresent(_ pack: PackID) -> Bool {
        state.withState { $0.presentPacks?.contains(pack) == true }
    }

    private func presentOnly(_ places: [BlobPlace]) -> [BlobPlace] {
        guard !places.isEmpty else { return [] }
        return state.withState { state in
            places.filter { state.presentPacks?.contains($0.pack) == true }
        }
    }

    /// Lists the packs once, and reads the tables of contents of those that no segment lists:
    /// what an interrupted run or a lost index left behind.
    func listPacks() throws(RepositoryError) {
        guard state.withState({ $0.presentPacks == nil }) else { return }
        let present = Set(try Self.listed(storage, .pack).map(PackID.init))
        let unknown = state.update { state in
            let unknown = present.subtracting(state.knownPacks)
            state.foundPacks.formUnion(unknown)
            return unknown
        }
        try readTables(unknown.sorted { $0.digest < $1.digest })
        // Only now: until all tables are read, "not found" means nothing to another thread.
        state.update { $0.presentPacks = present.union($0.presentPacks ?? []) }
    }

    /// Makes the names of packs durable that were found and not written by this run: the run that
    /// published them may have been killed before it did.
    ///
    /// An index that names them comes after.
    func syncFoundPacks() throws(RepositoryError) {
        let found = state.withState { $0.foundPacks }
        guard !found.isEmpty else { return }
        do throws(StorageError) {
            try storage.syncNames(found.map(ObjectName.pack))
        } catch {
            throw RepositoryError(error, ObjectKind.pack.rawValue)
        }
        state.update { $0.foundPacks.subtract(found) }
    }

    /// Those of the segments that can be read to their ends.
    ///
    /// The others are left out from now on, and the tables of contents of their packs are read in
    /// their stead.
    func sound(_ segments: [IndexSegment]) throws(RepositoryError) -> [IndexSegment] {
        var sound: [IndexSegment] = []
        for segment in segments {
            do throws(RepositoryError) {
                try segment.checkEntries()
                sound.append(segment)
            } catch  where error.isDamage {
                try replaceDamaged(segment, error)
            }
        }
        return sound
    }

    private func readTables(_ packs: [PackID]) throws(RepositoryError) {
        for pack in packs {
            do throws(RepositoryError) {
                addPack(pack, try PackReader(pack, storage).entries())
            } catch  where error.isDamage {
                continue  // `check` names it; nothing may rely on it.
            }
        }
    }

    /// Whether every pack that the index lists is there, and every segment could be read.
    func isComplete() throws(RepositoryError) -> Bool {
        try listPacks()
        return state.withState { state in
            state.damage.isEmpty && state.presentPacks?.isSuperset(of: state.knownPacks) == true
        }
    }

    /// Packs that the index lists but the storage does not have.
    func missingPacks() throws(RepositoryError) -> [PackID] {
        try listPacks()
        return state.withState { $0.knownPacks.subtracting($0.presentPacks ?? []) }
            .sorted { $0.digest < $1.digest }
    }

    /// Packs in the storage.
    func presentPacks() throws(RepositoryError) -> [PackID] {
        try listPacks()
        return state.withState { $0.presentPacks ?? [] }.sorted { $0.digest < $1.digest }
    }

    /// Makes the blobs of a published pack findable.
    func addPack(_ pack: PackID, _ entries: [PackEntry]) {
        state.update { state in
            state.knownPacks.insert(pack)
            state.presentPacks?.insert(pack)
            for entry in entries {
                let place = BlobPlace(entry, in: pack)
                let first = state.loose[entry.id] ?? place
                state.loose[entry.id] = first
                if first != place { state.furtherLoose[entry.id, default: []].append(place) }
            }
        }
    }

    /// Blobs that no segment holds.
    var looseCount: Int { state.withState { $0.loose.count } }

    /// Everything that no segment holds.
    func looseBlobs() -> [LocatedBlob] {
        state.withState { state in
            let first = state.loose.map { LocatedBlob(id: $0.key, place: $0.value) }
            let further = state.furtherLoose.flatMap { id, places in
                places.map { LocatedBlob(id: id, place: $0) }
            }
            return first + further
        }
    }

    /// Replaces loose blobs, and the segments in `merged`, by a new segment that holds them.
    func replace(loose blobs: [LocatedBlob], merged: [IndexSegment], by segment: IndexSegment) {
        let gone = Set(merged.map(\.id))
        state.update { state in
            for blob in blobs {
                state.loose[blob.id] = nil
                state.furtherLoose[blob.id] = nil
            }
            state.segments.removeAll { gone.contains($0.id) }
            state.segments.append(segment)
            state.knownPacks.formUnion(segment.packs)
        }
    }
}
