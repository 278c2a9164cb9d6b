internal import Bytes
internal import Hashing
package import Platform
internal import Snapshots
internal import SystemPackage
internal import TableLog
package import Targets
internal import Trees
package import Wire

/// A store that is being synced, held by one sync.
final class SyncedStore {
    let tree: TargetTree
    private let options: TwoWayOptions
    /// Released with the object.
    private let lock: Descriptor?
    private var states: [PairEnd: TwoWayState] = [:]
    private let walk: StoreWalk
    private let formerMounts: Set<[UInt8]>

    var stamps: StoreStamps { walk.stamps }

    private static let statePrefix = "sync-"

    /// Takes the directory and looks at all of it.
    init(
        _ root: consuming PinnedDirectory, _ options: TwoWayOptions, _ host: Host = .system
    ) throws {
        let tree = TargetTree(LiveTree(root), host: host)
        self.tree = tree
        self.options = options
        lock = options.contains(.dryRun) ? nil : try tree.takeLock()
        if try tree.target.status(TargetPlaces.journal) != nil {
            throw RemoteFailure(
                .other, "a replication into this directory was interrupted: finish it first",
                object: TargetPlaces.journal)
        }
        for (pair, state) in try Self.states(tree) { states[pair] = state }
        formerMounts = try MountMemory.read(tree)
        var walk = StoreWalk(
            tree, known: Array(states.values), mounts: formerMounts, at: host.now())
        try walk.run()
        self.walk = walk
        if lock != nil { try clearStaging(keepingWhole: true) }
    }

    private static func states(_ tree: TargetTree) throws -> [(PairEnd, TwoWayState)] {
        guard let directory = try tree.directory(TargetPlaces.directory) else { return [] }
        var states: [(PairEnd, TwoWayState)] = []
        for name in try directory.descriptor.names(TargetPlaces.directory).sorted(by: {
            $0.lexicographicallyPrecedes($1)
        }) {
            let text = String(decoding: name, as: UTF8.self)
            let hex = text.dropFirst(statePrefix.count)
            let path = PathBytes.join(TargetPlaces.directory, name)
            guard text.hasPrefix(statePrefix), states.count < TwoWayLimits.pairs,
                Hex.decode(hex)?.count == PairEnd.size,
                let bytes = try TargetFile.read(path, tree.target.root)
            else { continue }
            do throws(MalformedBytes) {
                let state = try TwoWayState(decoding: bytes)
                guard state.pair.hex == hex.lowercased() else { throw MalformedBytes.otherPair }
                states.append((state.pair, state))
            } catch {
                // It has its name only once it is synced: this is damage.
                throw RemoteFailure(.damaged, "the state of a sync: \(error)", object: path)
            }
        }
        return states
    }

    private static func path(of pair: PairEnd) -> [UInt8] {
        PathBytes.join(TargetPlaces.directory, Array((statePrefix + pair.hex).utf8))
    }

    /// What the store tells of itself.
    func describe(to sink: any ByteSink) throws {
        let pairs = states.keys.sorted { $0.hex < $1.hex }
        try StoreInventory.write(
            pairs: pairs, walk.seen.lazy.map(\.entry), walk.tables, walk.problems, to: sink)
    }

    func facts(_ pair: PairEnd) -> TwoWayFacts {
        states[pair].map(TwoWayFacts.init) ?? TwoWayFacts()
    }

    // MARK: Answers

    func answer(_ question: StoreQuestion) throws -> StoreAnswer {
        do {
            switch question {
            case .history(let path, let point):
                return try StoreTable(path, tree).history(since: point)
            case .identity(let path): return try StoreTable(path, tree).identity()
            case .whole(let path): return try StoreTable(path, tree).whole()
            case .content(let path):
                let file = try tree.target.root.open(path, [.readOnly, .nonBlocking])
                return .content(try StoreWalk.digest(file, path))
            case .pieces(let path): return try pieces(path)
            }
        } catch let error as TableLogError {
            return .refused("\(error)")
        } catch let error as PlatformError {
            return .refused("\(error)")
        }
    }

    private func pieces(_ path: [UInt8]) throws(PlatformError) -> StoreAnswer {
        let file = try tree.target.root.open(path, [.readOnly, .nonBlocking])
        let status = try file.status(path)
        guard status.type == .regular,
            let pieces = try FilePiece.cut(file, size: status.size, path),
            pieces.count < PieceSearch.pieces
        else { return .refused("it is not cut into pieces") }
        return .pieces(pieces)
    }

    // MARK: Remembering

