internal import Bytes
package import Platform
internal import SystemPackage

// The walk visits paths in manifest order, depth first, names in byte order. Listing a directory
// means a system call per name, so other threads list ahead of the visitor:
//
//     visitor ── takes listings in order ──▶ entries
//        │ a listing that nobody began, it makes itself
//     listers ── take the listing that the visitor will need first, from the top of a stack
//
// The listing of a directory pushes its subdirectories in reverse, so the top of the stack is
// always what a depth-first walk comes to next.

/// What a walk leaves out.
package struct WalkFilter: Sendable {
    package var patterns: ExcludePatterns
    /// Leave out what lies below a directory with a valid CACHEDIR.TAG.
    package var excludesCaches: Bool
    /// Do not enter directories on other file systems.
    package var staysOnFileSystem: Bool

    package init(
        patterns: ExcludePatterns, excludesCaches: Bool = false, staysOnFileSystem: Bool = false
    ) {
        self.patterns = patterns
        self.excludesCaches = excludesCaches
        self.staysOnFileSystem = staysOnFileSystem
    }
}

/// One thing that the walk came to.
package struct WalkedEntry: Sendable {
    /// Path in the snapshot.
    package var path: [UInt8]
    package var status: Result<FileStatus, PlatformError>
    /// For a directory that could not be listed: why.
    package var listingFailure: PlatformError?
    /// A directory that was not entered because files of the kernel are mounted there, as at /proc.
    package var isPseudo = false

    package init(
        path: [UInt8], status: Result<FileStatus, PlatformError>,
        listingFailure: PlatformError? = nil
    ) {
        self.path = path
        self.status = status
        self.listingFailure = listingFailure
    }
}

