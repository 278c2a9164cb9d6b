package import Bytes
package import Parquet
package import Platform
internal import SystemPackage

/// The directory of a table: all that is read and written lies below it, never behind a symlink.
///
/// Invariants of what changes it:
/// 1. A file of the log is written under a temporary name, synced, and only then linked to its
///    name, which fails when the name is taken. Then the directory is synced. So a commit is there
///    whole and durable, or not at all, and of two writers one is first.
/// 2. Only `_last_checkpoint` is ever replaced, by a rename: it is a hint.
/// 3. Data files are synced, with their directory, before the commit that names them.
package final class TableDirectory: LogFiles, Sendable {
    package let root: PinnedDirectory

    /// The directory of the log.
    package static let log = "_delta_log"
    /// No file of the log is larger.
    private static let sizeLimit: UInt64 = 1 << 30

    package init(_ path: [UInt8]) throws(TableLogError) {
        do throws(PlatformError) {
            root = try PinnedDirectory(path)
        } catch {
            throw TableLogError(error, "")
        }
    }

    /// Takes over a directory that is open; `root.path` is what messages call it.
    package init(_ root: consuming PinnedDirectory) { self.root = root }

    /// The path of the table as it was given.
    package var path: [UInt8] { root.path }

    private static func logPath(_ name: String) -> [UInt8] { Array((log + "/" + name).utf8) }

    /// The files of the log, sorted; nil when there is no log.
    package func listLog() throws(TableLogError) -> [LogFile]? {
        do throws(PlatformError) {
            let path = Array(Self.log.utf8)
            let entries: [DirectoryEntry]
            do throws(PlatformError) {
                entries = try root.open(path, [.readOnly, .directory]).list(path)
            } catch {
                guard error.isNotFound else { throw error }
                return nil
            }
            var files: [LogFile] = []
            for entry in entries {
                let status: FileStatus
                do throws(PlatformError) {
                    status = try entry.status.get()
                } catch {
                    // Temporary names come and go while others commit.
                    guard error.isNotFound else { throw error }
                    continue
                }
                let name = String(decoding: entry.name, as: UTF8.self)
                guard status.type == .regular, LogListing.isName(name) else { continue }
                files.append(
                    LogFile(
                        name: name, size: status.size, modified: status.mtime.milliseconds,
                        status: status))
            }
            return files.sorted { $0.name < $1.name }
        } catch {
            throw TableLogError(error, Self.log)
        }
    }

    /// Reads a file of the log; nil when it is not there.
    package func readLog(_ name: String) throws(TableLogError) -> [UInt8]? {
        do throws(PlatformError) {
            let path = Self.logPath(name)
            let file: Descriptor
            do throws(PlatformError) {
                file = try root.open(path, [.readOnly, .nonBlocking])
            } catch {
                guard error.isNotFound else { throw error }
                return nil
            }
            let status = try file.status(path)
            guard status.type == .regular, status.size <= Self.sizeLimit else {
                throw PlatformError("read", path, .fileTooLarge)
            }
            let bytes = try file.read(Int(status.size), at: 0, path)
            // A false end of the file would make a commit of half of one.
            guard bytes.count == Int(status.size) else {
                throw PlatformError("read", path, .ioError)
            }
            return bytes
        } catch {
            throw TableLogError(error, name)
        }
    }

    /// Opens a file below the table, by its plain relative path.
    package func open(_ relative: ExactText) throws(TableLogError) -> FileSource {
        do throws(PlatformError) {
            let path = Array(relative.utf8)
            let file = try root.open(path, [.readOnly, .nonBlocking])
            let status = try file.status(path)
            guard status.type == .regular else {
                throw PlatformError("open", path, .invalidArgument)
            }
            return FileSource(file, path, size: Int64(clamping: status.size))
        } catch {
            throw TableLogError(error, relative.string)
        }
    }

    package func source(_ relative: ExactText) throws(TableLogError) -> any ByteSource {
        try open(relative)
    }

    package func makeLog() throws(TableLogError) {
        do throws(PlatformError) {
            try FileOperations.makeDirectory(Array(Self.log.utf8), like: root.descriptor)
            try root.open([], [.readOnly, .directory]).sync([])
        } catch {
            throw TableLogError(error, Self.log)
        }
    }

    /// Publishes a file of the log; false when the name is taken and `replaces` is not set.
    ///
    /// It gets the time `modified`, if that is given.
    package func publish(
        _ bytes: [UInt8], as name: String, replaces: Bool = false, modified: Timestamp? = nil
    ) throws(TableLogError) -> Bool {
        let random = Hex.encode(HostSystem.randomBytes(8))
        let temporary = Self.logPath(".\(name).\(random).tmp")
        var isThere = false
        do throws(PlatformError) {
            let file = try root.open(
                temporary, [.writeOnly, .create, .exclusive], mode: 0o666)
            do throws(PlatformError) {
                try file.write(bytes.span, at: 0, temporary)
                if let modified { try file.setModificationTime(modified, temporary) }
                try file.sync(temporary)
                isThere = try give(temporary, Self.logPath(name), replaces: replaces)
            } catch {
                try? FileOperations.remove(temporary, at: root.descriptor.raw)
                throw error
            }
            let log = Array(Self.log.utf8)
            try root.open(log, [.readOnly, .directory]).sync(log)
            return isThere
        } catch {
            var error = TableLogError(error, name)
            error.isPublished = isThere
            throw error
        }
    }

    private func give(
        _ temporary: [UInt8], _ path: [UInt8], replaces: Bool
    ) throws(PlatformError) -> Bool {
        let directory = root.descriptor.raw
        if replaces {
            try FileOperations.rename(temporary, to: path, at: directory)
            return true
        }
        do throws(PlatformError) {
            try FileOperations.renameWithoutReplacing(temporary, to: path, at: directory)
            return true
        } catch {
            guard error.errno == .fileExists else { throw error }
            try FileOperations.remove(temporary, at: directory)
            return false
        }
    }

    func removeLog(_ name: String) throws(TableLogError) {
        do throws(PlatformError) {
            try FileOperations.remove(Self.logPath(name), at: root.descriptor.raw)
        } catch {
            guard error.isNotFound else { throw TableLogError(error, name) }
        }
    }
}

