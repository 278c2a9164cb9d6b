internal import Bytes
internal import Hashing

// The wire, version 1. Each side first sends the 13 bytes "varve-wire 1\n", so that text which a
// remote shell prints before can be told from the protocol, and then frames:
//
//     offset  size
//          0     4  payload size n in bytes, at most 1 MiB + 64
//          4     1  type
//          5     3  zero
//          8     4  number: of the request that it makes, answers or belongs to; else 0
//         12     4  sequence number: frames of this side so far
//         16     n  payload
//     16 + n     8  low half of XXH3-128 of everything before, xor the salt
//
// Integers are little-endian. The salt is 0 in the client's first frame, the hello, which names it,
// and in a farewell that comes in place of the welcome; it is the same for all other frames of both
// sides. So a frame that is lost, repeated, reordered or of another conversation is noticed.
// Whether nobody changes them on the way is ssh's to guarantee.
//
// The conversation:
//
//     client                                server
//     hello: versions, salt, path  ───────▶ (requests may follow at once)
//                                  ◀─────── hello: version, limits, rights, config, names
//     request, number k            ───────▶
//                                  ◀─────── reply, number k: one of done, failure, opened, bytes,
//                                           bitmap, or names…
//     upload k, data…, end         ───────▶ (data as far as credit reaches)
//                                  ◀─────── credit k…, then done or failure k
//     download k                   ───────▶
//                                  ◀─────── data k… (as far as credit reaches), done or failure k
//     credit k…                    ───────▶
//
// Requests go one way: the server only answers. Numbers of requests rise, so none is used twice.
// Whatever does not fit, ends the conversation with a frame `farewell` that says why.

/// What a frame is.
///
/// Those of the server begin at 64.
package enum FrameType: UInt8, Sendable, CaseIterable {
    case hello = 1
    case list = 2
    case open = 3
    case read = 4
    case close = 5
    case stage = 6
    case write = 7
    case sync = 8
    case publish = 9
    case discard = 10
    case put = 11
    case syncNames = 12
    case remove = 13
    case have = 14
    case upload = 15
    case download = 16
    case end = 17
    case cancel = 18
    case ping = 19
    /// Of both sides.
    case data = 32
    case credit = 33
    case welcome = 64
    case done = 65
    case failure = 66
    case names = 67
    case bytes = 68
    case opened = 69
    case bitmap = 70
    case pong = 71
    case farewell = 72
}

/// Sizes and limits of the wire; a peer cannot raise them.
package enum WireLimits {
    package static let preface = Array("varve-wire 1\n".utf8)
    static let headerSize = 16
    static let checkSize = 8
    /// Most bytes of content in one frame.
    package static let content = 1 << 20
    static let payload = content + 64
    /// Names of objects in one frame.
    package static let names = 16 << 10
    /// Blob ids in one frame.
    package static let ids = 16 << 10
    /// Bytes of a stream that may be under way without having been taken.
    package static let window = 8 << 20
    /// Longest request that begins a stream, and longest reply at its end.
    package static let request = 1 << 20
    static let path = 4096
}

/// One frame, checked, with its bytes as they came.
package struct Frame: Equatable, Sendable {
    package let type: FrameType
    package let number: UInt32
    let bytes: [UInt8]

    package var payload: ArraySlice<UInt8> {
        bytes[WireLimits.headerSize..<bytes.count - WireLimits.checkSize]
    }

    /// A reader of the payload.
    var reader: ByteReader {
        ByteReader(bytes, in: WireLimits.headerSize..<bytes.count - WireLimits.checkSize)
    }

    /// The part of the payload that a reader has not taken.
    func rest(_ reader: ByteReader) -> ArraySlice<UInt8> {
        bytes[reader.offset..<bytes.count - WireLimits.checkSize]
    }
}

