package import Platform
internal import Trees

internal import Bytes
internal import Hashing
internal import SystemPackage

/// What verifying came to.
package struct VerificationReport: Sendable {
    package var files: UInt64 = 0
    package var bytes: UInt64 = 0
    package var tables: [TableProof] = []
    package var problems: [MigrationProblem] = []
    /// Paths whose target was not as the source, and which were copied again.
    package var repaired = 0
    /// Paths that an earlier run compared, which was interrupted, and that are as they were.
    package var known = 0
    /// The receipt; nil when not all could be proven.
    package var receipt: [UInt8]?
    package var receiptID: String?
    /// When the walk began and ended that found the source as it was proven: so long, writers had
    /// to be still.
    package var stillFrom: Timestamp?
    package var stillUntil: Timestamp?
}

extension MigrationRun {
    /// Compares everything, and copies again what changed meanwhile, until a walk finds the source
    /// as it was compared; then writes the receipt.
    package func verify() throws(MigrationError) -> VerificationReport {
        try timed(.verify) { () throws(MigrationError) in
            let journal = try requireJournal()
            var report = VerificationReport()
            var found = try lastWalk()
            proven = try standingProofs()
            provenTables = journal.state.provenTables
            report.known = proven.count
            for round in 0...request.passLimit {
                try compare(found, &report)
                let began = host.now()
                found = try walk()
                let changes = ChangeSet(found, journal.state)
                if changes.without(problems).isEmpty, isProven(found) {
                    report.stillFrom = began
                    report.stillUntil = host.now()
                    break
                }
                guard round < request.passLimit else {
                    throw .unsettled(passes: round, paths: changes.paths)
                }
                wait()
                try copy(found, changes)
            }
            problems += found.problems.filter { !problems.contains($0) }
            report.problems = problems
            try finish(found, &report)
            return report
        }
    }

    /// What an earlier run compared, and what the target still has as it was then; whether the
    /// source has, every round looks at.
    private func standingProofs() throws(MigrationError) -> [[UInt8]: ProvenPath] {
        let target = try requireTarget()
        var standing: [[UInt8]: ProvenPath] = [:]
        for (path, proof) in try requireJournal().state.proven {
            try checkInterruption()
            let status = try writing { () throws(PlatformError) in try target.tree.status(path) }
            if status.map(FileStamp.init) == proof.targetStamp { standing[path] = proof }
        }
        return standing
    }

    /// Whether all was proven, but what failed.
    private func isProven(_ found: Inventory) -> Bool {
        let failed = Set(problems.map(\.path))
        return found.items.allSatisfy { item in
            proven[item.path]?.stamp == item.stamp || failed.contains(item.path)
        }
            && found.rowDirectories.allSatisfy { directory in
                failed.contains(directory.path)
                    || directory.files.allSatisfy { proven[$0.path]?.stamp == $0.stamp }
            }
            && found.tables.allSatisfy { provenTables[$0] != nil || failed.contains($0) }
    }

    /// Compares what is not proven as it is now.
    func compare(
        _ found: Inventory, _ report: inout VerificationReport
    ) throws(MigrationError) {
        let failed = Set(problems.map(\.path))
        let items = found.items.filter { item in
            proven[item.path]?.stamp != item.stamp && !failed.contains(item.path)
        }
        progress.current.update { counters in
            counters.isTotalKnown = true
            counters.filesFound += UInt64(items.count)
            counters.bytesFound += items.reduce(0) { $0 &+ ($1.isFile ? $1.status.size : 0) }
        }
        for batch in Self.batches(items) { try compare(batch: batch, &report) }
        try compareTables(found, items)
    }

    /// Compares, and tells the journal, so that a run that is interrupted does it once.
    private func compare(
        batch: [Inventory.Item], _ report: inout VerificationReport
    ) throws(MigrationError) {
        let journal = try requireJournal()
        let settings = CopySettings(bytesPerSecond: nil, progress.current, host)
        let verification = Verification(
            source: source, target: try requireTarget(), settings: settings)
        let began = host.now()
        let outcome = verification.run(batch, journal.state.copied)
        for path in outcome.proven { proven[path.path] = path }
        problems += outcome.problems
        try note(outcome.different, &report)
        // A later change of a target that is so young may leave no trace.
        try journal.append(
            proofs: outcome.proven.filter { !$0.targetStamp.isRacy(at: began, .local) }, [])
        try checkInterruption()
    }

    private static let batchItems = 4096
    private static let batchBytes: UInt64 = 4 << 30

