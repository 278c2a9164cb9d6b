internal import Bytes
internal import Platform
internal import Remote

/// Keeps targets apart from what they are made of.
enum TargetCheck {
    /// Refuses a target in the repository, and one that holds it when the rest is to be removed.
    static func restore(
        _ target: [UInt8], _ repository: RepositoryAccess, deletes: Bool
    ) throws {
        guard let directory = repository.directory else { return }
        let repository = try HostSystem.resolve(directory)
        let resolved = try resolve(target)
        if PathBytes.isInside(resolved, repository) {
            throw RequestError.targetInRepository(target)
        }
        let isRoot = resolved == [PathBytes.separator]
        if deletes, isRoot || PathBytes.isInside(repository, resolved) {
            throw RequestError.repositoryInTarget(target)
        }
    }

    /// Refuses a target that holds another place, or lies in it.
    ///
    /// A target on another host lies apart.
    static func apart(
        _ target: RepositoryLocation, named name: [UInt8], from other: [UInt8],
        _ place: RequestError.Place
    ) throws {
        guard case .directory(let path) = target else { return }
        let resolved = try resolve(path)
        let isApart =
            resolved != [PathBytes.separator] && other != [PathBytes.separator]
            && !PathBytes.isInside(resolved, other) && !PathBytes.isInside(other, resolved)
        guard isApart else { throw RequestError.nested(target: name, place) }
    }

    /// Where a text says that a target is.
    static func location(_ text: [UInt8]) throws(RequestError) -> RepositoryLocation {
        do throws(LocationError) {
            return try RepositoryLocation(parsing: text)
        } catch {
            throw .location(error)
        }
    }

    /// The absolute path of what may not be there yet.
    private static func resolve(_ path: [UInt8]) throws(PlatformError) -> [UInt8] {
        do throws(PlatformError) {
            return try HostSystem.resolve(path)
        } catch {
            let trimmed = path.lastIndex { $0 != PathBytes.separator }.map { Array(path[...$0]) }
            guard error.isNotFound, let trimmed else { throw error }
            let parent = PathBytes.parent(trimmed)
            let isAbsolute = trimmed.first == PathBytes.separator
            let above = parent.isEmpty ? Array((isAbsolute ? "/" : ".").utf8) : parent
            return PathBytes.join(try resolve(above), Array(PathBytes.name(trimmed)))
        }
    }
}
