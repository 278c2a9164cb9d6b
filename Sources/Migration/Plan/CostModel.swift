internal import Platform

/// What a device or a core does in a second, measured (varve-migrate(1), "Cost model").
package struct DeviceRates: Equatable, Sendable {
    /// Bytes a second from source to target until they are durable, by one thread, and by several;
    /// of files that are not small.
    package var copySequential = 200e6
    package var copyParallel = 300e6
    /// Seconds that a small file costs, with its bytes; of others what they cost beside theirs.
    package var fileSequential = 100e-6
    package var fileParallel = 60e-6
    /// Seconds that a small file costs once, where it is read first.
    package var readFile = 10e-6
    /// Seconds that a batch of files costs, however many they are: waiting for the disk.
    package var batch = 5e-3
    /// Bytes of a file a second that are read on both sides and hashed twice, by all threads.
    package var compare = 800e6
    /// Seconds that a file costs when it is compared, by all threads.
    package var compareFile = 30e-6
    /// Bytes a second that a backup reads, cuts, hashes and compresses, by all cores.
    package var backup = 300e6
    /// Seconds that a file costs in a backup.
    package var backupFile = 20e-6
    /// Seconds that a path costs in a walk.
    package var walkPath = 5e-6
    /// Seconds that a row of a table costs to be read and hashed, by one thread.
    package var row = 1e-6
    /// Bytes a second of row files that are read and hashed as rows.
    package var rowFiles = 30e6
    /// Seconds that a path costs to be checked and removed.
    package var removePath = 20e-6

    package init() {}
}

/// Time of the steps of a migration, in seconds, from what there is to do and what devices do.
package struct CostModel: Sendable {
    package var rates: DeviceRates
    package var work: Inventory.Totals
    package var paths: UInt64
    package var processors: Int
    /// Rows of tables, as far as their logs tell.
    package var rows: UInt64 = 0
    package var bytesPerSecond: UInt64?
    /// Whether a backup reads everything before it is copied.
    package var backsUp = false

    package init(
        _ rates: DeviceRates, _ work: Inventory.Totals, paths: UInt64, processors: Int
    ) {
        self.rates = rates
        self.work = work
        self.paths = paths
        self.processors = processors
    }

    /// Bytes of files that are not small.
    private var large: Double { max(0, Double(work.bytes) - Double(work.smallBytes)) }
    /// Of them, those that are copied: no holes, and no row files.
    private var copied: Double {
        let bytes = min(work.bytes, work.allocated)
        return max(0, Double(bytes) - Double(work.smallBytes) - Double(work.rowBytes))
    }
    private var firstRead: Double { Double(work.smallFiles) * rates.readFile }
    private var batches: Double {
        max(Double(work.files) / Double(CopyPass.batchFiles), copied / Double(CopyPass.batchBytes))
            .rounded(.up)
    }
    private var files: Double { Double(work.files + work.directories + work.others) }

    /// One look through the source.
    package var walk: Double { Double(paths) * rates.walkPath }

    package var backup: Double {
        firstRead + large / rates.backup + files * rates.backupFile + walk
    }

    /// Bytes, files, and the walk that finds nothing more to do.
    package func execute(_ strategy: CopyStrategy) -> Double {
        var seconds: Double
        switch strategy {
        case .sequential:
            seconds = copied / rates.copySequential + files * rates.fileSequential
        case .parallel:
            // The largest file is no faster than one thread.
            seconds =
                max(copied / rates.copyParallel, Double(work.largest) / rates.copySequential)
                + files * rates.fileParallel
        case .chunked:
            let parts = copied / Double(CopyStrategy.partSize)
            seconds =
                copied / rates.copyParallel + files * rates.fileParallel + parts * rates.walkPath
        }
        seconds += batches * rates.batch + (backsUp ? 0 : firstRead)
        if let bytesPerSecond {
            seconds = max(seconds, (copied + Double(work.smallBytes)) / Double(bytesPerSecond))
        }
        // Row files are read for their schema, then for their rows, which are written.
        return seconds + 2 * Double(work.rowBytes) / rates.rowFiles + walk
    }

    /// Both sides of all bytes, rows of both sides, and the walk that finds nothing changed.
    package var verify: Double {
        // The largest file is compared by one thread.
        let largest = Double(work.largest) * Double(processors)
        return max(large, largest) / rates.compare + files * rates.compareFile
            + Double(rows) * rates.row + Double(work.rowBytes) / rates.rowFiles + walk
    }

    /// Looking at all paths on both sides, the walk that finds what is new, and removing.
    package var cleanUp: Double { Double(paths) * rates.removePath + walk }

    /// The fastest strategy; of those that differ by less than a twentieth, the simpler one.
    package var best: CopyStrategy {
        let fastest = CopyStrategy.allCases.map(execute).min() ?? 0
        return CopyStrategy.allCases.first { execute($0) <= fastest * 1.05 } ?? .parallel
    }
}

/// A step of a migration with what it was expected to take, and what it took.
package struct StepTime: Equatable, Sendable {
    package enum Step: String, Sendable {
        case plan, backup, execute, verify
        case cleanUp = "clean up"
    }

    package var step: Step
    package var estimate: Double
    /// Nil until it is over.
    package var actual: Double?
}
