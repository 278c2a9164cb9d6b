import Capturing
@testable package import Repository
import Snapshots
import Trees

internal import Bytes
internal import Chunking
internal import Hashing
internal import Platform

/// A repository that an earlier varve wrote, and what must be found in it for ever.
package enum GoldenRepository {
    /// Below `fixtures`; a new version of the format gets a directory of its own.
    package static let versions = ["repository/v1"]
    /// What `listing` made of it when it was written.
    package static let listingName = "listing.txt"

    /// A copy with the empty directories that git cannot hold.
    package static func copy(_ version: String) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        _ = try DirectoryStorage.create(directory.path("repository"))
        let prefix = "fixtures/\(version)/"
        for path in try ProjectFiles.paths(below: String(prefix.dropLast())) {
            let relative = path.dropFirst(prefix.count)
            guard relative != listingName else { continue }
            try directory.write(try ProjectFiles.bytes(path), "repository/" + relative)
        }
        return directory
    }

    /// Writes the fixture of the present version; only where there is none yet.
    package static func record() throws {
        let version = versions[versions.count - 1]
        guard !ProjectFiles.exists("fixtures/\(version)/config") else { return }
        let directory = try TemporaryDirectory()
        let path = directory.path("repository")
        let chunking = try ChunkingParameters(
            minimum: 4 << 10, average: 8 << 10, maximum: 16 << 10)
        _ = try Repository.create(try DirectoryStorage.create(path), chunking: chunking)
        try capture(directory, into: path)
        let listing = try listing(try Repository(try DirectoryStorage(path)))
        try Fixtures.write(Array(listing.utf8), "\(version)/\(listingName)")
        try copyFiles(below: path, to: version)
    }

    private static func copyFiles(below path: [UInt8], to fixture: String) throws {
        let directory = try Descriptor.open(path, [.readOnly, .directory])
        for entry in try directory.list(path) {
            let name = fixture + "/" + String(decoding: entry.name, as: UTF8.self)
            let place = PathBytes.join(path, entry.name)
            if try entry.status.get().type == .directory {
                try copyFiles(below: place, to: name)
            } else {
                try Fixtures.write(try Fixtures.read(place), name)
            }
        }
    }
}

// MARK: - What is in it

extension GoldenRepository {
    /// Two snapshots of a small tree with one of everything.
    private static func capture(_ directory: TemporaryDirectory, into path: [UInt8]) throws {
        var generator = SplitMix64(seed: 1)
        try directory.write([], "source/empty")
        try directory.write(generator.text(5_000), "source/text")
        try directory.write(generator.bytes(900), "source/random")
        try directory.write(generator.text(70_000), "source/large/chunks")
        try directory.write([1], "source/name\n\u{f8}")
        try directory.makeDirectories(Array("source/empty directory".utf8))
        for collision in Fixtures.collisions.prefix(2) {
            let contents = try collision.contents()
            try directory.write(contents.0, "source/collisions/\(contents.0.count) a")
            try directory.write(contents.1, "source/collisions/\(contents.1.count) b")
        }
        try addOthers(directory.path("source"))
        try take(directory, into: path, at: 1_700_000_000)
        try directory.write(generator.text(300), "source/added")
        try FileOperations.remove(directory.path("source/random"))
        try take(directory, into: path, at: 1_700_086_400)
    }

    private static func addOthers(_ source: [UInt8]) throws {
        let top = try Descriptor.open(source, [.readOnly, .directory])
        try FileOperations.makeSymlink(
            Array("link".utf8), to: Array("large/chunks".utf8), at: top.raw)
        try FileOperations.makeSpecial(Array("fifo".utf8), .fifo, device: 0, at: top.raw)
        try FileOperations.link(Array("text".utf8), to: Array("text again".utf8), at: top.raw)
    }

    private static func take(
        _ directory: TemporaryDirectory, into path: [UInt8], at seconds: Int64
    ) throws {
        let source = directory.path("source")
        try setTimes(source, Timestamp(seconds: 1_600_000_000, nanoseconds: 123_456_789))
        var options = CaptureOptions(
            filter: WalkFilter(patterns: ExcludePatterns()), host: Array("golden".utf8))
        options.time = Timestamp(seconds: seconds, nanoseconds: 5)
        options.tags = [Array("fixture".utf8)]
        options.programVersion = Array("1".utf8)
        let repository = try Repository(try DirectoryStorage(path))
        _ = try Capture.run([source], into: repository, options, WorkProgress())
    }

