internal import Bytes
internal import Repository

/// What the owner of the server's pipe is to do.
package enum ServerAction: Equatable, Sendable {
    /// Find what the client names and answer with `welcome`.
    case greet(ClientHello)
    /// Do it and answer, where it is to be answered; all that it refers to exists.
    case perform(UInt32, ClientMessage)
}

/// The server's side of the conversation, without input or output.
///
/// It knows what a client may say now: which numbers are used, what is open, how much of a stream
/// was granted. Whoever owns the pipe feeds it frames and does what it returns.
package struct ServerSession: Sendable {
    private struct Stream {
        /// Bytes that the client may still send; an upload's.
        var granted: Int
        var isUpload: Bool
        /// The client said `end` or `cancel`.
        var isClosed = false
        /// The server sent `done` or `failure`.
        var isAnswered = false
    }

    private let limits: ServerLimits
    private var isGreeted = false
    private var lastNumber: UInt32 = 0
    private var objects: Set<UInt32> = []
    private var staged: [UInt32: ObjectKind] = [:]
    private var streams: [UInt32: Stream] = [:]

    package init(_ limits: ServerLimits) { self.limits = limits }

    /// Takes the next frame of the client.
    package mutating func receive(_ frame: Frame) throws(WireError) -> ServerAction {
        let message = try ClientMessage(frame)
        guard isGreeted else {
            guard case .hello(let hello) = message, frame.number == 0 else {
                throw WireError(.unexpected, "\(frame.type) came before hello")
            }
            try check(hello)
            isGreeted = true
            return .greet(hello)
        }
        if message.isRequest { try take(frame.number) }
        try note(message, frame.number)
        return .perform(frame.number, message)
    }

    private func check(_ hello: ClientHello) throws(WireError) {
        guard hello.oldest <= ClientHello.version, ClientHello.version <= hello.newest else {
            throw WireError(
                .unsupported,
                "this varve speaks version \(ClientHello.version) of the wire, the client versions "
                    + "\(hello.oldest) to \(hello.newest)")
        }
        guard hello.mandatory.isSubset(of: .known) else {
            throw WireError(.unsupported, "the client needs a feature that this varve lacks")
        }
        guard !hello.path.contains(0) else { throw WireError(.malformed, "a NUL in the path") }
    }

    private mutating func take(_ number: UInt32) throws(WireError) {
        guard number > lastNumber else {
            throw WireError(.unexpected, "request \(number) came after request \(lastNumber)")
        }
        lastNumber = number
    }

    private mutating func note(_ message: ClientMessage, _ number: UInt32) throws(WireError) {
        switch message {
        case .hello: throw WireError(.unexpected, "a second hello")
        case .open: try open(number)
        case .stage(let kind):
            guard staged.count < limits.staged else {
                throw WireError(.excessive, "more than \(limits.staged) staged objects")
            }
            staged[number] = kind
        case .read(let object, _, let count):
            try require(objects.contains(object), "object \(object) is not open")
            guard count <= WireLimits.content else {
                throw WireError(.excessive, "a read of \(count) bytes")
            }
        case .close: try require(objects.remove(number) != nil, "object \(number) is not open")
        case .write, .discard: try noteStaged(message, number)
        case .sync(let object): try require(staged[object] != nil, "object \(object) is not staged")
        case .publish(let object, let name):
            try require(staged.removeValue(forKey: object) == name.kind, "no such object is staged")
        case .upload, .download, .data, .end, .cancel, .credit: try noteStream(message, number)
        case .list, .put, .syncNames, .remove, .have, .ping: break
        }
    }

    private func require(_ isRight: Bool, _ why: @autoclosure () -> String) throws(WireError) {
        guard isRight else { throw WireError(.unexpected, why()) }
    }

    private mutating func open(_ number: UInt32) throws(WireError) {
        guard objects.count < limits.objects else {
            throw WireError(.excessive, "more than \(limits.objects) open objects")
        }
        objects.insert(number)
    }

    private mutating func noteStaged(
        _ message: ClientMessage, _ number: UInt32
    ) throws(WireError) {
        guard let kind = staged[number] else {
            throw WireError(.unexpected, "object \(number) is not staged")
        }
        guard case .write(let offset, let content) = message else {
            staged[number] = nil
            return
        }
        let (end, overflow) = offset.addingReportingOverflow(UInt64(content.count))
        guard !overflow, end <= kind.sizeLimit else {
            throw WireError(.excessive, "an object larger than \(kind.sizeLimit) bytes")
        }
    }

    private mutating func noteStream(
        _ message: ClientMessage, _ number: UInt32
    ) throws(WireError) {
        switch message {
        case .upload, .download:
            guard streams.count < limits.streams else {
                throw WireError(.excessive, "more than \(limits.streams) streams")
            }
            let isUpload = if case .upload = message { true } else { false }
            streams[number] = Stream(granted: Int(limits.window), isUpload: isUpload)
        case .data(let content):
            guard var stream = streams[number], stream.isUpload, !stream.isClosed else {
                throw WireError(.unexpected, "data of no stream")
            }
            guard content.count <= stream.granted else {
                throw WireError(.excessive, "more data than was granted")
            }
            stream.granted -= content.count
            streams[number] = stream
        case .end, .cancel:
            if case .end = message {
                let isUpload = streams[number]?.isUpload == true
                try require(isUpload, "the end of no upload")
            }
            try closeStream(number)
        default:
            // Credit may cross the end of a download on its way.
            try require(number <= lastNumber, "credit for no stream")
        }
    }

    private mutating func closeStream(_ number: UInt32) throws(WireError) {
        guard let stream = streams[number] else {
            // A download that ended while its `cancel` was on the way.
            return try require(number <= lastNumber, "the end of no stream")
        }
        try require(!stream.isClosed, "a stream ended twice")
        if stream.isAnswered { streams[number] = nil } else { streams[number]?.isClosed = true }
    }

    /// Notes that credit was sent: the client may send so much more.
    package mutating func granted(_ count: Int, to number: UInt32) {
        streams[number]?.granted += count
    }

    /// Notes that a stream was answered with `done` or `failure`.
    package mutating func answered(_ number: UInt32) {
        guard let stream = streams[number] else { return }
        if stream.isClosed || !stream.isUpload {
            streams[number] = nil
        } else {
            streams[number]?.isAnswered = true
        }
    }
}

extension ObjectKind {
    /// No object of the kind is larger.
    var sizeLimit: UInt64 {
        switch self {
        case .config: UInt64(RepositoryConfig.sizeLimit)
        case .pack: SizeLimits.pack
        case .index: SizeLimits.index
        case .snapshot: UInt64(Repository.snapshotSizeLimit)
        case .lease: 0
        }
    }
}
