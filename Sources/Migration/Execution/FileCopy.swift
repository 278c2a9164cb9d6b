internal import Bytes
internal import Platform
internal import SystemPackage
internal import Trees

/// The copy of one file, which several threads may share part by part.
///
/// The status is read before the first byte: a change while it is copied makes the next pass copy
/// the file again.
final class FileCopy: Sendable {
    let item: Inventory.Item
    let staged: [UInt8]
    /// Of the source, before it was read.
    let status: FileStatus
    private let source: Descriptor
    private let copy: Descriptor
    private let attributes: [ExtendedAttribute]
    private let state = Monitor(State())
    private let settings: CopySettings
    private let readAt: Timestamp

    private struct State {
        var left = 0
        var failure: CopyFailure?
    }

    /// Bytes that are read and written where the kernel cannot copy.
    private static let blockSize = 1 << 20

    init(
        _ item: Inventory.Item, _ source: MigrationSource, _ target: MigrationTarget,
        _ settings: CopySettings
    ) throws(CopyFailure) {
        self.item = item
        self.settings = settings
        readAt = settings.host.now()
        do throws(PlatformError) {
            let file = try source.open(item.path)
            status = try file.status(item.path)
            guard status.type == .regular else {
                throw PlatformError("read", item.path, .noSuchFileOrDirectory)
            }
            attributes = try ExtendedAttributes.read(file, item.path)
            self.source = file
        } catch {
            throw .source(error)
        }
        staged = target.newStagedName()
        do throws(PlatformError) {
            copy = try target.createStaged(staged)
        } catch {
            throw .target(error)
        }
    }

    /// The parts to copy, none when the file shares its blocks with the source already.
    func begin(partSize: UInt64?) throws(CopyFailure) -> [DataExtent] {
        if status.size == 0 { return [] }
        if settings.tryClone(copy, source) {
            settings.didCopy(status.size)
            return []
        }
        do throws(PlatformError) {
            try copy.truncate(to: status.size, item.path)
        } catch {
            throw .target(error)
        }
        do throws(PlatformError) {
            let extents = try extents()
            let parts = partSize.map { size in extents.flatMap { Self.cut($0, size) } } ?? extents
            state.withState { $0.left = parts.count }
            return parts
        } catch {
            throw .source(error)
        }
    }

    /// Holes are looked for only in files that take less space than they are long.
    private func extents() throws(PlatformError) -> [DataExtent] {
        guard status.blocks < status.size / 512 else {
            return [DataExtent(offset: 0, count: status.size)]
        }
        return try source.dataExtents(size: status.size, item.path)
    }

    private static func cut(_ extent: DataExtent, _ size: UInt64) -> [DataExtent] {
        stride(from: extent.offset, to: extent.offset + extent.count, by: Int(size)).map {
            DataExtent(offset: $0, count: min(size, extent.offset + extent.count - $0))
        }
    }

    /// Copies a part; true for whoever copies the last one, and must finish.
    func copy(_ part: DataExtent) -> Bool {
        var failure: CopyFailure?
        do throws(CopyFailure) { try copyBytes(part) } catch { failure = error }
        return state.withState { state in
            state.failure = state.failure ?? failure
            state.left -= 1
            return state.left == 0
        }
    }

    /// Gives the copy its metadata, and waits for large ones until they are on the disk.
    func finish(_ target: MigrationTarget) throws(CopyFailure) -> StagedFile {
        if let failure = state.withState({ $0.failure }) { throw failure }
        let metadata = FileMetadata(status, attributes: attributes)
        do throws(PlatformError) {
            try target.tree.apply(metadata, to: copy, item.path)
        } catch {
            throw .metadata(error)
        }
        do throws(PlatformError) {
            if status.size >= CopySettings.largeSize { try copy.sync(item.path) }
        } catch {
            throw .target(error)
        }
        let stamp = FileStamp(status).settled(at: readAt, .local)
        return StagedFile(path: CopiedPath(path: item.path, stamp: stamp), staged: staged)
    }

    private func copyBytes(_ part: DataExtent) throws(CopyFailure) {
        var offset = part.offset
        let end = part.offset + part.count
        while offset < end {
            let wanted = Int(min(UInt64(settings.step), end - offset))
            settings.rateLimit?.wait(for: wanted)
            Pause.wait()
            guard !Interruption.isRequested else { throw .stopped }
            let got = try copyStep(at: offset, wanted)
            // The file became shorter; the next pass sees that it changed.
            guard got > 0 else { return }
            offset += UInt64(got)
            settings.didCopy(UInt64(got))
        }
    }

    private func copyStep(at offset: UInt64, _ wanted: Int) throws(CopyFailure) -> Int {
        if settings.copiesInKernel {
            do throws(PlatformError) {
                let got = try copy.copyRange(
                    wanted, of: source, at: offset, to: offset, item.path)
                if let got { return got }
            } catch {
                throw CopyFailure.isTargets(error) ? .target(error) : .source(error)
            }
        }
        let bytes: [UInt8]
        do throws(PlatformError) {
            bytes = try source.read(min(wanted, Self.blockSize), at: offset, item.path)
        } catch {
            throw .source(error)
        }
        do throws(PlatformError) {
            try copy.write(bytes.span, at: offset, item.path)
        } catch {
            throw .target(error)
        }
        return bytes.count
    }
}

/// A copy that is whole and waits for its place.
struct StagedFile: Sendable {
    var path: CopiedPath
    var staged: [UInt8]
}

/// Why a file was not copied.
enum CopyFailure: Error {
    case source(PlatformError)
    /// The target takes nothing more: the migration stops.
    case target(PlatformError)
    /// The target cannot hold what belongs to this file.
    case metadata(PlatformError)
    /// Work stops because a signal came, or because another file failed for good.
    case stopped

    /// Whether a failed copy inside the kernel is the target's fault.
    static func isTargets(_ error: PlatformError) -> Bool {
        switch error.errno {
        case .noSpace, .diskQuotaExceeded, .readOnlyFileSystem, .fileTooLarge: true
        default: false
        }
    }
}

/// What all copies of a run share.
final class CopySettings: Sendable {
    let rateLimit: RateLimit?
    let copiesInKernel: Bool
    /// One call of the kernel copies so much, so that progress, rate and signals are looked at.
    let step: Int
    let host: Host
    private let progress: WorkProgress
    private let canClone = Monitor(true)

    /// Files from here on are synced one by one; smaller ones together.
    static let largeSize: UInt64 = 4 << 20

    init(
        bytesPerSecond: UInt64?, copiesInKernel: Bool = true, _ progress: WorkProgress,
        _ host: Host
    ) {
        self.host = host
        rateLimit = bytesPerSecond.map { RateLimit(bytesPerSecond: $0) }
        self.copiesInKernel = copiesInKernel
        // At a limited rate several steps a second, so that it is even.
        let most: UInt64 = 8 << 20
        step = Int(min(most, max(64 << 10, (bytesPerSecond ?? most * 8) / 8)))
        self.progress = progress
    }

    /// Shares blocks where the file system can; after the first refusal it is not asked again.
    func tryClone(_ copy: borrowing Descriptor, _ source: borrowing Descriptor) -> Bool {
        guard canClone.withState({ $0 }) else { return false }
        if copy.clone(source) { return true }
        canClone.withState { $0 = false }
        return false
    }

    func didCopy(_ count: UInt64) { progress.update { $0.bytesDone += count } }

    func didFinish(_ path: [UInt8]) {
        progress.update { counters in
            counters.filesDone += 1
            counters.currentPath = path
        }
    }
}
