internal import Bytes
internal import Hashing
internal import Platform
internal import Snapshots
internal import SystemPackage

/// What a target does with each path that is offered.
struct ReplicaOffers {
    /// Whether a file is to be sent.
    enum Want: UInt8 {
        case no = 0
        case yes = 1
        /// A file of that name is at the target, and may hold some of it.
        case yesAndThere = 2
    }

    private(set) var journal = ReplicaJournal()
    /// Places of the files in the journal's records, by their number.
    private(set) var files: [Int] = []
    private(set) var wants: [UInt8] = []
    /// Devices are refused.
    var refusesDevices = false
    private var isEverything = false
    private var hasHead = false
    private var previous: [UInt8]?
    private let tree: ReplicaTree
    private let state: ReplicaState

    init(_ tree: ReplicaTree, _ state: ReplicaState, _ options: ReplicaOptions) {
        self.tree = tree
        self.state = state
        journal.options = options
    }

    /// Takes an offer, whole.
    mutating func receive(_ source: any ByteSource) throws {
        var stream = ReplicaRecordReader(source)
        while let next = try stream.next() {
            var reader = next.reader
            switch next.type {
            case 1: try takeHead(&reader)
            case 2: try take(try ReplicaRecord(decoding: &reader))
            case 3: try takeRemoval(try reader.string(limit: ManifestPath.pathLimit))
            default: throw ReplicaRecordReader.unknown(next.type)
            }
            try reader.finish()
        }
        guard hasHead else { throw RemoteFailure(.violation, "an offer without a head") }
        if isEverything { try removeTheRest() }
    }

    private mutating func takeHead(_ reader: inout ByteReader) throws {
        guard !hasHead else { throw RemoteFailure(.violation, "a second head") }
        hasHead = true
        isEverything = try reader.u8() == 1
        journal.origin = try ReplicaOrigin(decoding: &reader)
        guard isEverything || state.origin.snapshot != .zero else {
            throw RemoteFailure(.violation, "changes against nothing")
        }
        let isOther = state.origin.series != .zero && state.origin.series != journal.origin.series
        guard !isOther || journal.options.contains(.overwrite) else {
            throw RemoteFailure(.changedThere, "the replica is that of another store")
        }
    }

    private mutating func checkOrder(_ path: [UInt8]) throws {
        guard hasHead else { throw RemoteFailure(.violation, "an offer without a head") }
        if let previous, !PathBytes.isBefore(previous, path) {
            throw RemoteFailure(.violation, "paths out of order", object: path)
        }
        guard !PathBytes.isInside(path, ReplicaPlaces.directory) else {
            throw RemoteFailure(.forbidden, "a path of the replica's own", object: path)
        }
        previous = path
    }

    private mutating func take(_ put: ReplicaRecord) throws {
        var put = put
        try checkOrder(put.entry.path)
        guard journal.puts.count < ReplicaLimits.puts else {
            throw RemoteFailure(.violation, "too many paths")
        }
        switch put.entry.payload {
        case .characterDevice, .blockDevice:
            guard !refusesDevices else {
                throw RemoteFailure(.forbidden, "devices are not made here", object: put.entry.path)
            }
        default: break
        }
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

    private func decide(
        _ put: ReplicaRecord, _ old: ReplicaRecord?
    ) throws -> (ReplicaAction, Want) {
        if let old, old.key == put.key, put.key != .zero, old.entry.isFile,
            old.entry.size == put.entry.size
        {
            return (.keep, .no)
        }
        let staged = try tree.target.status(ReplicaPlaces.staged(put.key))
        if put.key != .zero, staged?.type == .regular, staged?.size == put.entry.size {
            return (.place, .no)
        }
        let isThere = try tree.target.status(put.entry.path)?.type == .regular
        return (.build, isThere ? .yesAndThere : .yes)
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
