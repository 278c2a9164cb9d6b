internal import Bytes
internal import Platform
internal import Repository
internal import Wire

/// An object whose bytes are all here.
final class HeldObject: StoredObject {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var size: UInt64 { UInt64(bytes.count) }

    func read(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        Array(bytes.dropFirst(Int(clamping: offset)).prefix(count))
    }

    func withBytes<Value>(
        _ range: Range<Int>, _ body: (Span<UInt8>) -> Value
    )
        throws(StorageError) -> Value
    {
        let bytes = self.bytes
        return body(bytes.span.extracting(range))
    }
}

/// An object that is open on the other side.
///
/// Small reads of a pack bring what follows too, more of it while they go on in order: a restore of
/// small files then asks once for many.
final class RemoteStoredObject: StoredObject {
    /// Bytes that are here, and where they lie in the object.
    fileprivate struct Window {
        var start: UInt64
        var bytes: ArraySlice<UInt8>
        var ahead = leastAhead
    }

    let size: UInt64
    private let link: ServerLink
    private let number: UInt32
    private let name: ObjectName
    private let window: Monitor<Window>

    private static let leastAhead = 64 << 10
    private static let mostAhead = 1 << 20
    /// Reads that are asked for before the first is answered.
    private static let pipelined = 8

    init(
        _ link: ServerLink, _ number: UInt32, _ name: ObjectName, size: UInt64,
        head: ArraySlice<UInt8>
    ) {
        self.link = link
        self.number = number
        self.name = name
        self.size = size
        window = Monitor(Window(start: 0, bytes: head))
    }

    deinit { _ = try? link.send(.close, number: number) }

    func read(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        guard offset < size else { return [] }
        let count = Int(min(UInt64(clamping: count), size - offset))
        if let held = window.withState({ $0.find(count, at: offset) }) { return held }
        guard count < Self.mostAhead, name.kind == .pack else {
            return try fetch(count, at: offset)
        }
        let wanted = window.withState { window in
            let isNext = offset >= window.start && offset - window.start <= window.bytes.count
            window.ahead = isNext ? min(window.ahead * 2, Self.mostAhead) : Self.leastAhead
            return max(count, window.ahead)
        }
        let ahead = try fetch(Int(min(UInt64(wanted), size - offset)), at: offset)
        window.withState { window in
            window.start = offset
            window.bytes = ahead[...]
        }
        return ahead.count == count ? ahead : Array(ahead[..<count])
    }

    func withBytes<Value>(
        _ range: Range<Int>, _ body: (Span<UInt8>) -> Value
    )
        throws(StorageError) -> Value
    {
        let bytes = try read(range.count, at: UInt64(range.lowerBound))
        return body(bytes.span)
    }

    /// Reads exactly `count` bytes, which lie inside.
    private func fetch(_ count: Int, at offset: UInt64) throws(StorageError) -> [UInt8] {
        var bytes: [UInt8] = []
        // Not all of it at once: how large an object is, is only what the other side says.
        bytes.reserveCapacity(min(count, Self.pipelined * WireLimits.content))
        do throws(ConnectionError) {
            var asked: [(number: UInt32, count: Int)] = []
            var next = 0
            while bytes.count < count {
                while next < count, asked.count < Self.pipelined {
                    let part = min(count - next, WireLimits.content)
                    let request = ClientMessage.read(
                        object: number, offset: offset + UInt64(next), count: UInt32(part))
                    asked.append((try link.send(request), part))
                    next += part
                }
                let (number, part) = asked.removeFirst()
                bytes += try content(number, part)
            }
        } catch {
            throw error.storageError
        }
        return bytes
    }

    /// The answer to one request for `count` bytes.
    private func content(
        _ number: UInt32, _ count: Int
    ) throws(ConnectionError) -> ArraySlice<UInt8> {
        let reply = try link.reply(number)
        guard case .bytes(let content) = reply else { throw link.misfit() }
        guard content.count == count else { throw cutShort() }
        return content
    }

    private func cutShort() -> ConnectionError {
        ConnectionError(.violation, link.location, "\(name) ends before the size that was told")
    }
}

extension RemoteStoredObject.Window {
    fileprivate func find(_ count: Int, at offset: UInt64) -> [UInt8]? {
        guard offset >= start else { return nil }
        let first = offset - start
        guard first <= UInt64(bytes.count), count <= bytes.count - Int(first) else { return nil }
        let index = bytes.startIndex + Int(first)
        return Array(bytes[index..<index + count])
    }
}

/// An object that is staged on the other side.
final class RemoteStagedObject: StagedObject {
    private enum Fate { case staged, published, discarded }

    private let storage: RemoteStorage
    private let link: ServerLink
    private let number: UInt32
    private let fate = Monitor(Fate.staged)

    init(_ storage: RemoteStorage, _ link: ServerLink, _ number: UInt32) {
        self.storage = storage
        self.link = link
        self.number = number
    }

    deinit { discard() }

    private func check() throws(StorageError) {
        guard fate.withState({ $0 == .staged }) else {
            throw StorageError(
                .interrupted, link.location, "\(link.location): the object was published or dropped"
            )
        }
    }

    func write(_ bytes: Span<UInt8>, at offset: UInt64) throws(StorageError) {
        try check()
        var written = 0
        do throws(ConnectionError) {
            while written < bytes.count {
                let end = min(written + WireLimits.content, bytes.count)
                try link.write(
                    number, offset + UInt64(written), bytes.extracting(written..<end))
                written = end
            }
        } catch {
            throw error.storageError
        }
    }

    func sync() throws(StorageError) {
        try check()
        try storage.on { () throws(ConnectionError) in try link.expectDone(.sync(staged: number)) }
    }

    func publish(as name: ObjectName, replacing: Bool) throws(StorageError) {
        // The other side decides what may be replaced.
        try check()
        // Whatever comes of it, the other side has let go of the object.
        fate.withState { $0 = .published }
        try storage.on { () throws(ConnectionError) in
            try link.expectDone(.publish(staged: number, name))
        }
    }

    func discard() {
        let isMine = fate.withState { fate in
            defer { if fate == .staged { fate = .discarded } }
            return fate == .staged
        }
        if isMine { _ = try? link.send(.discard, number: number) }
    }
}