extension Timestamp {
    /// Since 1970.
    package var milliseconds: Int64 {
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? (seconds < 0 ? .min : .max) : whole &+ Int64(nanoseconds / 1_000_000)
    }
}

/// An open file as a source for Parquet.
package final class FileSource: ByteSource, Sendable {
    private let descriptor: Descriptor
    private let path: [UInt8]
    package let size: Int64

    init(_ descriptor: consuming Descriptor, _ path: [UInt8], size: Int64) {
        self.descriptor = descriptor
        self.path = path
        self.size = size
    }

    /// Copies bytes to `place` in another file inside of the kernel; returns how many, fewer than
    /// `count` where the file systems have no such way.
    package func copy(
        _ count: Int64, at offset: Int64, to target: borrowing Descriptor, at place: UInt64
    ) throws(PlatformError) -> Int64 {
        var done: Int64 = 0
        while done < count {
            let copied = try target.copyRange(
                Int(count - done), of: descriptor, at: UInt64(clamping: offset + done),
                to: place + UInt64(clamping: done), path)
            guard let copied, copied > 0 else { break }
            done += Int64(copied)
        }
        return done
    }

    package func read(_ count: Int, at offset: Int64) throws(ParquetError) -> [UInt8] {
        guard count >= 0, offset >= 0, offset <= size - Int64(count) else {
            throw ParquetError(.truncated, at: offset, "\(count) bytes")
        }
        do throws(PlatformError) {
            let bytes = try descriptor.read(count, at: UInt64(offset), path)
            guard bytes.count == count else {
                throw PlatformError("read", path, .ioError)
            }
            return bytes
        } catch {
            throw ParquetError(
                .inputOutput, at: offset, "\(error)", systemNumber: error.errno.rawValue)
        }
    }
}
