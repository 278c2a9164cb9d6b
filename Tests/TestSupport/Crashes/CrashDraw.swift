internal import Bytes
internal import Platform

/// Draws one of the trees that a crash may leave, by the model of `CrashHistory`.
struct CrashDraw {
    private enum Loss {
        /// The process was killed, the system goes on.
        case nothing
        /// Whatever was not synced.
        case everything
        /// Content that was not synced, and no name.
        case content
        case some
    }

    private static let sectorSize = 512

    private let history: CrashHistory
    private let point: Int
    private var random: SplitMix64
    private let loss: Loss
    private let isJournal: Bool
    /// Changes of names before this number are left, as far as the journal decides it.
    private var journalEnd: Int
    private var entries: [FileNode: [[UInt8]: FileNode]] = [:]
    /// The last change of names in each directory.
    private var touched: [FileNode: (index: Int, time: Timestamp)] = [:]
    /// When something was given a name.
    private var renamed: [FileNode: Timestamp] = [:]

    /// A crash before change number `point`.
    init(_ history: CrashHistory, before point: Int, seed: UInt64) {
        self.history = history
        self.point = point
        random = SplitMix64(seed: seed)
        switch random.below(8) {
        case 0: loss = .nothing
        case 1: loss = .everything
        case 2: loss = .content
        default: loss = .some
        }
        isJournal = random.below(2) == 0
        journalEnd = point
    }

    mutating func tree() -> CrashedTree {
        drawNames()
        var tree = CrashedTree()
        var shown: Set<FileNode> = []
        add(FileNode(0), [], to: &tree, &shown)
        return tree
    }

    private mutating func add(
        _ node: FileNode, _ path: [UInt8], to tree: inout CrashedTree, _ shown: inout Set<FileNode>
    ) {
        guard let what = history.nodes[node] else { return }
        let isDirectory = what.kind == .directory
        if !shown.insert(node).inserted {
            // A second name; of a directory there is none.
            let first = tree.items.first { $0.node == node }
            if var item = first, !isDirectory {
                item.path = path
                tree.items.append(item)
            }
            return
        }
        let content = drawContent(what)
        guard var attributes = drawAttributes(what) else { return }
        var ctime = max(attributes.time, renamed[node] ?? attributes.time)
        if let touched = touched[node], touched.index > attributes.index {
            attributes.value.mtime = touched.time
            ctime = max(ctime, touched.time)
        }
        if let content, content.index > attributes.index {
            attributes.value.mtime = content.time
            ctime = max(ctime, content.time)
        }
        tree.items.append(
            CrashedTree.Item(
                path: path, node: node, kind: what.kind, bytes: content?.bytes ?? [],
                attributes: attributes.value, ctime: ctime))
        let below = (entries[node] ?? [:]).sorted {
            $0.key.lexicographicallyPrecedes($1.key)
        }
        for (name, node) in below { add(node, PathBytes.join(path, name), to: &tree, &shown) }
    }
}

// MARK: - Names

extension CrashDraw {
    private mutating func drawNames() {
        let made = history.names.prefix { $0.index < point }
        let durable = durableEnds(made)
        let last = made.last { isDurable($0, durable) }?.index ?? -1
        if isJournal, loss == .some { journalEnd = between(last + 1, point) }
        var ends: [FileNode: Int] = [:]
        var broken: Set<FileNode> = []
        var lost: Set<Int> = []
        for (number, change) in made.enumerated() {
            if isDurable(change, durable)
                || broken.isDisjoint(with: change.directories)
                    && lost.isDisjoint(with: change.needs)
                    && isKept(change, durable, &ends)
            {
                apply(change)
            } else {
                broken.formUnion(change.directories)
                lost.insert(number)
            }
        }
    }

    /// For each directory, the number before which all changes of its names are on the disk: a
    /// change that is takes with it those that it must not overtake.
    private func durableEnds(
        _ made: ArraySlice<CrashHistory.NameChange>
    ) -> [FileNode: Int] {
        var ends = history.nodes.mapValues { $0.lastSync(before: point) }
        for change in made.reversed() where isDurable(change, ends) {
            for taken in [change] + change.needs.map({ made[$0] }) {
                for directory in taken.directories {
                    ends[directory] = max(ends[directory] ?? 0, taken.index + 1)
                }
            }
        }
        return ends
    }

