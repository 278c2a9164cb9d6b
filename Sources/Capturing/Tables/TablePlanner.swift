internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import SystemPackage
internal import TableLog
internal import Trees

// All tables are taken at one moment: first every log is listed, then the newest version of each
// is read and its files are pinned. A file that is gone by then was taken by a vacuum, which means
// that there is a newer version without it: everything is listed again, and what changed is pinned
// anew. A table whose log did not change and that still lacks a file is not whole, and told of.

/// What becomes of a table.
enum TablePlan {
    /// Nothing happened to it since the parent snapshot.
    case unchanged(CapturedTable)
    case pinned(PinnedTable)
    /// Copied as plain files, for the reason told.
    case plain(CapturedTable)
}

/// Chooses the version of each table, and pins it.
struct TablePlanner {
    private struct Attempt {
        var listing: [LogFile]?
        var plan: TablePlan?
        /// A file that was gone, or a log that was torn, at the last attempt.
        var complaint: CapturedTable?
    }

    private let sites: [TableSite]
    private let parent: SnapshotRecord?
    /// What the parent tells of tables, by their paths.
    private let parentTables: [[UInt8]: CapturedTable]
    private let nodes: NodeSource
    private let trustedBefore: Timestamp
    private let host: Host
    private var budget: Int
    private var attempts: [Attempt]

    /// How often planning is tried again while a vacuum keeps removing files.
    private static let roundLimit = 8
    /// Descriptors that everything else needs.
    private static let reserve = 512
    /// More would take too much memory of the kernel.
    private static let descriptorLimit = 1 << 17

    init(
        _ sites: [TableSite], _ parent: SnapshotRecord?, _ nodes: NodeSource,
        trustedBefore: Timestamp, _ host: Host
    ) {
        self.sites = sites
        self.parent = parent
        let tables = parent?.tables ?? []
        parentTables = Dictionary(tables.map { ($0.path, $0) }) { first, _ in first }
        self.nodes = nodes
        self.trustedBefore = trustedBefore
        self.host = host
        attempts = sites.map { _ in Attempt() }
        let limit = sites.isEmpty ? 0 : HostSystem.raiseDescriptorLimit()
        // Each table holds its directory open, and another while it is listed again.
        budget = min(limit, Self.descriptorLimit) - Self.reserve - 2 * sites.count
    }

    /// The plan of each table, in the order of the sites.
    mutating func plan() throws(CaptureError) -> [TablePlan] {
        for round in 0..<Self.roundLimit {
            try checkInterruption()
            let directories = sites.map { try? $0.open() }
            // The moment of the snapshot.
            let listings = directories.map { try? $0?.listLog() }
            for index in sites.indices {
                try plan(index, directories[index], listings[index])
            }
            if attempts.allSatisfy({ $0.plan != nil }) { break }
            host.sleep(.milliseconds(10 << round))
        }
        return zip(sites, attempts).map { site, attempt in
            attempt.plan
                ?? .plain(
                    attempt.complaint
                        ?? CapturedTable(site.path, .unverified, reason: "it has no log"))
        }
    }

    private mutating func plan(
        _ index: Int, _ directory: TableDirectory?, _ listing: [LogFile]?
    ) throws(CaptureError) {
        let isSame = attempts[index].listing == listing
        if isSame, attempts[index].plan != nil { return }
        let complaint = attempts[index].complaint
        release(index)
        attempts[index] = Attempt(listing: listing, complaint: complaint)
        guard let directory, let listing else {
            let reason = "its log cannot be listed"
            attempts[index].plan = .plain(
                CapturedTable(sites[index].path, .unverified, reason: reason))
            return
        }
        let outcome = try outcome(sites[index], directory, listing)
        switch outcome {
        case .plan(let plan): attempts[index].plan = plan
        case .complaint(let complaint):
            // The same again, and nobody wrote in between: it stays like that.
            attempts[index].complaint = complaint
            if isSame { attempts[index].plan = .plain(complaint) }
        }
    }

    /// Lets go of what was pinned at an earlier moment.
    private mutating func release(_ index: Int) {
        if case .pinned(let table)? = attempts[index].plan { budget += table.pins.count }
        attempts[index].plan = nil
    }

    private enum Outcome {
        case plan(TablePlan)
        /// May be better at the next moment.
        case complaint(CapturedTable)
    }

