internal import Bytes
package import Chunking
internal import Platform

/// Makes trees with one of everything that a file system can hold, from a seed.
package struct TestTree {
    package let root: [UInt8]
    private(set) var random: SplitMix64
    private var directories: [[UInt8]] = [[]]
    private var files: [[UInt8]] = []
    private var serial = 0

    package init(_ root: [UInt8], _ seed: Seed) {
        self.root = root
        random = SplitMix64(seed)
    }

    /// Small chunks, so that small files have several.
    package static let chunking: ChunkingParameters = {
        do throws(ChunkingError) {
            return try ChunkingParameters(average: 16 << 10)
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    /// Sizes round every limit of the chunker.
    static let sizes: [Int] = {
        let edges = [0, 1, 511, 512, 4095, 4096, 4097, 100_000]
        return edges
            + [chunking.minimum, chunking.average, chunking.maximum, 2 * chunking.maximum]
            .flatMap { [$0 - 1, $0, $0 + 1] }
    }()

    private static let names: [[UInt8]] = [
        Array("-rf".utf8), Array("two\nlines".utf8), [0xff, 0xfe, 0x80],
        Array(repeating: UInt8(ascii: "n"), count: 255), Array(" ".utf8), Array("~".utf8),
        Array("a\\b\u{1b}[31m".utf8), Array("...".utf8), Array("ä".utf8), Array("a\u{308}".utf8),
        Array("CON".utf8), Array(".tmp-0".utf8), [1], Array("*?[".utf8),
    ]

    private static let moments = [
        Timestamp(seconds: -1_500_000_000, nanoseconds: 1),
        Timestamp(seconds: -1, nanoseconds: 999_999_999), Timestamp(seconds: 0, nanoseconds: 0),
        Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789),
        Timestamp(seconds: 14_000_000_000, nanoseconds: 7),
    ]
}

// MARK: - Making

extension TestTree {
    /// Everything once, and random files besides.
    package mutating func fill(files count: Int = 30) throws {
        for depth in 0..<8 { try addDirectory(depth == 7 ? random.pick(Self.names) : nil) }
        for name in Self.names { try addFile(random.text(random.below(300)), name) }
        for size in Self.sizes { try addFile(random.bytes(size)) }
        for _ in 0..<count { try addFile(someContent()) }
        for holes in 0..<5 { try addSparse(holes) }
        try addLinks()
        try addSymlinks()
        try addSpecial()
        try addAttributes()
        try finish()
    }

    private mutating func someContent() -> [UInt8] {
        switch random.below(3) {
        case 0: random.bytes(random.below(2_000))
        case 1: random.text(random.below(80_000))
        default: [UInt8](repeating: 0, count: random.below(70_000))
        }
    }

    private mutating func newPath(_ name: [UInt8]? = nil) -> [UInt8] {
        serial += 1
        return PathBytes.join(
            random.pick(directories), name ?? Array("\(random.below(100)) \(serial)".utf8))
    }

    private func absolute(_ path: [UInt8]) -> [UInt8] { PathBytes.join(root, path) }

    mutating func addDirectory(_ name: [UInt8]? = nil) throws {
        let path = newPath(name)
        try FileOperations.makeDirectory(absolute(path))
        directories.append(path)
    }

    @discardableResult
    mutating func addFile(_ bytes: [UInt8], _ name: [UInt8]? = nil) throws -> [UInt8] {
        let path = newPath(name)
        // The name may be taken by a directory of the same odd name.
        if (try? FileStatus.of(absolute(path))) != nil { return path }
        try write(bytes, path)
        files.append(path)
        return path
    }

    private func write(_ bytes: [UInt8], _ path: [UInt8]) throws {
        let file = try Descriptor.open(absolute(path), [.writeOnly, .create, .truncate])
        try file.write(bytes.span, at: 0, path)
    }

    /// Data in blocks 2, 5 and 6 of eight: holes at the start, between and at the end, or none of
    /// some of them; kind 4 is all hole.
    private mutating func addSparse(_ kind: Int) throws {
        let block: UInt64 = 64 << 10
        let path = newPath()
        let file = try Descriptor.open(absolute(path), [.writeOnly, .create, .truncate])
        let blocks: [UInt64] = [[2, 5, 6], [0, 5], [7], [0, 7], []][kind]
        for index in blocks {
            try file.write(random.bytes(Int(block)).span, at: index * block, path)
        }
        try file.truncate(to: 8 * block + UInt64(kind), path)
        files.append(path)
    }

    private mutating func addLinks() throws {
        for _ in 0..<3 {
            let existing = random.pick(files)
            for _ in 0...random.below(3) {
                try FileOperations.link(
                    absolute(existing), to: absolute(newPath()), at: Descriptor.workingDirectory)
            }
        }
    }

    private mutating func addSymlinks() throws {
        let targets = [
            "nowhere", "/etc/passwd", "../../../../etc", ".", "..",
            String(repeating: "x", count: 4095),
        ]
        for target in targets.map({ Array($0.utf8) }) + [[0xff, 0x0a]] {
            try addSymlink(to: target)
        }
        let loop = newPath()
        try addSymlink(to: [UInt8](PathBytes.name(loop)), at: loop)
    }

    private mutating func addSymlink(to target: [UInt8], at path: [UInt8]? = nil) throws {
        let path = absolute(path ?? newPath())
        try FileOperations.makeSymlink(path, to: target, at: Descriptor.workingDirectory)
        if HostSystem.isRoot {
            try FileOperations.setOwner(path, uid: 12, gid: 34, at: Descriptor.workingDirectory)
        }
        try FileOperations.setModificationTime(
            path, random.pick(Self.moments), at: Descriptor.workingDirectory)
    }

    private mutating func addSpecial() throws {
        let path = absolute(newPath())
        try FileOperations.makeSpecial(path, .fifo, device: 0, at: Descriptor.workingDirectory)
        try FileOperations.setMode(path, 0o640, at: Descriptor.workingDirectory)
        try FileOperations.setModificationTime(
            path, random.pick(Self.moments), at: Descriptor.workingDirectory)
    }

    /// A plain attribute, an empty one, one of many bytes, and an ACL with a named user.
    private mutating func addAttributes() throws {
        let wanted = [
            ExtendedAttribute(name: Array("user.plain".utf8), value: Array("value".utf8)),
            ExtendedAttribute(name: Array("user.empty".utf8), value: []),
            ExtendedAttribute(name: Array("user.long \u{e4}".utf8), value: random.bytes(1_000)),
        ]
        for path in [random.pick(files), random.pick(directories.dropFirst())] {
            try ExtendedAttributes.write(
                wanted, to: absolute(path), at: Descriptor.workingDirectory)
        }
        for path in [random.pick(files), random.pick(directories.dropFirst())] {
            try ExtendedAttributes.write(
                [Self.accessList], to: absolute(path), at: Descriptor.workingDirectory)
        }
    }

    /// u::rwx,u:1000:r--,g::r--,m::r--,o::--- in the form of acl_xattr_header(7).
    private static let accessList: ExtendedAttribute = {
        var writer = ByteWriter()
        writer.u32(2)
        let none = UInt32.max
        let entries: [(UInt16, UInt16, UInt32)] = [
            (1, 7, none), (2, 4, 1000), (4, 4, none), (16, 4, none), (32, 0, none),
        ]
        for (tag, permission, id) in entries {
            writer.u16(tag)
            writer.u16(permission)
            writer.u32(id)
        }
        return ExtendedAttribute(
            name: Array("system.posix_acl_access".utf8), value: writer.bytes)
    }()
}

// MARK: - Metadata

extension TestTree {
    private static let fileModes: [UInt32] = [0o644, 0o600, 0o755, 0o640, 0o444, 0o4755, 0o2711]
    private static let directoryModes: [UInt32] = [0o755, 0o700, 0o1777, 0o2775, 0o750]

    /// Gives files and directories modes, owners and times; directories last, inner ones first.
    mutating func finish() throws {
        let place = Descriptor.workingDirectory
        for path in files {
            let mode = random.pick(Self.fileModes + (HostSystem.isRoot ? [0, 0o007] : []))
            try setMetadata(path, mode, random.pick(Self.moments))
        }
        for path in directories.reversed() {
            let mode = random.pick(Self.directoryModes + (HostSystem.isRoot ? [0, 0o555] : []))
            if HostSystem.isRoot {
                try FileOperations.setOwner(absolute(path), uid: 5, gid: 6, at: place)
            }
            try FileOperations.setMode(absolute(path), mode, at: place)
        }
        for path in directories.sorted(by: PathBytes.isBefore).reversed() {
            try FileOperations.setModificationTime(
                absolute(path), random.pick(Self.moments), at: place)
        }
    }

    private mutating func setMetadata(
        _ path: [UInt8], _ mode: UInt32, _ time: Timestamp
    ) throws {
        let place = Descriptor.workingDirectory
        if HostSystem.isRoot, random.below(2) == 0 {
            let (uid, gid) = (UInt32(random.below(70_000)), UInt32(random.below(70_000)))
            try FileOperations.setOwner(absolute(path), uid: uid, gid: gid, at: place)
        }
        // A mode would overwrite the mask of an access list.
        let attributes = try ExtendedAttributes.read(absolute(path), at: place)
        if !attributes.contains(Self.accessList) {
            try FileOperations.setMode(absolute(path), mode, at: place)
        }
        try FileOperations.setModificationTime(absolute(path), time, at: place)
    }
}

// MARK: - Changing

extension TestTree {
    /// A night's worth of random changes.
    package mutating func edit(_ count: Int) throws {
        for _ in 0..<count { try editOnce() }
    }

    private mutating func editOnce() throws {
        let place = Descriptor.workingDirectory
        let path = random.pick(files)
        guard try FileStatus.of(absolute(path)).type == .regular else { return }
        var bytes = try Fixtures.read(absolute(path))
        let position = random.below(bytes.count + 1)
        switch random.below(9) {
        case 0 where position < bytes.count: bytes[position] ^= 1
        case 1: bytes.insert(contentsOf: random.bytes(1 + random.below(200)), at: position)
        case 2: bytes.removeSubrange(position..<min(bytes.count, position + random.below(5_000)))
        case 3: bytes += random.bytes(random.below(60_000))
        case 4: bytes.removeLast(bytes.count - position)
        case 5:
            let target = newPath()
            try FileOperations.rename(absolute(path), to: absolute(target), at: place)
            files.removeAll { $0 == path }
            files.append(target)
            return
        case 6:
            try FileOperations.remove(absolute(path), at: place)
            files.removeAll { $0 == path }
            try FileOperations.makeSymlink(absolute(path), to: Array("x".utf8), at: place)
            return
        case 7:
            try addFile(bytes)
            return
        default: bytes.reverse()
        }
        try write(bytes, path)
    }
}

extension SplitMix64 {
    package mutating func pick<Elements: RandomAccessCollection>(
        _ elements: Elements
    ) -> Elements.Element {
        elements[elements.index(elements.startIndex, offsetBy: below(elements.count))]
    }
}
