package import Platform

internal import Bytes
internal import JSON
internal import Parquet
internal import TableLog

/// Why something could not be done with a table.
package struct TableStoreError: Error, Equatable {
    package enum Kind: Equatable, Sendable {
        /// A list of columns, or values in a filter, that do not fit the table.
        case request
        /// A filter that is not written as filters are.
        case filter
        /// A schema that is not written as schemas are.
        case schema
        /// Input that does not fit the table.
        case input
        /// The first line of a file of CSV that contradicts how it is to be read.
        case header
        /// A file outside of the table that could not be read or written; `cause` says why.
        case file
        /// There is no table in the directory.
        case notATable
        /// There is a table in the directory already.
        case alreadyExists
        /// The table has no such version, or no longer.
        case noSuchVersion
        /// A file of the table does not hold what it must.
        case damaged
        /// Something that is not understood here; `detail` names it.
        case unsupported
        /// Another writer was first, and what it did contradicts what was to be done.
        case conflict
        /// What was asked for is not allowed; `detail` says why.
        case refused
        /// The file system did not do what it was asked to; `cause` says more.
        case environment
        /// SIGINT or SIGTERM was received; `signal` is which.
        case interrupted
    }

    package var kind: Kind
    /// The file that it is about, or empty.
    package var file: String
    package var detail: String
    package var cause: PlatformError?
    package var signal: CInt = 0
    /// Whether a commit is there, though perhaps not durable.
    package var isCommitted = false
    /// Whether something was removed before that is not brought back.
    package var isPartial = false

    package init(
        _ kind: Kind, _ file: String, _ detail: String, cause: PlatformError? = nil
    ) {
        self.kind = kind
        self.file = MessageText.harmless(file)
        self.detail = MessageText.harmless(detail)
        self.cause = cause
    }

    init(_ error: PlatformError, _ file: String = "") {
        self.init(.environment, file, "\(error)", cause: error)
    }

    /// About a file that is no part of a table.
    init(outside error: PlatformError) { self.init(.file, "", "\(error)", cause: error) }

    init(_ error: Interrupted) {
        self.init(.interrupted, "", "interrupted")
        signal = error.signal
    }

    init(_ error: ParquetError, _ file: String) {
        guard let cause = error.systemError(file) else {
            self.init(error.kind == .unsupported ? .unsupported : .damaged, file, "\(error)")
            return
        }
        self.init(.environment, "", error.expected, cause: cause)
    }

    init(_ error: TableLogError) {
        let kind: Kind =
            switch error.kind {
            case .notATable: .notATable
            case .noSuchVersion: .noSuchVersion
            case .damaged: .damaged
            case .unsupported: .unsupported
            case .conflict: .conflict
            case .refused: .refused
            case .environment: .environment
            }
        self.init(kind, error.file, error.detail, cause: error.cause)
        isCommitted = error.isPublished
    }

    static func request(_ detail: String) -> TableStoreError {
        TableStoreError(.request, "", detail)
    }
}

extension TableStoreError {
    /// Whether the file that it is about is one of the log.
    package var isAboutLog: Bool {
        let name = file.split(separator: "/").last ?? ""
        return file.hasPrefix("_delta_log/")
            || name.count > 20 && name.prefix(20).allSatisfy(\.isNumber) && name.hasSuffix(".json")
    }
}

extension TableStoreError: CustomStringConvertible {
    package var description: String { file.isEmpty ? detail : "\(file): \(detail)" }
}

// MARK: - Crossing from the modules below
func logged<Value>(
    _ body: () throws(TableLogError) -> Value
) throws(TableStoreError) -> Value {
    do throws(TableLogError) {
        return try body()
    } catch {
        throw TableStoreError(error)
    }
}

func parqueted<Value>(
    _ file: String, _ body: () throws(ParquetError) -> Value
) throws(TableStoreError) -> Value {
    do throws(ParquetError) {
        return try body()
    } catch {
        throw TableStoreError(error, file)
    }
}

func calling<Value: ~Copyable>(
    _ file: String, _ body: () throws(PlatformError) -> Value
) throws(TableStoreError) -> Value {
    do throws(PlatformError) {
        return try body()
    } catch {
        throw TableStoreError(error, file)
    }
}

/// For files that are no part of a table.
func callingOutside<Value: ~Copyable>(
    _ body: () throws(PlatformError) -> Value
) throws(TableStoreError) -> Value {
    do throws(PlatformError) {
        return try body()
    } catch {
        throw TableStoreError(outside: error)
    }
}

func checkInterruption() throws(TableStoreError) {
    do throws(Interrupted) {
        try Interruption.check()
    } catch {
        throw TableStoreError(error)
    }
}
