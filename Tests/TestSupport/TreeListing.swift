internal import Bytes
internal import Hashing
internal import Platform
package import Testing

/// All that can be told of a tree in the file system, one line for each path, in path order.
///
/// Two trees are equal where their listings are: types, modes, owners, times in nanoseconds,
/// contents, holes, links, attributes. Names are raw bytes; lines show them escaped.
package struct TreeListing {
    private var paths: [(path: [UInt8], text: String)] = []
    private var groups: [LinkKey: [UInt8]] = [:]

    private struct LinkKey: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// The lines of the tree at `path`, which is a directory.
    package static func of(_ path: [UInt8]) throws -> [String] {
        var listing = TreeListing()
        let top = try PinnedDirectory(path)
        try listing.addDirectory([], top, try top.descriptor.status(path))
        return listing.paths.map { PathBytes.printable($0.path) + ": " + $0.text }
    }

    private mutating func addDirectory(
        _ path: [UInt8], _ top: borrowing PinnedDirectory, _ status: FileStatus
    ) throws {
        let directory = try top.open(path, [.readOnly, .directory])
        let attributes = try ExtendedAttributes.read(directory, path)
        add(path, status, attributes, "directory")
        for entry in try directory.list(path) {
            let below = PathBytes.join(path, entry.name)
            let status = try entry.status.get()
            if status.type == .directory {
                try addDirectory(below, top, status)
            } else {
                try addLeaf(below, entry.name, directory, status)
            }
        }
    }

    private mutating func addLeaf(
        _ path: [UInt8], _ name: [UInt8], _ directory: borrowing Descriptor, _ status: FileStatus
    ) throws {
        let attributes = try ExtendedAttributes.read(name, at: directory.raw)
        var text: String
        switch status.type {
        case .regular: text = try Self.content(name, directory, status)
        case .symlink:
            let target = try FileOperations.readLink(name, at: directory.raw)
            text = "symlink to \(PathBytes.printable(target))"
        case .characterDevice, .blockDevice: text = "\(status.type) \(status.specialDevice)"
        default: text = "\(status.type)"
        }
        if status.links > 1 {
            let key = LinkKey(device: status.device, inode: status.inode)
            let first = groups[key] ?? path
            groups[key] = first
            text += " linked with \(PathBytes.printable(first))"
        }
        add(path, status, attributes, text)
    }

    private mutating func add(
        _ path: [UInt8], _ status: FileStatus, _ attributes: [ExtendedAttribute], _ text: String
    ) {
        let mode = String(status.mode, radix: 8)
        var text =
            "\(text) mode \(mode) owner \(status.uid) \(status.gid) "
            + "time \(status.mtime.seconds) \(status.mtime.nanoseconds)"
        for attribute in attributes {
            text += " \(PathBytes.printable(attribute.name))=\(Hex.encode(attribute.value))"
        }
        paths.append((path, text))
    }

    private static func content(
        _ name: [UInt8], _ directory: borrowing Descriptor, _ status: FileStatus
    ) throws -> String {
        let file = try Descriptor.open(
            name, [.readOnly, .noFollow, .nonBlocking], at: directory.raw)
        var hasher = SHA256Hasher()
        var text = "file of \(status.size)"
        var hole: UInt64 = 0
        for extent in try extents(file, status) {
            if extent.offset != hole { text += " hole \(hole)-\(extent.offset)" }
            hole = extent.offset + extent.count
            for offset in stride(from: extent.offset, to: hole, by: 1 << 20) {
                let bytes = try file.read(Int(min(1 << 20, hole - offset)), at: offset, name)
                hasher.update(bytes.span)
            }
        }
        if hole != status.size { text += " hole to the end" }
        return text + " " + hasher.finish().hex.prefix(16)
    }

    private static func extents(
        _ file: borrowing Descriptor, _ status: FileStatus
    ) throws -> [DataExtent] {
        guard status.size > 0 else { return [] }
        guard status.blocks < status.size / 512 else {
            return [DataExtent(offset: 0, count: status.size)]
        }
        return try file.dataExtents(size: status.size, [])
    }
}

/// Expects two listings to be equal; tells of the first lines that are not.
package func expectSame(
    _ before: [String], _ after: [String], _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let changes = after.difference(from: before).map { change in
        switch change {
        case .remove(_, let line, _): "- " + line
        case .insert(_, let line, _): "+ " + line
        }
    }
    let text = changes.prefix(6).joined(separator: "\n")
    #expect(text.isEmpty, comment, sourceLocation: sourceLocation)
}