    private func isDurable(
        _ change: CrashHistory.NameChange, _ ends: [FileNode: Int]
    ) -> Bool {
        change.directories.contains { (ends[$0] ?? -1) > change.index }
    }

    /// Whether a change that was not synced is there all the same.
    private mutating func isKept(
        _ change: CrashHistory.NameChange, _ durable: [FileNode: Int],
        _ ends: inout [FileNode: Int]
    ) -> Bool {
        switch loss {
        case .nothing, .content: return true
        case .everything: return false
        case .some where isJournal: return change.index < journalEnd
        case .some:
            for directory in change.directories where ends[directory] == nil {
                ends[directory] = between(max(0, durable[directory] ?? 0), point)
            }
            return change.directories.allSatisfy { change.index < ends[$0] ?? point }
        }
    }

    private mutating func apply(_ change: CrashHistory.NameChange) {
        for (place, node) in change.results {
            entries[place.directory, default: [:]][place.name] = node
            touched[place.directory] = (change.index, change.time)
            if let node { renamed[node] = change.time }
        }
    }

    private mutating func between(_ low: Int, _ high: Int) -> Int {
        low + random.below(max(1, high - low + 1))
    }
}

// MARK: - Content and attributes

extension CrashDraw {
    private typealias Content = (index: Int, bytes: [UInt8], time: Timestamp)

    /// Nil for what has none.
    private mutating func drawContent(_ node: CrashHistory.Node) -> Content? {
        let made = node.contents.prefix { $0.index < point }
        guard let new = made.last else { return nil }
        let durable = node.lastSync(before: point)
        let unsynced = made.drop { $0.index < durable }
        let whole = (new.index, new.bytes, new.time)
        guard !unsynced.isEmpty, loss != .nothing else { return whole }
        let synced = made.last { $0.index < durable }
        let old = synced.map { ($0.index, $0.bytes, $0.time) } ?? (-1, [], new.time)
        if loss == .everything { return old }
        let zeros =
            old.1.prefix(new.bytes.count)
            + repeatElement(0, count: max(0, new.bytes.count - old.1.count))
        switch random.below(loss == .content ? 4 : 7) {
        case 0: return old
        case 1: return (new.index, Array(zeros), new.time)
        case 2, 3:
            let isEmptied = unsynced.contains { $0.isCutOff && $0.bytes.isEmpty }
            return isEmptied ? (new.index, [], new.time) : old
        case 4:
            let some = random.pick(unsynced)
            return (some.index, some.bytes, some.time)
        default: return (new.index, torn(new.bytes, old.1), new.time)
        }
    }

    /// Each sector by itself is new, old or zeros; the end may be missing.
    private mutating func torn(_ new: [UInt8], _ old: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for start in stride(from: 0, to: new.count, by: Self.sectorSize) {
            let range = start..<min(start + Self.sectorSize, new.count)
            if random.below(2) == 0 {
                result += new[range]
            } else {
                let left = old.dropFirst(start).prefix(range.count)
                result += left + repeatElement(0, count: range.count - left.count)
            }
        }
        // What was synced of the size stays.
        let least = min(old.count, new.count)
        return random.below(2) == 0 ? result : Array(result.prefix(between(least, new.count)))
    }

    private mutating func drawAttributes(
        _ node: CrashHistory.Node
    ) -> (index: Int, value: FileChange.Attributes, time: Timestamp)? {
        let made = node.attributes.prefix { $0.index < point }
        let durable = made.prefix { $0.index < node.lastSync(before: point) }.count
        let journaled = made.prefix { $0.index < journalEnd }.count
        let least = max(1, durable)
        let most = isJournal ? max(least, journaled) : made.count
        let isSyncable = node.kind == .regular || node.kind == .directory
        switch loss {
        case _ where !isSyncable: return made.last
        case .nothing, .content: return made.last
        case .everything: return made.prefix(least).last
        case .some: return made.prefix(between(least, most)).last
        }
    }
}
