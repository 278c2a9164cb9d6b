internal import Snapshots
internal import Targets
package import Wire
internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import TableLog

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
// request: version (1), step (1), options (1), argument. Streams are records as those of a
// replication (ReplicaWire).
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

/// A question about a store.
enum StoreQuestion: Equatable, Sendable {
    case history([UInt8], since: LogPoint)
    case identity([UInt8])
    case whole([UInt8])
    case content([UInt8])
    case pieces([UInt8])

    var path: [UInt8] {
        switch self {
        case .history(let path, _), .identity(let path), .whole(let path), .content(let path),
            .pieces(let path):
            path
        }
    }

    func write(to writer: inout ReplicaRecordWriter) throws {
        let type: UInt8 =
            switch self {
            case .history: 1
            case .identity: 2
            case .whole: 3
            case .content: 4
            case .pieces: 5
            }
        try writer.write(type) {
            $0.string(path)
            if case .history(_, let point) = self { point.encode(into: &$0) }
        }
    }

    init(_ type: UInt8, decoding reader: inout ByteReader) throws {
        let path = try TwoWayPath.decode(&reader)
        switch type {
        case 1: self = .history(path, since: try LogPoint(decoding: &reader))
        case 2: self = .identity(path)
        case 3: self = .whole(path)
        case 4: self = .content(path)
        case 5: self = .pieces(path)
        default: throw ReplicaRecordReader.unknown(type)
        }
        try reader.finish()
    }
}

/// A file that a table consists of.
struct TableFile: Equatable, Sendable {
    /// Below the table.
    var path: [UInt8]
    /// The newest version has it; else it may be gone.
    var isNeeded: Bool
    var size: UInt64?
}

/// The answer to a question.
struct StoreAnswer: Equatable, Sendable {
    var isThere = false
    /// Why there is no answer, or why nobody may write to the table.
    var text = ""
    var metadataID: ExactText = ""
    var commits: [LoggedCommit] = []
    var points: [LogPoint] = []
    var files: [TableFile] = []
    var digest: SHA256Digest?
    var pieces: [FilePiece] = []

    init() {}

    init(refused text: String) { self.text = text }

    func write(to writer: inout ReplicaRecordWriter) throws {
        try writer.write(1) {
            $0.u8(isThere ? 1 : 0)
            $0.string(Array(text.utf8).prefix(TwoWayLimits.text))
            $0.string(Array(metadataID.utf8).prefix(TwoWayLimits.text))
        }
        for commit in commits {
            try writer.write(
                2,
                {
                    $0.u64(UInt64(clamping: commit.version))
                    $0.time(commit.modified)
                }, commit.bytes)
        }
        for point in points { try writer.write(3) { point.encode(into: &$0) } }
        for file in files {
            try writer.write(4) {
                $0.string(file.path)
                $0.u8(file.isNeeded ? 1 : 0)
                $0.varint(file.size.map { $0 + 1 } ?? 0)
            }
        }
        if let digest { try writer.write(5) { $0.digest(digest) } }
        for piece in pieces {
            try writer.write(6) {
                $0.count(piece.size)
                $0.fingerprint(piece.id.fingerprint)
            }
        }
    }

    /// Reads all answers of a stream.
    static func read(_ source: any ByteSource, count: Int) throws -> [Self] {
        var records = ReplicaRecordReader(source)
        var answers: [Self] = []
        var budget = TwoWayLimits.commits
        var items = 0
        while let next = try records.next() {
            items += 1
            guard items <= TwoWayLimits.paths else {
                throw RemoteFailure(.violation, "an answer that does not end")
            }
            var reader = next.reader
            if next.type == 1 {
                guard answers.count < count else {
                    throw RemoteFailure(.violation, "answers without questions")
                }
                answers.append(try Self(head: &reader))
            } else {
                guard !answers.isEmpty else {
                    throw RemoteFailure(.violation, "an answer without its head")
                }
                try answers[answers.count - 1].take(next.type, &reader, &budget)
            }
            try reader.finish()
        }
        guard answers.count == count else {
            throw RemoteFailure(.violation, "questions without answers")
        }
        return answers
    }

    private init(head reader: inout ByteReader) throws {
        isThere = try reader.u8() == 1
        text = RemoteFailure.harmless(try reader.string(limit: TwoWayLimits.text))
        let id = try reader.string(limit: TwoWayLimits.text)
        metadataID = ExactText(RemoteFailure.harmless(id))
    }

