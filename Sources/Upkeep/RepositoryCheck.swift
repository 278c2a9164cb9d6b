internal import Bytes
internal import Deltas
internal import Hashing
package import Platform
package import Repository
internal import Snapshots

/// What a check found.
package struct CheckReport: Sendable {
    /// One thing that is wrong, and what it means.
    package struct Damage: Sendable {
        package var message: String
        /// The paths that cannot be restored because of it, as many as are listed.
        package var affected: [(snapshot: SnapshotID, path: [UInt8])] = []
        package var unlistedAffected = 0

        static let listLimit = 100

        init(_ message: String) { self.message = message }

        mutating func affects(_ snapshot: SnapshotID, _ path: [UInt8]) {
            if affected.count < Self.listLimit {
                affected.append((snapshot, path))
            } else {
                unlistedAffected += 1
            }
        }
    }

    package var snapshots = 0
    package var packs = 0
    package var blobs = 0
    /// Packs whose blobs were read, and the plain bytes that were hashed.
    package var packsRead = 0
    package var bytesRead: UInt64 = 0
    package var damages: [Damage] = []
    /// What is odd but harms nothing.
    package var warnings: [String] = []
}

/// Why a check could not be finished.
package enum CheckError: Error {
    case repository(RepositoryError)
    case interrupted(Interrupted)
}

/// Checks a repository: structure always, content on request.
package enum RepositoryCheck {
    /// Checks that every snapshot, node and reference resolves and that the index agrees with the
    /// packs; with `readDataPercent`, that many per cent of the packs are read and every blob in
    /// them hashed with XXH3 and SHA-256.
    ///
    /// Which packs, is left to chance.
    package static func run(
        _ repository: Repository, readDataPercent: Int?, _ progress: WorkProgress
    ) throws(CheckError) -> CheckReport {
        do {
            // What a snapshot needs is there before its record. So the index is read again after
            // the records, and what other runs add meanwhile is not missed.
            let series = try SnapshotSeries(repository)
            let current = try Repository(repository.storage)
            let run = CheckRun(current, series, progress)
            return try run.run(readDataPercent: readDataPercent)
        } catch let error as RepositoryError {
            throw .repository(error)
        } catch let error as Interrupted {
            throw .interrupted(error)
        } catch {
            throw .repository(RepositoryError(.damaged("\(error)"), "check"))
        }
    }
}

private final class CheckRun {
    private let repository: Repository
    private let progress: WorkProgress
    private var report = CheckReport()
    /// Blobs that cannot be used, with the number of the damage that tells why.
    private var badBlobs: [BlobID: Int] = [:]
    private var badPacks: [PackID: Int] = [:]
    /// Patches seen so far, and whether their bases are there.
    private var patches: [BlobPlace: Bool] = [:]

    private let series: SnapshotSeries

    init(_ repository: Repository, _ series: SnapshotSeries, _ progress: WorkProgress) {
        self.repository = repository
        self.series = series
        self.progress = progress
    }

    func run(readDataPercent: Int?) throws -> CheckReport {
        let packs = try repository.index.presentPacks()
        report.packs = packs.count
        try checkIndex()
        let plainSizes = try checkPacks(packs)
        if let readDataPercent {
            try readData(PackChoice.choose(packs, percent: readDataPercent), plainSizes)
        }
        try checkSnapshots()
        return report
    }

    private func add(_ message: String) -> Int {
        report.damages.append(.init(message))
        return report.damages.count - 1
    }
}

// MARK: - Index and packs

extension CheckRun {
    private func checkIndex() throws {
        for segment in repository.index.segments {
            do throws(RepositoryError) {
                try segment.checkDigest()
            } catch {
                guard error.isDamage else { throw error }
                _ = add("\(error); it can be rebuilt from the packs")
            }
        }
        for error in repository.index.damage {
            _ = add("\(error); it can be rebuilt from the packs")
        }
        for pack in try repository.index.missingPacks() {
            badPacks[pack] = add("\(ObjectName.pack(pack)): missing")
        }
    }

    /// Reads all tables of contents and compares them with the index; returns how many plain bytes
    /// are in each pack that has a sound one.
    ///
    /// Tables are not kept: memory must not grow with the number of blobs.
    private func checkPacks(_ packs: [PackID]) throws -> [PackID: UInt64] {
        var plainSizes: [PackID: UInt64] = [:]
        let indexed = Set(repository.index.segments.flatMap(\.packs))
        var orphans = 0
        for pack in packs {
            try Interruption.check()
            guard let entries = try table(of: pack) else { continue }
            plainSizes[pack] = entries.reduce(0) { $0 + UInt64($1.plainSize) }
            report.blobs += entries.count
            if indexed.contains(pack) { try compare(entries, pack) } else { orphans += 1 }
        }
        if orphans > 0 {
            report.warnings.append(
                "\(orphans) packs are in no index: an interrupted run left them, the next uses them"
            )
        }
        try checkEntries()
        return plainSizes
    }