    private mutating func outcome(
        _ site: TableSite, _ directory: TableDirectory, _ listing: [LogFile]
    ) throws(CaptureError) -> Outcome {
        let before = parentTables[site.path]
        if let before, before.state == .pinned, let seal = before.seal,
            seal.holds(directory, listing, site.filter, before: trustedBefore)
        {
            return .plan(.unchanged(before))
        }
        func plain(
            _ state: CapturedTable.State, _ reason: String, _ version: Int64? = nil
        )
            -> CapturedTable
        {
            CapturedTable(site.path, state, version: version, reason: reason)
        }
        guard let newest = LogListing(listing).newestWhole else {
            return .complaint(plain(.unverified, "neither version 0 nor a checkpoint is there"))
        }
        if let name = LogListing(listing).emptyCommits.first {
            // What it named is in data files of which no log tells: all of them are taken.
            return .complaint(plain(.damaged, "its newest commit, \(name), is empty"))
        }
        guard !newest.isGapped else {
            let missing = newest.version + 1
            return .complaint(plain(.unverified, "version \(missing) is missing in its log"))
        }
        do throws(TablePinner.Failure) {
            return .plan(
                .pinned(try pin(site, directory, listing, before, version: newest.version)))
        } catch {
            switch error {
            case .gone(let path):
                return .complaint(
                    plain(.damaged, "version \(newest.version) needs \(path), which is gone"))
            case .damaged(let what):
                return .complaint(plain(.damaged, "version \(newest.version): \(what)"))
            case .platform(let error) where error.errno == .tooManySymbolicLinkLevels:
                let path = PathBytes.printable(error.path)
                return .complaint(
                    plain(.damaged, "version \(newest.version) needs \(path), a symlink"))
            case .platform(let error): return .plan(.plain(plain(.unverified, "\(error)")))
            case .table(let error) where error.isOutside:
                // Copies of the directory lack it.
                return .plan(.plain(plain(.damaged, "\(error)", newest.version)))
            case .repository(let error): throw .repository(error)
            case .table(let error):
                return error.kind == .unsupported
                    ? .plan(.plain(plain(.unverified, "\(error)", newest.version)))
                    : .complaint(plain(.unverified, "\(error)", newest.version))
            }
        }
    }

    private mutating func pin(
        _ site: TableSite, _ directory: TableDirectory, _ listing: [LogFile],
        _ before: CapturedTable?, version: Int64
    ) throws(TablePinner.Failure) -> PinnedTable {
        let contents: TableContents
        do throws(TableLogError) {
            contents = try LogReader(ListedLog(listing, of: directory)).contents(version: version)
        } catch {
            throw .table(error)
        }
        try checkExclusion(contents, site)
        var files: [ExactText: ParentTable.File] = [:]
        if let before, let parent, Array(contents.table.metadata.id.utf8) == before.id {
            files = try parentFiles(site.path, parent.root, before, listing)
        }
        var pinner = TablePinner(directory, contents, files, budget: budget)
        try pinner.pin(listing)
        budget = pinner.budget
        return PinnedTable(
            site, directory, listing, contents, known: pinner.known, pins: pinner.pins,
            unpinned: pinner.unpinned)
    }

    /// The files that the parent has of a table of which the log goes on from there.
    private func parentFiles(
        _ path: [UInt8], _ root: TreeRoot, _ before: CapturedTable, _ listing: [LogFile]
    ) throws(TablePinner.Failure) -> [ExactText: ParentTable.File] {
        do throws(RepositoryError) {
            let table = try ParentTable(path, root, nodes)
            return table.isContinued(before, by: listing) ? table.files : [:]
        } catch {
            throw .repository(error)
        }
    }

    /// A version of which something is left out is none.
    private func checkExclusion(
        _ contents: TableContents, _ site: TableSite
    ) throws(TablePinner.Failure) {
        guard !site.filter.patterns.isEmpty else { return }
        let paths =
            contents.logNames.map { ExactText("\(TableDirectory.log)/\($0)") }
            + contents.live.keys.sorted()
        for path in paths
        where site.filter.patterns.isExcludedWithParents(
            site.sourcePath(path), isDirectory: false)
        {
            throw .table(TableLogError(.unsupported, path.string, "left out by --exclude"))
        }
    }
}
