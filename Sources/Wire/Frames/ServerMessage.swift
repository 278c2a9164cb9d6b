package import Bytes

// Payloads of the server's frames; the frame's number is that of the request that they answer.
//
//     welcome   see Greeting                opened    size (8), the first bytes of the object
//     done      reply, mostly empty         bytes     content; fewer than asked: there it ends
//     failure   kind (1), errno (4),        names     whether these are the last (1), 32 each
//               message, object: count      bitmap    a bit for each id, lowest first
//               (varint) and bytes          data      content
//     farewell  as failure; the last frame  credit    bytes (4)
//                                           pong      –

/// What a server answers.
package enum ServerMessage: Equatable, Sendable {
    case welcome(ServerHello)
    case done(ArraySlice<UInt8>)
    case failure(RemoteFailure)
    case names([SHA256Digest], isLast: Bool)
    case bytes(ArraySlice<UInt8>)
    case opened(size: UInt64, head: ArraySlice<UInt8>)
    case bitmap(ArraySlice<UInt8>)
    case data(ArraySlice<UInt8>)
    case credit(UInt32)
    case pong
    case farewell(RemoteFailure)

    package init(_ frame: Frame) throws(WireError) {
        do throws(MalformedBytes) {
            self = try Self.decode(frame)
        } catch {
            throw WireError(error, "a frame \(frame.type)")
        }
    }

    private static func decode(_ frame: Frame) throws(MalformedBytes) -> ServerMessage {
        var reader = frame.reader
        switch frame.type {
        case .welcome: return .welcome(try ServerHello(decoding: &reader))
        case .done: return .done(frame.payload)
        case .failure: return .failure(try RemoteFailure(decoding: &reader))
        case .farewell: return .farewell(try RemoteFailure(decoding: &reader))
        case .names:
            let isLast = try reader.u8() == 1
            var names: [SHA256Digest] = []
            names.reserveCapacity(reader.remaining / SHA256Digest.size)
            while !reader.isAtEnd { names.append(try reader.sha256()) }
            return .names(names, isLast: isLast)
        case .bytes: return .bytes(frame.payload)
        case .opened:
            let size = try reader.u64()
            return .opened(size: size, head: frame.rest(reader))
        case .bitmap: return .bitmap(frame.payload)
        case .data: return .data(frame.payload)
        case .credit:
            let count = try reader.u32()
            try reader.finish()
            return .credit(count)
        case .pong:
            try reader.finish()
            return .pong
        default: throw reader.invalid("a frame that a server may send")
        }
    }

    package func encode(_ encoder: inout FrameEncoder, _ number: UInt32) -> [UInt8] {
        switch self {
        case .welcome(let hello): encoder.encode(.welcome, number) { hello.encode(&$0) }
        case .done(let reply):
            encoder.encode(.done, number, size: reply.count) { $0.raw(reply) }
        case .failure(let failure): encoder.encode(.failure, number) { failure.encode(&$0) }
        case .farewell(let failure): encoder.encode(.farewell, number) { failure.encode(&$0) }
        case .names(let names, let isLast):
            encoder.encode(.names, number, size: names.count * 32) { writer in
                writer.u8(isLast ? 1 : 0)
                for name in names { writer.digest(name) }
            }
        case .bytes(let content):
            encoder.encode(.bytes, number, size: content.count) { $0.raw(content) }
        case .opened(let size, let head):
            encoder.encode(.opened, number, size: head.count) { writer in
                writer.u64(size)
                writer.raw(head)
            }
        case .bitmap(let bits):
            encoder.encode(.bitmap, number, size: bits.count) { $0.raw(bits) }
        case .data(let content):
            encoder.encode(.data, number, size: content.count) { $0.raw(content) }
        case .credit(let count): encoder.encode(.credit, number) { $0.u32(count) }
        case .pong: encoder.encode(.pong, number)
        }
    }
}
