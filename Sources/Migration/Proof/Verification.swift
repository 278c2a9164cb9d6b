internal import Bytes
internal import Hashing
internal import Platform
internal import SystemPackage
internal import Trees

/// A path of which source and target were compared, all of it.
struct ProvenPath: Equatable, Sendable {
    var path: [UInt8]
    /// Of the source; the same before and after it was read.
    var stamp: FileStamp
    /// Of the target.
    var targetStamp: FileStamp
    /// Of files: both digests of the content, the same on both sides.
    var digest: Fingerprint?
    /// A row file: its rows are in the table of its directory, and the target has no such file.
    var isRowFile = false
}

/// Compares source and target, file by file and by content.
///
/// The target is read from the disk and not from what the kernel remembers of writing it, as far as
/// the kernel lets go of that.
struct Verification {
    let source: MigrationSource
    let target: MigrationTarget
    let settings: CopySettings

    /// What was found.
    struct Outcome: Sendable {
        var proven: [ProvenPath] = []
        /// Paths whose target is not as the source, and why.
        var different: [MigrationProblem] = []
        /// Paths that changed since they were copied, or while they were compared.
        var changed: [[UInt8]] = []
        var problems: [MigrationProblem] = []
    }

    /// Compares the paths; `copied` is what the journal says of them.
    func run(_ items: [Inventory.Item], _ copied: [[UInt8]: FileStamp]) -> Outcome {
        let outcome = Monitor((next: 0, found: Outcome()))
        let verification = self
        // A large file that came last would be compared by one thread while the others wait.
        let items = items.sorted { $0.status.size > $1.status.size }
        let threads = WorkerThreads(count: max(1, min(settings.host.processors, items.count))) {
            _ in
            let hasher = BlockHasher()
            while let item = Self.take(outcome, items) {
                let result = verification.compare(item, copied[item.path], hasher)
                outcome.update { $0.found.add(result, item.path) }
                verification.settings.didFinish(item.path)
            }
        }
        threads.join()
        return outcome.withState { $0.found }
    }

    private static func take(
        _ outcome: Monitor<(next: Int, found: Outcome)>, _ items: [Inventory.Item]
    ) -> Inventory.Item? {
        Pause.wait()
        guard !Interruption.isRequested else { return nil }
        return outcome.withState { state in
            guard state.next < items.count else { return nil }
            state.next += 1
            return items[state.next - 1]
        }
    }

    enum Comparison {
        case same(ProvenPath)
        case different(String)
        case changed
        case failed(PlatformError)
    }

    private func compare(
        _ item: Inventory.Item, _ copied: FileStamp?, _ hasher: BlockHasher
    ) -> Comparison {
        guard copied == item.stamp else { return .changed }
        do throws(PlatformError) {
            return item.isFile ? try compareFile(item, hasher) : try compareOther(item)
        } catch {
            return error.isNotFound ? .changed : .failed(error)
        }
    }
}

// MARK: - Files
extension Verification {
    private func compareFile(
        _ item: Inventory.Item, _ hasher: BlockHasher
    ) throws(PlatformError) -> Comparison {
        let one = try source.open(item.path)
        let before = try one.status(item.path)
        guard FileStamp(before) == item.stamp else { return .changed }
        let other: Descriptor
        do throws(PlatformError) {
            other = try target.tree.root.open(item.path, [.readOnly, .nonBlocking])
        } catch {
            if error.isNotFound { return .different("it is missing in the target") }
            guard error.errno == .tooManySymbolicLinkLevels else { throw error }
            return .different("a symlink is in its place")
        }
        let there = try other.status(item.path)
        if let reason = Self.difference(before, there) { return .different(reason) }
        let attributes = try ExtendedAttributes.read(one, item.path)
        guard try ExtendedAttributes.read(other, item.path) == attributes else {
            return .different("its extended attributes differ")
        }
        let digest = try hasher.digest(one, before.size, item.path, settings)
        other.dropCache()
        let copy = try hasher.digest(other, there.size, item.path, nil)
        guard FileStamp(try one.status(item.path)) == item.stamp else { return .changed }
        guard digest == copy else { return .different("its content differs") }
        return .same(
            ProvenPath(
                path: item.path, stamp: item.stamp, targetStamp: FileStamp(there),
                digest: digest))
    }

    /// The first thing of two statuses that should be equal and is not.
    static func difference(_ source: FileStatus, _ target: FileStatus) -> String? {
        if source.type != target.type { return "it is of another type" }
        if source.type != .directory, source.size != target.size { return "its size differs" }
        if source.type != .symlink, source.mode != target.mode { return "its mode differs" }
        if source.mtime != target.mtime { return "its time differs" }
        if HostSystem.isRoot, (source.uid, source.gid) != (target.uid, target.gid) {
            return "its owner differs"
        }
        if source.specialDevice != target.specialDevice { return "it is another device" }
        return nil
    }

    private func compareOther(_ item: Inventory.Item) throws(PlatformError) -> Comparison {
        guard let status = try source.status(item.path), FileStamp(status) == item.stamp else {
            return .changed
        }
        guard let there = try target.tree.status(item.path) else {
            return .different("it is missing in the target")
        }
        if let reason = Self.difference(status, there) { return .different(reason) }
        let one = try OtherFile.read(item.path, status, source.root)
        let other = try OtherFile.read(item.path, there, target.tree.root)
        guard one.file == other.file else { return .different("it leads elsewhere") }
        guard one.attributes == other.attributes else {
            return .different("its extended attributes differ")
        }
        return .same(
            ProvenPath(path: item.path, stamp: item.stamp, targetStamp: FileStamp(there)))
    }
}

extension Verification.Outcome {
    fileprivate mutating func add(_ comparison: Verification.Comparison, _ path: [UInt8]) {
        switch comparison {
        case .same(let proven): self.proven.append(proven)
        case .different(let reason):
            different.append(MigrationProblem(path: path, reason: reason))
        case .changed: changed.append(path)
        case .failed(let error):
            problems.append(MigrationProblem(path: path, reason: "\(error)"))
        }
    }
}

/// Digests files block by block; one per thread.
final class BlockHasher {
    private let buffer: ReadBuffer
    private let hasher = FingerprintHasher()

    init() { buffer = ReadBuffer(capacity: 1 << 20) }

    /// Both digests of so many bytes, fewer where the file ends before.
    func digest(
        _ file: borrowing Descriptor, from start: UInt64 = 0, _ count: UInt64, _ path: [UInt8],
        _ settings: CopySettings?
    ) throws(PlatformError) -> Fingerprint {
        var offset = start
        let end = start &+ count
        file.adviseSequential()
        while offset < end {
            Pause.wait()
            guard !Interruption.isRequested else {
                throw PlatformError("read", path, .interrupted)
            }
            buffer.removeAll()
            let wanted = Int(min(UInt64(buffer.capacity), end - offset))
            let got = try buffer.append(reading: wanted, at: offset, of: file, path)
            guard got > 0 else { break }
            buffer.withBytes(0..<got) { hasher.update($0) }
            offset += UInt64(got)
            settings?.didCopy(UInt64(got))
        }
        return hasher.finish()
    }
}
