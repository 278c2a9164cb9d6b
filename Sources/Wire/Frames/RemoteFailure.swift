package import Bytes
package import Platform
package import Repository
internal import SystemPackage

/// Why the other side did not do what it was asked for.
package struct RemoteFailure: Error, Equatable {
    package enum Kind: UInt8, Sendable {
        /// Its system refused; `errno` tells.
        case system = 1
        /// The rights of this session do not go so far.
        case forbidden = 2
        case notARepository = 3
        case alreadyExists = 4
        /// An object or blob there is damaged.
        case damaged = 5
        /// It cannot read a format, or does not know a version or feature.
        case unsupported = 6
        /// What it was sent is not what it should be; nothing was published.
        case invalid = 7
        /// What it needs is not there.
        case missing = 8
        /// This side broke the rules of the conversation.
        case violation = 9
        case other = 10
        /// Another process holds it.
        case held = 11
        /// Others changed the target of a replication; nothing was replaced.
        case changedThere = 12
    }

    package var kind: Kind
    /// The number of `system`; else 0.
    package var errno: Int32
    /// Printable; for `system`, what was tried.
    package var message: String
    /// What it is about, as raw bytes.
    package var object: [UInt8]

    package static let messageLimit = 1_000
    private static let objectLimit = 1_000

    package init(_ kind: Kind, _ message: String, errno: Int32 = 0, object: [UInt8] = []) {
        self.kind = kind
        self.errno = errno
        self.message = message
        self.object = object
    }

    /// Any error that serving ended with.
    package init(_ error: any Error) {
        switch error {
        case let error as RemoteFailure: self = error
        case let error as PlatformError: self.init(error)
        case let error as StorageError: self.init(error)
        case let error as RepositoryError: self.init(error)
        case let error as WireError: self.init(.violation, "\(error)")
        case FrameFault.pipe(let error): self.init(error)
        default: self.init(.other, "\(error)")
        }
    }

    private init(_ error: PlatformError) {
        let message = error.detail.isEmpty ? error.operation : "\(error.operation): \(error.detail)"
        self.init(.system, message, errno: error.errno.rawValue, object: error.path)
    }

    private init(_ error: RepositoryError) {
        let kind: Kind
        switch error.kind {
        case .notARepository: kind = .notARepository
        case .alreadyExists: kind = .alreadyExists
        case .unsupported: kind = .unsupported
        case .damaged: kind = .damaged
        case .missing: kind = .missing
        case .environment(let cause):
            self.init(cause)
            return
        case .storage(let cause):
            self.init(cause)
            return
        }
        self.init(kind, "\(error)", object: Array(error.object.utf8))
    }

    /// What a storage could not do, as a peer is told.
    package init(_ error: StorageError) {
        let kind: Kind
        switch error.kind {
        case .missing: kind = .missing
        case .exists: kind = .alreadyExists
        case .damaged: kind = .damaged
        case .held: kind = .held
        case .refused: kind = .forbidden
        case .unsupported: kind = .unsupported
        case .interrupted, .temporary: kind = .other
        case .environment(let cause):
            self.init(cause)
            return
        }
        self.init(kind, "\(error)", object: Array(error.object.utf8))
    }

    func encode(_ writer: inout ByteWriter) {
        writer.u8(kind.rawValue)
        writer.u32(UInt32(bitPattern: errno))
        writer.string(Array(message.utf8).prefix(Self.messageLimit))
        writer.string(object.prefix(Self.objectLimit))
    }

    package init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        // A reason of a later version is still a failure.
        kind = Kind(rawValue: try reader.u8()) ?? .other
        errno = Int32(bitPattern: try reader.u32())
        message = Self.harmless(try reader.string(limit: Self.messageLimit))
        object = try reader.string(limit: Self.objectLimit)
        try reader.finish()
    }

    /// Text of a peer for a terminal; its backslashes stay, they are escapes already.
    package static func harmless(_ bytes: [UInt8]) -> String {
        bytes.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: false)
            .map { PathBytes.printable($0) }.joined(separator: "\\")
    }
}

extension RemoteFailure: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .system where errno > 0: "\(systemError("the other side"))"
        case _ where object.isEmpty: message
        default: "\(message) (\(PathBytes.printable(object)))"
        }
    }

    /// The same as an error of the storage at `location`.
    package func storageError(_ location: String) -> StorageError {
        let storage: StorageError.Kind
        switch kind {
        case .system where errno > 0: return StorageError(systemError(location))
        case .missing, .notARepository: storage = .missing
        case .alreadyExists: storage = .exists
        case .damaged: storage = .damaged
        case .held: storage = .held
        case .forbidden, .invalid, .changedThere: storage = .refused
        case .unsupported, .violation: storage = .unsupported
        case .system, .other: storage = .temporary
        }
        let name = object.isEmpty ? location : PathBytes.printable(object)
        return StorageError(storage, name, "\(location): \(self)")
    }

    /// A call of the system that failed on the other side.
    private func systemError(_ location: String) -> PlatformError {
        let what = Self.harmless(Array(message.utf8))
        return PlatformError("\(what) on \(location)", object, Errno(rawValue: errno))
    }
}
