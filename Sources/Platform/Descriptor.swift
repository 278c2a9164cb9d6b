internal import SystemPackage

internal import Bytes
internal import CLinux
internal import Glibc

/// Owns an open file descriptor; closed when it goes out of scope, or by `close()`, which reports.
package struct Descriptor: ~Copyable, Sendable {
    package let raw: CInt

    package init(owning raw: CInt) { self.raw = raw }

    deinit { _ = Glibc.close(raw) }

    /// Closes and reports what the system says; delayed write errors of NFS appear here.
    package consuming func close(_ path: [UInt8]) throws(PlatformError) {
        let raw = self.raw
        discard self
        if Glibc.close(raw) != 0 { throw PlatformError.last("close", path) }
    }
}

/// Flags of `open`; O_CLOEXEC is always added.
package struct OpenFlags: OptionSet, Sendable {
    package let rawValue: CInt
    package init(rawValue: CInt) { self.rawValue = rawValue }

    package static let readOnly = Self(rawValue: O_RDONLY)
    package static let writeOnly = Self(rawValue: O_WRONLY)
    package static let readWrite = Self(rawValue: O_RDWR)
    package static let create = Self(rawValue: O_CREAT)
    package static let exclusive = Self(rawValue: O_EXCL)
    package static let truncate = Self(rawValue: O_TRUNC)
    package static let append = Self(rawValue: O_APPEND)
    package static let directory = Self(rawValue: O_DIRECTORY)
    package static let noFollow = Self(rawValue: O_NOFOLLOW)
    /// Does not wait for the writer of a fifo.
    package static let nonBlocking = Self(rawValue: O_NONBLOCK)
    package static let pathOnly = Self(rawValue: 0o10000000)
    /// Leaves the access time alone; only the owner may ask for it.
    package static let noAccessTime = Self(rawValue: 0o1000000)
}

extension Descriptor {
    /// The directory that relative paths start from when none is given.
    package static let workingDirectory: CInt = AT_FDCWD

    /// Opens `path` relative to the directory `directory` (openat(2)).
    package static func open(
        _ path: [UInt8], _ flags: OpenFlags, at directory: CInt = workingDirectory,
        mode: UInt32 = 0o666
    ) throws(PlatformError) -> Descriptor {
        let raw = try traced(opening: path, flags, at: directory) { () throws(PlatformError) in
            try unsafe withCString("open", path) { name throws(PlatformError) in
                try retrying("open", path) {
                    unsafe varve_openat(directory, name, flags.rawValue, mode)
                }
            }
        }
        return Descriptor(owning: raw)
    }

    /// Opens `path` below `directory`; no component may be a symlink or lead outside (openat2(2)).
    package static func openBeneath(
        _ path: [UInt8], _ flags: OpenFlags, at directory: CInt, mode: UInt32 = 0
    ) throws(PlatformError) -> Descriptor {
        let resolve =
            UInt64(VARVE_RESOLVE_BENEATH) | UInt64(VARVE_RESOLVE_NO_SYMLINKS)
            | UInt64(VARVE_RESOLVE_NO_MAGICLINKS)
        let raw = try traced(opening: path, flags, at: directory) { () throws(PlatformError) in
            try unsafe withCString("open", path) { name throws(PlatformError) in
                try retrying("open", path) {
                    unsafe varve_openat2(
                        directory, name, UInt64(UInt32(bitPattern: flags.rawValue)), UInt64(mode),
                        resolve)
                }
            }
        }
        return Descriptor(owning: raw)
    }

    package func duplicate() throws(PlatformError) -> Descriptor {
        Descriptor(owning: try retrying("duplicate", []) { Glibc.dup(raw) })
    }
}

