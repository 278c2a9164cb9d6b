internal import Bytes
internal import Platform
internal import Trees

/// The files that a watch itself writes into the store that it follows.
///
/// They are no part of the store: a watch that took them for changes would wake itself for ever.
struct OwnFiles: Sendable {
    /// Absolute paths that begin with the store.
    let paths: Set<[UInt8]>
    private let store: [UInt8]

    /// `store` is an absolute path without symlinks; `files` are named by a user.
    init(_ files: [[UInt8]], in store: [UInt8]) {
        self.store = store
        var paths: Set<[UInt8]> = []
        for file in files {
            let parent = PathBytes.parent(file)
            let isAtTop = parent.isEmpty && file.first == PathBytes.separator
            let named = isAtTop ? [PathBytes.separator] : parent.isEmpty ? [0x2e] : parent
            guard let directory = try? HostSystem.resolve(named),
                PathBytes.isInside(directory, store)
            else { continue }
            let path = PathBytes.join(directory, Array(PathBytes.name(file)))
            paths.insert(path)
            paths.insert(WatchRecord.temporary(path))
        }
        self.paths = paths
    }

    /// Leaves the files out of a walk of the store.
    func exclude(from filter: inout WalkFilter) {
        for path in paths.sorted(by: PathBytes.isBefore) {
            filter.patterns.append(line: Self.pattern(path.dropFirst(store.count)))
        }
    }

    /// Whether the path below the store is a directory whose times change with the files.
    func isDirectoryOfOne(_ path: [UInt8]) -> Bool {
        let whole = path.isEmpty ? store : PathBytes.join(store, path)
        return paths.contains { PathBytes.parent($0) == whole }
    }

    /// A pattern that fits this path alone.
    private static func pattern(_ path: ArraySlice<UInt8>) -> [UInt8] {
        var pattern: [UInt8] = path.first == PathBytes.separator ? [] : [PathBytes.separator]
        for byte in path {
            if "\\*?[ ".utf8.contains(byte) { pattern.append(UInt8(ascii: "\\")) }
            pattern.append(byte)
        }
        return pattern
    }
}
