package import Bytes
internal import Hashing
internal import Repository

/// The answer to a request, whole.
package enum Reply: Equatable, Sendable {
    case done([UInt8])
    case failure(RemoteFailure)
    case names([SHA256Digest])
    case bytes(ArraySlice<UInt8>)
    case opened(size: UInt64, head: ArraySlice<UInt8>)
    /// For each id, whether it is there.
    case bitmap([Bool])
}

/// What the owner of the client's pipe is to do.
package enum ClientAction: Equatable, Sendable {
    case greeted(ServerHello)
    /// Hand the reply to whoever waits for it.
    case reply(UInt32, Reply)
    /// Hand the bytes to whoever takes the download.
    case data(UInt32, ArraySlice<UInt8>)
    /// An upload may send so much more.
    case credit(UInt32, Int)
    case pong
    case none
}

/// The client's side of the conversation, without input or output.
///
/// It remembers what was asked, so that a server can answer that and nothing else.
package struct ClientSession: Sendable {
    private enum Expected {
        case done
        case names([SHA256Digest])
        case bytes(Int)
        case opened(head: Int)
        case bitmap(Int)
        case upload
        /// Bytes that the server may still send.
        case download(granted: Int)
    }

    private var isGreeted = false
    private var lastNumber: UInt32 = 0
    private var expected: [UInt32: Expected] = [:]
    /// Credit that a server gives beyond this, it gives in vain.
    private static let creditLimit = 1 << 30
    /// 128 TiB of packs; their names fit into 128 MiB.
    private static let nameLimit = 4 << 20

    package init() {}

    /// Whether an answer is due.
    package var isWaiting: Bool { !isGreeted || !expected.isEmpty }

    /// Notes that a message is about to be sent, and returns its number: a new one for a request.
    package mutating func send(
        _ message: ClientMessage, number: UInt32 = 0
    ) throws(WireError) -> UInt32 {
        guard message.isRequest else { return number }
        guard lastNumber < .max else { throw WireError(.excessive, "too many requests") }
        lastNumber += 1
        switch message {
        case .list: expected[lastNumber] = .names([])
        case .open(_, let head): expected[lastNumber] = .opened(head: Int(head))
        case .read(_, _, let count): expected[lastNumber] = .bytes(Int(count))
        case .have(let ids): expected[lastNumber] = .bitmap(ids.count)
        case .upload: expected[lastNumber] = .upload
        case .download(let credit, _): expected[lastNumber] = .download(granted: Int(credit))
        case .stage: break
        default: expected[lastNumber] = .done
        }
        return lastNumber
    }

    /// Notes that credit is about to be sent for a download.
    package mutating func grant(_ count: Int, to number: UInt32) {
        guard case .download(let granted)? = expected[number] else { return }
        expected[number] = .download(granted: granted + count)
    }

    /// Takes the next frame of the server.
    package mutating func receive(_ frame: Frame) throws(WireError) -> ClientAction {
        let message = try ServerMessage(frame)
        if case .farewell(let failure) = message { throw WireError(farewell: failure) }
        guard isGreeted else {
            guard case .welcome(let hello) = message, frame.number == 0 else {
                throw WireError(.unexpected, "\(frame.type) came before the welcome")
            }
            try check(hello)
            isGreeted = true
            return .greeted(hello)
        }
        switch message {
        case .welcome: throw WireError(.unexpected, "a second welcome")
        case .pong: return .pong
        case .data(let content): return try receiveData(content, frame.number)
        case .credit(let count):
            guard frame.number <= lastNumber, Int(count) <= Self.creditLimit else {
                throw WireError(.unexpected, "credit for no stream")
            }
            return .credit(frame.number, Int(count))
        default: return try receiveReply(message, frame.number)
        }
    }

    private func check(_ hello: ServerHello) throws(WireError) {
        guard hello.version == ClientHello.version else {
            throw WireError(.unsupported, "the server speaks version \(hello.version) of the wire")
        }
        guard hello.features.isSubset(of: .known) else {
            throw WireError(.unsupported, "the server uses a feature that this varve lacks")
        }
    }

    private mutating func receiveData(
        _ content: ArraySlice<UInt8>, _ number: UInt32
    ) throws(WireError) -> ClientAction {
        guard case .download(let granted)? = expected[number] else {
            throw WireError(.unexpected, "data of no download")
        }
        guard content.count <= granted else {
            throw WireError(.excessive, "more data than was granted")
        }
        expected[number] = .download(granted: granted - content.count)
        return .data(number, content)
    }

    private mutating func receiveReply(
        _ message: ServerMessage, _ number: UInt32
    ) throws(WireError) -> ClientAction {
        guard let wanted = expected[number] else {
            throw WireError(.unexpected, "an answer to no request, \(number)")
        }
        if case .names(let more, let isLast) = message, case .names = wanted {
            return try receiveNames(more, isLast, number)
        }
        expected[number] = nil
        switch (message, wanted) {
        case (.failure(let failure), _): return .reply(number, .failure(failure))
        case (.done(let reply), .done), (.done(let reply), .upload),
            (.done(let reply), .download):
            return .reply(number, .done(Array(reply)))
        case (.bytes(let content), .bytes(let count)):
            guard content.count <= count else {
                throw WireError(.excessive, "more bytes than were asked for")
            }
            return .reply(number, .bytes(content))
        case (.opened(let size, let head), .opened(let limit)):
            guard head.count <= limit, UInt64(head.count) <= size else {
                throw WireError(.excessive, "more bytes than an object has")
            }
            return .reply(number, .opened(size: size, head: head))
        case (.bitmap(let bits), .bitmap(let count)):
            return .reply(number, .bitmap(try Self.decode(bits, count)))
        default: throw WireError(.unexpected, "an answer that does not fit request \(number)")
        }
    }

    private mutating func receiveNames(
        _ more: [SHA256Digest], _ isLast: Bool, _ number: UInt32
    ) throws(WireError) -> ClientAction {
        guard case .names(var all)? = expected.removeValue(forKey: number) else { return .none }
        guard all.count + more.count <= Self.nameLimit else {
            throw WireError(.excessive, "more than \(Self.nameLimit) names")
        }
        guard isLast || !more.isEmpty else { throw WireError(.malformed, "no names") }
        all += more
        if isLast { return .reply(number, .names(all)) }
        expected[number] = .names(all)
        return .none
    }

    private static func decode(
        _ bits: ArraySlice<UInt8>, _ count: Int
    ) throws(WireError) -> [Bool] {
        guard bits.count == (count + 7) / 8 else {
            throw WireError(.malformed, "a bitmap of \(bits.count) bytes for \(count) ids")
        }
        return (0..<count).map { bits[bits.startIndex + $0 / 8] >> UInt8($0 % 8) & 1 == 1 }
    }
}

extension WireError {
    /// The server ended the conversation and said why.
    package init(farewell failure: RemoteFailure) {
        self.init(.unexpected, "\(failure)")
        self.farewell = failure
    }
}