    /// Keeps what holds now; `placed` are stamps of what this sync put there.
    func remember(
        _ facts: TwoWayFacts, _ pair: PairEnd, placed: [[UInt8]: FileStamp]
    ) throws {
        guard !options.contains(.dryRun) else {
            throw RemoteFailure(.violation, "a dry run changes nothing")
        }
        var state = TwoWayState(pair)
        let former = states[pair]?.plain ?? []
        state.plain.reserveCapacity(facts.plain.count)
        for fact in facts.plain {
            var stamp = FileStamp.unknown
            let seen = walk.seen.find(fact.path)
            if placed[fact.path] == nil, seen?.isYoung != true {
                // Only where the content of the file with this stamp is what is remembered.
                let known = former.find(fact.path)
                let same = known?.fact == fact ? known?.stamp : nil
                stamp = (seen?.entry.fact == fact ? seen?.stamp : same) ?? .unknown
            }
            state.plain.append(TwoWayState.Plain(fact: fact, stamp: stamp))
        }
        state.tables = facts.tables
        if state != states[pair] {
            try SmallFile.replace(
                at: Self.path(of: pair), with: state.encoded(), in: tree.target.root)
            states[pair] = state
        }
        if walk.mounts != formerMounts { try MountMemory.write(walk.mounts, tree) }
        try clearStaging(keepingWhole: false)
    }

    /// Removes what earlier syncs left in the staging directory; what was on its way out of the
    /// store when one was killed is set aside.
    private func clearStaging(keepingWhole: Bool) throws {
        guard let staging = try tree.directory(TargetPlaces.staging) else { return }
        for name in try staging.descriptor.names(TargetPlaces.staging) {
            let path = PathBytes.join(TargetPlaces.staging, name)
            if name.starts(with: "x-".utf8) {
                try tree.setAside(path, named: path)
            } else if !keepingWhole || !name.starts(with: "s-".utf8) {
                try tree.target.remove(path)
            }
        }
    }
}

extension MalformedBytes {
    fileprivate static let otherPair = MalformedBytes(
        .invalid, at: 9, expected: "the pair that the name says")
}

/// The server's side of one sync after another, one step for each of its requests; reads and writes
/// the store.
package final class TwoWaySession {
    private let root: TargetRoot
    private var store: SyncedStore?
    private var options: TwoWayOptions = []
    private var questions: [StoreQuestion] = []
    private var content: StoreContent?
    private var staging: StoreStaging?
    private var publication: StorePublication?

    private let host: Host

    package convenience init(_ root: consuming PinnedDirectory, host: Host = .system) {
        self.init(TargetRoot(root), host: host)
    }

    package init(_ root: TargetRoot, host: Host = .system) {
        self.root = root
        self.host = host
    }

    private static let untimely = RemoteFailure(.violation, "a step that is not due")

    private func opened() throws -> SyncedStore {
        guard let store else { throw Self.untimely }
        return store
    }

    private func requireWritable() throws {
        guard !options.contains(.dryRun) else { throw Self.untimely }
    }

    /// Takes an upload.
    package func receive(_ request: TwoWayRequest, _ source: any ByteSource) throws -> [UInt8] {
        let store = try opened()
        switch request.step {
        case .ask:
            questions = try RecordReader.all(
                StoreQuestion.self, in: source, limit: TwoWayLimits.questions)
        case .offer:
            try requireWritable()
            var staging = try StoreStaging(store.tree)
            try staging.receiveOffers(source)
            self.staging = staging
        case .want:
            var content = StoreContent(
                store.tree, compresses: request.options.contains(.compress))
            try content.receiveWants(source)
            self.content = content
        case .stage:
            try requireWritable()
            guard var staging else { throw Self.untimely }
            self.staging = nil
            try staging.receive(source)
            self.staging = staging
        case .apply:
            try requireWritable()
            guard publication == nil else { throw Self.untimely }
            // Removals need no files.
            let staging = try staging ?? StoreStaging(store.tree)
            let publication = StorePublication(store.tree, staging, store.stamps)
            self.publication = publication
            try publication.receive(source)
        case .remember:
            try requireWritable()
            let facts = try TwoWayFacts(reading: source)
            let placed = publication?.placed ?? [:]
            try store.remember(facts, try request.pair, placed: placed)
        default: throw Self.untimely
        }
        return []
    }

    /// Writes a download.
    package func send(_ request: TwoWayRequest, _ sink: any ByteSink) throws {
        switch request.step {
        case .begin:
            release()
            options = request.options
            let directory = try root.open(isDryRun: options.contains(.dryRun), host)
            let store = try SyncedStore(directory, options, host)
            self.store = store
            try store.describe(to: sink)
        case .facts: try opened().facts(try request.pair).write(to: sink)
        case .answers:
            let store = try opened()
            var writer = RecordWriter(sink)
            for question in questions {
                try Interruption.check()
                try store.answer(question).write(to: &writer)
            }
            try writer.end()
        case .needs:
            guard var staging else { throw Self.untimely }
            try staging.writeNeeds(to: sink)
            self.staging = staging
        case .content:
            guard let content else { throw Self.untimely }
            try content.write(to: sink)
        case .outcome:
            guard let publication else { throw Self.untimely }
            try publication.outcome.write(
                to: sink, listsUnset: options.contains(.listsUnset))
        case .release: release()
        default: throw Self.untimely
        }
    }

    /// Lets go of the store, and of the lock with it.
    private func release() {
        questions = []
        content = nil
        staging = nil
        publication = nil
        store = nil
    }
}
