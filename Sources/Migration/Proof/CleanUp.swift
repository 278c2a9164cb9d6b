internal import Bytes
internal import Platform
internal import SystemPackage

/// What cleaning the source came to.
package struct CleanUpReport: Sendable {
    package var removed: UInt64 = 0
    package var bytes: UInt64 = 0
    /// What stayed, and why: it is new in the source, changed, or could not be removed.
    package var left: [CleanUpObstacle] = []
    /// An earlier run removed everything; this one did nothing.
    package var wasDone = false
}

extension MigrationRun {
    /// Removes from the source what the receipt proves to be in the target, and nothing else.
    ///
    /// Before the first path goes, all of them are looked at, on both sides; each is looked at once
    /// more when its turn comes. A clean-up that goes on leaves what is no longer as it was proven,
    /// since what it removed cannot be copied again. Directories go when they are empty; the source
    /// itself stays.
    package func cleanUp() throws(MigrationError) -> CleanUpReport {
        try timed(.cleanUp) { () throws(MigrationError) in
            let journal = try provenJournal()
            guard !journal.state.isCleaned else { return CleanUpReport(wasDone: true) }
            do throws(MigrationError) {
                return try cleanUp(journal)
            } catch {
                guard try journal.hasCleaningMark() else { throw error }
                throw .cleaning(error)
            }
        }
    }

    private func cleanUp(_ journal: MigrationJournal) throws(MigrationError) -> CleanUpReport {
        let receipt = try checked(journal.receipt(), journal)
        let isMarked = try journal.hasCleaningMark()
        let hasBegun = journal.state.isCleaning || isMarked
        let clean = SourceCleaning(
            source, targetPath, receipt, hasBegun: hasBegun, progress.current)
        let obstacles = try clean.obstacles()
        guard obstacles.isEmpty || hasBegun else { throw .notProven(obstacles) }
        if let digest = journal.state.receipt, !journal.state.isCleaning {
            try journal.setCleaningMark()
            try journal.append(.cleaning(receipt: digest))
        }
        let found = try walk()
        let report = try clean.run(
            except: obstacles, newPaths: newPaths(found, receipt))
        if report.left.isEmpty { try journal.append(.cleaned) }
        return report
    }

    /// What the source has and the receipt does not: it stays.
    private func newPaths(_ found: Inventory, _ receipt: Receipt) -> [[UInt8]] {
        let known = Set(receipt.paths.map(\.path))
        let present = found.items.map(\.path) + found.rowDirectories.flatMap(\.files).map(\.path)
        return present.filter { !known.contains($0) }
    }

    private func provenJournal() throws(MigrationError) -> MigrationJournal {
        guard let journal, journal.state.receipt != nil else {
            throw .refused(.noReceipt)
        }
        return journal
    }

    private func checked(
        _ receipt: Receipt, _ journal: MigrationJournal
    ) throws(MigrationError) -> Receipt {
        guard receipt.migration == journal.state.identity?.id, receipt.source == sourcePath,
            receipt.target == targetPath
        else {
            throw .damaged(file: journal.receiptPath, detail: "it is of another migration")
        }
        return receipt
    }
}