/// Makes the frames of one side.
package struct FrameEncoder: Sendable {
    package var salt: UInt64 = 0
    private var sequence: UInt32 = 0

    package init() {}

    /// The next frame; `payload` writes what it holds, `size` bytes or a few more or less.
    mutating func encode(
        _ type: FrameType, _ number: UInt32, size: Int = 64,
        _ payload: (inout ByteWriter) -> Void = { _ in }
    ) -> [UInt8] {
        var body = ByteWriter(capacity: size + WireLimits.headerSize + WireLimits.checkSize)
        body.u32(0)
        body.u8(type.rawValue)
        body.raw([0, 0, 0])
        body.u32(number)
        body.u32(sequence)
        payload(&body)
        let count = body.count - WireLimits.headerSize
        precondition(count <= WireLimits.payload)
        body.patch(u32: UInt32(count), at: 0)
        body.u64(XXH3Digest(of: body.bytes.span).low ^ salt)
        // After 2³² frames the peer refuses: a conversation of at least a petabyte of content.
        sequence &+= 1
        return body.bytes
    }
}

/// Takes bytes as they come and gives out frames.
package struct FrameDecoder: Sendable {
    package var salt: UInt64 = 0
    private var chunk: [UInt8] = []
    private var position = 0
    private var partial: [UInt8] = []
    private var wanted = WireLimits.preface.count
    private var isPrefaceSeen = false
    private var sequence: UInt32 = 0

    /// As much noise is told as fits a message.
    private static let noiseLimit = 300

    package init() {}

    /// Whether the other side may stop here without having cut a frame.
    package var isAtBoundary: Bool { partial.isEmpty && position == chunk.count }

    /// Whether the protocol has begun.
    package var hasBegun: Bool { isPrefaceSeen }

    /// Adds bytes; `next` must have returned nil before.
    package mutating func feed(_ bytes: [UInt8]) {
        precondition(position == chunk.count)
        chunk = bytes
        position = 0
    }

    /// The next frame; nil when more bytes are needed.
    package mutating func next() throws(WireError) -> Frame? {
        while true {
            let count = min(wanted - partial.count, chunk.count - position)
            partial += chunk[position..<position + count]
            position += count
            if !isPrefaceSeen { try checkPreface() }
            guard partial.count == wanted else { return nil }
            if !isPrefaceSeen {
                isPrefaceSeen = true
                begin()
            } else if wanted == WireLimits.headerSize {
                try readHeader()
            } else {
                return try finish()
            }
        }
    }

    private mutating func begin() {
        partial = []
        wanted = WireLimits.headerSize
    }

    private func checkPreface() throws(WireError) {
        guard !WireLimits.preface.starts(with: partial) else { return }
        let text = partial + chunk[position...]
        let end = Self.firstIndex(of: WireLimits.preface, in: text) ?? text.count
        var noise = text[..<min(end, Self.noiseLimit)]
        while let last = noise.last, last <= 0x20 { noise.removeLast() }
        throw WireError(.noise, PathBytes.printable(noise))
    }

    private static func firstIndex(of wanted: [UInt8], in text: [UInt8]) -> Int? {
        guard text.count >= wanted.count else { return nil }
        return (0...text.count - wanted.count).first { text[$0...].starts(with: wanted) }
    }

    private mutating func readHeader() throws(WireError) {
        let size = Int(header(0))
        guard size <= WireLimits.payload else {
            throw WireError(.excessive, "a frame of \(size) bytes")
        }
        guard header(12) == sequence else {
            throw WireError(.unexpected, "frame \(header(12)) came in place of frame \(sequence)")
        }
        wanted = WireLimits.headerSize + size + WireLimits.checkSize
        partial.reserveCapacity(wanted)
    }

    private func header(_ offset: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(partial[offset + $1]) << UInt32(8 * $1) }
    }

    private mutating func finish() throws(WireError) -> Frame {
        let end = partial.count - WireLimits.checkSize
        var reader = ByteReader(partial, in: end..<partial.count)
        let check = try? reader.u64()
        let digest = XXH3Digest(of: partial.span.extracting(0..<end)).low
        // A server that refuses the hello does not know the salt.
        let isRefusal = sequence == 0 && partial[4] == FrameType.farewell.rawValue
        guard check == digest ^ salt || (isRefusal && check == digest) else {
            throw WireError(.malformed, "frame \(sequence) is not as it was sent")
        }
        guard let type = FrameType(rawValue: partial[4]), partial[5...7].allSatisfy({ $0 == 0 })
        else { throw WireError(.malformed, "a frame of the unknown type \(partial[4])") }
        let frame = Frame(type: type, number: header(8), bytes: partial)
        guard sequence < .max else { throw WireError(.excessive, "too many frames") }
        sequence += 1
        begin()
        return frame
    }
}
