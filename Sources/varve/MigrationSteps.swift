internal import Snapshots
internal import Capturing
internal import Remote
internal import Bytes
internal import Migration
internal import Platform

/// Calls the steps of a migration, shows how far each is, and prints what it came to.
struct MigrationSteps {
    private let run: MigrationRun
    private let console: Console
    private let text: MigrationText

    init(_ run: MigrationRun, _ console: Console) {
        self.run = run
        self.console = console
        text = MigrationText(console)
    }

    /// Runs a step with its progress on show.
    private func showing<Value>(
        _ body: () throws(MigrationError) -> Value
    ) throws(MigrationError) -> Value {
        try ProgressDisplay.showing(console) { progress throws(MigrationError) in
            run.workProgress = progress
            return try body()
        }
    }

    func plan(backsUp: Bool, cleans: Bool) throws -> MigrationPlan {
        let plan = try showing { () throws(MigrationError) in
            try run.plan(backsUp: backsUp, cleans: cleans)
        }
        try text.print(plan, chosen: run.request.strategy == nil)
        try console.flush()
        return plan
    }

    func backUp(into place: TransferPlace) throws {
        let result = try showing { () throws(MigrationError) in
            try run.backUp(
                into: place.repository, programVersion: Array(Version.text.utf8))
        }
        guard let result else { return }
        if !result.record.isComplete { console.status = .partial }
        try text.print(result)
        try console.flush()
    }

    func execute() throws {
        let report = try showing { () throws(MigrationError) in try run.execute() }
        try text.print(report)
        try console.flush()
    }

    /// `command` cleans the source, to be run by who reads it; nil when that follows anyway.
    func verify(command: String?) throws {
        let report = try showing { () throws(MigrationError) in try run.verify() }
        if !report.problems.isEmpty { console.status = .partial }
        try text.print(report, command: command)
        try console.flush()
    }

    func cleanUp() throws {
        let report = try showing { () throws(MigrationError) in try run.cleanUp() }
        if !report.left.isEmpty { console.status = .partial }
        try text.print(report)
        try console.flush()
    }

    func summary() throws { try text.print(run.times, isVerified: run.isVerified) }
}