extension Descriptor {
    /// Reads up to `count` bytes at `offset`, fewer only at the end of the file (pread(2)).
    package func read(
        _ count: Int, at offset: UInt64, _ path: [UInt8]
    ) throws(PlatformError)
        -> [UInt8]
    {
        var failure: PlatformError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(PlatformError) {
                filled = try unsafe read(into: buffer, at: offset, path)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private func read(
        into buffer: UnsafeMutableBufferPointer<UInt8>, at offset: UInt64, _ path: [UInt8]
    ) throws(PlatformError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        var filled = 0
        while filled < buffer.count {
            let position = off_t(clamping: offset &+ UInt64(filled))
            let count = try retrying("read", path) {
                unsafe Glibc.pread(raw, base + filled, buffer.count - filled, position)
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Writes all of `bytes` at `offset` (pwrite(2)).
    package func write(
        _ bytes: Span<UInt8>, at offset: UInt64, _ path: [UInt8]
    )
        throws(PlatformError)
    {
        var written = 0
        while written < bytes.count {
            let rest = bytes.extracting(written..<bytes.count)
            let place = offset &+ UInt64(written)
            let position = off_t(clamping: place)
            written += try traced(.write(raw, [UInt8](copying: rest), at: place)) {
                () throws(PlatformError) in
                try retrying("write", path) {
                    unsafe rest.withUnsafeBytes { buffer in
                        unsafe Glibc.pwrite(raw, buffer.baseAddress, buffer.count, position)
                    }
                }
            }
        }
    }

    /// Writes all of `bytes` at the current position, to a pipe or terminal too (write(2)).
    package func write(_ bytes: Span<UInt8>, _ path: [UInt8]) throws(PlatformError) {
        var written = 0
        while written < bytes.count {
            let rest = bytes.extracting(written..<bytes.count)
            written += try traced(.write(raw, [UInt8](copying: rest), at: nil)) {
                () throws(PlatformError) in
                try retrying("write", path) {
                    unsafe rest.withUnsafeBytes { buffer in
                        unsafe Glibc.write(raw, buffer.baseAddress, buffer.count)
                    }
                }
            }
        }
    }

    /// Copies up to `count` bytes of another file to `target` in this one, inside of the kernel
    /// (copy_file_range(2)); returns how many, 0 at the end of the source.
    ///
    /// Nil where the file systems of the two have no such way.
    package func copyRange(
        _ count: Int, of source: borrowing Descriptor, at offset: UInt64, to target: UInt64,
        _ path: [UInt8]
    ) throws(PlatformError) -> Int? {
        let (from, to) = (Int64(clamping: offset), Int64(clamping: target))
        do throws(PlatformError) {
            let file = source.raw
            return try traced(.copy(file, from: offset, to: raw, at: target)) {
                () throws(PlatformError) in
                try retrying("copy", path) {
                    varve_copy_range(file, from, raw, to, UInt(count))
                }
            }
        } catch {
            switch error.errno {
            case .improperLink, .invalidArgument, .noFunction, .notSupported, .badFileDescriptor,
                .notPermitted:
                return nil
            default: throw error
            }
        }
    }

    /// Lets the system begin to write what was written here, so that syncing has less to wait for
    /// (sync_file_range(2)); promises nothing.
    package func beginWriting(_ count: Int64, at offset: UInt64) {
        _ = varve_begin_writing(raw, Int64(clamping: offset), count)
    }

    /// Waits until content and metadata are on the disk (fsync(2)).
    ///
    /// A failure is final: the pages are marked clean, so a second call would lie.
    package func sync(_ path: [UInt8]) throws(PlatformError) {
        _ = try traced(.sync(raw)) { () throws(PlatformError) in
            try retrying("sync", path) { Glibc.fsync(raw) }
        }
    }

    /// Waits for the whole file system (syncfs(2)).
    package func syncFileSystem(_ path: [UInt8]) throws(PlatformError) {
        _ = try traced(.syncAll(raw)) { () throws(PlatformError) in
            try retrying("sync", path) { varve_syncfs(raw) }
        }
    }

    /// Takes the lock of the file, which ends with the descriptor; false when another has it
    /// (flock(2)).
    package func lock(_ path: [UInt8]) throws(PlatformError) -> Bool {
        do throws(PlatformError) {
            _ = try retrying("lock", path) { varve_lock(raw) }
            return true
        } catch {
            guard error.errno == .wouldBlock else { throw error }
            return false
        }
    }

    package func truncate(to size: UInt64, _ path: [UInt8]) throws(PlatformError) {
        _ = try traced(.resize(raw, size)) { () throws(PlatformError) in
            try retrying("resize", path) { Glibc.ftruncate(raw, off_t(clamping: size)) }
        }
    }

    /// Tells the kernel that the file will be read from start to end, soon.
    package func adviseSequential() {
        _ = posix_fadvise(raw, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// Lets go of cached pages, so that the next read comes from the disk.
    package func dropCache() { _ = posix_fadvise(raw, 0, 0, POSIX_FADV_DONTNEED) }

    /// Whether this is a terminal.
    package static func isTerminal(_ raw: CInt) -> Bool { isatty(raw) == 1 }

    /// Width of the terminal in columns; zero when unknown.
    package static func columns(_ raw: CInt) -> Int { Int(varve_terminal_columns(raw)) }

    /// Writes to a descriptor that this process does not own, such as standard output.
    package static func write(_ bytes: Span<UInt8>, toStandard raw: CInt) throws(PlatformError) {
        let borrowed = Descriptor(owning: raw)
        do throws(PlatformError) {
            try borrowed.write(bytes, [])
        } catch {
            borrowed.release()
            throw error
        }
        borrowed.release()
    }

    /// Reads up to `limit` bytes from a descriptor that this process does not own, such as standard
    /// input; none at its end (read(2)).
    package static func read(
        upTo limit: Int, fromStandard raw: CInt
    ) throws(PlatformError) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = try retrying("read", []) {
            unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(raw, $0.baseAddress, limit) }
        }
        buffer.removeLast(limit - count)
        return buffer
    }

    /// Gives up the descriptor without closing it.
    package consuming func release() { discard self }
}

/// A range of a file that holds data; what lies between ranges is a hole.
package struct DataExtent: Equatable, Sendable {
    package var offset: UInt64
    package var count: UInt64

    package init(offset: UInt64, count: UInt64) {
        self.offset = offset
        self.count = count
    }
}

extension Descriptor {
    /// Finds the parts of the first `size` bytes that hold data (lseek(2), SEEK_DATA).
    ///
    /// File systems without holes report one extent of the whole file.
    package func dataExtents(size: UInt64, _ path: [UInt8]) throws(PlatformError) -> [DataExtent] {
        var extents: [DataExtent] = []
        var position: UInt64 = 0
        while position < size {
            let start = Glibc.lseek(raw, off_t(clamping: position), 3)
            if start < 0 {
                if Glibc.errno == ENXIO { break }
                return [DataExtent(offset: 0, count: size)]
            }
            let end = try retrying("seek", path) { Glibc.lseek(raw, start, 4) }
            let offset = UInt64(start)
            let stop = min(UInt64(end), size)
            guard stop > offset else { break }
            extents.append(DataExtent(offset: offset, count: stop - offset))
            position = stop
        }
        return extents
    }

    /// Makes `range` a hole, or writes nothing where the file system has none (fallocate(2)).
    package func punchHole(_ range: Range<UInt64>) -> Bool {
        let result = try? traced(.punch(raw, range)) { () throws(PlatformError) in
            try retrying("punch", []) {
                varve_punch_hole(
                    raw, Int64(clamping: range.lowerBound),
                    Int64(clamping: range.upperBound - range.lowerBound))
            }
        }
        return result != nil
    }
}
