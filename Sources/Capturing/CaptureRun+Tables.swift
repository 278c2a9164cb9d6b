internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import TableLog
internal import Trees

// A pinned table is visited in the order of its paths, as everything is: what was listed merges
// with what its version consists of.

/// What a capture knows of the tables in its sources.
struct TableVisits {
    /// Tables by their paths in the snapshot, until they were visited.
    private(set) var plans: [[UInt8]: (site: TableSite, plan: TablePlan)] = [:]
    private var captured: [CapturedTable] = []
    /// Files of tables that were lost.
    private var lacking: [[UInt8]] = []
    /// Data files in tables that belong to no version, and were left out.
    var filesLeftOut: UInt64 = 0

    mutating func add(_ plan: TablePlan, _ site: TableSite) { plans[site.path] = (site, plan) }
    mutating func visited(_ path: [UInt8]) { plans[path] = nil }
    mutating func add(_ table: CapturedTable) { captured.append(table) }
    mutating func addLacking(_ path: [UInt8]) { lacking.append(path) }

    var inOrder: [CapturedTable] { captured.sorted { PathBytes.isBefore($0.path, $1.path) } }

    /// The tables below a source that a walk does not enter, by their path below it.
    func notEntered(in source: [UInt8]) -> Set<[UInt8]> {
        var paths: Set<[UInt8]> = []
        for (site, plan) in plans.values where site.source == source {
            if case .plain = plan { continue }
            paths.insert(site.relative)
        }
        return paths
    }

    /// Tables in the directory of a table, by their paths below it, and whether they are copied as
    /// plain files.
    func inner(_ site: TableSite) -> [[UInt8]: Bool] {
        var inner: [[UInt8]: Bool] = [:]
        for (path, (other, plan)) in plans
        where other.source == site.source && path != site.path
            && PathBytes.isInside(path, site.path)
        {
            let below = site.path.isEmpty ? path[...] : path.dropFirst(site.path.count + 1)
            let isPlain = if case .plain = plan { true } else { false }
            inner[Array(below)] = isPlain
        }
        return inner
    }

    /// The tables as the record has them: one in which something went wrong is looked at again, and
    /// one that lacks a file is not whole.
    func recorded(_ problems: [CaptureProblem]) -> [CapturedTable] {
        let unsettled = problems.filter { $0.kind != .skipped }.map(\.path)
        let tables = inOrder.map { table in
            var table = table
            if unsettled.contains(where: { PathBytes.isInside($0, table.path) }) {
                table.seal = nil
            }
            let lost = lacking.first { PathBytes.isInside($0, table.path) }
            if let lost, table.state == .pinned {
                table.state = .damaged
                table.reason = Array("\(PathBytes.printable(lost)) was lost".utf8)
            }
            return table
        }
        return SnapshotRecord.listed(tables)
    }
}

/// One path of a pinned table.
private enum TableItem {
    case found(WalkedEntry)
    /// A file that is read through its open descriptor, or compared by its status.
    case file(FileStatus?, PinnedFile?, isNeeded: Bool)
    /// A segment that the parent has.
    case known
    case directory
    /// Another table that lies in this one.
    case table
}

extension CaptureRun {
    /// Finds the tables of all sources and pins them.
    func planTables(_ sources: [(source: [UInt8], prefix: [UInt8])]) throws(CaptureError) {
        let filter = context.options.filter
        var sites: [TableSite] = []
        for (source, prefix) in sources {
            let found = try onSource { () throws(PlatformError) in
                try TableSearch.tables(in: source, filter)
            }
            for path in found {
                let inSnapshot = path.isEmpty ? prefix : PathBytes.join(prefix, path)
                guard ManifestPath.isStorable(inSnapshot) else { continue }
                sites.append(
                    TableSite(source: source, relative: path, path: inSnapshot, filter: filter))
            }
        }
        for (site, plan) in zip(sites, try plans(sites, comparison.parent)) {
            tables.add(plan, site)
            if case .plain(let table) = plan { addPlain(table) }
        }
    }

    private func plans(
        _ sites: [TableSite], _ parent: SnapshotRecord?
    ) throws(CaptureError) -> [TablePlan] {
        var planner = TablePlanner(
            sites, parent, NodeSource(context.repository),
            trustedBefore: comparison.trustedBefore, context.host)
        return try planner.plan()
    }

    /// Notes a table that is copied as plain files.
    private func addPlain(_ table: CapturedTable) {
        tables.add(table)
        guard table.state == .damaged else {
            return ledger.note(.plainTable(table.path, reason: table.reason))
        }
        ledger.addUnread(
            table.path,
            "this table is not whole, and what is there was copied as plain files: "
                + String(decoding: table.reason, as: UTF8.self))
    }

