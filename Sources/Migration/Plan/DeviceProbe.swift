internal import Bytes
internal import Compression
internal import Hashing
internal import Platform
internal import Snapshots
internal import SystemPackage

/// Measures source and target for a second or two, on a sample of the source's own files, with the
/// code that the migration itself runs.
///
/// Everything is written into a directory that is removed again.
struct DeviceProbe {
    private let source: MigrationSource
    private let target: MigrationTarget
    private let inventory: Inventory
    private let threads = CopyStrategy.parallelThreads
    private var rates = DeviceRates()

    /// Files of the sample for costs of a file, in each of two runs.
    private static let fileCount = 400
    /// Ranges of the sample for costs of bytes, and their size.
    private static let rangeCount = 24
    private static let rangeSize: UInt64 = 4 << 20

    private struct Range: Sendable {
        var path: [UInt8]
        var offset: UInt64
        var count: Int
    }

    /// Measures; `above` is the target, or the directory that it is to lie in.
    static func measure(
        _ source: MigrationSource, _ inventory: Inventory, above: [UInt8]
    ) throws(MigrationError) -> DeviceRates {
        let name = ".varve-probe-" + Hex.encode(HostSystem.randomBytes(6))
        let place = PathBytes.join(above, Array(name.utf8))
        try writing { () throws(PlatformError) in
            try FileOperations.makeDirectory(place, mode: 0o700)
        }
        let target = try MigrationTarget(place)
        defer {
            try? target.removeStaging()
            try? FileOperations.remove(place, isDirectory: true)
        }
        var probe = DeviceProbe(source: source, target: target, inventory: inventory)
        try writing { () throws(PlatformError) in try probe.run() }
        return probe.rates
    }

    private init(source: MigrationSource, target: MigrationTarget, inventory: Inventory) {
        self.source = source
        self.target = target
        self.inventory = inventory
    }

    private mutating func run() throws(PlatformError) {
        let paths = max(1, inventory.items.count)
        rates.walkPath = max(0.2e-6, Self.seconds(inventory.took) / Double(paths))
        let files = inventory.files
        let ranges = Self.ranges(files)
        if !ranges.isEmpty { try measureBytes(ranges) }
        let small = files.filter { $0.status.size <= Inventory.Totals.smallSize }
        if !small.isEmpty { try measureFiles(small) }
    }

    private static func seconds(_ duration: Duration) -> Double {
        let (seconds, attoseconds) = duration.components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    private func time(_ body: () throws(PlatformError) -> Void) throws(PlatformError) -> Double {
        let start = ContinuousClock.now
        try body()
        return max(1e-6, Self.seconds(ContinuousClock.now - start))
    }
}

// MARK: - Bytes
extension DeviceProbe {
    /// Places spread evenly over the bytes of all files, those of small files left out.
    private static func ranges(_ files: [Inventory.Item]) -> [Range] {
        let large = files.filter { $0.status.size > Inventory.Totals.smallSize }
        let total = large.reduce(UInt64(0)) { $0 &+ $1.status.size }
        guard total > 0 else { return [] }
        let stride = max(total / UInt64(rangeCount), rangeSize)
        var ranges: [Range] = []
        var (start, next): (UInt64, UInt64) = (0, 0)
        for file in large {
            let end = start &+ file.status.size
            while next < end {
                let offset = next - start
                let count = Int(min(rangeSize, file.status.size - offset))
                ranges.append(Range(path: file.path, offset: offset, count: count))
                next &+= stride
            }
            start = end
        }
        return ranges
    }

    private mutating func measureBytes(_ ranges: [Range]) throws(PlatformError) {
        let half = ranges.count < 8 ? ranges.count : ranges.count / 2
        let (one, other) = (Array(ranges.prefix(half)), Array(ranges.suffix(half)))
        let sequential = try time { () throws(PlatformError) in try copy(one, threads: 1) }
        rates.copySequential = Self.bytes(one) / sequential
        let parallel = try time { () throws(PlatformError) in try copy(other, threads: threads) }
        rates.copyParallel = Self.bytes(other) / parallel
        try measureReading(other)
    }

    private static func bytes(_ ranges: [Range]) -> Double {
        Double(ranges.reduce(0) { $0 + $1.count })
    }

    /// Copies ranges into files of their own, and waits for the disk.
    private func copy(_ ranges: [Range], threads: Int) throws(PlatformError) {
        let (source, target) = (source, target)
        let fault = try each(ranges, threads: threads) { range throws(PlatformError) in
            let file = try source.open(range.path)
            let copy = try target.createStaged(target.newStagedName())
            if range.offset == 0, copy.clone(file) { return }
            let got = try copy.copyRange(
                range.count, of: file, at: range.offset, to: range.offset, range.path)
            if got == nil {
                let bytes = try file.read(range.count, at: range.offset, range.path)
                try copy.write(bytes.span, at: range.offset, range.path)
            }
            try copy.sync(range.path)
        }
        if let fault { throw fault }
    }