    private mutating func take(
        _ type: UInt8, _ reader: inout ByteReader, _ budget: inout Int
    ) throws {
        switch type {
        case 2:
            let commit = try CommitRecord(decoding: &reader)
            budget -= commit.bytes.count
            guard budget >= 0 else { throw RemoteFailure(.violation, "too many commits") }
            do throws(TableLogError) {
                commits.append(
                    try LoggedCommit(commit.version, commit.bytes, modified: commit.modified))
            } catch {
                // One table that is not understood does not keep others from being synced.
                isThere = false
                text = RemoteFailure.harmless(Array("\(error)".utf8))
            }
        case 3: points.append(try LogPoint(decoding: &reader))
        case 4:
            let path = try TwoWayPath.decode(&reader)
            let isNeeded = try reader.u8() == 1
            let size = try reader.varint()
            files.append(
                TableFile(path: path, isNeeded: isNeeded, size: size == 0 ? nil : size - 1))
        case 5: digest = try reader.sha256()
        case 6:
            guard pieces.count < PieceSearch.pieces else {
                throw RemoteFailure(.violation, "too many pieces")
            }
            let size = try reader.count(limit: PackFormat.blobSizeLimit, "a size")
            let offset = pieces.last.map { $0.offset + UInt64($0.size) } ?? 0
            let id = ChunkID(try reader.fingerprint())
            pieces.append(FilePiece(offset: offset, size: size, id: id))
        default: throw ReplicaRecordReader.unknown(type)
        }
    }
}

/// A commit in a record.
struct CommitRecord {
    var version: Int64
    var modified: Timestamp
    var bytes: [UInt8]

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        guard let version = Int64(exactly: try reader.u64()), version < TwoWayLimits.version else {
            throw reader.invalid("a version of a table")
        }
        self.version = version
        modified = try reader.time()
        guard reader.remaining <= TwoWayLimits.commit else {
            throw reader.invalid("a commit of at most \(TwoWayLimits.commit) bytes")
        }
        bytes = Array(try reader.take(reader.remaining))
    }
}

/// A file that the other store will send.
struct OfferedFile: Equatable, Sendable {
    var path: [UInt8]
    var size: UInt64?
    /// SHA-256 of its content; zeros where that is not known yet.
    var digest: SHA256Digest
    /// Names what is staged: equal keys, equal content.
    var key: SHA256Digest
    var mode: UInt32
    var mtime: Timestamp
    /// It belongs to a table: one that is there already is compared, and never replaced.
    var isTableFile: Bool

    func encode(into writer: inout ByteWriter) {
        writer.string(path)
        writer.varint(size.map { $0 + 1 } ?? 0)
        writer.digest(digest)
        writer.digest(key)
        writer.u32(mode)
        writer.time(mtime)
        writer.u8(isTableFile ? 1 : 0)
    }

    init(
        path: [UInt8], size: UInt64?, digest: SHA256Digest = .zero, key: SHA256Digest,
        mode: UInt32 = 0o644, mtime: Timestamp = Timestamp(seconds: 0, nanoseconds: 0),
        isTableFile: Bool
    ) {
        self.path = path
        self.size = size
        self.digest = digest
        self.key = key
        self.mode = mode
        self.mtime = mtime
        self.isTableFile = isTableFile
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        path = try TwoWayPath.decode(&reader)
        let size = try reader.varint()
        self.size = size == 0 ? nil : size - 1
        digest = try reader.sha256()
        key = try reader.sha256()
        mode = try reader.u32() & 0o777
        mtime = try reader.time()
        isTableFile = try reader.u8() == 1
        guard !path.isEmpty, self.size ?? 0 <= UInt64(Int64.max) else {
            throw reader.invalid("a file")
        }
    }
}

/// Whether an offered file is to be sent.
enum FileNeed: Equatable, Sendable {
    /// It lies in the staging directory.
    case no
    case yes
    /// A file of that name is there, with this content.
    case isThere(SHA256Digest)

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .no: writer.u8(0)
        case .yes: writer.u8(1)
        case .isThere: writer.u8(2)
        }
        if case .isThere(let digest) = self { writer.digest(digest) } else { writer.digest(.zero) }
    }

    init(decoding reader: inout ByteReader) throws(MalformedBytes) {
        let kind = try reader.u8()
        let digest = try reader.sha256()
        switch kind {
        case 0: self = .no
        case 1: self = .yes
        case 2: self = .isThere(digest)
        default: throw reader.invalid("a known need")
        }
    }
}
