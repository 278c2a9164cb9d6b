internal import Bytes
internal import Hashing
package import Platform
package import Repository
internal import Snapshots

/// What a check found.
package struct CheckReport: Sendable {
    /// One thing that is wrong, and what it means.
    package struct Damage: Sendable {
        /// What is wrong, in one line, with the object.
        package var message: String
        /// The paths that cannot be restored because of it, as many as are listed.
        package var affected: [(snapshot: SnapshotID, path: [UInt8])] = []
        /// How many more paths there are.
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

    /// Snapshots that could be read.
    package var snapshots = 0
    /// Packs in the storage.
    package var packs = 0
    /// Blobs that sound tables of contents list, each copy counted.
    package var blobs = 0
    /// Packs whose blobs were read.
    package var packsRead = 0
    /// Decoded bytes that were hashed.
    package var bytesRead: UInt64 = 0
    /// All that was found wrong; none in a sound repository.
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
        let run = try inRepository { () throws(RepositoryError) in
            // What a snapshot needs is there before its record. So the index is read again after
            // the records, and what other runs add meanwhile is not missed.
            let series = try SnapshotSeries(repository)
            let current = try Repository(repository.storage, repository.host)
            return try CheckRun(current, series, progress)
        }
        return try run.run(readDataPercent: readDataPercent)
    }
}

/// Runs `body`; what it throws becomes an error of the check.
private func inRepository<Value>(
    _ body: () throws(RepositoryError) -> Value
) throws(CheckError) -> Value {
    do throws(RepositoryError) {
        return try body()
    } catch {
        throw .repository(error)
    }
}

private func checkInterruption() throws(CheckError) {
    do throws(Interrupted) {
        try Interruption.check()
    } catch {
        throw .interrupted(error)
    }
}

private final class CheckRun {
    private let repository: Repository
    private let inspection: RepositoryInspection
    private let series: SnapshotSeries
    private let progress: WorkProgress
    private var report = CheckReport()
    /// Blobs that cannot be used, with the number of the damage that tells why.
    private var badBlobs: [BlobID: Int] = [:]
    private var badPacks: [PackID: Int] = [:]

    init(
        _ repository: Repository, _ series: SnapshotSeries, _ progress: WorkProgress
    ) throws(RepositoryError) {
        self.repository = repository
        self.series = series
        self.progress = progress
        inspection = try RepositoryInspection(repository)
    }

    func run(readDataPercent: Int?) throws(CheckError) -> CheckReport {
        report.packs = inspection.packs.count
        try inRepository(checkIndex)
        let plainSizes = try checkPacks()
        try checkEntries()
        if let readDataPercent {
            try readData(chosenPacks(percent: readDataPercent), plainSizes)
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
    private func checkIndex() throws(RepositoryError) {
        for error in try inspection.indexFaults() {
            _ = add("\(error); it can be rebuilt from the packs")
        }
        for pack in try inspection.missingPacks() {
            badPacks[pack] = add("\(ObjectName.pack(pack)): missing")
        }
    }

    /// Reads all tables of contents and compares them with the index; returns how many plain bytes
    /// are in each pack that has a sound one.
    private func checkPacks() throws(CheckError) -> [PackID: UInt64] {
        var plainSizes: [PackID: UInt64] = [:]
        var orphans = 0
        for pack in inspection.packs {
            try checkInterruption()
            let found = try inRepository { () throws(RepositoryError) in try summary(of: pack) }
            guard let summary = found else { continue }
            plainSizes[pack] = summary.plainSize
            report.blobs += summary.blobCount
            if !summary.isIndexed { orphans += 1 }
            guard summary.misplacedCount > 0 else { continue }
            let name = ObjectName.pack(pack)
            _ = add("the index lacks or misplaces \(summary.misplacedCount) blobs of \(name)")
        }
        if orphans > 0 {
            report.warnings.append(
                "\(orphans) packs are in no index: an interrupted run left them, the next uses them"
            )
        }
        return plainSizes
    }

    /// Nil, with the damage noted, for a pack that cannot be read.
    private func summary(
        of pack: PackID
    ) throws(RepositoryError) -> RepositoryInspection.PackSummary? {
        do throws(RepositoryError) {
            return try inspection.summary(of: pack)
        } catch {
            guard error.isDamage else { throw error }
            badPacks[pack] = add("\(error)")
            return nil
        }
    }

    private func checkEntries() throws(CheckError) {
        for segment in inspection.indexSegments {
            try checkInterruption()
            let strays = try inRepository { () throws(RepositoryError) in
                try inspection.strayEntryCount(in: segment)
            }
            guard strays > 0 else { continue }
            _ = add("\(ObjectName.index(segment)): \(strays) entries are not what the packs hold")
        }
    }

    /// Hashes every blob of the chosen packs, but those that have no sound table of contents.
    private func readData(
        _ packs: [PackID], _ plainSizes: [PackID: UInt64]
    ) throws(CheckError) {
        let reading = PackDataReading(repository, inspection, progress)
        let chosen = packs.filter { plainSizes[$0] != nil }
        let size = chosen.reduce(0) { $0 + (plainSizes[$1] ?? 0) }
        let found = try inRepository { () throws(RepositoryError) in
            try reading.run(chosen, plainSize: size)
        }
        try checkInterruption()
        report.packsRead = chosen.count
        report.bytesRead = size
        for (id, error) in found { badBlobs[id] = add("\(error)") }
    }

    /// A share of the packs, rounded up, that begins anywhere: checks repeated on any schedule come
    /// to all of them.
    private func chosenPacks(percent: Int) -> [PackID] {
        let packs = inspection.packs
        guard percent < 100, !packs.isEmpty else { return packs }
        let count = max(1, (packs.count * percent + 99) / 100)
        let random = repository.host.randomBytes(4).reduce(0) { $0 << 8 | Int($1) }
        return (0..<count).map { packs[(random + $0) % packs.count] }
    }
}

// MARK: - Snapshots

extension CheckRun: DamageLedger {
    private func checkSnapshots() throws(CheckError) {
        report.snapshots = series.items.count
        for error in series.damaged { _ = add("\(error); other snapshots are not affected") }
        let walk = ReferenceWalk(repository, self)
        for item in series.items {
            try checkInterruption()
            let findings = try inRepository { () throws(RepositoryError) in
                try walk.check(item.record.root)
            }
            for (problem, path) in findings { report.damages[problem].affects(item.id, path) }
        }
        noteHoles()
    }

    func number(of id: BlobID, size: UInt64?) throws(RepositoryError) -> Int? {
        let verdict = try inspection.verdict(on: id, size: size)
        switch verdict {
        case .readable: return nil
        case .otherSize(let found):
            return add(
                "blob \(id.fingerprint.hex): is \(found) bytes, its file says \(size ?? found)")
        case .lost(let pack):
            if let number = badPacks[pack] { return number }
        case .damaged, .absent, .lacksBase: break
        }
        if let known = badBlobs[id] { return known }
        let why = verdict == .lacksBase ? "lacks a base" : "in no pack"
        let number = add("blob \(id.fingerprint.hex): \(why)")
        badBlobs[id] = number
        return number
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