    private static func batches(_ items: [Inventory.Item]) -> [[Inventory.Item]] {
        var batches: [[Inventory.Item]] = [[]]
        var bytes: UInt64 = 0
        for item in items {
            if batches[batches.count - 1].count == batchItems || bytes >= batchBytes {
                batches.append([])
                bytes = 0
            }
            batches[batches.count - 1].append(item)
            if item.isFile { bytes &+= item.status.size }
        }
        return batches
    }

    /// What is wrong in the target is copied again.
    private func note(
        _ different: [MigrationProblem], _ report: inout VerificationReport
    ) throws(MigrationError) {
        guard !different.isEmpty else { return }
        report.repaired += different.count
        try requireJournal().append(.gone(different.map(\.path)))
    }

    /// Tables of which a file was compared, and those that were made of row files.
    private func compareTables(
        _ found: Inventory, _ items: [Inventory.Item]
    ) throws(MigrationError) {
        let journal = try requireJournal()
        let tables = TableVerification(source: source, target: try requireTarget())
        for path in found.tables {
            let isTouched = items.contains { PathBytes.isInside($0.path, path) }
            guard isTouched || provenTables[path] == nil else { continue }
            let outcome = try tables.compare(path)
            switch outcome {
            case .proven(let proof):
                provenTables[path] = proof
                try journal.append(proofs: [], [proof])
            case .different(let reason):
                problems.append(MigrationProblem(path: path, reason: reason))
            }
        }
        for directory in found.rowDirectories {
            guard let made = journal.state.made[directory.path],
                made.files == directory.files.map({ CopiedPath(path: $0.path, stamp: $0.stamp) })
            else { continue }
            try compareMade(made, tables)
        }
    }

    private func compareMade(
        _ made: MadeTable, _ tables: TableVerification
    ) throws(MigrationError) {
        if made.files.allSatisfy({ proven[$0.path]?.stamp == $0.stamp }) { return }
        let hasher = BlockHasher()
        var digests: [ProvenPath] = []
        for file in made.files {
            let found = try reading { () throws(PlatformError) -> ProvenPath? in
                let source = try source.open(file.path)
                let before = FileStamp(try source.status(file.path))
                guard before == file.stamp else { return nil }
                let digest = try hasher.digest(source, before.size, file.path, nil)
                guard FileStamp(try source.status(file.path)) == before else { return nil }
                var proven = ProvenPath(path: file.path, stamp: before, targetStamp: before)
                proven.digest = digest
                proven.isRowFile = true
                return proven
            }
            // It changed: the next pass makes the table anew.
            guard let found else { return }
            digests.append(found)
        }
        let outcome = try tables.compare(made)
        switch outcome {
        case .proven(let proof):
            guard proof.rows != nil else {
                return problems.append(
                    MigrationProblem(path: made.path, reason: proof.reason ?? "no rows"))
            }
            provenTables[made.path] = proof
            for file in digests { proven[file.path] = file }
        case .different(let reason):
            problems.append(MigrationProblem(path: made.path, reason: reason))
        }
    }
}

// MARK: - The receipt
extension MigrationRun {
    private func finish(
        _ found: Inventory, _ report: inout VerificationReport
    ) throws(MigrationError) {
        try finishTarget()
        let present = found.items.map(\.path) + found.rowDirectories.flatMap(\.files).map(\.path)
        let paths = present.compactMap { proven[$0] }.sorted {
            PathBytes.isBefore($0.path, $1.path)
        }
        report.tables = provenTables.values.sorted { PathBytes.isBefore($0.path, $1.path) }
        report.files = UInt64(paths.count { $0.digest != nil })
        report.bytes = paths.reduce(0) { $0 &+ $1.stamp.size }
        guard problems.isEmpty, let from = report.stillFrom, let until = report.stillUntil,
            let identity = try requireJournal().state.identity
        else { return }
        let receipt = Receipt(
            migration: identity.id, source: sourcePath, target: targetPath, began: from,
            verified: until, tables: report.tables, paths: paths)
        let journal = try requireJournal()
        report.receiptID = try journal.publish(receipt).hex
        report.receipt = journal.receiptPath
    }

    /// Removes the staging directory, and gives the target itself what the source has.
    private func finishTarget() throws(MigrationError) {
        let target = try requireTarget()
        try writing { () throws(PlatformError) in try target.removeStaging() }
        openTarget = nil
        let settings = CopySettings(bytesPerSecond: nil, progress.current, host)
        let pass = CopyPass(source, target, try requireJournal(), strategy, settings)
        _ = try pass.finishDirectory([])
        try writing { () throws(PlatformError) in try target.sync() }
    }
}
