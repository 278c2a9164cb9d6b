internal import Bytes
internal import Capturing
internal import Platform
internal import Trees

/// The sources of a snapshot: absolute, without symlinks, sorted, each once.
struct SourceSelection {
    private(set) var sources: [[UInt8]] = []
    /// The repository's place below the source that it lies in.
    private(set) var repositoryInside: [UInt8]?

    private static let sourceLimit = 1000

    init(_ arguments: [[UInt8]], _ access: RepositoryAccess) throws {
        let repository = try access.directory.map { path in try HostSystem.resolve(path) }
        for argument in arguments {
            let source = try resolve(argument)
            if let repository, PathBytes.isInside(source, repository) {
                throw RequestError.sourceInRepository(argument)
            }
            if !sources.contains(source) { sources.append(source) }
        }
        guard sources.count <= Self.sourceLimit else {
            throw RequestError.tooManySources(sources.count, limit: Self.sourceLimit)
        }
        sources.sort { $0.lexicographicallyPrecedes($1) }
        if let repository { repositoryInside = try placeInside(repository) }
    }

    private func resolve(_ argument: [UInt8]) throws(CaptureError) -> [UInt8] {
        do throws(PlatformError) {
            return try HostSystem.resolve(argument)
        } catch {
            throw .source(error)
        }
    }

    /// Patterns are the same for all sources, so one that leaves out the repository must not leave
    /// out something else in another source.
    private func placeInside(_ repository: [UInt8]) throws(RequestError) -> [UInt8]? {
        let holders = sources.filter { Self.isInside(repository, $0) }
        guard let holder = holders.first else { return nil }
        let place = Array(repository.dropFirst(holder.count).drop { $0 == PathBytes.separator })
        for other in sources where other != holder {
            let path = PathBytes.join(other, place)
            guard (try? FileStatus.of(path)) == nil else {
                throw .repositoryHasTwin(source: holder, twin: path)
            }
        }
        return place
    }

    private static func isInside(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        directory == [PathBytes.separator] || PathBytes.isInside(path, directory)
    }

    /// The options, with the repository left out as well.
    func options(_ options: CaptureOptions) -> CaptureOptions {
        var options = options
        if let repositoryPattern { options.filter.patterns.append(line: repositoryPattern) }
        return options
    }

    /// The pattern that leaves out the repository, after gitignore(5).
    private var repositoryPattern: [UInt8]? {
        guard let place = repositoryInside else { return nil }
        let special = Array(#"*?[]\ "#.utf8)
        return place.reduce(into: [PathBytes.separator]) { pattern, byte in
            if special.contains(byte) { pattern.append(UInt8(ascii: "\\")) }
            pattern.append(byte)
        }
    }
}
