package import Platform

internal import Bytes
internal import JSON
package import Parquet
internal import SystemPackage

/// Why a table could not be read or changed.
package struct TableLogError: Error, Equatable {
    package enum Kind: Equatable, Sendable {
        /// There is no table in the directory.
        case notATable
        /// The table has no such version, or no longer.
        case noSuchVersion
        /// A file of the log does not say what it must.
        case damaged
        /// The table uses something that is not understood here; `detail` names it.
        case unsupported
        /// Another writer was first, and what it did contradicts what was to be done.
        case conflict
        /// What was asked for cannot be; `detail` says why.
        case refused
        /// The file system did not do what it was asked to; `cause` says more.
        case environment
    }

    package var kind: Kind
    /// The file of the log or the table that it is about, or empty.
    package var file: String
    package var detail: String
    package var cause: PlatformError?
    /// Whether the file is there, though perhaps not durable: what failed came after its rename.
    package var isPublished = false
    /// Whether the table consists of a file that does not lie below its directory.
    package var isOutside = false

    package init(
        _ kind: Kind, _ file: String, _ detail: String, cause: PlatformError? = nil
    ) {
        self.kind = kind
        self.file = MessageText.harmless(file)
        self.detail = MessageText.harmless(detail)
        self.cause = cause
    }

    /// About a file that does not lie below the directory of the table.
    static func outside(_ file: ExactText, _ detail: String) -> TableLogError {
        var error = TableLogError(.unsupported, file.string, detail)
        error.isOutside = true
        return error
    }

    init(_ error: PlatformError, _ file: String) {
        self.init(.environment, file, "\(error)", cause: error)
    }

    init(_ error: ParquetError, _ file: String) {
        guard let cause = error.systemError(file) else {
            self.init(error.kind == .unsupported ? .unsupported : .damaged, file, "\(error)")
            return
        }
        self.init(.environment, "", error.expected, cause: cause)
    }

    init(_ error: JSONError, _ file: String) { self.init(.damaged, file, "\(error)") }
}

extension ParquetError {
    /// What the system refused, nil when the bytes themselves are at fault.
    package func systemError(_ file: String) -> PlatformError? {
        systemNumber.map { PlatformError("access", Array(file.utf8), Errno(rawValue: $0)) }
    }
}

extension TableLogError: CustomStringConvertible {
    package var description: String { file.isEmpty ? detail : "\(file): \(detail)" }
}
