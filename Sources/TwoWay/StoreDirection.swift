internal import Bytes
internal import Hashing
internal import Platform

/// What is brought from one store to the other.
struct StoreDirection {
    private let source: StoreLink
    private let target: StoreLink
    private let plain: [PlainChange]
    private var tables: [TableDelivery]
    private var offers: [OfferedFile] = []
    /// For each table, the numbers of its files in the offer.
    private var numbers: [[UInt8]: [UInt32]] = [:]
    private var plainNumbers: [[UInt8]: UInt32] = [:]
    /// Tables that cannot be brought, and why.
    private(set) var refused: [SyncConflict] = []

    init(
        from source: StoreLink, to target: StoreLink, _ plain: [PlainChange],
        _ tables: [TableDelivery]
    ) {
        self.source = source
        self.target = target
        self.plain = plain
        self.tables = tables
    }

    var isEmpty: Bool { plain.isEmpty && tables.isEmpty }

    // MARK: Staging

    /// Brings all content to the target's staging directory.
    mutating func stage(
        _ side: SyncConflict.Side, _ rate: RateLimit?, _ progress: WorkProgress
    ) throws {
        collect()
        guard !offers.isEmpty else { return }
        let needs = try target.offer(offers)
        let there = needs.indices.filter { if case .isThere = needs[$0] { true } else { false } }
        let answers = try source.ask(there.map { .content(offers[$0].path) })
        var differing: Set<[UInt8]> = []
        for (index, answer) in zip(there, answers) {
            // What only the target has is what a former sync brought.
            guard case .content(let digest) = answer, needs[index] != .isThere(digest) else {
                continue
            }
            differing.insert(offers[index].path)
        }
        drop(differing, side)
        var wants = needs.indices.filter { needs[$0] == .yes }.map { number in
            WantedFile(number: UInt32(clamping: number), path: offers[number].path)
        }
        progress.update { counters in
            counters.filesFound += UInt64(wants.count)
            for want in wants { counters.bytesFound += offers[Int(want.number)].size ?? 0 }
        }
        guard !wants.isEmpty else { return }
        try findCopies(&wants)
        try target.stage(wants, from: source, rate, progress)
        progress.update { $0.filesDone += UInt64(wants.count) }
    }

    /// Finds what of the files that replace others the target has in those.
    private func findCopies(_ wants: inout [WantedFile]) throws {
        for table in tables where !table.replaced.isEmpty && target.isFar {
            let large = Set(
                table.files.filter { $0.size ?? 0 >= PieceSearch.leastSize }.map(\.path))
            let places = wants.indices.filter { large.contains(wants[$0].path) }
            guard !places.isEmpty else { continue }
            var search = PieceSearch()
            let replaced = table.replaced.prefix(PieceSearch.files)
            let theirs = try target.ask(replaced.map { .pieces($0) })
            for case (let path, .pieces(let pieces)) in zip(replaced, theirs) {
                search.add(pieces, of: path)
            }
            guard !search.isEmpty else { continue }
            let ours = try source.ask(places.map { .pieces(wants[$0].path) })
            for case (let place, .pieces(let pieces)) in zip(places, ours) {
                wants[place].copies = search.copies(pieces)
            }
        }
    }

    private mutating func collect() {
        for change in plain {
            guard case .put(let entry, _) = change, entry.kind == .file else { continue }
            plainNumbers[entry.path] = UInt32(clamping: offers.count)
            offers.append(OfferedFile(entry))
        }
        for table in tables {
            numbers[table.path] = table.files.map { file in
                offers.append(
                    OfferedFile(
                        path: file.path, size: file.size, key: file.key, isTableFile: true))
                return UInt32(clamping: offers.count - 1)
            }
        }
    }

    /// Leaves out tables that have a file whose name stands for another one at the target.
    private mutating func drop(_ differing: Set<[UInt8]>, _ side: SyncConflict.Side) {
        guard !differing.isEmpty else { return }
        tables.removeAll { table in
            guard let file = table.files.first(where: { differing.contains($0.path) }) else {
                return false
            }
            let name = PathBytes.printable(file.path)
            refused.append(
                SyncConflict(
                    table.path, isTable: true,
                    .refused("another file is called \(name) already"), side))
            return true
        }
    }

    // MARK: Changing

    func apply() throws -> StoreOutcome {
        let changes = changes()
        return changes.isEmpty ? StoreOutcome() : try target.apply(changes)
    }

    private func changes() -> [StoreChange] {
        var changes = plainChanges()
        for table in tables {
            changes.append(.table(table.path, version: table.version))
            for (file, number) in zip(table.files, numbers[table.path] ?? []) {
                if let name = file.logName {
                    changes.append(.log(number, name: name))
                } else {
                    changes.append(.data(number, isNeeded: file.isNeeded))
                }
            }
            for commit in table.commits { changes.append(.commit(commit.commit)) }
        }
        return changes
    }

    /// Puts come in the order of paths, so that directories are there before what is in them, and
    /// removals after them, in the opposite order; but what is in a directory that becomes a file
    /// or a symlink goes before that is put.
    private func plainChanges() -> [StoreChange] {
        var changes: [StoreChange] = []
        var removals: [[UInt8]] = []
        var emptied: [[UInt8]] = []
        for (index, next) in plain.enumerated() {
            switch next {
            case .put(let entry, let old):
                if old?.kind == .directory, entry.kind != .directory {
                    let inside = plain[(index + 1)...].prefix {
                        PathBytes.isInside($0.path, entry.path)
                    }
                    for case .remove(let gone) in inside.reversed() {
                        changes.append(.remove(gone.path))
                    }
                    emptied.append(entry.path)
                }
                if let change = change(next) { changes.append(change) }
            case .remove(let entry):
                let isGone = emptied.last.map { PathBytes.isInside(entry.path, $0) } ?? false
                if !isGone { removals.append(entry.path) }
            }
        }
        return changes + removals.reversed().map { .remove($0) }
    }

    private func change(_ change: PlainChange) -> StoreChange? {
        guard case .put(let entry, let old) = change else { return nil }
        switch entry.kind {
        case .directory: return .directory(entry.path, mode: entry.mode)
        case .symlink:
            return .symlink(
                entry.path, target: entry.target, mtime: entry.mtime, isReplacing: old != nil)
        case .file:
            return plainNumbers[entry.path].map { .put($0, isReplacing: old != nil) }
        }
    }
}

extension OfferedFile {
    fileprivate init(_ entry: PlainEntry) {
        var writer = ByteWriter()
        writer.string(entry.path)
        writer.u64(entry.size)
        writer.digest(entry.digest)
        self.init(
            path: entry.path, size: entry.size, digest: entry.digest,
            key: SHA256Digest(of: writer.bytes.span), mode: entry.mode, mtime: entry.mtime,
            isTableFile: false)
    }
}
