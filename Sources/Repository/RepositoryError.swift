package import Bytes
internal import Compression
package import Platform
internal import SystemPackage

/// What went wrong with a repository, and with which of its objects.
package struct RepositoryError: Error {
    /// Decides what an error means for the data.
    package enum Kind: Sendable {
        /// There is no repository at the place.
        case notARepository
        /// `init` found something at the place.
        case alreadyExists
        /// A format of another version, or a feature that this version cannot read.
        case unsupported(String)
        /// Bytes that are not what was written.
        case damaged(String)
        /// An object or blob that something refers to is not there.
        case missing
        /// A call of the system failed.
        case environment(PlatformError)
        /// The storage could not do it: held, refused, unsupported, given up or out of reach.
        case storage(StorageError)
    }

    /// What went wrong.
    package var kind: Kind
    /// The object, as a path below the repository, with a place in it where known.
    package var object: String

    /// An error about an object in words.
    package init(_ kind: Kind, _ object: String) {
        self.kind = kind
        self.object = object
    }

    /// An error about an object by its name.
    package init(_ kind: Kind, _ name: ObjectName) { self.init(kind, name.path) }

    /// Bytes of an object that do not decode.
    package init(_ error: MalformedBytes, _ name: ObjectName) {
        let isUnsupported = error.kind == .unsupported
        self.init(isUnsupported ? .unsupported("\(error)") : .damaged("\(error)"), name.path)
    }

    /// What a storage could not do with an object.
    package init(_ error: StorageError, _ name: ObjectName) { self.init(error, name.path) }

    init(_ error: StorageError, _ object: String) {
        switch error.kind {
        case .missing: self.init(.missing, object)
        case .damaged: self.init(.damaged(error.detail), object)
        case .environment(let cause): self.init(.environment(cause), object)
        case .exists, .held, .refused, .unsupported, .interrupted, .temporary:
            self.init(.storage(error), object)
        }
    }

    /// Whether the object is not there.
    package var isMissing: Bool { if case .missing = kind { true } else { false } }

    /// Whether it names a format or feature that this version cannot read.
    package var isUnsupported: Bool { if case .unsupported = kind { true } else { false } }

    /// Whether other objects may be fine: damage, or a format that only a newer varve reads.
    package var concernsOneObject: Bool {
        if case .unsupported = kind { true } else { isDamage }
    }

    /// Whether the storage did not accept it, or the rights do not go so far.
    package var isRefusal: Bool {
        if case .storage(let error) = kind { error.kind == .refused } else { false }
    }

    /// Whether an object is damaged or not there: other objects may be fine.
    package var isDamage: Bool {
        switch kind {
        case .damaged, .missing: true
        default: false
        }
    }
}

extension RepositoryError: CustomStringConvertible {
    /// One line for people, without a full stop.
    package var description: String {
        switch kind {
        case .notARepository: "\(object): not a varve repository"
        case .alreadyExists: "\(object): already exists and is not empty"
        case .unsupported(let what): "\(object): \(what)"
        case .damaged(let why): "\(object): damaged: \(why)"
        case .missing: "\(object): missing"
        case .environment(let error): "\(object): \(error)"
        case .storage(let error): "\(object): \(error)"
        }
    }
}

/// What may go wrong with an object while it is read, written or decoded.
protocol ObjectFault: Error {
    /// The same, as an error about the object.
    func about(_ name: ObjectName) -> RepositoryError
}

extension RepositoryError: ObjectFault {
    func about(_ name: ObjectName) -> RepositoryError { self }
}

extension StorageError: ObjectFault {
    func about(_ name: ObjectName) -> RepositoryError { RepositoryError(self, name) }
}

extension MalformedBytes: ObjectFault {
    func about(_ name: ObjectName) -> RepositoryError { RepositoryError(self, name) }
}

/// Runs `body`; what it throws becomes an error about `name`.
func about<Value, Fault: ObjectFault>(
    _ name: ObjectName, _ body: () throws(Fault) -> Value
) throws(RepositoryError) -> Value {
    do throws(Fault) {
        return try body()
    } catch {
        throw error.about(name)
    }
}