    private static func setTimes(_ path: [UInt8], _ time: Timestamp) throws {
        let directory = try Descriptor.open(path, [.readOnly, .directory])
        for entry in try directory.list(path) {
            if try entry.status.get().type == .directory {
                try setTimes(PathBytes.join(path, entry.name), time)
            } else {
                try FileOperations.setModificationTime(entry.name, time, at: directory.raw)
            }
        }
        try directory.setModificationTime(time, path)
    }
}

// MARK: - What is found in it

extension GoldenRepository {
    /// All snapshots, entries, contents, packs and segments as text; every byte is read.
    package static func listing(_ repository: Repository) throws -> String {
        var lines = ["repository \(repository.config.id.hex)"]
        let chunking = repository.config.chunking
        lines.append("chunks \(chunking.minimum) \(chunking.average) \(chunking.maximum)")
        var snapshots: [(sequence: UInt64, lines: [String])] = []
        for id in try repository.snapshotIDs() {
            let record = try SnapshotRecord(decoding: try repository.snapshotBytes(id), id)
            snapshots.append((record.sequence, try list(id, record, repository)))
        }
        snapshots.sort { $0.sequence < $1.sequence }
        lines += snapshots.flatMap(\.lines)
        for pack in try repository.index.presentPacks() {
            lines.append("pack \(pack.digest.hex)")
            for entry in try PackReader(pack, repository.storage).entries() {
                lines.append(try describe(entry, in: pack, repository))
            }
        }
        let segments = repository.index.segments.sorted { $0.id.digest < $1.id.digest }
        for segment in segments {
            try segment.checkDigest()
            lines.append("index \(segment.id.digest.hex) of \(segment.entryCount) blobs")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func list(
        _ id: SnapshotID, _ record: SnapshotRecord, _ repository: Repository
    ) throws -> [String] {
        let texts = ([record.host] + record.tags).map(PathBytes.printable)
        var lines = [
            "snapshot \(id.hex)", "sequence \(record.sequence) time \(describe(record.time))",
            "parent \(record.parent?.hex ?? "none")", "host and tags \(texts)",
            "root \(record.root.id.fingerprint.hex) level \(record.root.level) "
                + "items \(record.root.itemCount) bytes \(record.root.byteCount)",
        ]
        let nodes = NodeSource(repository, checkingSHA256: true)
        var cursor = ManifestCursor(record.root, nodes)
        while let entry = try cursor.next() {
            let links = entry.linkDevice == nil ? "" : " one of several names"
            lines.append(
                "  \(PathBytes.printable(entry.path)): \(try describe(entry.payload, nodes))"
                    + " mode \(String(entry.mode, radix: 8)) owner \(entry.uid) \(entry.gid)"
                    + " time \(describe(entry.mtime))" + links)
        }
        return lines
    }

    private static func describe(_ time: Timestamp) -> String {
        "\(time.seconds).\(time.nanoseconds)"
    }

    private static func describe(
        _ payload: ManifestEntry.Payload, _ nodes: NodeSource
    ) throws -> String {
        switch payload {
        case .directory: return "directory"
        case .fifo: return "fifo"
        case .symlink(let target): return "symlink to \(PathBytes.printable(target))"
        case .characterDevice(let device), .blockDevice(let device): return "device \(device)"
        case .file(let size, let content):
            let pieces = try nodes.pieces(content)
            return "file of \(size) in \(pieces.count) pieces \(try digest(pieces, nodes).hex)"
        }
    }

    private static func digest(
        _ pieces: [ContentPiece], _ nodes: NodeSource
    ) throws
        -> SHA256Digest
    {
        var hasher = SHA256Hasher()
        for piece in pieces {
            switch piece {
            case .hole(let size):
                let zeros = [UInt8](repeating: 0, count: Int(size))
                hasher.update(zeros.span)
            case .chunk(let id, let size):
                let bytes = try nodes.chunk(id, size: size)
                hasher.update(bytes.span)
            }
        }
        return hasher.finish()
    }

    private static func describe(
        _ entry: PackEntry, in pack: PackID, _ repository: Repository
    ) throws -> String {
        let place = BlobPlace(entry, in: pack)
        let plain = try BlobReader(repository).read(entry.id, at: place, .whole)
        let isIndexed = try repository.index.find(entry.id).contains(place)
        return "  \(entry.id.kind) \(entry.id.fingerprint.hex) \(entry.codec) at \(entry.offset)"
            + " \(entry.storedSize) \(plain.count)" + (isIndexed ? "" : " not in the index")
    }
}
