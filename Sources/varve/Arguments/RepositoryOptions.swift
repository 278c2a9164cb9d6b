internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Repository
internal import SystemPackage

/// Which repository a command is about.
struct RepositoryOptions: ParsableArguments {
    @Option(
        name: [.customShort("r"), .long],
        help: ArgumentHelp(
            "The directory of the repository; VARVE_REPO names it otherwise.",
            valueName: "repo"
        ),
        completion: .directory
    )
    var repo: ByteArgument?

    /// The path that was given.
    func path() throws(UsageError) -> [UInt8] {
        let given = repo?.bytes ?? HostSystem.variable("VARVE_REPO") ?? []
        guard !given.isEmpty else {
            throw UsageError(
                "no repository is named",
                "Name one with --repo, or set VARVE_REPO."
            )
        }
        try Self.refuseRemote(given)
        return given
    }

    /// Opens the repository.
    func open() throws -> Repository {
        let path = try path()
        do {
            return try Repository(try DirectoryStorage(path))
        } catch let error as PlatformError where error.isNotFound {
            throw RepositoryError(.notARepository, PathBytes.printable(path))
        }
    }

    /// `scheme://…`, and `host:path` unless something of that name lies here.
    private static func refuseRemote(_ path: [UInt8]) throws(UsageError) {
        let head = path.prefix { $0 != PathBytes.separator }
        guard let colon = head.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return }
        if (try? FileStatus.following(path)) != nil { return }
        let isURL = path[colon...].starts(with: "://".utf8)
        let name = PathBytes.printable(path)
        throw UsageError(
            isURL
                ? "\(name): repositories at \(PathBytes.printable(head))// are not yet supported"
                : "\(name): repositories on other hosts are not yet supported",
            isURL
                ? "Name a directory; that of another host can be mounted."
                : "For a directory whose name has a colon, write ./\(name)."
        )
    }
}
