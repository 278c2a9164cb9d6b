internal import Bytes
internal import Platform
internal import SystemPackage

extension DeviceProbe {
    /// Ranges that were copied, each into a file of its own.
    private struct Copies {
        var target: MigrationTarget
        var path: [UInt8]
        var ranges: [NamedRange]
        /// Bytes a second, read for the first time and written at first.
        var rate: Double
    }

    private struct NamedRange: Sendable {
        var range: ProbeSample.Range
        var name: [UInt8]
    }

    /// What bytes cost that are not in small files.
    mutating func measureBytes(_ repository: ProbeRepository?) throws(MigrationError) {
        let several = CopyStrategy.parallel.threads(on: host)
        let one = try copies(sample.ranges.0, threads: several, "bytes-1")
        // Before the disk has more to do than it can.
        rates.compare = try compare(one)
        rates.copyParallel = min(one.rate, try sustainedRate(one, threads: several))
        let other = try copies(sample.ranges.1, threads: 1, "bytes-2")
        rates.copySequential = min(other.rate, try sustainedRate(other, threads: 1))
        if let rate = try cloning(other.target) {
            (rates.copySequential, rates.copyParallel) = (rate, rate)
        }
        guard let repository else { return }
        let bytes = Self.bytes(other.ranges)
        // It reads the source for the first time too.
        rates.backup = min(bytes / (try repository.seconds(capturing: other.path)), one.rate)
    }

    private static func bytes(_ ranges: some Sequence<NamedRange>) -> Double {
        Double(ranges.reduce(0) { $0 + $1.range.count })
    }

    private func copies(
        _ ranges: [ProbeSample.Range], threads: Int, _ name: String
    ) throws(MigrationError) -> Copies {
        let target = try target(name)
        let named = ranges.map { NamedRange(range: $0, name: target.newStagedName()) }
        let done = try copy(named, to: target, threads: threads)
        let copied = Array(named.prefix(done.count))
        return Copies(
            target: target, path: PathBytes.join(place, Array(name.utf8)), ranges: copied,
            rate: Self.bytes(copied) / done.seconds)
    }

    /// Copies ranges, each into a file, and waits for the disk.
    private func copy(
        _ ranges: [NamedRange], to target: MigrationTarget, threads: Int
    ) throws(MigrationError) -> (count: Int, seconds: Double) {
        let source = source
        return try writing { () throws(PlatformError) in
            var done = try each(ranges, threads: threads) { item throws(PlatformError) in
                let range = item.range
                let file = try source.open(range.path)
                let copy = try target.createStaged(item.name)
                let got = try copy.copyRange(
                    range.count, of: file, at: range.offset, to: 0, range.path)
                if got == nil {
                    let bytes = try file.read(range.count, at: range.offset, range.path)
                    try copy.write(bytes.span, at: 0, range.path)
                }
                if range.count >= CopySettings.largeSize { try copy.sync(range.path) }
            }
            done.seconds += try time { () throws(PlatformError) in try target.sync() }
            return done
        }
    }

    /// Bytes a second once a disk has no more credit for being fast: those of the later half of
    /// what is written one after the other.
    private func sustainedRate(_ copies: Copies, threads: Int) throws(MigrationError) -> Double {
        let target = try target("laps-\(threads)")
        var laps: [(bytes: Double, seconds: Double)] = []
        let start = host.instant()
        let work = Double(inventory.totals.bytes - inventory.totals.smallBytes)
        let limit = min(work, Double(room / ProbeSample.roomShare))
        var written = Self.bytes(copies.ranges)
        while written < limit, host.elapsed(since: start) < .seconds(1.5 * Self.patience) {
            try checkInterruption()
            // Not in the same place: a disk may be faster where something was written before.
            let ranges = copies.ranges.map { copy in
                NamedRange(range: copy.range, name: target.newStagedName())
            }
            let done = try copy(ranges, to: target, threads: threads)
            let bytes = Self.bytes(ranges.prefix(done.count))
            laps.append((bytes, done.seconds))
            written += bytes
        }
        let later = laps.suffix((laps.count + 1) / 2)
        guard !later.isEmpty else { return copies.rate }
        return later.reduce(0) { $0 + $1.bytes } / later.reduce(0) { $0 + $1.seconds }
    }

    /// Bytes a second where files can share their blocks; nil where they cannot.
    private func cloning(_ target: MigrationTarget) throws(MigrationError) -> Double? {
        guard let first = sample.ranges.1.first else { return nil }
        return try writing { () throws(PlatformError) -> Double? in
            let file = try source.open(first.path)
            let name = target.newStagedName()
            let copy = try target.createStaged(name)
            defer { target.removeStaged(name) }
            var isClone = false
            let seconds = time { isClone = copy.clone(file) }
            return isClone ? Double(try file.status(first.path).size) / seconds : nil
        }
    }

    /// Bytes a second that are read and hashed on both sides.
    private func compare(_ copies: Copies) throws(MigrationError) -> Double {
        let (source, target) = (source, copies.target)
        let done = try writing { () throws(PlatformError) in
            try each(copies.ranges, threads: host.processors) { item throws(PlatformError) in
                let range = item.range
                let hasher = BlockHasher()
                let file = try source.open(range.path)
                let count = UInt64(range.count)
                _ = try hasher.digest(file, from: range.offset, count, range.path, nil)
                let copy = try target.openStaged(item.name)
                copy.dropCache()
                _ = try hasher.digest(copy, count, range.path, nil)
            }
        }
        return Self.bytes(copies.ranges.prefix(done.count)) / done.seconds
    }

    /// Runs `body` for one element after the other on threads, until time is up; tells how many it
    /// ran for, and how long that took.
    func each<Element: Sendable>(
        _ elements: [Element], threads: Int,
        _ body: @escaping @Sendable (Element) throws(PlatformError) -> Void
    ) throws(PlatformError) -> (count: Int, seconds: Double) {
        let next = Monitor(0)
        let fault = Monitor<PlatformError?>(nil)
        let deadline = host.instant() + .seconds(Self.patience)
        let seconds = time {
            WorkerThreads(count: min(threads, elements.count)) { _ in
                while let index = Self.take(next, elements.count, deadline, host) {
                    do throws(PlatformError) {
                        try body(elements[index])
                    } catch {
                        fault.update { $0 = $0 ?? error }
                    }
                }
            }.join()
        }
        if let fault = fault.withState({ $0 }) { throw fault }
        return (next.withState { $0 }, seconds)
    }

    private static func take(
        _ next: Monitor<Int>, _ count: Int, _ deadline: ContinuousClock.Instant,
        _ host: Host
    ) -> Int? {
        next.withState { next in
            guard next < count, !Interruption.isRequested else { return nil }
            guard next == 0 || host.instant() < deadline else { return nil }
            next += 1
            return next - 1
        }
    }
}
