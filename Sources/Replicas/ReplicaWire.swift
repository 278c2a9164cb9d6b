package import Wire

// A replication, through the streams of the wire; the purpose in the hello is `replica`:
//
//     client                             server, which has the target
//     download  begin, options   ──▶     lock; finish what was interrupted; compare with the state
//                                ◀──     status
//     upload    offer: all that changed, or everything, in path order   ──▶
//     download  wants            ◀──     for each file offered: no; yes; yes, and one is there
//     upload    content          ──▶     pieces of the wanted files, staged
//     download  lacking          ◀──     pieces to be copied that were not found as they should be
//     upload    supply           ──▶     those
//     download  publish          ◀──     what was done, when all is durable
//     download  release          ◀──     nothing; in place of all that follows the status
//
// request: version (1), step (1), options (1).
//
// Streams are records (PeerRecord); integers are little-endian:
//
//     offer     1 head     what changed (0), everything (1), or all that could be read of it (2);
//                          origin: repository, series, snapshot
//               2 put      a record (ReplicaRecords); its action counts for nothing
//               3 remove   path (varint count, bytes)
//     content   1 file     number among the files offered (4); its pieces follow
//               2 path     path of a file at the target; gets the next number
//               3 hole     size (varint)
//               4 copy     fingerprint (48), size (varint), place
//               5 data     fingerprint (48), codec (1), size (varint), if it is a patch: number of
//                          bases (1) and the place of each; then its bytes, as in packs
//     supply    6 at       number of the file (4), offset (8); its data follows
//     lacking   1 piece    number of the file (4), number of the piece (4), offset (8)
//     status    1 status   kind (1), origin, numbers of changes, of paths (8)
//               2 change   kind (1), path
//     wants     bytes, without records
//     publish   1 done     files, others, removed, set aside (8 each)
//               2 aside    path
//               3 failures how many there are (8); only where the options ask for them
//               4 failure  path, then as TargetFailure says
//
// place: 0 and the number of a path (varint), or 1 and the number of a file that came before; then
// the offset (varint).

/// A step of a replication.
package enum ReplicaStep: UInt8 {
    case begin = 1
    case offer = 2
    case wants = 3
    case content = 4
    case lacking = 5
    case supply = 6
    case publish = 7
    /// Gives the target up without changing it.
    case release = 8
}

/// What a target is asked to do beyond the usual.
package struct ReplicaOptions: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// What was changed at the target may be replaced.
    package static let overwrite = ReplicaOptions(rawValue: 1)
    /// Nothing is to be changed.
    package static let dryRun = ReplicaOptions(rawValue: 2)
    /// Restores set-user-id and set-group-id bits.
    package static let setID = ReplicaOptions(rawValue: 4)
    /// The client understands a list of what the target could not hold.
    static let listsFailures = ReplicaOptions(rawValue: 8)
}

package struct ReplicaRequest: Equatable {
    static let version: UInt8 = 1
    package var step: ReplicaStep
    package var options: ReplicaOptions = []

    package func encoded() -> [UInt8] { [Self.version, step.rawValue, options.rawValue] }

    package init(_ step: ReplicaStep, _ options: ReplicaOptions = []) {
        self.step = step
        self.options = options
    }

    package init(decoding bytes: [UInt8]) throws(RemoteFailure) {
        guard bytes.count == 3, bytes[0] == Self.version, let step = ReplicaStep(rawValue: bytes[1])
        else { throw RemoteFailure(.unsupported, "a replication of another version") }
        self.step = step
        options = ReplicaOptions(rawValue: bytes[2])
    }
}

/// Limits of the streams; a peer cannot raise them.
package enum ReplicaLimits {
    /// Pieces that are supplied a second time.
    package static let lacking = 1 << 20
    /// Changes that are told one by one.
    package static let changes = 1000
    package static let puts = 1 << 26
    /// Bytes of the records of a journal and of a state together: so both can be read again.
    package static let recordBytes = 2 << 30
    /// Bytes of the paths that are told besides.
    package static let pathBytes = 256 << 20
}
