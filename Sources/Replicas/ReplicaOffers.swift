internal import Bytes
internal import Hashing
internal import Platform
internal import Snapshots
internal import SystemPackage
internal import Targets
internal import Trees
internal import Wire

/// What a target does with each path that is offered.
struct ReplicaOffers {
    /// Whether a file is to be sent.
    enum Want: UInt8 {
        case no = 0
        case yes = 1
        /// A file of that name is at the target, and may hold some of it.
        case yesAndThere = 2
    }

    /// What an offer holds.
    enum Scope: UInt8 {
        case changes = 0
        case everything = 1
        /// Everything that could be read: what is not offered may be there all the same, and stays.
        case everythingRead = 2
    }

    private(set) var journal: ReplicaJournal
    /// Places of the files in the journal's records, by their number.
    private(set) var files: [Int] = []
    private(set) var wants: [UInt8] = []
    /// False for clients confined to one directory: they may not create devices, nor attributes
    /// that give rights.
    var isTrusted = true
    private var isEverything = false
    private var hasHead = false
    private var previous: [UInt8]?
    private let tree: TargetTree
    private let state: ReplicaState

    init(
        _ tree: TargetTree, _ state: ReplicaState, _ options: ReplicaOptions,
        _ host: Host = .system
    ) {
        journal = ReplicaJournal(host)
        self.tree = tree
        self.state = state
        journal.options = options
    }

    /// Takes an offer, whole.
    mutating func receive(_ source: any ByteSource) throws {
        var stream = RecordReader(source)
        while let record = try stream.next(OfferRecord.self) {
            switch record {
            case .head(let scope, let origin): try takeHead(scope, origin)
            case .put(let put): try take(put)
            case .remove(let path): try takeRemoval(path)
            }
        }
        guard hasHead else { throw RemoteFailure(.violation, "an offer without a head") }
        if isEverything { try removeTheRest() }
    }

    private mutating func takeHead(
        _ scope: Scope, _ origin: ReplicaOrigin
    ) throws(RemoteFailure) {
        guard !hasHead else { throw RemoteFailure(.violation, "a second head") }
        hasHead = true
        isEverything = scope == .everything
        journal.origin = origin
        guard scope != .changes || state.origin.snapshot != .zero else {
            throw RemoteFailure(.violation, "changes against nothing")
        }
        let isOther = state.origin.series != .zero && state.origin.series != journal.origin.series
        guard !isOther || journal.options.contains(.overwrite) else {
            throw RemoteFailure(.changedThere, "the replica is that of another store")
        }
    }

    private mutating func checkOrder(_ path: [UInt8]) throws(RemoteFailure) {
        guard hasHead else { throw RemoteFailure(.violation, "an offer without a head") }
        if let previous, !PathBytes.isBefore(previous, path) {
            throw RemoteFailure(.violation, "paths out of order", object: path)
        }
        guard !PathBytes.isInside(path, TargetPlaces.directory) else {
            throw RemoteFailure(.forbidden, "a path of the replica's own", object: path)
        }
        previous = path
    }

    private mutating func take(_ put: ReplicaRecord) throws {
        var put = put
        try checkOrder(put.entry.path)
        guard journal.puts.count < ReplicaLimits.puts,
            journal.puts.bytes.count + state.records.bytes.count < ReplicaLimits.recordBytes
        else { throw RemoteFailure(.violation, "too many paths") }
        try checkDevice(put.entry)
        if !isTrusted { Self.restrict(&put.entry) }
        let old = try state.records.find(put.entry.path)
        if put.entry.isFile {
            let (action, want) = try decide(put, old)
            put.action = action
            files.append(journal.puts.count)
            wants.append(want.rawValue)
        } else {
            put.key = .zero
            let isSame = old.map { $0.entry.payload == put.entry.payload } ?? false
            put.action = isSame ? .keep : .make
        }
        journal.puts.append(put)
    }

    /// Refuses a device before the rest is sent, where it could not be made in the end.
    private func checkDevice(_ entry: ManifestEntry) throws(RemoteFailure) {
        switch entry.payload {
        case .characterDevice, .blockDevice:
            guard isTrusted else {
                throw RemoteFailure(.forbidden, "devices are not made here", object: entry.path)
            }
            guard HostSystem.isRoot else {
                throw RemoteFailure(
                    .forbidden, "only root makes devices; leave it out with --exclude",
                    object: entry.path)
            }
        default: break
        }
    }

    /// Leaves out attributes that give rights beyond this directory.
    private static func restrict(_ entry: inout ManifestEntry) {
        entry.attributes.removeAll { attribute in
            !attribute.name.starts(with: "user.".utf8)
                && !attribute.name.starts(with: "system.posix_acl_".utf8)
        }
    }

    private func decide(
        _ put: ReplicaRecord, _ old: ReplicaRecord?
    ) throws -> (ReplicaAction, Want) {
        if let old, old.key == put.key, put.key != .zero, old.entry.isFile,
            old.entry.size == put.entry.size
        {
            return (.keep, .no)
        }
        if put.key != .zero, try reuseStaged(put) { return (.place, .no) }
        let isThere = try tree.target.status(put.entry.path)?.type == .regular
        return (.build, isThere ? .yesAndThere : .yes)
    }

    /// Whether the file was staged by a replication that was interrupted; its time or owner may be
    /// others now.
    private func reuseStaged(_ put: ReplicaRecord) throws -> Bool {
        let path = TargetPlaces.staged(put.key)
        let status = try tree.target.status(path)
        guard status?.type == .regular, status?.size == put.entry.size else { return false }
        if journal.options.contains(.dryRun) { return true }
        let file = try tree.target.root.open(path, [.readOnly, .nonBlocking])
        try tree.apply(put.entry.metadata, to: file, path, for: put.entry.path)
        return true
    }

    private mutating func takeRemoval(_ path: [UInt8]) throws {
        try checkOrder(path)
        guard ManifestPath.isValid(path), !path.isEmpty else {
            throw RemoteFailure(.violation, "no path to remove", object: path)
        }
        if try state.records.contains(path) { journal.removals.append(path) }
    }

    /// With everything offered, what is left of the state is gone at the source.
    private mutating func removeTheRest() throws {
        for index in 0..<state.records.count {
            let path = try state.records[index].entry.path
            guard !path.isEmpty, try !journal.puts.contains(path) else { continue }
            journal.removals.append(path)
        }
    }

    mutating func setAction(_ action: ReplicaAction, ofFile number: Int) {
        journal.puts.setAction(action, at: files[number])
    }

    func file(_ number: Int) throws -> ReplicaRecord { try journal.puts[files[number]] }

    /// Files that are still to be sent.
    var isComplete: Bool {
        get throws {
            for index in files where try journal.puts[index].action == .build { return false }
            return true
        }
    }
}
