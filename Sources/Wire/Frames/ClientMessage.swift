internal import Bytes
package import Hashing
package import Repository

// Payloads of the client's frames; the frame's number is that of the request. An object that is
// opened or staged is called by the number of the request that did it, here "object".
//
//     list        kind (1)                        sync       staged object (4)
//     open        first bytes wanted (4), name    publish    staged object (4), name
//     read        object (4), count (4),          put        name, content
//                 offset (8)                      syncNames  count (varint), names
//     close       –        number: the object     remove     name
//     stage       kind (1)                        have       count (varint), ids
//     write       offset (8), content             upload     request
//                 number: the staged object       download   credit (4), request
//     discard     –  number: the staged object    end        –
//     data        content                         credit     bytes (4)
//     cancel      –                               ping       –
//
//     name        kind (1): 0 config, 1 pack, 2 index, 3 snapshot; SHA-256 (32), of config zeros
//     id          kind (1): 0 chunk, 1 node; fingerprint (48)
//
// close, stage, write, discard, data, end, credit and cancel are not answered; what goes wrong with
// a staged object is told when it is synced or published.

/// What a client asks.
package enum ClientMessage: Equatable, Sendable {
    case hello(ClientHello)
    case list(ObjectKind)
    case open(ObjectName, head: UInt32)
    case read(object: UInt32, offset: UInt64, count: UInt32)
    case close
    case stage(ObjectKind)
    case write(offset: UInt64, ArraySlice<UInt8>)
    case sync(staged: UInt32)
    case publish(staged: UInt32, ObjectName)
    case discard
    case put(ObjectName, ArraySlice<UInt8>)
    case syncNames([ObjectName])
    case remove(ObjectName)
    case have([BlobID])
    case upload(ArraySlice<UInt8>)
    case download(credit: UInt32, ArraySlice<UInt8>)
    case data(ArraySlice<UInt8>)
    case end
    case credit(UInt32)
    case cancel
    case ping

    /// Whether it makes a request, with a number that was not used before.
    var isRequest: Bool {
        switch self {
        case .hello, .close, .write, .discard, .data, .end, .credit, .cancel, .ping: false
        default: true
        }
    }

    /// Whether it would change what the storage holds.
    package var isChange: Bool {
        switch self {
        case .stage, .write, .sync, .publish, .put, .syncNames, .remove, .upload: true
        default: false
        }
    }
}

extension ClientMessage {
    package init(_ frame: Frame) throws(WireError) {
        do throws(MalformedBytes) {
            self = try Self.decode(frame)
        } catch {
            throw WireError(error, "a frame \(frame.type)")
        }
    }

    private static func decode(_ frame: Frame) throws(MalformedBytes) -> ClientMessage {
        var reader = frame.reader
        let message: ClientMessage
        switch frame.type {
        case .hello: return .hello(try ClientHello(decoding: &reader))
        case .list: message = .list(try reader.objectKind())
        case .open:
            let head = try reader.u32()
            message = .open(try reader.objectName(), head: head)
        case .read:
            let object = try reader.u32()
            let count = try reader.u32()
            message = .read(object: object, offset: try reader.u64(), count: count)
        case .close: message = .close
        case .stage: message = .stage(try reader.objectKind())
        case .write:
            let offset = try reader.u64()
            return .write(offset: offset, frame.rest(reader))
        case .sync: message = .sync(staged: try reader.u32())
        case .publish:
            let staged = try reader.u32()
            message = .publish(staged: staged, try reader.objectName())
        case .discard: message = .discard
        case .put:
            let name = try reader.objectName()
            return .put(name, frame.rest(reader))
        default: return try decodeRest(frame, &reader)
        }
        try reader.finish()
        return message
    }

    private static func decodeRest(
        _ frame: Frame, _ reader: inout ByteReader
    ) throws(MalformedBytes) -> ClientMessage {
        let message: ClientMessage
        switch frame.type {
        case .syncNames:
            let count = try reader.count(limit: WireLimits.names, "a number of names")
            var names: [ObjectName] = []
            for _ in 0..<count { names.append(try reader.objectName()) }
            message = .syncNames(names)
        case .remove: message = .remove(try reader.objectName())
        case .have:
            let count = try reader.count(limit: WireLimits.ids, "a number of ids")
            var ids: [BlobID] = []
            for _ in 0..<count { ids.append(try reader.blobID()) }
            message = .have(ids)
        case .upload: return .upload(frame.payload)
        case .download:
            let credit = try reader.u32()
            return .download(credit: credit, frame.rest(reader))
        case .data: return .data(frame.payload)
        case .end: message = .end
        case .credit: message = .credit(try reader.u32())
        case .cancel: message = .cancel
        case .ping: message = .ping
        default: throw reader.invalid("a frame that a client may send")
        }
        try reader.finish()
        return message
    }