    /// What hashing and compressing do, on all cores as in the migration.
    private mutating func measureReading(_ ranges: [Range]) throws(PlatformError) {
        let (cores, source) = (Processors.count, source)
        let comparing = try time { () throws(PlatformError) in
            _ = try each(ranges, threads: cores) { range throws(PlatformError) in
                let hasher = FingerprintHasher()
                let file = try source.open(range.path)
                for _ in 0..<2 {
                    let bytes = try file.read(range.count, at: range.offset, range.path)
                    hasher.update(bytes.span)
                }
                _ = hasher.finish()
            }
        }
        rates.compare = Self.bytes(ranges) / comparing
        let backing = try time { () throws(PlatformError) in
            _ = try each(ranges, threads: cores) { range throws(PlatformError) in
                let file = try source.open(range.path)
                let bytes = try file.read(range.count, at: range.offset, range.path)
                Self.encode(bytes)
            }
        }
        rates.backup = Self.bytes(ranges) / backing
    }

    /// Hashes and compresses blocks as large as chunks are on average, and checks them as packs
    /// are checked before they are published.
    private static func encode(_ bytes: [UInt8]) {
        let encoder = ZstdEncoder(.standard)
        var frame: [UInt8] = []
        let size = 1 << 20
        for start in stride(from: 0, to: bytes.count, by: size) {
            let block = bytes.span.extracting(start..<min(start + size, bytes.count))
            let hasher = FingerprintHasher()
            hasher.update(block)
            _ = hasher.finish()
            _ = encoder.encode(block, into: &frame, limit: block.count)
        }
    }

    /// Runs `body` for each on threads; returns the first fault.
    private func each<Element: Sendable>(
        _ elements: [Element], threads: Int,
        _ body: @escaping @Sendable (Element) throws(PlatformError) -> Void
    ) throws(PlatformError) -> PlatformError? {
        let next = Monitor(0)
        let fault = Monitor<PlatformError?>(nil)
        let workers = WorkerThreads(count: min(threads, elements.count)) { _ in
            while let index = Self.take(next, elements.count) {
                do throws(PlatformError) {
                    try body(elements[index])
                } catch {
                    fault.update { $0 = $0 ?? error }
                }
            }
        }
        workers.join()
        return fault.read { $0 }
    }

    private static func take(_ next: Monitor<Int>, _ count: Int) -> Int? {
        next.read { next in
            guard next < count, !Interruption.isRequested else { return nil }
            next += 1
            return next - 1
        }
    }
}

// MARK: - Files
extension DeviceProbe {
    private mutating func measureFiles(_ small: [Inventory.Item]) throws(PlatformError) {
        let sample = Self.spread(small, 2 * Self.fileCount)
        let half = sample.count < 8 ? sample.count : sample.count / 2
        let one = Array(sample.prefix(half))
        let other = Array(sample.suffix(half))
        var staged: [StagedFile] = []
        let sequential = try time { () throws(PlatformError) in
            staged = try copyFiles(one, .sequential)
        }
        rates.fileSequential = sequential / Double(one.count)
        for file in staged { target.removeStaged(file.staged) }
        let parallel = try time { () throws(PlatformError) in
            staged = try copyFiles(other, .parallel)
        }
        rates.fileParallel = parallel / Double(other.count)
        try compareFiles(staged)
    }

    private static func spread(_ items: [Inventory.Item], _ count: Int) -> [Inventory.Item] {
        guard items.count > count else { return items }
        return (0..<count).map { items[$0 * items.count / count] }
    }

    private func copyFiles(
        _ items: [Inventory.Item], _ strategy: CopyStrategy
    ) throws(PlatformError) -> [StagedFile] {
        let settings = CopySettings(bytesPerSecond: nil, WorkProgress())
        let outcome = FileCopies(source: source, target: target, settings: settings)
            .run(items, strategy)
        if let fault = outcome.fault { throw fault }
        try target.sync()
        return outcome.staged
    }

    private mutating func compareFiles(_ staged: [StagedFile]) throws(PlatformError) {
        guard !staged.isEmpty else { return }
        let (source, target) = (source, target)
        let seconds = try time { () throws(PlatformError) in
            _ = try each(staged, threads: Processors.count) { file throws(PlatformError) in
                let hasher = BlockHasher(1 << 20)
                let size = file.path.stamp.size
                let one = try source.open(file.path.path)
                _ = try ExtendedAttributes.read(one, file.path.path)
                _ = try hasher.digest(one, size, file.path.path, nil)
                let other = try target.openStaged(file.staged)
                _ = try ExtendedAttributes.read(other, file.path.path)
                other.dropCache()
                _ = try hasher.digest(other, size, file.path.path, nil)
            }
        }
        rates.compareFile = seconds / Double(staged.count)
        let removing = try time { () throws(PlatformError) in
            for file in staged { target.removeStaged(file.staged) }
        }
        rates.removePath = removing / Double(staged.count) + 2 * rates.walkPath
    }
}
