internal import Platform

internal import Bytes
internal import Hashing
internal import SystemPackage

/// What copying came to.
package struct CopyReport: Sendable {
    package var files: UInt64 = 0
    package var bytes: UInt64 = 0
    /// Passes that copied something, the first included.
    package var passes = 0
    package var problems: [MigrationProblem] = []
}

extension MigrationRun {
    /// Copies until a walk through the source finds nothing that the target lacks.
    package func execute() throws(MigrationError) -> CopyReport {
        try timed(.execute) { () throws(MigrationError) in
            let journal = try requireJournal()
            var report = CopyReport()
            problems = []
            var found = try lastWalk()
            inventory = nil
            var changes = ChangeSet(found, journal.state)
            while !changes.without(problems).isEmpty {
                guard report.passes < request.passLimit else {
                    throw .unsettled(passes: report.passes, paths: changes.paths)
                }
                if report.passes > 0 { wait() }
                report.passes += 1
                report.files += UInt64(changes.fileCount)
                report.bytes += changes.byteCount
                try copy(found, changes)
                found = try walk()
                changes = ChangeSet(found, journal.state)
            }
            inventory = found
            problems += found.problems
            report.problems = problems
            return report
        }
    }

    /// The walk of the step before, where there is one.
    func lastWalk() throws(MigrationError) -> Inventory {
        if let inventory { return inventory }
        return try walk()
    }

    /// Writers that were just stopped are still for a moment then.
    func wait() {
        let end = host.instant() + request.pause
        while host.instant() < end, !Interruption.isRequested {
            host.sleep(min(end - host.instant(), .milliseconds(100)))
        }
    }

    /// One pass.
    func copy(_ found: Inventory, _ changes: ChangeSet) throws(MigrationError) {
        let journal = try requireJournal()
        // A receipt must not outlive what it proves.
        if journal.state.receipt != nil { try journal.removeReceipt() }
        progress.current.update { counters in
            counters.isTotalKnown = true
            counters.filesFound += UInt64(changes.fileCount)
            counters.bytesFound += changes.byteCount
        }
        let settings = CopySettings(
            bytesPerSecond: request.bytesPerSecond, progress.current, host)
        let pass = CopyPass(source, try requireTarget(), journal, strategy, settings)
        let known = Set(problems.map(\.path))
        let failed = try pass.run(found, changes)
        problems += failed.filter { !known.contains($0.path) }
    }
}

extension ChangeSet {
    /// Without paths that failed already: they are told, and not tried for ever.
    func without(_ problems: [MigrationProblem]) -> [[UInt8]] {
        let failed = Set(problems.map(\.path))
        return paths.filter { !failed.contains($0) }
    }
}
