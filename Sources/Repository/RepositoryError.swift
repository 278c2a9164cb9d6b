package import Bytes
internal import Compression
package import Platform
internal import SystemPackage

/// What went wrong with a repository, and with which of its objects.
package struct RepositoryError: Error {
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
        /// The system refused.
        case environment(PlatformError)
    }

    package var kind: Kind
    /// The object, as a path below the repository, with a place in it where known.
    package var object: String

    package init(_ kind: Kind, _ object: String) {
        self.kind = kind
        self.object = object
    }

    package init(_ kind: Kind, _ name: ObjectName) { self.init(kind, name.path) }

    package init(_ error: MalformedBytes, _ name: ObjectName) {
        let isUnsupported = error.kind == .unsupported
        self.init(isUnsupported ? .unsupported("\(error)") : .damaged("\(error)"), name.path)
    }

    package init(_ error: PlatformError, _ name: ObjectName) {
        self.init(error.errno == .noSuchFileOrDirectory ? .missing : .environment(error), name.path)
    }

    package var isMissing: Bool { if case .missing = kind { true } else { false } }

    /// Whether it names a format or feature that this version cannot read.
    package var isUnsupported: Bool { if case .unsupported = kind { true } else { false } }

    /// Whether other objects may be fine: damage, or a format that only a newer varve reads.
    package var concernsOneObject: Bool {
        if case .unsupported = kind { true } else { isDamage }
    }

    package var isDamage: Bool {
        switch kind {
        case .damaged, .missing: true
        default: false
        }
    }
}

extension RepositoryError: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .notARepository: "\(object): not a varve repository"
        case .alreadyExists: "\(object): already exists and is not empty"
        case .unsupported(let what): "\(object): \(what)"
        case .damaged(let why): "\(object): damaged: \(why)"
        case .missing: "\(object): missing"
        case .environment(let error): "\(object): \(error)"
        }
    }
}

/// Runs `body`, turning what it throws of other kinds into an error about `name`.
func about<Value>(
    _ name: ObjectName, _ body: () throws -> Value
) throws(RepositoryError) -> Value {
    do {
        return try body()
    } catch let error as RepositoryError {
        throw error
    } catch let error as PlatformError {
        throw RepositoryError(error, name)
    } catch let error as MalformedBytes {
        throw RepositoryError(error, name)
    } catch {
        throw RepositoryError(.damaged("\(error)"), name)
    }
}