/// Walks one source directory in path order.
package final class SourceWalk: Sendable {
    package let root: PinnedDirectory
    /// Put before every path: the source's name when a snapshot has several sources.
    private let prefix: [UInt8]
    let filter: WalkFilter
    /// The one name to visit, when the source is not a directory.
    private let onlyName: [UInt8]?
    /// Directories that are told of and not entered.
    private let tables: Set<[UInt8]>
    private let device: UInt64
    private let work = Monitor(Work())

    /// Entries listed ahead of the visitor at most, besides the directory being visited.
    private static let aheadLimit = 50_000

    private struct Work {
        var stack: [Listing] = []
        var entriesAhead = 0
        var isOver = false
    }

    /// The listing of one directory, made by whoever comes first.
    fileprivate final class Listing: Sendable {
        enum State {
            case waiting, running
            case done(Result<[Item], PlatformError>)
            case consumed
        }

        let path: [UInt8]
        let state = Monitor(State.waiting)

        init(_ path: [UInt8]) { self.path = path }

        /// True for the one caller that must make the listing.
        func claim() -> Bool {
            state.update { state in
                guard case .waiting = state else { return false }
                state = .running
                return true
            }
        }
    }

    /// A name in a directory, with the listing of what is below it.
    fileprivate struct Item: Sendable {
        var entry: DirectoryEntry
        var below: Listing?
        var isPseudo = false
    }

    /// Opens the source; `path` itself may be a symlink to a directory.
    ///
    /// With `onlyName` just that name in it is visited.
    ///
    /// `tables` are paths below it of directories that are not entered.
    package init(
        _ path: [UInt8], prefix: [UInt8], onlyName: [UInt8]? = nil, filter: WalkFilter,
        tables: Set<[UInt8]> = []
    ) throws(PlatformError) {
        root = try PinnedDirectory(path)
        self.tables = tables
        self.onlyName = onlyName
        device = try root.descriptor.status(path).device
        self.prefix = prefix
        self.filter = filter
    }

    /// Calls `body` with each entry in order; the first is the source directory itself.
    package func visit<Failure: Error>(
        listers: Int, _ body: (WalkedEntry) throws(Failure) -> Void
    ) throws(Failure) {
        let threads = WorkerThreads(count: listers) { _ in self.listAhead() }
        let outcome: Result<Void, Failure>
        do throws(Failure) {
            try visit(body)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        work.update { $0.isOver = true }
        threads.join()
        try outcome.get()
    }

    private func visit<Failure: Error>(
        _ body: (WalkedEntry) throws(Failure) -> Void
    )
        throws(Failure)
    {
        if let onlyName {
            return try body(WalkedEntry(path: snapshotPath(onlyName), status: status(onlyName)))
        }
        if tables.contains([]) {
            return try body(WalkedEntry(path: snapshotPath([]), status: status([])))
        }
        var levels = [try enter(Listing([]), status([]), body)]
        while var level = levels.popLast() {
            while let item = level.next() {
                if let below = item.below {
                    levels.append(level)
                    level = try enter(below, item.entry.status, body)
                } else {
                    let path = PathBytes.join(level.snapshotPath, item.entry.name)
                    var entry = WalkedEntry(path: path, status: item.entry.status)
                    entry.isPseudo = item.isPseudo
                    try body(entry)
                }
            }
        }
    }

    private func status(_ name: [UInt8]) -> Result<FileStatus, PlatformError> {
        do throws(PlatformError) {
            if name.isEmpty { return .success(try root.descriptor.status(root.path)) }
            return .success(try FileStatus.of(name, at: root.descriptor.raw))
        } catch {
            return .failure(error)
        }
    }

    private struct Level {
        let snapshotPath: [UInt8]
        var items: [Item]
        var index = 0

        mutating func next() -> Item? {
            guard index < items.count else { return nil }
            defer { index += 1 }
            return items[index]
        }
    }

    /// Tells of a directory and returns what is in it.
    private func enter<Failure: Error>(
        _ listing: Listing, _ status: Result<FileStatus, PlatformError>,
        _ body: (WalkedEntry) throws(Failure) -> Void
    ) throws(Failure) -> Level {
        let result = take(listing)
        var entry = WalkedEntry(path: snapshotPath(listing.path), status: status)
        switch result {
        case .success(let items):
            try body(entry)
            return Level(snapshotPath: entry.path, items: items)
        case .failure(let error):
            entry.listingFailure = error
            try body(entry)
            return Level(snapshotPath: entry.path, items: [])
        }
    }

    /// The path in the snapshot of a path below the source directory.
    package func snapshotPath(_ path: [UInt8]) -> [UInt8] {
        path.isEmpty ? prefix : PathBytes.join(prefix, path)
    }

    /// The path below the source directory of a path in the snapshot.
    package func sourcePath(_ path: [UInt8]) -> [UInt8] {
        prefix.isEmpty ? path : Array(path.dropFirst(prefix.count + 1))
    }

    private func take(_ listing: Listing) -> Result<[Item], PlatformError> {
        if listing.claim() { return make(listing) }
        let result = listing.state.wait { state -> Result<[Item], PlatformError>? in
            guard case .done(let result) = state else { return nil }
            state = .consumed
            return result
        }
        work.update { $0.entriesAhead -= (try? result.get().count) ?? 0 }
        return result
    }

    private func listAhead() {
        while let listing = nextAhead() {
            guard listing.claim() else { continue }
            let result = make(listing)
            work.update { $0.entriesAhead += (try? result.get().count) ?? 0 }
            listing.state.update { $0 = .done(result) }
        }
    }

    private func nextAhead() -> Listing? {
        work.wait { work -> Listing?? in
            if work.isOver { return .some(nil) }
            guard work.entriesAhead < Self.aheadLimit, let next = work.stack.popLast() else {
                return nil
            }
            return .some(next)
        }
    }

    private func make(_ listing: Listing) -> Result<[Item], PlatformError> {
        do throws(PlatformError) {
            let directory = try root.open(listing.path, [.readOnly, .directory])
            let entries = try directory.list(listing.path)
            let items = filtered(entries, listing.path, directory)
            let below = items.compactMap(\.below)
            if !below.isEmpty { work.update { $0.stack += below.reversed() } }
            return .success(items)
        } catch {
            return .failure(error)
        }
    }

    private func filtered(
        _ entries: [DirectoryEntry], _ path: [UInt8], _ directory: borrowing Descriptor
    ) -> [Item] {
        let isCache = filter.excludesCaches && CacheDirectory.isTagged(entries, directory)
        var items: [Item] = []
        items.reserveCapacity(entries.count)
        for entry in entries {
            if isCache, entry.name != CacheDirectory.tagName { continue }
            let isDirectory =
                if case .success(let status) = entry.status {
                    status.type == .directory
                } else {
                    false
                }
            if !isDirectory, filter.patterns.isEmpty {
                items.append(Item(entry: entry, below: nil))
                continue
            }
            if isDirectory, entry.name == Self.replicaDirectory { continue }
            let entryPath = PathBytes.join(path, entry.name)
            if filter.patterns.isExcluded(entryPath, isDirectory: isDirectory) { continue }
            var isEntered = isDirectory && mayEnter(entry) && !tables.contains(entryPath)
            let isPseudo = isEntered && isPseudo(entry, in: directory)
            if isPseudo { isEntered = false }
            items.append(
                Item(
                    entry: entry, below: isEntered ? Listing(entryPath) : nil, isPseudo: isPseudo))
        }
        return items
    }

    /// Where a live replica keeps what it works with; never part of a snapshot.
    package static let replicaDirectory = Array(".varve-replica".utf8)

    private func mayEnter(_ entry: DirectoryEntry) -> Bool {
        guard filter.staysOnFileSystem, let status = try? entry.status.get() else { return true }
        return status.device == device
    }

    /// Whether files of the kernel are mounted at a directory.
    ///
    /// The source itself was asked for, whatever it is; a directory on its device needs no look.
    private func isPseudo(_ entry: DirectoryEntry, in directory: borrowing Descriptor) -> Bool {
        guard let status = try? entry.status.get(), status.device != device else { return false }
        guard
            let mounted = try? Descriptor.open(
                entry.name, [.readOnly, .directory, .noFollow], at: directory.raw)
        else { return false }
        return PseudoFileSystem.has(mounted)
    }
}

/// Directories marked as caches (https://bford.info/cachedir/).
package enum CacheDirectory {
    /// The name of the file that marks a cache.
    package static let tagName = Array("CACHEDIR.TAG".utf8)
    private static let signature = Array("Signature: 8a477f597d28d172789f06886806bc55".utf8)

    static func isTagged(_ entries: [DirectoryEntry], _ directory: borrowing Descriptor) -> Bool {
        let tag = entries.first { $0.name == tagName }
        guard let status = try? tag?.status.get(), status.type == .regular else { return false }
        return isTagged(directory)
    }

    /// Whether there is a valid tag in the directory.
    package static func isTagged(_ directory: borrowing Descriptor) -> Bool {
        do throws(PlatformError) {
            let file = try Descriptor.open(
                tagName, [.readOnly, .noFollow, .nonBlocking], at: directory.raw)
            return try file.read(signature.count, at: 0, tagName) == signature
        } catch {
            return false
        }
    }
}
