package import Bytes
package import Platform
internal import SystemPackage

/// Why a storage did not do what it was asked for.
package struct StorageError: Error, Equatable {
    /// What kept the storage from doing it.
    package enum Kind: Equatable, Sendable {
        /// There is no object of that name.
        case missing
        /// An object or directory that must not be there, is.
        case exists
        /// The object's bytes cannot be what was written.
        case damaged
        /// Another process holds what is needed.
        case held
        /// The rights of this user or key do not go so far, or what was sent was not accepted.
        case refused
        /// The storage does not know this kind of object, or speaks another version.
        case unsupported
        /// This side gave up what it had begun.
        case interrupted
        /// The storage cannot be reached now; the same step may succeed later.
        case temporary
        /// A call of the system failed, here or on the host of the storage.
        case environment(PlatformError)
    }

    /// Decides what to do about it.
    package var kind: Kind
    /// The object, as a path below the repository, or the place of the storage; printable.
    package var object: String
    /// What is known beyond the kind: a whole clause, printable; empty when nothing is.
    package var detail: String

    /// An error about an object in words, such as its path.
    package init(_ kind: Kind, _ object: String, _ detail: String = "") {
        self.kind = kind
        self.object = object
        self.detail = detail
    }

    /// An error about an object by its name.
    package init(_ kind: Kind, _ name: ObjectName, _ detail: String = "") {
        self.init(kind, name.path, detail)
    }

    /// A call of the system about an object: a name that is not there is `missing`, one that is in
    /// the way `exists`.
    package init(_ error: PlatformError) {
        let kind: Kind =
            switch error.errno {
            case .noSuchFileOrDirectory: .missing
            case .fileExists: .exists
            default: .environment(error)
            }
        self.init(kind, PathBytes.printable(error.path))
    }
}

extension StorageError: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        guard detail.isEmpty else { return detail }
        return switch kind {
        case .missing: "\(object): missing"
        case .exists: "\(object): already there"
        case .damaged: "\(object): damaged"
        case .held: "\(object): held by another process"
        case .refused: "\(object): not allowed"
        case .unsupported: "\(object): not supported"
        case .interrupted: "\(object): given up"
        case .temporary: "\(object): cannot be reached now"
        case .environment(let error): "\(error)"
        }
    }
}

/// Runs calls of the system; what they throw becomes an error of storage.
func asStorage<Value>(
    _ body: () throws(PlatformError) -> Value
) throws(StorageError) -> Value {
    do throws(PlatformError) {
        return try body()
    } catch {
        throw StorageError(error)
    }
}