    /// Visits a table that is planned for; false when the path is none.
    func visitTable(_ entry: WalkedEntry, _ walk: SourceWalk) throws(CaptureError) -> Bool {
        guard let (site, plan) = tables.plans[entry.path] else { return false }
        switch plan {
        case .plain: return false
        case .pinned(let table): try visit(table, entry, walk)
        case .unchanged(let table):
            if let pieces = comparison.takeRange(entry.path) {
                take(pieces, of: table)
            } else {
                // The parent turned out damaged: nothing of it is trusted from here on.
                try visitAnew(site, entry, walk)
            }
        }
        tables.visited(entry.path)
        try settleDone()
        return true
    }

    private func visitAnew(
        _ site: TableSite, _ entry: WalkedEntry, _ walk: SourceWalk
    ) throws(CaptureError) {
        switch try plans([site], nil).first {
        case .pinned(let table)?: try visit(table, entry, walk)
        case .plain(var table)?:
            table.state = .damaged
            addPlain(table)
            ledger.add(.unreadable, entry.path, "the parent is damaged")
        default: break
        }
    }

    /// Takes over what the parent has of a table to which nothing happened.
    private func take(_ pieces: [ParentComparison.Piece], of table: CapturedTable) {
        tables.add(table)
        let (files, directories) = (table.seal?.files ?? 0, table.seal?.directories ?? 0)
        ledger.statistics.unchangedFiles &+= files
        ledger.statistics.directories &+= directories
        context.progress.tell(.unchanged, table.path)
        context.progress.update { counters in
            counters.filesFound &+= files
            counters.filesDone &+= files
        }
        queue.append(.range(pieces))
    }
}

// MARK: - A table that changed
extension CaptureRun {
    private func visit(
        _ table: PinnedTable, _ entry: WalkedEntry, _ walk: SourceWalk
    ) throws(CaptureError) {
        try visit(entry, walk)
        guard leftOut != entry.path, case .success(let status) = entry.status else { return }
        let listing = TableListing(
            table, inner: tables.inner(table.site), device: status.device)
        let items = items(of: table, listing)
        tables.add(sealed(table, status, listing, items.map(\.1)))
        for (path, item) in items { try visit(item, at: path, of: table, walk) }
    }

    /// All paths of the table, in order, each with the directories that it lies in.
    private func items(
        of table: PinnedTable, _ listing: TableListing
    ) -> [([UInt8], TableItem)] {
        var items: [[UInt8]: TableItem] = [:]
        let log: ExactText = "\(TableDirectory.log)/"
        for (path, entry) in listing.found { items[path] = .found(entry) }
        for path in listing.tables { items[path] = .table }
        let statuses = Dictionary(table.listing.map { ($0.name, $0.status) }) { one, _ in one }
        for name in table.contents.logNames {
            let path: ExactText = "\(TableDirectory.log)/\(name)"
            items[Array(path.utf8)] = .file(
                table.pins[path]?.status ?? statuses[name] ?? nil, table.pins[path],
                isNeeded: true)
        }
        for path in table.known where items[Array(path.utf8)] == nil {
            let isLive = table.contents.live[path] != nil || path.hasPrefix(log)
            if isLive || listing.dataFiles.contains(path) { items[Array(path.utf8)] = .known }
        }
        for (path, pin) in table.pins where items[Array(path.utf8)] == nil {
            items[Array(path.utf8)] = .file(pin.status, pin, isNeeded: true)
        }
        for path in table.unpinned where items[Array(path.utf8)] == nil {
            let isNeeded =
                table.contents.live[path] != nil || path.hasPrefix(log)
            items[Array(path.utf8)] = .file(nil, nil, isNeeded: isNeeded)
        }
        let used = listing.dataFiles.count { items[Array($0.utf8)] != nil }
        tables.filesLeftOut += UInt64(
            listing.dataFiles.count - used + listing.unnamableCount)
        for path in Array(items.keys) {
            var parent = PathBytes.parent(path)
            while !parent.isEmpty, items[parent] == nil {
                items[parent] = .directory
                parent = PathBytes.parent(parent)
            }
        }
        return items.sorted { PathBytes.isBefore($0.key, $1.key) }.map { ($0.key, $0.value) }
    }

