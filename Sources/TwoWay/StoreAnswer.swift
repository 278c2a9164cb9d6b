internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import TableLog
internal import Wire

/// A question about a store; the path is that of a table or file.
enum StoreQuestion: Equatable, Sendable, PeerRecord {
    /// Which commits of a table follow a version.
    case history([UInt8], since: LogPoint)
    /// Which commits a table has, and what its newest version consists of.
    case identity([UInt8])
    /// All files of a table.
    case whole([UInt8])
    /// The digest of a file.
    case content([UInt8])
    /// The chunks of a file.
    case pieces([UInt8])

    var path: [UInt8] {
        switch self {
        case .history(let path, _), .identity(let path), .whole(let path), .content(let path),
            .pieces(let path):
            path
        }
    }

    var kind: UInt8 {
        switch self {
        case .history: 1
        case .identity: 2
        case .whole: 3
        case .content: 4
        case .pieces: 5
        }
    }

    func encode(into writer: inout ByteWriter) {
        writer.string(path)
        if case .history(_, let point) = self { point.encode(into: &writer) }
    }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        let path = try TwoWayPath.decode(&reader)
        switch kind {
        case 1: self = .history(path, since: try LogPoint(decoding: &reader))
        case 2: self = .identity(path)
        case 3: self = .whole(path)
        case 4: self = .content(path)
        case 5: self = .pieces(path)
        default: throw reader.unknownKind(kind)
        }
    }
}

/// A commit of a table: a file of its log.
struct TableCommit: Equatable, Sendable {
    var version: Int64
    /// The modification time of the file: time travel goes by it.
    var modified: Timestamp
    var bytes: [UInt8]

    func encodeHead(into writer: inout ByteWriter) {
        writer.u64(UInt64(clamping: version))
        writer.time(modified)
    }

    init(version: Int64, modified: Timestamp, bytes: [UInt8]) {
        self.version = version
        self.modified = modified
        self.bytes = bytes
    }

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

/// A file that a table consists of.
struct TableFile: Equatable, Sendable {
    /// Below the table.
    var path: [UInt8]
    /// The newest version has it; else it may be gone.
    var isNeeded: Bool
    var size: UInt64?
}

/// The answer to a question, by its kind.
enum StoreAnswer: Equatable, Sendable {
    /// `refusal` says why nobody but a writer that understands all of the table may add to it.
    case history([TableCommit], refusal: String?)
    case identity(TableIdentity)
    /// All files of a table, and its newest commit.
    case whole([TableFile], at: LogPoint)
    case content(SHA256Digest)
    case pieces([FilePiece])
    /// There is no answer, for a reason in words.
    case refused(String)

    func write(to writer: inout RecordWriter) throws {
        switch self {
        case .history(let commits, let refusal):
            try writer.write(AnswerRecord.head(isThere: true, text: refusal ?? "", ""))
            for commit in commits { try writer.write(AnswerRecord.commit(commit)) }
        case .identity(let identity):
            try writer.write(AnswerRecord.head(isThere: true, text: "", identity.metadataID))
            for point in identity.points { try writer.write(AnswerRecord.point(point)) }
            if let content = identity.content { try writer.write(AnswerRecord.digest(content)) }
        case .whole(let files, let point):
            try writer.write(AnswerRecord.head(isThere: true, text: "", ""))
            try writer.write(AnswerRecord.point(point))
            for file in files { try writer.write(AnswerRecord.file(file)) }
        case .content(let digest):
            try writer.write(AnswerRecord.head(isThere: true, text: "", ""))
            try writer.write(AnswerRecord.digest(digest))
        case .pieces(let pieces):
            try writer.write(AnswerRecord.head(isThere: true, text: "", ""))
            for piece in pieces {
                try writer.write(AnswerRecord.piece(size: piece.size, piece.id))
            }
        case .refused(let text):
            try writer.write(AnswerRecord.head(isThere: false, text: text, ""))
        }
    }

    /// Reads the answers to `questions`, which come in their order.
    static func read(_ source: any ByteSource, to questions: [StoreQuestion]) throws -> [Self] {
        var reader = RecordReader(source)
        var answers = StoreAnswers(questions)
        while let record = try reader.next(AnswerRecord.self) { try answers.take(record) }
        return try answers.finish()
    }
}

/// A part of an answer; each answer begins with `head`.
enum AnswerRecord: PeerRecord {
    /// The text says why there is no answer, or why nobody may write to the table.
    case head(isThere: Bool, text: String, _ metadataID: ExactText)
    case commit(TableCommit)
    case point(LogPoint)
    case file(TableFile)
    case digest(SHA256Digest)
    case piece(size: Int, ChunkID)

    var kind: UInt8 {
        switch self {
        case .head: 1
        case .commit: 2
        case .point: 3
        case .file: 4
        case .digest: 5
        case .piece: 6
        }
    }

