internal import Bytes
internal import Capturing
internal import Chunking
internal import Platform
internal import Repository
internal import SystemPackage
internal import Trees

// A plan says what a migration will take, so the probe migrates a sample: with the code that the
// migration itself runs, from the source to the file system of the target.
//
// 1. ranges of files that are not small are copied until they are durable, half of them by several
//    threads, half by one, and each half again and again until as much was written as the migration
//    writes, or time is up: many disks are fast for a second, and slow when that credit is used up.
//    The first half is compared, the second captured into a repository
// 2. small files make two passes by one thread, of few and of many: what does not grow with their
//    number is what a batch costs, wherever one begins; then a pass by several threads, which is
//    verified, written into a receipt and cleaned, and the first ones are captured
//
// A slow device sees fewer of them: each trial ends after a second or two.

/// Measures source and target for a second or two on a sample of the source's own files.
///
/// Everything is written into a directory that is removed again.
struct DeviceProbe {
    let source: MigrationSource
    let inventory: Inventory
    let sample: ProbeSample
    /// Where everything is written.
    let place: [UInt8]
    let steps: Steps
    /// Bytes that are free on the target.
    let room: UInt64
    let host: Host
    var rates = DeviceRates()

    /// Steps that a migration may leave out, and the probe then too.
    struct Steps {
        var backsUp = true
        var cleans = true
    }

    /// Seconds that one trial may take, about.
    static let patience = 1.0

    /// Measures; `above` is the target, or the directory that it is to lie in.
    static func measure(
        _ source: MigrationSource, _ inventory: Inventory, above: [UInt8], room: UInt64,
        _ steps: Steps, _ host: Host
    ) throws(MigrationError) -> DeviceRates {
        let name = host.uniqueName(".varve-probe-")
        let place = PathBytes.join(above, name)
        try writing { () throws(PlatformError) in
            try FileOperations.makeDirectory(place, mode: 0o700)
        }
        defer { _ = try? LiveTree(above).remove(name) }
        var probe = DeviceProbe(
            source: source, inventory: inventory, sample: ProbeSample(inventory, room: room),
            place: place, steps: steps, room: room, host: host)
        try probe.run()
        return probe.rates
    }

    private mutating func run() throws(MigrationError) {
        let repository = try steps.backsUp ? ProbeRepository(place, host) : nil
        if !sample.ranges.0.isEmpty { try measureBytes(repository) }
        if !sample.files.0.isEmpty { try measureFiles(repository) }
    }

    func target(_ name: String) throws(MigrationError) -> MigrationTarget {
        let path = PathBytes.join(place, Array(name.utf8))
        try writing { () throws(PlatformError) in
            try FileOperations.makeDirectory(path, mode: 0o700)
        }
        return try MigrationTarget(path)
    }

    func time<Failure>(_ body: () throws(Failure) -> Void) throws(Failure) -> Double {
        try host.seconds(body)
    }
}

extension Host {
    /// Seconds that `body` takes; never zero, because rates are made of them.
    fileprivate func seconds<Failure>(
        _ body: () throws(Failure) -> Void
    ) throws(Failure) -> Double {
        let start = instant()
        try body()
        return max(1e-6, elapsed(since: start) / .seconds(1))
    }
}

/// A repository that takes the backup of a sample.
struct ProbeRepository {
    private let repository: Repository
    private let host: Host
    /// Seconds that a snapshot of nothing takes.
    private let nothing: Double

    init(_ place: [UInt8], _ host: Host) throws(MigrationError) {
        self.host = host
        let path = PathBytes.join(place, Array("repository".utf8))
        let empty = PathBytes.join(place, Array("empty".utf8))
        do {
            try FileOperations.makeDirectory(empty, mode: 0o700)
            _ = try Repository.create(DirectoryStorage.create(path), chunking: .standard)
            let repository = try Repository(DirectoryStorage(path))
            nothing = try Self.capture(empty, repository, host)
            self.repository = repository
        } catch {
            throw Self.failure(error)
        }
    }

    private static func capture(
        _ directory: [UInt8], _ repository: Repository, _ host: Host
    ) throws(CaptureError) -> Double {
        try host.seconds { () throws(CaptureError) in
            let options = CaptureOptions(
                filter: WalkFilter(patterns: ExcludePatterns(lines: [])), host: [])
            _ = try Capture.run([directory], into: repository, options, WorkProgress())
        }
    }

    /// Seconds that what is in a directory adds to a snapshot.
    func seconds(capturing directory: [UInt8]) throws(MigrationError) -> Double {
        do throws(CaptureError) {
            return max(1e-6, try Self.capture(directory, repository, host) - nothing)
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: any Error) -> MigrationError {
        switch error {
        case let error as PlatformError: .target(error)
        case CaptureError.interrupted(let error): .interrupted(error)
        case let error as CaptureError: .backup(error)
        case let error as RepositoryError: .backup(.repository(error))
        case let error as StorageError: failure(error)
        default: preconditionFailure("an error that no step of a backup throws: \(error)")
        }
    }

    private static func failure(_ error: StorageError) -> MigrationError {
        if case .environment(let cause) = error.kind { return .target(cause) }
        return .backup(.repository(RepositoryError(.storage(error), error.object)))
    }
}
