package import Bytes
package import Platform
internal import SystemPackage

/// What a target could not hold, or give up, and why; everything else was done.
package struct TargetFailure: Error, Hashable, Sendable {
    /// What was not done.
    package enum Kind: UInt8, Sendable {
        case owner = 1
        /// The extended attribute `attribute`.
        case attribute = 2
        case mode = 3
        case time = 4
        /// A symlink or special file was not made.
        case notMade = 5
        /// Something that is gone at the source is still there.
        case notRemoved = 6
    }

    /// Of the failure.
    package var kind: Kind
    /// Below the target.
    package var path: [UInt8]
    /// Name of the attribute; empty for other kinds.
    package var attribute: [UInt8]
    /// As in errno(3).
    package var errno: Int32

    /// A failure with the number of the system.
    package init(_ kind: Kind, _ path: [UInt8], attribute: [UInt8] = [], errno: Int32) {
        self.kind = kind
        self.path = path
        self.attribute = attribute
        self.errno = errno
    }

    package init(
        _ kind: Kind, _ path: [UInt8], attribute: [UInt8] = [], _ error: PlatformError
    ) {
        self.init(kind, path, attribute: attribute, errno: error.errno.rawValue)
    }

    /// Whether the next run tries it again.
    package var isRetried: Bool { kind == .notMade || kind == .notRemoved }

    /// What the system said.
    package var reason: String { "\(Errno(rawValue: errno))" }
}

// In a record: kind (1), name of the attribute (varint count, bytes), errno (4). The path comes
// before.

extension TargetFailure {
    /// Appends the failure, without its path.
    package func encode(into writer: inout ByteWriter) {
        writer.u8(kind.rawValue)
        writer.string(attribute)
        writer.u32(UInt32(bitPattern: errno))
    }

    package init(_ path: [UInt8], decoding reader: inout ByteReader) throws(MalformedBytes) {
        guard let kind = Kind(rawValue: try reader.u8()) else {
            throw reader.invalid("a known kind of failure")
        }
        let attribute = try reader.string(limit: Self.attributeLimit)
        self.init(
            kind, path, attribute: attribute, errno: Int32(bitPattern: try reader.u32()))
    }

    /// The kernel's limit of a name (XATTR_NAME_MAX).
    private static let attributeLimit = 255
}

/// What a target could not do, each once; the first of them by name.
package struct TargetFailures: Sendable {
    /// The first of them.
    package private(set) var listed: [TargetFailure] = []
    /// All of them, listed or not.
    package private(set) var count: UInt64 = 0
    private var known: Set<TargetFailure> = []

    /// More are counted only.
    package static let limit = 1000

    /// No failure yet.
    package init() {}

    /// Adds a failure that is not known yet.
    package mutating func note(_ failure: TargetFailure) {
        guard !known.contains(failure) else { return }
        count += 1
        guard listed.count < Self.limit else { return }
        known.insert(failure)
        listed.append(failure)
    }
}