    /// Finds entries of the index that no table of contents has: a restore may follow them.
    private func checkEntries() throws {
        for segment in repository.index.segments {
            try Interruption.check()
            let strays = try strayCount(segment)
            guard strays > 0 else { continue }
            let name = ObjectName.index(segment.id)
            _ = add("\(name): \(strays) entries are not what the packs hold")
        }
    }

    /// None where the segment or a pack cannot be read: that is in the report already.
    private func strayCount(_ segment: IndexSegment) throws(RepositoryError) -> Int {
        do throws(RepositoryError) {
            return try IndexAgreement.strayCount(
                segment, in: repository.storage, ignoring: Set(badPacks.keys))
        } catch {
            guard error.isDamage else { throw error }
            return 0
        }
    }

    /// The table of contents; nil, with the damage noted, when it cannot be read.
    private func table(of pack: PackID) throws(RepositoryError) -> [PackEntry]? {
        do throws(RepositoryError) {
            return try PackReader(pack, repository.storage).entries()
        } catch {
            guard error.isDamage else { throw error }
            badPacks[pack] = add("\(error)")
            return nil
        }
    }

    private func compare(_ entries: [PackEntry], _ pack: PackID) throws {
        var wrong = 0
        for entry in entries {
            let places = try repository.index.findAll(entry.id)
            if !places.contains(BlobPlace(entry, in: pack)) { wrong += 1 }
        }
        if wrong > 0 {
            _ = add("the index lacks or misplaces \(wrong) blobs of \(ObjectName.pack(pack))")
        }
    }

    /// Hashes every blob of the chosen packs, but those that have no sound table of contents.
    private func readData(_ packs: [PackID], _ plainSizes: [PackID: UInt64]) throws {
        let reading = PackDataReading(repository, progress)
        let chosen = packs.filter { plainSizes[$0] != nil }
        let size = chosen.reduce(0) { $0 + (plainSizes[$1] ?? 0) }
        let found = try reading.run(chosen, plainSize: size)
        try Interruption.check()
        report.packsRead = chosen.count
        report.bytesRead = size
        for (id, error) in found { badBlobs[id] = add("\(error)") }
    }
}

/// Which packs to read when not all are read.
private enum PackChoice {
    /// A share of the packs, rounded up, that begins anywhere: checks repeated on any schedule come
    /// to all of them.
    static func choose(_ packs: [PackID], percent: Int) -> [PackID] {
        guard percent < 100, !packs.isEmpty else { return packs }
        let count = max(1, (packs.count * percent + 99) / 100)
        let random = HostSystem.randomBytes(4).reduce(0) { $0 << 8 | Int($1) }
        return (0..<count).map { packs[(random + $0) % packs.count] }
    }
}

// MARK: - Snapshots

extension CheckRun: DamageLedger {
    private func checkSnapshots() throws {
        report.snapshots = series.items.count
        for error in series.damaged { _ = add("\(error); other snapshots are not affected") }
        let walk = ReferenceWalk(repository, self)
        for item in series.items {
            try Interruption.check()
            for (problem, path) in try walk.check(item.record.root) {
                report.damages[problem].affects(item.id, path)
            }
        }
        noteHoles()
    }

    func number(of id: BlobID, size: UInt64?) throws -> Int? {
        if let known = badBlobs[id] { return known }
        let places = try repository.places(of: id)
        let usable = try places.filter { place in
            try badPacks[place.pack] == nil && hasBases(place)
        }
        if usable.contains(where: { size == nil || UInt64($0.plainSize) == size }) { return nil }
        if let place = usable.first, let size {
            return add(
                "blob \(id.fingerprint.hex): is \(place.plainSize) bytes, its file says \(size)")
        }
        let problem =
            places.lazy.compactMap { self.badPacks[$0.pack] }.first
            ?? add("blob \(id.fingerprint.hex): \(places.isEmpty ? "in no pack" : "lacks a base")")
        badBlobs[id] = problem
        return problem
    }

    /// Whether a blob is no patch, or all that it needs is there (invariant 4).
    private func hasBases(_ place: BlobPlace) throws -> Bool {
        guard place.codec == .patch else { return true }
        if let known = patches[place] { return known }
        patches[place] = false  // Should it need itself.
        let isWhole = try basesAreThere(place)
        patches[place] = isWhole
        return isWhole
    }

    private func basesAreThere(_ place: BlobPlace) throws -> Bool {
        let header: PatchHeader
        do throws(RepositoryError) {
            header = try repository.packReader(place.pack).patchHeader(place)
        } catch {
            guard error.isDamage else { throw error }
            return false
        }
        for base in header.bases {
            let id = BlobID.chunk(ChunkID(base.fingerprint))
            if try number(of: id, size: UInt64(base.size)) != nil { return false }
        }
        return true
    }

    func number(of error: RepositoryError) -> Int {
        let message = "\(error)"
        return report.damages.firstIndex { $0.message == message } ?? add(message)
    }

    /// A series whose sequence numbers have gaps was pruned, or lost snapshots.
    private func noteHoles() {
        let ids = Set(series.items.map(\.id))
        for item in series.items {
            guard let parent = item.record.parent, !ids.contains(parent) else { continue }
            report.warnings.append(
                "snapshot \(item.id.short): its parent \(parent.short) is not in this repository")
        }
    }
}
