internal import Bytes
internal import Repository

/// What a simulated storage holds, now and for certain.
struct SimulatedDisk {
    static let sectorSize = 512

    /// A file as its writer sees it, and as it is known to be on the disk.
    struct File {
        var bytes: [UInt8] = []
        /// Nil while nothing was ever synced.
        var synced: [UInt8]?
        /// A sync failed: what was not durable then never will be.
        var isLost = false

        mutating func write(_ written: ArraySlice<UInt8>, at offset: Int) {
            let end = offset + written.count
            if bytes.count < end {
                bytes.append(contentsOf: repeatElement(0, count: end - bytes.count))
            }
            bytes.replaceSubrange(offset..<end, with: written)
        }

        mutating func sync(hasFailed: Bool) {
            if hasFailed { isLost = true }
            if !isLost { synced = bytes }
        }
    }

    var files: [Int: File] = [:]
    var visible: [ObjectName: Int] = [:]
    var durable: [ObjectName: Int] = [:]
    private var nextFile = 0

    var plan: FaultPlan?
    var counted = 0
    var steps: [StorageStep] = []
    /// Bytes that were read of objects, or mapped.
    var bytesRead: UInt64 = 0
    private var isOff = false

    mutating func make(synced bytes: [UInt8]? = nil) -> Int {
        defer { nextFile += 1 }
        files[nextFile] = File(bytes: bytes ?? [], synced: bytes)
        return nextFile
    }

    mutating func discard(_ file: Int) {
        guard !isOff, !visible.values.contains(file), !durable.values.contains(file) else { return }
        files[file] = nil
    }

    mutating func faultAt(_ step: StorageStep) -> FaultPlan.Effect? {
        if isOff { return .powerCut }
        steps.append(step)
        guard let plan, step.isChange || !plan.countsChangesOnly else { return nil }
        defer { counted += 1 }
        guard counted == plan.step else { return nil }
        if case .powerCut = plan.effect { isOff = true }
        return plan.effect
    }
}

extension SimulatedDisk {
    func afterCrash(using generator: inout some RandomNumberGenerator) -> SimulatedDisk {
        var disk = SimulatedDisk()
        var survivors: [Int: Int] = [:]
        let names = Set(visible.keys).union(durable.keys).sorted { $0.path < $1.path }
        for name in names {
            let isVisible = visible[name] == durable[name] || Bool.random(using: &generator)
            guard let file = isVisible ? visible[name] : durable[name] else { continue }
            let survivor =
                survivors[file]
                ?? disk.make(synced: files[file, default: File()].afterCrash(using: &generator))
            survivors[file] = survivor
            disk.visible[name] = survivor
            disk.durable[name] = survivor
        }
        return disk
    }

    func afterKill() -> SimulatedDisk {
        var disk = self
        disk.plan = nil
        disk.steps = []
        disk.isOff = false
        return disk
    }

    func allDurable() -> SimulatedDisk {
        var disk = SimulatedDisk()
        for (name, file) in visible {
            let copy = disk.make(synced: files[file, default: File()].bytes)
            disk.visible[name] = copy
            disk.durable[name] = copy
        }
        return disk
    }
}

extension SimulatedDisk.File {
    /// What a file may hold after a power cut.
    func afterCrash(using generator: inout some RandomNumberGenerator) -> [UInt8] {
        let old = synced ?? []
        guard synced == nil || old != bytes else { return old }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return old
        case 1: return bytes
        case 2: return old + [UInt8](repeating: 0, count: max(0, bytes.count - old.count))
        default: return torn(old, using: &generator)
        }
    }

    /// Each sector by itself is new, old or zeros; the end may be missing.
    private func torn(_ old: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8]
    {
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: SimulatedDisk.sectorSize) {
            let range = start..<min(start + SimulatedDisk.sectorSize, bytes.count)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: result += bytes[range]
            case 1 where range.upperBound <= old.count: result += old[range]
            default: result += [UInt8](repeating: 0, count: range.count)
            }
        }
        let isCut = Bool.random(using: &generator)
        return isCut
            ? Array(result.prefix(Int.random(in: 0...result.count, using: &generator))) : result
    }
}

extension ObjectName {
    /// The digest that a listing shows; nil for the configuration.
    var listedDigest: SHA256Digest? {
        switch self {
        case .config: nil
        case .pack(let id): id.digest
        case .index(let id): id.digest
        case .snapshot(let id): id.digest
        }
    }
}
