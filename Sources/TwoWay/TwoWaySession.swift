internal import Snapshots
internal import Targets
internal import Trees
package import Wire
internal import Bytes
internal import Hashing
package import Platform
internal import SystemPackage
internal import TableLog

/// A store that is being synced, held by one sync.
final class SyncedStore {
    let tree: ReplicaTree
    private let options: TwoWayOptions
    /// Released with the object.
    private let lock: Descriptor?
    private var states: [PairEnd: TwoWayState] = [:]
    private let walk: StoreWalk

    var inventory: StoreInventory { walk.inventory }
    var stamps: [[UInt8]: FileStamp] { walk.stamps }

    private static let statePrefix = "sync-"

    /// Takes the directory and looks at all of it.
    init(_ root: consuming PinnedDirectory, _ options: TwoWayOptions) throws {
        let tree = ReplicaTree(LiveTree(root))
        self.tree = tree
        self.options = options
        lock = options.contains(.dryRun) ? nil : try tree.takeLock()
        if try tree.target.status(ReplicaPlaces.journal) != nil {
            throw RemoteFailure(
                .other, "a replication into this directory was interrupted: finish it first",
                object: ReplicaPlaces.journal)
        }
        var known: [[UInt8]: TwoWayState.Plain] = [:]
        for (pair, state) in try Self.states(tree) {
            states[pair] = state
            for plain in state.plain { known[plain.fact.path] = plain }
        }
        var walk = StoreWalk(tree, known: known)
        try walk.run()
        self.walk = walk
        if lock != nil { try clearStaging(keepingWhole: true) }
    }

    private static func states(_ tree: ReplicaTree) throws -> [(PairEnd, TwoWayState)] {
        guard let directory = try tree.directory(ReplicaPlaces.directory) else { return [] }
        var states: [(PairEnd, TwoWayState)] = []
        for name in try directory.descriptor.names(ReplicaPlaces.directory).sorted(by: {
            $0.lexicographicallyPrecedes($1)
        }) {
            let text = String(decoding: name, as: UTF8.self)
            let hex = text.dropFirst(statePrefix.count)
            let path = PathBytes.join(ReplicaPlaces.directory, name)
            guard text.hasPrefix(statePrefix), states.count < TwoWayLimits.pairs,
                Hex.decode(hex)?.count == PairEnd.size,
                let bytes = try ReplicaFile.read(path, tree.target.root)
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
        PathBytes.join(ReplicaPlaces.directory, Array((statePrefix + pair.hex).utf8))
    }

    /// What the store tells of itself.
    func describe(to sink: any ByteSink) throws {
        var inventory = walk.inventory
        inventory.pairs = states.keys.sorted { $0.hex < $1.hex }
        try inventory.write(to: sink)
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
                var answer = StoreAnswer()
                answer.digest = try StoreWalk.digest(file, path)
                answer.isThere = true
                return answer
            case .pieces(let path):
                let file = try tree.target.root.open(path, [.readOnly, .nonBlocking])
                let status = try file.status(path)
                var answer = StoreAnswer()
                guard status.type == .regular,
                    let pieces = try FilePiece.cut(file, size: status.size, path),
                    pieces.count < PieceSearch.pieces
                else { return answer }
                answer.pieces = pieces
                answer.isThere = true
                return answer
            }
        } catch let error as TableLogError {
            return StoreAnswer(refused: "\(error)")
        } catch let error as PlatformError {
            return StoreAnswer(refused: "\(error)")
        }
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
        let known = Dictionary(former.map { ($0.fact, $0.stamp) }) { first, _ in first }
        let seen = Dictionary(inventory.entries.map { ($0.path, $0.fact) }) { first, _ in first }
        for fact in facts.plain {
            var stamp = FileStamp.unknown
            if placed[fact.path] == nil, !walk.young.contains(fact.path) {
                // Only where the content of the file with this stamp is what is remembered.
                let isSeen = seen[fact.path] == fact
                stamp = (isSeen ? stamps[fact.path] : known[fact]) ?? .unknown
            }
            state.plain.append(TwoWayState.Plain(fact: fact, stamp: stamp))
        }
        state.tables = facts.tables
        if state != states[pair] {
            let place = Self.path(of: pair)
            try ReplicaFile.write(
                state.encoded(), to: place, through: place + Array(".new".utf8),
                tree.target.root)
            states[pair] = state
        }
        try clearStaging(keepingWhole: false)
    }

    /// Removes what earlier syncs left in the staging directory; what was on its way out of the
    /// store when one was killed is set aside.
    private func clearStaging(keepingWhole: Bool) throws {
        guard let staging = try tree.directory(ReplicaPlaces.staging) else { return }
        for name in try staging.descriptor.names(ReplicaPlaces.staging) {
            let path = PathBytes.join(ReplicaPlaces.staging, name)
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

/// The server's side of a sync, without input or output of its own: takes requests and what streams
/// hold.
package final class TwoWaySession {
    private let root: PinnedDirectory
    private var store: SyncedStore?
    private var options: TwoWayOptions = []
    private var questions: [StoreQuestion] = []
    private var content: StoreContent?
    private var staging: StoreStaging?
    private var publication: StorePublication?

    package init(_ root: consuming PinnedDirectory) { self.root = root }

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
        case .ask: questions = try Self.questions(source)
        case .offer:
            try requireWritable()
            var staging = StoreStaging(store.tree)
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
            let staging = staging ?? StoreStaging(store.tree)
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

    private static func questions(_ source: any ByteSource) throws -> [StoreQuestion] {
        var records = ReplicaRecordReader(source)
        var questions: [StoreQuestion] = []
        while let next = try records.next() {
            var reader = next.reader
            guard questions.count < TwoWayLimits.questions else {
                throw RemoteFailure(.violation, "too many questions")
            }
            questions.append(try StoreQuestion(next.type, decoding: &reader))
        }
        return questions
    }

    /// Writes a download.
    package func send(_ request: TwoWayRequest, _ sink: any ByteSink) throws {
        switch request.step {
        case .begin:
            release()
            options = request.options
            let copy = PinnedDirectory(try root.descriptor.duplicate(), root.path)
            let store = try SyncedStore(copy, options)
            self.store = store
            try store.describe(to: sink)
        case .facts: try opened().facts(try request.pair).write(to: sink)
        case .answers:
            let store = try opened()
            var writer = ReplicaRecordWriter(sink)
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
            try publication.outcome.write(to: sink)
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