    func encode(into writer: inout ByteWriter) {
        switch self {
        case .head(let isThere, let text, let metadataID):
            writer.u8(isThere ? 1 : 0)
            writer.string(Array(text.utf8).prefix(TwoWayLimits.text))
            writer.string(Array(metadataID.utf8).prefix(TwoWayLimits.text))
        case .commit(let commit): commit.encodeHead(into: &writer)
        case .point(let point): point.encode(into: &writer)
        case .file(let file):
            writer.string(file.path)
            writer.u8(file.isNeeded ? 1 : 0)
            writer.varint(file.size.map { $0 + 1 } ?? 0)
        case .digest(let digest): writer.digest(digest)
        case .piece(let size, let id):
            writer.count(size)
            writer.fingerprint(id.fingerprint)
        }
    }

    var tail: [UInt8] { if case .commit(let commit) = self { commit.bytes } else { [] } }

    init(kind: UInt8, decoding reader: inout ByteReader) throws(MalformedBytes) {
        switch kind {
        case 1:
            let isThere = try reader.u8() == 1
            let text = RemoteFailure.harmless(try reader.string(limit: TwoWayLimits.text))
            let id = ExactText(
                RemoteFailure.harmless(try reader.string(limit: TwoWayLimits.text)))
            self = .head(isThere: isThere, text: text, id)
        case 2: self = .commit(try TableCommit(decoding: &reader))
        case 3: self = .point(try LogPoint(decoding: &reader))
        case 4:
            let path = try TwoWayPath.decode(&reader)
            let isNeeded = try reader.u8() == 1
            let size = try reader.varint()
            self = .file(
                TableFile(path: path, isNeeded: isNeeded, size: size == 0 ? nil : size - 1))
        case 5: self = .digest(try reader.sha256())
        case 6:
            let size = try reader.count(limit: SizeLimits.blob, "a size")
            self = .piece(size: size, ChunkID(try reader.fingerprint()))
        default: throw reader.unknownKind(kind)
        }
    }
}

/// Puts answers together from their records.
private struct StoreAnswers {
    private let questions: [StoreQuestion]
    private var answers: [StoreAnswer] = []
    private var current: Parts?
    private var commitBytes = 0
    private var recordCount = 0

    private struct Parts {
        var isThere: Bool
        var text: String
        var metadataID: ExactText
        var commits: [TableCommit] = []
        var points: [LogPoint] = []
        var files: [TableFile] = []
        var digest: SHA256Digest?
        var pieces: [FilePiece] = []
    }

    init(_ questions: [StoreQuestion]) { self.questions = questions }

    mutating func take(_ record: AnswerRecord) throws(RemoteFailure) {
        recordCount += 1
        guard recordCount <= TwoWayLimits.paths else {
            throw RemoteFailure(.violation, "an answer that does not end")
        }
        if case .head(let isThere, let text, let metadataID) = record {
            try closeCurrent()
            guard answers.count < questions.count else {
                throw RemoteFailure(.violation, "answers without questions")
            }
            current = Parts(isThere: isThere, text: text, metadataID: metadataID)
            return
        }
        guard var parts = current.take() else {
            throw RemoteFailure(.violation, "an answer without its head")
        }
        try add(record, to: &parts)
        current = parts
    }

    private mutating func add(
        _ record: AnswerRecord, to parts: inout Parts
    ) throws(RemoteFailure) {
        switch record {
        case .head: break
        case .commit(let commit):
            commitBytes += commit.bytes.count
            guard commitBytes <= TwoWayLimits.commits else {
                throw RemoteFailure(.violation, "too many commits")
            }
            parts.commits.append(commit)
        case .point(let point): parts.points.append(point)
        case .file(let file): parts.files.append(file)
        case .digest(let digest): parts.digest = digest
        case .piece(let size, let id):
            guard parts.pieces.count < PieceSearch.pieces else {
                throw RemoteFailure(.violation, "too many pieces")
            }
            let offset = parts.pieces.last.map { $0.offset + UInt64($0.size) } ?? 0
            parts.pieces.append(FilePiece(offset: offset, size: size, id: id))
        }
    }

    private mutating func closeCurrent() throws(RemoteFailure) {
        guard let parts = current.take() else { return }
        answers.append(try Self.answer(parts, to: questions[answers.count]))
    }

    private static func answer(
        _ parts: Parts, to question: StoreQuestion
    ) throws(RemoteFailure) -> StoreAnswer {
        guard parts.isThere else { return .refused(parts.text) }
        switch question {
        case .history:
            return .history(parts.commits, refusal: parts.text.isEmpty ? nil : parts.text)
        case .identity:
            return .identity(
                TableIdentity(
                    metadataID: parts.metadataID, content: parts.digest, points: parts.points))
        case .whole:
            guard let point = parts.points.last else { return .refused(parts.text) }
            return .whole(parts.files, at: point)
        case .content:
            guard let digest = parts.digest else { return .refused(parts.text) }
            return .content(digest)
        case .pieces: return .pieces(parts.pieces)
        }
    }

    /// All answers; each question has one.
    mutating func finish() throws(RemoteFailure) -> [StoreAnswer] {
        try closeCurrent()
        guard answers.count == questions.count else {
            throw RemoteFailure(.violation, "questions without answers")
        }
        return answers
    }
}
