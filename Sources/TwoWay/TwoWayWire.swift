internal import Bytes
package import Wire

// A sync of two stores, through the streams of the wire; the purpose in the hello is `sync`.
// Whoever runs it is the client of both stores, also of the one beside it, and asks both the same:
//
//     download  begin      lock; what the store holds (StoreInventory)
//     download  facts      what it remembers of a pair (TwoWayFacts); the argument is its end of it
//     upload    ask        questions about tables and files
//     download  answers    to each of them, in order
//     upload    offer      files that the other store will send
//     download  needs      for each: no; yes; one is there, and its SHA-256
//     upload    want       paths of files, with their numbers in the offer
//     download  content    those files; it goes as it is to the other store's
//     upload    stage      content of what was offered
//     upload    apply      what is to be changed
//     download  outcome    what was done
//     upload    remember   facts that hold now; the argument is its end of the pair
//     download  release    nothing
//
// request: version (1), step (1), options (1), argument. Streams are records (PeerRecord):
//
//     ask       1 history  path, version and digest that the commits are to follow
//               2 identity path
//               3 whole    path
//               4 content  path of a file
//               5 pieces   path of a file
//     answers   1 head     answers the next question: whether there is an answer (1), a text (why
//                          not, or why nobody may write to the table), metadata id
//               2 commit   version (8), time, bytes
//               3 point    version (8), digest (32)
//               4 file     a file of the table: path below it, whether it is needed (1), size + 1
//                          (varint), 0 if unknown
//               5 digest   32
//               6 piece    size (varint), XXH3 and SHA-256 (48); in order
//     offer     1 file     path, size + 1 (varint), digest (32, or zeros), key (32), mode (4),
//                          time, whether it is a file of a table (1)
//     needs     1 need     kind (1), digest (32)
//     want      1 file     number (4), path
//               2 copy     of this file: offset, size (varints), path and place (varint) in the
//                          other store, which has it there
//     content   1 file     number (4), whether it is there (1), size (8), time
//               2 data     codec (1), plain size (varint), XXH3 and SHA-256 (48), bytes
//               3 end      SHA-256 of the whole
//               4 copy     size (varint), XXH3 and SHA-256 (48), path, place (varint)
//     apply     1 directory, 2 put, 3 symlink, 4 remove: see StoreChange
//               5 table    path, version that it must be at + 1 (8), 0 if it is new
//               6 data     number in the offer, whether it is needed (1)
//               7 log      number in the offer, name
//               8 commit   version (8), time, bytes
//     outcome   1 failure  path, text
//               2 table    path, state (1), text
//               3 unset    path, then as TargetFailure says; only where the options ask for them
//     remember  as facts

/// A step of a sync.
enum TwoWayStep: UInt8 {
    case begin = 1
    case facts = 2
    case ask = 3
    case answers = 4
    case offer = 5
    case needs = 6
    case want = 7
    case content = 8
    case stage = 9
    case apply = 10
    case outcome = 11
    case remember = 12
    /// Gives the store up.
    case release = 13
}

/// How a sync is done.
package struct TwoWayOptions: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Nothing is to be changed.
    package static let dryRun = TwoWayOptions(rawValue: 1)
    /// What is sent goes over a network.
    package static let compress = TwoWayOptions(rawValue: 2)
    /// The client understands a list of what a store could not keep besides content.
    static let listsUnset = TwoWayOptions(rawValue: 4)
}

package struct TwoWayRequest: Equatable {
    static let version: UInt8 = 1
    var step: TwoWayStep
    var options: TwoWayOptions = []
    var argument: [UInt8] = []

    init(_ step: TwoWayStep, _ options: TwoWayOptions = [], _ argument: [UInt8] = []) {
        self.step = step
        self.options = options
        self.argument = argument
    }

    func encoded() -> [UInt8] { [Self.version, step.rawValue, options.rawValue] + argument }

    package init(decoding bytes: [UInt8]) throws(RemoteFailure) {
        guard bytes.count >= 3, bytes[0] == Self.version,
            let step = TwoWayStep(rawValue: bytes[1])
        else { throw RemoteFailure(.unsupported, "a sync of another version") }
        self.step = step
        options = TwoWayOptions(rawValue: bytes[2])
        argument = Array(bytes[3...])
    }

    /// The pair that the argument names.
    var pair: PairEnd {
        get throws(MalformedBytes) {
            var reader = ByteReader(argument)
            let pair = try PairEnd(decoding: &reader)
            try reader.finish()
            return pair
        }
    }
}

/// Limits of the streams; a peer cannot raise them.
enum TwoWayLimits {
    static let paths = 1 << 24
    static let pairs = 64
    static let text = 1000
    static let target = 4096
    static let version: Int64 = .max - (1 << 32)
    static let questions = 1 << 20
    static let files = 1 << 22
    /// Commits of one table that are brought in one sync, and of all.
    static let commit = 64 << 20
    static let commits = 512 << 20
    /// Content is sent in pieces of this size.
    static let piece = 1 << 20
    /// What is copied in the other store, in pieces of at most this size.
    static let copy = 4 << 20
}
