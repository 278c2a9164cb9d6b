internal import Bytes

/// A path below a root: no way leads from it to anything outside.
///
/// It has no empty part, no part that is "." or "..", no NUL, and keeps to the limits of length.
/// The empty path is the root itself. Names on Linux are bytes, not text.
package struct RelativePath: Hashable, Sendable {
    package let bytes: [UInt8]

    /// Longest name of one part on Linux (NAME_MAX), in bytes.
    package static let nameLimit = 255
    /// Longest path in bytes: room for 4,000 levels of short names.
    package static let sizeLimit = 128 << 10

    /// The root itself.
    package static let root = RelativePath(unchecked: [])

    /// Takes bytes that somebody else wrote; nil where they break a rule.
    package init?(_ bytes: [UInt8]) {
        guard Self.isValid(bytes) else { return nil }
        self.init(unchecked: bytes)
    }

    private init(unchecked bytes: [UInt8]) { self.bytes = bytes }

    package var isRoot: Bool { bytes.isEmpty }

    /// The last part; empty for the root.
    package var name: [UInt8] { Array(PathBytes.name(bytes)) }

    /// The path of the directory that it is in; the root for what lies at the top, and for itself.
    package var parent: RelativePath { RelativePath(unchecked: PathBytes.parent(bytes)) }

    /// The path of `name` in this directory; nil where `name` is no name, or the path too long.
    package func appending(_ name: [UInt8]) -> RelativePath? {
        guard !name.contains(PathBytes.separator), !name.isEmpty else { return nil }
        return RelativePath(PathBytes.join(bytes, name))
    }

    /// Whether it is `directory`, or lies below it.
    package func isInside(_ directory: RelativePath) -> Bool {
        PathBytes.isInside(bytes, directory.bytes)
    }
}

extension RelativePath: Comparable {
    /// The order of a depth-first walk that visits the names of each directory in byte order.
    package static func < (one: Self, other: Self) -> Bool {
        PathBytes.isBefore(one.bytes, other.bytes)
    }
}

// MARK: - Rules

extension RelativePath {
    /// Whether bytes keep to all the rules.
    package static func isValid(_ path: [UInt8]) -> Bool {
        guard path.count <= sizeLimit else { return false }
        if path.isEmpty { return true }
        var start = 0
        for index in path.indices {
            if path[index] == 0 { return false }
            guard path[index] == PathBytes.separator else { continue }
            guard isValidName(path, start..<index) else { return false }
            start = index + 1
        }
        return isValidName(path, start..<path.count)
    }

    private static func isValidName(_ path: [UInt8], _ range: Range<Int>) -> Bool {
        guard (1...nameLimit).contains(range.count) else { return false }
        let dot = UInt8(ascii: ".")
        return range.count > 2 || path[range.lowerBound] != dot
            || path[range.upperBound - 1] != dot
    }
}
