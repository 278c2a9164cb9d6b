internal import Bytes
internal import Platform
internal import SystemPackage

extension DeviceProbe {
    /// A part of the source that was migrated.
    private struct Trial {
        let target: MigrationTarget
        let journal: MigrationJournal
        let path: [UInt8]
        /// Paths that were copied, directories among them.
        var items: [Inventory.Item] = []
    }

    /// Files of the first pass, which is for what a batch costs.
    private static let few = 64

    /// What small files cost, their bytes and their share of directories included.
    mutating func measureFiles(_ repository: ProbeRepository?) throws(MigrationError) {
        rates.readFile = try firstRead()
        var one = try trial("files-1")
        let few = try pass(&one, sample.files.0.prefix(Self.few), .sequential)
        let limit = Self.count(within: Self.patience, few.seconds / Double(few.count))
        let rest = sample.files.0.dropFirst(Self.few).prefix(limit)
        rates.fileSequential = few.seconds / Double(few.count)
        if rest.count > Self.few {
            let many = try pass(&one, rest, .sequential)
            let (more, longer) = (Double(many.count - few.count), many.seconds - few.seconds)
            let least = 0.5 * many.seconds / Double(many.count)
            rates.fileSequential = more > 0 ? max(longer / more, least) : least
            rates.batch = max(0, few.seconds - rates.fileSequential * Double(few.count))
        } else {
            rates.batch = 0
        }
        var other = try trial("files-2")
        let shared = try pass(
            &other, sample.files.1.prefix(max(limit, Self.few)), .parallel)
        let least = 0.5 * shared.seconds / Double(shared.count)
        rates.fileParallel = max((shared.seconds - rates.batch) / Double(shared.count), least)
        let receipt = try prove(other)
        if steps.cleans { try clean(other, receipt) }
        guard let repository, !one.items.isEmpty else { return }
        rates.backupFile =
            try repository.seconds(capturing: one.path) / Double(one.items.count)
    }

    /// Seconds that a file costs when it is read and nothing remembers it; what comes later finds
    /// it in memory, as a step of a migration does that is not the first one.
    private func firstRead() throws(MigrationError) -> Double {
        let source = source
        return try writing { () throws(PlatformError) in
            let done = try each(
                sample.files.0 + sample.files.1, threads: host.processors
            ) { item throws(PlatformError) in
                do throws(PlatformError) {
                    let file = try source.open(item.path)
                    _ = try file.read(Int(item.status.size), at: 0, item.path)
                } catch {
                    // The migration itself tells what cannot be read.
                    guard error.isNotFound || error.errno == .permissionDenied else { throw error }
                }
            }
            return done.seconds / Double(max(1, done.count))
        }
    }

    private static func count(within seconds: Double, _ each: Double) -> Int {
        Int(max(1, min(seconds / each, 1e6)))
    }

    private func trial(_ name: String) throws(MigrationError) -> Trial {
        let journal = try MigrationJournal(
            PathBytes.join(place, Array("\(name)-journal".utf8)))
        return Trial(
            target: try target(name), journal: journal,
            path: PathBytes.join(place, Array(name.utf8)))
    }

    /// Migrates files, and tells how many paths that were and how long it took.
    private func pass(
        _ trial: inout Trial, _ files: some Sequence<Inventory.Item>, _ strategy: CopyStrategy
    ) throws(MigrationError) -> (count: Int, seconds: Double) {
        let part = inventory.only(files)
        let changes = ChangeSet(part, trial.journal.state)
        let settings = CopySettings(bytesPerSecond: nil, WorkProgress(), host)
        let pass = CopyPass(source, trial.target, trial.journal, strategy, settings)
        let seconds = try time { () throws(MigrationError) in
            _ = try pass.run(part, changes)
        }
        trial.items += part.items
        return (max(1, part.items.count), seconds)
    }

    /// Compares what was copied, and writes a receipt.
    private mutating func prove(_ trial: Trial) throws(MigrationError) -> Receipt {
        let settings = CopySettings(bytesPerSecond: nil, WorkProgress(), host)
        let verification = Verification(
            source: source, target: trial.target, settings: settings)
        var receipt = Receipt(
            migration: "", source: [], target: [], began: host.now(),
            verified: host.now(), tables: [],
            paths: [])
        let seconds = try time { () throws(MigrationError) in
            let outcome = verification.run(trial.items, trial.journal.state.copied)
            try trial.journal.append(.compared(outcome.proven, []))
            receipt.paths = outcome.proven.sorted { PathBytes.isBefore($0.path, $1.path) }
            try trial.journal.publish(receipt)
        }
        rates.compareFile = seconds / Double(trial.items.count)
        return receipt
    }

    /// Removes what was copied, as if it were the source of a migration to itself.
    private mutating func clean(
        _ trial: Trial, _ receipt: Receipt
    ) throws(MigrationError) {
        guard !receipt.paths.isEmpty else { return }
        var receipt = receipt
        for index in receipt.paths.indices {
            receipt.paths[index].stamp = receipt.paths[index].targetStamp
        }
        let cleaning = SourceCleaning(
            try MigrationSource(trial.path), trial.path, receipt, hasBegun: false,
            WorkProgress())
        let seconds = try time { () throws(MigrationError) in
            _ = try trial.journal.receipt()
            _ = try cleaning.obstacles()
            _ = try cleaning.run(except: [], newPaths: [])
        }
        rates.removePath = seconds / Double(receipt.paths.count)
    }
}
