internal import Bytes
internal import Hashing
package import Platform
package import Repository
internal import SystemPackage
package import Wire

// Delta streams as files. Invariants:
//
//  1. A stream has its name only once all of it is durable; until then it has a temporary one.
//  2. A file that is there is never replaced.

/// Writes a delta stream to standard output.
package final class StandardSink: ByteSink {
    package init() {}

    package func write(_ bytes: [UInt8]) throws {
        try Descriptor.write(bytes.span, toStandard: 1)
    }
}

/// Reads a delta stream from standard input.
package final class StandardSource: ByteSource {
    private static let size = 256 << 10

    package init() {}

    package func next() throws -> ArraySlice<UInt8> {
        try Descriptor.read(upTo: Self.size, fromStandard: 0)[...]
    }
}

/// Reads a delta stream from a file, which may be a pipe.
package final class FileSource: ByteSource {
    private let file: Descriptor
    private let path: [UInt8]

    private static let size = 1 << 20

    package init(_ path: [UInt8]) throws(PlatformError) {
        file = try Descriptor.open(path, .readOnly)
        self.path = path
    }

    package func next() throws -> ArraySlice<UInt8> {
        do throws(PlatformError) {
            return try Descriptor.read(upTo: Self.size, fromStandard: file.raw)[...]
        } catch {
            throw PlatformError("read", path, error.errno)
        }
    }
}

/// Writes a delta stream to a new file.
package final class FileSink: ByteSink {
    private let directory: Descriptor
    private let file: Descriptor
    private let temporary: [UInt8]
    private let name: [UInt8]
    private let path: [UInt8]
    private var offset: UInt64 = 0
    private var isFinished = false

    /// Begins a file that `finish` will give the name `path`, unless it is taken then.
    package init(_ path: [UInt8], _ host: Host = .system) throws(PlatformError) {
        let parent = PathBytes.parent(path)
        let here = [UInt8(ascii: ".")]
        let isAbsolute = path.first == PathBytes.separator
        let place = parent.isEmpty ? (isAbsolute ? [PathBytes.separator] : here) : parent
        let directory = try Descriptor.open(place, [.readOnly, .directory])
        let temporary = host.uniqueName(".tmp-")
        file = try Descriptor.open(
            temporary, [.writeOnly, .create, .exclusive], at: directory.raw)
        self.directory = directory
        self.temporary = temporary
        name = Array(PathBytes.name(path))
        self.path = path
    }

    deinit {
        if !isFinished { try? FileOperations.remove(temporary, at: directory.raw) }
    }

    package func write(_ bytes: [UInt8]) throws {
        try file.write(bytes.span, at: offset, path)
        offset += UInt64(bytes.count)
    }

    /// Makes the file durable and gives it its name.
    package func finish() throws(PlatformError) {
        try file.sync(path)
        try FileOperations.renameWithoutReplacing(temporary, to: name, at: directory.raw)
        isFinished = true
        try directory.sync(path)
    }
}

/// Delta streams in a directory.
package enum StreamDirectory {
    private static let suffix = Array(".varve".utf8)

    /// What the stream from one snapshot to another is called there: the first digits of both ids,
    /// "start" where nothing is needed.
    package static func name(from: SnapshotID?, to: SnapshotID) -> [UInt8] {
        Array("\(from.map(\.short) ?? "start")-\(to.short)".utf8) + suffix
    }

    /// A stream in the directory, with what it needs and holds.
    package struct Item: Sendable {
        package var path: [UInt8]
        package var header: StreamHeader
    }

    /// All streams in the directory by name; files that are no streams are told by `odd`.
    package static func items(
        _ directory: [UInt8]
    ) throws -> (items: [Item], odd: [(path: [UInt8], reason: String)]) {
        let opened = try Descriptor.open(directory, [.readOnly, .directory])
        var items: [Item] = []
        var odd: [(path: [UInt8], reason: String)] = []
        let names = try opened.names(directory).filter { $0.suffix(suffix.count) == suffix[...] }
        for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let path = PathBytes.join(directory, name)
            do {
                // Opening a pipe would wait for a writer.
                guard try FileStatus.following(path).type == .regular else {
                    odd.append((path, "not a file"))
                    continue
                }
                var cursor = StreamCursor(try FileSource(path))
                items.append(Item(path: path, header: try StreamHeader(reading: &cursor)))
            } catch {
                odd.append((path, "\(error)"))
            }
        }
        return (items, odd)
    }
}
