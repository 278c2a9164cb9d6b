internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import Trees

/// Visits the manifest of one restore, and hands what is selected to the execution in path order.
final class RestoreRun {
    private let plan: RestorePlan
    private let execution: RestoreExecution
    private let nodes: NodeSource
    private let progress: WorkProgress

    /// Path of the innermost open directory.
    private var openPath: [UInt8] = []
    /// Directories that the visit is inside of.
    private var open: [OpenDirectory] = []

    private struct OpenDirectory {
        /// Its path is so many bytes of `openPath`.
        var length: Int
        var entry: ManifestEntry
        /// Its number among the directories of the execution, once it is made.
        var number: Int?
        var state = State.pending
        /// What the snapshot has in it.
        var names: Set<[UInt8]> = []
    }

    private enum State {
        /// Not made yet: it counts only if something in it is selected.
        case pending
        case made
        /// Something else is there and stays, so nothing can be restored in it.
        case blocked
    }

    init(
        _ plan: RestorePlan, _ execution: RestoreExecution, _ nodes: NodeSource,
        _ progress: WorkProgress
    ) {
        self.plan = plan
        self.execution = execution
        self.nodes = nodes
        self.progress = progress
    }

    func run() throws(RestoreFault) -> RestoreResult {
        execution.begin()
        try execution.writing { () throws(RestoreFault) in try visitAll() }
        try checkInterruption()
        return try execution.finish()
    }

    private func visitAll() throws(RestoreFault) {
        let (record, path) = (plan.record, plan.options.path)
        progress.update { counters in
            counters.isTotalKnown = path.isEmpty
            counters.filesFound = record.root.itemCount
            counters.bytesFound = record.root.byteCount
        }
        var cursor = ManifestCursor(record.root, nodes)
        try inRepository { () throws(RepositoryError) in try cursor.seek(to: path) }
        var skipped: [UInt8]?
        while let entry = try inRepository({ () throws(RepositoryError) in try cursor.next() }),
            PathBytes.isInside(entry.path, path)
        {
            try checkInterruption()
            if let skipped, PathBytes.isInside(entry.path, skipped) { continue }
            if plan.isExcluded(entry) {
                skipped = entry.path
                leave(upTo: plan.targetPath(entry.path))
                if !open.isEmpty { noteName(entry.path) }
                continue
            }
            visit(entry, at: plan.targetPath(entry.path))
        }
        while !open.isEmpty { leaveLast() }
    }

    private func visit(_ entry: ManifestEntry, at path: [UInt8]) {
        leave(upTo: path)
        if !open.isEmpty { noteName(path) }
        if entry.isDirectory {
            openPath = path
            open.append(OpenDirectory(length: path.count, entry: entry))
            if plan.isSelected(entry) { makeOpenDirectories() }
            return
        }
        guard plan.isSelected(entry) else { return }
        makeOpenDirectories()
        if open.last?.state != .blocked { execution.restore(entry, at: path) }
    }

    private func noteName(_ path: [UInt8]) {
        open[open.count - 1].names.insert(Array(PathBytes.name(path)))
    }

    // MARK: Directories

    private func path(_ directory: OpenDirectory) -> [UInt8] {
        Array(openPath.prefix(directory.length))
    }

    /// Makes the directories that the visit is inside of, where that was put off.
    private func makeOpenDirectories() {
        guard open.last?.state == .pending else { return }
        for index in open.indices where open[index].state == .pending {
            let above = index > 0 ? open[index - 1] : nil
            guard above?.state != .blocked else {
                open[index].state = .blocked
                continue
            }
            let entry = open[index].entry
            open[index].number = execution.makeDirectory(
                entry, at: path(open[index]), in: above?.number)
            open[index].state = open[index].number == nil ? .blocked : .made
        }
    }

    /// Leaves the directories that do not contain `path`.
    private func leave(upTo path: [UInt8]) {
        let parent = PathBytes.parent(path)
        while let last = open.last,
            path.isEmpty || !PathBytes.isInside(parent, self.path(last))
        {
            leaveLast()
        }
    }

    /// Leaves a directory: only now all its names are known, so only now others may be deleted.
    private func leaveLast() {
        guard let directory = open.popLast() else { return }
        let path = path(directory)
        openPath = Array(path.prefix(open.last?.length ?? 0))
        guard directory.state == .made, !directory.entry.isIncomplete else { return }
        execution.deleteOthers(in: path, keeping: directory.names)
    }
}
