internal import Bytes
internal import Platform
internal import SystemPackage

/// Where a migration reads and writes, after the places were found to be possible.
struct PlaceCheck {
    /// Absolute, without symlinks.
    let source: [UInt8]
    let target: [UInt8]
    let journal: [UInt8]

    init(_ request: MigrationRequest) throws(MigrationError) {
        let source = try reading { () throws(PlatformError) in
            try HostSystem.resolve(request.source)
        }
        let isDirectory = try reading { () throws(PlatformError) in
            try FileStatus.following(source).type == .directory
        }
        guard isDirectory else {
            throw .refused(.sourceIsNoDirectory(request.source))
        }
        let target = try writing { () throws(PlatformError) in
            try Self.resolve(request.target)
        }
        let place = request.journal ?? MigrationJournal.usualPlace(target)
        journal = try journaling { () throws(PlatformError) in try Self.resolve(place) }
        self.source = source
        self.target = target
        try checkNesting(request)
    }

    private func checkNesting(_ request: MigrationRequest) throws(MigrationError) {
        guard source != target else {
            throw .refused(.overlapping(.same, source: source, target: target))
        }
        guard !Self.isInside(target, source) else {
            throw .refused(.overlapping(.targetInSource, source: source, target: target))
        }
        guard !Self.isInside(source, target) else {
            throw .refused(.overlapping(.sourceInTarget, source: source, target: target))
        }
        guard !Self.isInside(journal, source), !Self.isInside(journal, target) else {
            throw .refused(.journalInside(Self.isInside(journal, source) ? source : target))
        }
    }

    static func isInside(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        directory == [PathBytes.separator] || PathBytes.isInside(path, directory)
    }

    /// Refuses a target that holds anything; one that is not there is fine.
    func checkEmpty() throws(MigrationError) {
        let names: [[UInt8]]
        do throws(PlatformError) {
            names = try Descriptor.open(target, [.readOnly, .directory]).names(target)
        } catch {
            switch error.errno {
            case .noSuchFileOrDirectory: return
            case .notDirectory:
                throw .refused(.targetIsNoDirectory(target))
            default: throw .target(error)
            }
        }
        // What a new file system has.
        let found = names.filter { $0 != Array("lost+found".utf8) }
        guard let first = found.sorted(by: { $0.lexicographicallyPrecedes($1) }).first else {
            return
        }
        throw .refused(
            .targetNotEmpty(
                target, first: first, others: found.count - 1, journal: journal))
    }

    /// The absolute path of what may not be there yet; the directory that it lies in must be.
    private static func resolve(_ path: [UInt8]) throws(PlatformError) -> [UInt8] {
        do throws(PlatformError) {
            return try HostSystem.resolve(path)
        } catch {
            let trimmed = path.lastIndex { $0 != PathBytes.separator }.map { Array(path[...$0]) }
            guard error.errno == .noSuchFileOrDirectory, let trimmed else { throw error }
            let parent = PathBytes.parent(trimmed)
            let isAbsolute = trimmed.first == PathBytes.separator
            let above = parent.isEmpty ? Array((isAbsolute ? "/" : ".").utf8) : parent
            let name = Array(PathBytes.name(trimmed))
            let base = try HostSystem.resolve(above)
            return base == [PathBytes.separator] ? base + name : PathBytes.join(base, name)
        }
    }
}
