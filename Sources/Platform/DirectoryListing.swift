internal import SystemPackage

internal import CLinux
internal import Glibc

/// A name in a directory with its status, or with why the status could not be read.
package struct DirectoryEntry: Sendable {
    package var name: [UInt8]
    package var status: Result<FileStatus, PlatformError>
}

extension Descriptor {
    /// Large enough that 100,000 names take a few dozen calls; glibc's readdir uses 32 KiB.
    private static let listingBufferSize = 256 << 10

    /// Lists the open directory with the status of each name, sorted by name bytes.
    ///
    /// Names that vanish between the listing and their status are left out.
    package func list(_ path: [UInt8]) throws(PlatformError) -> [DirectoryEntry] {
        var names = NameList()
        try unsafe forEachName(path) { name in unsafe names.append(name) }
        var entries: [DirectoryEntry] = []
        entries.reserveCapacity(names.count)
        unsafe names.forEachSorted { name in
            let entry = unsafe entry(name)
            if case .failure(let error) = entry.status, error.isNotFound { return }
            entries.append(entry)
        }
        return entries
    }

    /// The names in the open directory, in no order.
    package func names(_ path: [UInt8]) throws(PlatformError) -> [[UInt8]] {
        var names: [[UInt8]] = []
        try unsafe forEachName(path) { name in unsafe names.append(Self.bytes(name)) }
        return names
    }

    /// A name in a directory with its type, as far as the file system tells in the listing.
    package typealias TypedName = (name: [UInt8], type: FileType)

    /// The names in the open directory with their types, sorted by name bytes, without asking for
    /// the status of each; `unknown` where the file system does not tell.
    package func typedNames(_ path: [UInt8]) throws(PlatformError) -> [TypedName] {
        var names: [TypedName] = []
        try unsafe forEachName(path) { name in
            // `d_type` stands before the name (struct linux_dirent64).
            let type = unsafe UInt8(bitPattern: (name - 1).pointee)
            let bytes = unsafe UnsafeRawBufferPointer(start: name, count: strlen(name))
            names.append((unsafe Array(bytes), FileType(directoryType: type)))
        }
        return names.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    private static func bytes(_ name: UnsafePointer<CChar>) -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: name, count: strlen(name)))
    }

    private func entry(_ name: UnsafePointer<CChar>) -> DirectoryEntry {
        var status = varve_status()
        while unsafe varve_statx(raw, name, AT_SYMLINK_NOFOLLOW, &status) != 0 {
            guard Glibc.errno != EINTR else { continue }
            let failure = unsafe PlatformError.last("stat", Self.bytes(name))
            return unsafe DirectoryEntry(name: Self.bytes(name), status: .failure(failure))
        }
        return unsafe DirectoryEntry(
            name: Self.bytes(name), status: .success(FileStatus(status)))
    }

    /// Calls `body` with each name but "." and ".." (getdents64(2), struct linux_dirent64).
    private func forEachName(
        _ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Void
    ) throws(PlatformError) {
        let capacity = Self.listingBufferSize
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 8)
        defer { unsafe buffer.deallocate() }
        _ = Glibc.lseek(raw, 0, SEEK_SET)
        while true {
            let filled = try retrying("list", path) {
                unsafe varve_getdents64(raw, buffer, UInt(capacity))
            }
            if filled == 0 { return }
            var record = 0
            while record < filled {
                let length = unsafe buffer.load(fromByteOffset: record + 16, as: UInt16.self)
                let name = unsafe (buffer + record + 19).assumingMemoryBound(to: CChar.self)
                if unsafe strcmp(name, ".") != 0, unsafe strcmp(name, "..") != 0 {
                    unsafe body(name)
                }
                record += Int(length)
            }
        }
    }
}

extension FileType {
    /// The numbers of readdir(3).
    fileprivate init(directoryType: UInt8) {
        switch directoryType {
        case 1: self = .fifo
        case 2: self = .characterDevice
        case 4: self = .directory
        case 6: self = .blockDevice
        case 8: self = .regular
        case 10: self = .symlink
        case 12: self = .socket
        default: self = .unknown
        }
    }
}

/// Names of one directory in one block of memory: an array for each, only to sort them, would cost
/// more than to ask for their status.
private struct NameList {
    /// Each with its terminating NUL, which sorts before every byte of a name.
    private var bytes: [CChar] = []
    private var places: [Int] = []

    var count: Int { places.count }

    mutating func append(_ name: UnsafePointer<CChar>) {
        places.append(bytes.count)
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: name, count: strlen(name) + 1))
    }

    /// Calls `body` with each name, in the order of bytes.
    mutating func forEachSorted(_ body: (UnsafePointer<CChar>) -> Void) {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return }
            places.sort { unsafe strcmp(start + $0, start + $1) < 0 }
            for place in places { unsafe body(start + place) }
        }
    }
}

/// A directory held open; everything is reached below it, never through a symlink.
///
/// Paths may be longer than PATH_MAX: they are walked in pieces.
package struct PinnedDirectory: ~Copyable, Sendable {
    package let descriptor: Descriptor
    /// As the user named it; for messages.
    package let path: [UInt8]

    /// Longest path given to one call, below PATH_MAX (4096 with its NUL).
    private static let longestPiece = 3_000

    /// Opens `path`, which may itself be reached through symlinks: the user named it.
    package init(_ path: [UInt8]) throws(PlatformError) {
        descriptor = try Descriptor.open(path, [.readOnly, .directory])
        self.path = path
    }

    /// Takes over a directory that is open; `path` is what messages call it.
    package init(_ descriptor: consuming Descriptor, _ path: [UInt8]) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Opens `relative` below the directory; the empty path is the directory itself.
    package func open(
        _ relative: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0
    )
        throws(PlatformError) -> Descriptor
    {
        if relative.isEmpty { return try Descriptor.open([0x2e], flags, at: descriptor.raw) }
        return try Self.open(relative[...], flags, at: descriptor.raw, mode: mode)
    }

    private static func open(
        _ relative: ArraySlice<UInt8>, _ flags: OpenFlags, at directory: CInt, mode: UInt32
    ) throws(PlatformError) -> Descriptor {
        guard relative.count > longestPiece,
            let slash = relative.prefix(longestPiece).lastIndex(of: 0x2f)
        else {
            return try Descriptor.openBeneath(Array(relative), flags, at: directory, mode: mode)
        }
        let next = try Descriptor.openBeneath(
            Array(relative[..<slash]), [.pathOnly, .directory], at: directory)
        return try open(relative[(slash + 1)...], flags, at: next.raw, mode: mode)
    }
}