    /// Type and payload of the frame that carries it; content is given apart, so that it need not
    /// be an array.
    package func encode(_ encoder: inout FrameEncoder, _ number: UInt32) -> [UInt8] {
        switch self {
        case .hello(let hello): encoder.encode(.hello, number) { hello.encode(&$0) }
        case .list(let kind): encoder.encode(.list, number) { $0.objectKind(kind) }
        case .open(let name, let head):
            encoder.encode(.open, number) { writer in
                writer.u32(head)
                writer.objectName(name)
            }
        case .read(let object, let offset, let count):
            encoder.encode(.read, number) { writer in
                writer.u32(object)
                writer.u32(count)
                writer.u64(offset)
            }
        case .stage(let kind): encoder.encode(.stage, number) { $0.objectKind(kind) }
        case .sync(let staged): encoder.encode(.sync, number) { $0.u32(staged) }
        case .publish(let staged, let name):
            encoder.encode(.publish, number) { writer in
                writer.u32(staged)
                writer.objectName(name)
            }
        case .remove(let name): encoder.encode(.remove, number) { $0.objectName(name) }
        case .credit(let count): encoder.encode(.credit, number) { $0.u32(count) }
        case .close: encoder.encode(.close, number)
        case .discard: encoder.encode(.discard, number)
        case .end: encoder.encode(.end, number)
        case .cancel: encoder.encode(.cancel, number)
        case .ping: encoder.encode(.ping, number)
        default: encodeContent(&encoder, number)
        }
    }

    private func encodeContent(_ encoder: inout FrameEncoder, _ number: UInt32) -> [UInt8] {
        switch self {
        case .write(let offset, let content):
            encoder.write(number, offset, content.span)
        case .put(let name, let content):
            encoder.encode(.put, number, size: content.count) { writer in
                writer.objectName(name)
                writer.raw(content)
            }
        case .syncNames(let names):
            encoder.encode(.syncNames, number, size: names.count * 33) { writer in
                writer.count(names.count)
                for name in names { writer.objectName(name) }
            }
        case .have(let ids):
            encoder.encode(.have, number, size: ids.count * 49) { writer in
                writer.count(ids.count)
                for id in ids { writer.blobID(id) }
            }
        case .upload(let request):
            encoder.encode(.upload, number, size: request.count) { $0.raw(request) }
        case .download(let credit, let request):
            encoder.encode(.download, number, size: request.count) { writer in
                writer.u32(credit)
                writer.raw(request)
            }
        case .data(let content):
            encoder.encode(.data, number, size: content.count) { $0.raw(content) }
        default: preconditionFailure("encoded above")
        }
    }
}

extension FrameEncoder {
    /// A frame `write`; at most `WireLimits.content` bytes.
    package mutating func write(
        _ number: UInt32, _ offset: UInt64, _ content: Span<UInt8>
    ) -> [UInt8] {
        encode(.write, number, size: content.count) { writer in
            writer.u64(offset)
            writer.raw(content)
        }
    }
}

extension ByteReader {
    mutating func objectKind() throws(MalformedBytes) -> ObjectKind {
        switch try u8("a kind of object") {
        case 0: return .config
        case 1: return .pack
        case 2: return .index
        case 3: return .snapshot
        default: throw invalid("a known kind of object")
        }
    }

    mutating func objectName() throws(MalformedBytes) -> ObjectName {
        let kind = try objectKind()
        let digest = try sha256()
        guard kind != .config else {
            guard digest == SHA256Digest(0, 0, 0, 0) else { throw invalid("zeros after config") }
            return .config
        }
        guard let name = ObjectName(kind, digest) else { throw invalid("a name") }
        return name
    }

    mutating func blobID() throws(MalformedBytes) -> BlobID {
        guard let kind = BlobKind(rawValue: try u8("a kind of blob")) else {
            throw invalid("a known kind of blob")
        }
        return BlobID(kind, try fingerprint())
    }
}

extension ByteWriter {
    mutating func objectKind(_ kind: ObjectKind) {
        switch kind {
        case .config: u8(0)
        case .pack: u8(1)
        case .index: u8(2)
        case .snapshot: u8(3)
        case .lease: preconditionFailure("leases are not for the wire")
        }
    }

    mutating func objectName(_ name: ObjectName) {
        objectKind(name.kind)
        digest(name.digest ?? SHA256Digest(0, 0, 0, 0))
    }

    mutating func blobID(_ id: BlobID) {
        u8(id.kind.rawValue)
        fingerprint(id.fingerprint)
    }
}
