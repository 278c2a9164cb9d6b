internal import Bytes
internal import Platform

/// A new directory that is removed with everything in it when the last reference goes.
///
/// Removal copes with directories that may not be written and with trees of any depth.
package final class TemporaryDirectory: Sendable {
    package let path: [UInt8]

    /// With `inMemory`, the directory lies in memory where the system has a place for that.
    package init(inMemory: Bool = false) throws {
        var base = HostSystem.variable("TMPDIR") ?? Array("/tmp".utf8)
        if inMemory, (try? FileStatus.following(Self.memory))?.type == .directory {
            base = Self.memory
        }
        let name = "varve-test-" + Hex.encode(HostSystem.randomBytes(8))
        path = PathBytes.join(base, Array(name.utf8))
        try FileOperations.makeDirectory(path, mode: 0o700)
    }

    /// Where Linux has files in memory for everyone (shm_open(3)).
    private static let memory = Array("/dev/shm".utf8)

    deinit { try? Self.remove(path) }

    package var text: String { String(decoding: path, as: UTF8.self) }

    /// The path of `relative` in the directory.
    package func path(_ relative: String) -> [UInt8] {
        PathBytes.join(path, Array(relative.utf8))
    }

    /// Makes a file with the directories above it, and returns its path.
    @discardableResult
    package func write(_ bytes: [UInt8], _ relative: String) throws -> [UInt8] {
        try Self.write(bytes, Array(relative.utf8), in: path)
    }

    /// Makes `relative` and the directories above it, where they are missing.
    package func makeDirectories(_ relative: [UInt8]) throws {
        try Self.makeDirectories(relative, in: path)
    }

    @discardableResult
    static func write(_ bytes: [UInt8], _ relative: [UInt8], in base: [UInt8]) throws -> [UInt8] {
        try makeDirectories(PathBytes.parent(relative), in: base)
        let path = PathBytes.join(base, relative)
        let file = try Descriptor.open(path, [.writeOnly, .create, .truncate])
        try file.write(bytes.span, at: 0, path)
        return path
    }

    private static func makeDirectories(_ relative: [UInt8], in base: [UInt8]) throws {
        guard !relative.isEmpty else { return }
        try makeDirectories(PathBytes.parent(relative), in: base)
        let path = PathBytes.join(base, relative)
        do throws(PlatformError) {
            try FileOperations.makeDirectory(path)
        } catch {
            guard try FileStatus.following(path).type == .directory else { throw error }
        }
    }

    /// Reads a whole file.
    package func read(_ relative: String) throws -> [UInt8] {
        try Fixtures.read(path(relative))
    }

    /// Removes a tree; what lies deeper is first moved to the top, so that no path grows long.
    package static func remove(_ path: [UInt8]) throws {
        try? FileOperations.setMode(path, 0o700, at: Descriptor.workingDirectory)
        let top = try Descriptor.open(path, [.readOnly, .directory])
        var moved = 0
        while case let names = try top.names(path), !names.isEmpty {
            for name in names { try remove(name, in: top, &moved) }
        }
        try FileOperations.remove(path, isDirectory: true)
    }

    private static func remove(
        _ name: [UInt8],
        in top: borrowing Descriptor,
        _ moved: inout Int
    ) throws {
        guard try FileStatus.of(name, at: top.raw).type == .directory else {
            return try FileOperations.remove(name, at: top.raw)
        }
        try FileOperations.setMode(name, 0o700, at: top.raw)
        let directory = try Descriptor.open(name, [.readOnly, .directory, .noFollow], at: top.raw)
        for entry in try directory.list(name) {
            guard try entry.status.get().type == .directory else {
                try FileOperations.remove(entry.name, at: directory.raw)
                continue
            }
            try FileOperations.setMode(entry.name, 0o700, at: directory.raw)
            moved += 1
            try FileOperations.rename(
                entry.name,
                to: Array(".moved-\(moved)".utf8),
                at: directory.raw,
                toDirectory: top.raw
            )
        }
        try FileOperations.remove(name, at: top.raw, isDirectory: true)
    }
}
