/// Why a Parquet file could not be read or written, and where.
package struct ParquetError: Error, Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        /// Fewer bytes remain than the format needs.
        case truncated
        /// A value that the format does not allow, or that contradicts another.
        case invalid
        /// A part of the format that is not read here; `expected` names it.
        case unsupported
        /// More than a named limit of `ReaderLimits` allows.
        case tooLarge
        /// The CRC-32 of a page is not that of its header.
        case checksum
        /// The bytes of the file could not be read or written.
        case inputOutput
    }

    package var kind: Kind
    /// Byte offset in the file, or -1 when the place is not known.
    package var offset: Int64
    /// What the format asks for at this place, or what went wrong, as a noun.
    package var expected: String
    /// The number that the system gave for `.inputOutput`, where it gave one.
    package var systemNumber: Int32?

    package init(
        _ kind: Kind, at offset: Int64, _ expected: String, systemNumber: Int32? = nil
    ) {
        self.kind = kind
        self.offset = offset
        self.expected = expected
        self.systemNumber = systemNumber
    }

    /// The same error, moved by `base` when its offset was relative.
    func moved(by base: Int64) -> ParquetError {
        var moved = self
        moved.offset = offset >= 0 ? base &+ offset : base
        return moved
    }
}

extension ParquetError: CustomStringConvertible {
    package var description: String {
        let place = offset >= 0 ? " at byte \(offset)" : ""
        return switch kind {
        case .truncated: "cut short\(place), expected \(expected)"
        case .invalid: "invalid\(place), expected \(expected)"
        case .unsupported: "not supported\(place): \(expected)"
        case .tooLarge: "over the limit\(place): \(expected)"
        case .checksum: "damaged\(place): \(expected)"
        case .inputOutput: "not accessible\(place): \(expected)"
        }
    }
}