    private func visit(
        _ item: TableItem, at relative: [UInt8], of table: PinnedTable, _ walk: SourceWalk
    ) throws(CaptureError) {
        try checkInterruption()
        let path = PathBytes.join(table.site.path, relative)
        guard ManifestPath.isStorable(path) else { return leaveOut(path) }
        if let leftOut, PathBytes.isInside(path, leftOut) { return }
        switch item {
        case .found(let entry): try visit(entry, walk)
        case .known:
            if let base = comparison.entry(for: path) {
                try keepUnseen(base)
            } else {
                lack(path, "the parent snapshot no longer has it")
            }
        case .file(let status, let pin, let isNeeded):
            let name = ExactText(String(decoding: relative, as: UTF8.self))
            let size = table.contents.live[name] ?? nil
            try visitFile(path, status, pin, size: size, isNeeded: isNeeded, walk)
            table.pins[name] = nil
        case .directory: try visitDirectory(path, relative, table, walk)
        case .table:
            let status = Result { () throws(PlatformError) in
                try table.directory.root.open(relative, [.readOnly, .directory]).status(path)
            }
            _ = try visitTable(WalkedEntry(path: path, status: status), walk)
        }
        try settleDone()
    }

    private func visitFile(
        _ path: [UInt8], _ status: FileStatus?, _ pin: PinnedFile?, size: Int64?,
        isNeeded: Bool, _ walk: SourceWalk
    ) throws(CaptureError) {
        let base = comparison.entry(for: path)
        let found = try onSource { () throws(PlatformError) -> FileStatus? in
            if let status { return status }
            return try openStatus(path, walk)
        }
        guard let status = found else {
            if isNeeded { lack(path, "it vanished before it could be read") }
            return
        }
        if let size, status.size != UInt64(exactly: size) {
            lack(path, "it is \(status.size) bytes, the log says \(size)")
        }
        if let base, comparison.isUnchanged(base, status) { return try keep(base, status) }
        submit(path, status, base, walk, pin: pin, isNeeded: isNeeded)
    }

    private func openStatus(
        _ path: [UInt8], _ walk: SourceWalk
    ) throws(PlatformError) -> FileStatus? {
        let path = walk.sourcePath(path)
        do throws(PlatformError) {
            return try walk.root.open(path, [.readOnly, .nonBlocking]).status(path)
        } catch  where error.isNotFound {
            return nil
        }
    }

    /// A directory of the log, or one that is gone while the parent has segments in it.
    private func visitDirectory(
        _ path: [UInt8], _ relative: [UInt8], _ table: PinnedTable, _ walk: SourceWalk
    ) throws(CaptureError) {
        let found = Result { () throws(PlatformError) in
            try table.directory.root.open(relative, [.readOnly, .directory]).status(path)
        }
        if case .failure(let error) = found, error.isNotFound {
            if let base = comparison.entry(for: path), base.isDirectory {
                return try keepUnseen(base)
            }
            let status = try onSource { () throws(PlatformError) in
                try table.directory.root.descriptor.status(path)
            }
            queue.append(
                .ready(ManifestEntry(path: path, payload: .directory, status: status)))
            ledger.statistics.directories += 1
        } else {
            try visit(WalkedEntry(path: path, status: found), walk)
        }
    }

    /// Notes that a file of a version is missing.
    func lack(_ path: [UInt8], _ reason: String) {
        tables.addLacking(path)
        ledger.addUnread(path, "its table needs it, and it is lost: \(reason)")
    }

    /// The record of a table, sealed if all of it can be told to be unchanged the next time.
    private func sealed(
        _ table: PinnedTable, _ status: FileStatus, _ listing: TableListing, _ items: [TableItem]
    ) -> CapturedTable {
        var captured = table.captured
        guard listing.tables.isEmpty, listing.found.count < TableSeal.watchedLimit else {
            return captured
        }
        var watched = [(path: [UInt8](), status: status)]
        for (path, entry) in listing.found {
            guard case .success(let status) = entry.status else { return captured }
            watched.append((path, status))
        }
        let distant = Timestamp(seconds: .max, nanoseconds: 0)
        let counts = Self.counts(items)
        captured.seal = TableSeal.digest(
            table.listing, watched, table.site.filter, before: distant
        ).map { digest in
            TableSeal(
                digest: digest, files: counts.files, directories: counts.directories + 1,
                watched: watched.map(\.path))
        }
        return captured
    }

    private static func counts(_ items: [TableItem]) -> (files: UInt64, directories: UInt64) {
        var (files, directories): (UInt64, UInt64) = (0, 0)
        for item in items {
            switch item {
            case .file, .known: files += 1
            case .directory: directories += 1
            case .table: break
            case .found(let entry):
                switch (try? entry.status.get())?.type {
                case .regular?: files += 1
                case .directory?: directories += 1
                default: break
                }
            }
        }
        return (files, directories)
    }
}
