internal import Bytes
internal import CLinux
internal import Glibc
internal import SystemPackage

/// Tells that something changed in a tree of directories (inotify(7)).
///
/// It does not tell of times, modes and owners alone, nor of what others change on a file system
/// that lies on another host.
package final class DirectoryWatch {
    package enum Notice: Equatable, Sendable {
        /// Something changed.
        case changed
        /// Nothing did, for as long as was asked.
        case quiet
        /// More changed than could be told of; anything may have.
        case overflow
        /// The top is not where it was.
        case gone
    }

    private let descriptor: Descriptor
    private let top: [UInt8]
    private let ignored: Set<[UInt8]>
    private let ignoredPaths: Set<[UInt8]>
    /// What each watched directory is called, by the number of its watch.
    private var paths: [CInt: [UInt8]] = [:]
    /// The last moment at which there was nothing to tell.
    private var quietSince = ContinuousClock.now
    /// When what was told last began: no later than the first of those changes, and no earlier than
    /// the last moment without any.
    package private(set) var changedSince = ContinuousClock.now

    private static let bufferSize = 256 << 10
    private static let headSize = 16
    /// How long a signal may be overlooked.
    private static let slice: Duration = .milliseconds(250)

    /// Watches the directory and all below it, but for names in `ignored` and for the files at
    /// `ignoredPaths`, which begin with `top`.
    ///
    /// Throws `noSpace` where the user may not watch so many (fs.inotify.max_user_watches).
    package init(
        _ top: [UInt8], ignoring ignored: Set<[UInt8]>, paths ignoredPaths: Set<[UInt8]> = []
    ) throws(PlatformError) {
        self.top = top
        self.ignored = ignored
        self.ignoredPaths = ignoredPaths
        descriptor = Descriptor(owning: try retrying("watch", top) { varve_watch() })
        guard try add(top) else { throw PlatformError("watch", top, .noSuchFileOrDirectory) }
    }

    /// Watches a directory and what is below it; false when it is gone.
    private func add(_ path: [UInt8]) throws(PlatformError) -> Bool {
        var pending = [path]
        while let next = pending.popLast() {
            do throws(PlatformError) {
                let raw = descriptor.raw
                let number = try unsafe withCString("watch", next) { name throws(PlatformError) in
                    try retrying("watch", next) { unsafe varve_watch_directory(raw, name) }
                }
                paths[number] = next
                pending += try subdirectories(next)
            } catch {
                // What vanished between its name and its watch is told of by the directory above.
                guard error.isNotFound else { throw error }
                if next == top { return false }
            }
        }
        return true
    }

    private func subdirectories(_ path: [UInt8]) throws(PlatformError) -> [[UInt8]] {
        let directory = try Descriptor.open(path, [.readOnly, .directory, .noFollow])
        var found: [[UInt8]] = []
        for entry in try directory.list(path) where !ignored.contains(entry.name) {
            guard let status = try? entry.status.get(), status.type == .directory else { continue }
            found.append(PathBytes.join(path, entry.name))
        }
        return found
    }

    /// Waits for a change.
    package func wait(_ duration: Duration) throws(PlatformError) -> Notice {
        let deadline = ContinuousClock.now + duration
        var since = quietSince
        while true {
            let looked = ContinuousClock.now
            let notice = try take()
            guard notice == .quiet else {
                changedSince = since
                quietSince = looked
                return notice
            }
            quietSince = looked
            guard looked < deadline, !Interruption.isRequested else { return .quiet }
            poll(until: deadline)
            // It slept until there was something.
            since = .now
        }
    }

    private func poll(until deadline: ContinuousClock.Instant) {
        let (seconds, attoseconds) = min(deadline - .now, Self.slice).components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        var wanted = pollfd(fd: descriptor.raw, events: Int16(POLLIN), revents: 0)
        _ = unsafe Glibc.poll(&wanted, 1, CInt(clamping: max(milliseconds, 1)))
    }

    /// Takes what there is to tell.
    private func take() throws(PlatformError) -> Notice {
        var result = Notice.quiet
        while true {
            var buffer = [UInt8](repeating: 0, count: Self.bufferSize)
            let raw = descriptor.raw
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe Glibc.read(raw, $0.baseAddress, $0.count)
            }
            guard count > 0 else {
                if count == 0 || Glibc.errno == EAGAIN || Glibc.errno == EINTR { return result }
                throw PlatformError.last("read changes of", top)
            }
            let notice = try read(buffer[..<count])
            // What is worse stays.
            if result == .quiet || notice == .gone || notice == .overflow { result = notice }
        }
    }

    private func read(_ bytes: ArraySlice<UInt8>) throws(PlatformError) -> Notice {
        var result = Notice.quiet
        var position = 0
        while position + Self.headSize <= bytes.count {
            let number = CInt(bitPattern: Self.word(bytes, position))
            let mask = Self.word(bytes, position + 4)
            let length = Int(Self.word(bytes, position + 12))
            let end = min(position + Self.headSize + length, bytes.count)
            let name = bytes[position + Self.headSize..<end].prefix { $0 != 0 }
            position = end
            let notice = try take(number, mask, Array(name))
            if result == .quiet || notice == .gone || notice == .overflow { result = notice }
        }
        return result
    }

    private static func word(_ bytes: ArraySlice<UInt8>, _ position: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[position + $1]) << UInt32(8 * $1) }
    }

    private func take(
        _ number: CInt, _ mask: UInt32, _ name: [UInt8]
    ) throws(PlatformError) -> Notice {
        if mask & UInt32(VARVE_WATCH_OVERFLOW) != 0 { return .overflow }
        if mask & UInt32(VARVE_WATCH_FORGOTTEN) != 0 {
            // Also after an unmount, of which nothing else tells.
            return paths.removeValue(forKey: number) == top ? .gone : .quiet
        }
        guard let directory = paths[number], !ignored.contains(name) else { return .quiet }
        if !ignoredPaths.isEmpty, ignoredPaths.contains(PathBytes.join(directory, name)) {
            return .quiet
        }
        if mask & UInt32(VARVE_WATCH_GONE) != 0 { return directory == top ? .gone : .changed }
        if mask & UInt32(VARVE_WATCH_DIRECTORY) != 0, !name.isEmpty {
            // A new directory, or one that was moved here; its watch may be there already.
            _ = try add(PathBytes.join(directory, name))
        }
        return .changed
    }
}
