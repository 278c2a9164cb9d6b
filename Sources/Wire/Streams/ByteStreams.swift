internal import Bytes
internal import Platform

/// Where a delta stream goes.
package protocol ByteSink: AnyObject {
    /// Takes all of the bytes, or throws.
    func write(_ bytes: [UInt8]) throws
}

/// Where a delta stream comes from.
package protocol ByteSource: AnyObject {
    /// The next bytes, in pieces as they come; none at the end.
    func next() throws -> ArraySlice<UInt8>
}

/// Counts what would be sent.
package final class CountingSink: ByteSink {
    package private(set) var count: UInt64 = 0

    package init() {}

    package func write(_ bytes: [UInt8]) { count += UInt64(bytes.count) }
}

/// Writes to another sink at a limited rate.
package final class LimitedSink: ByteSink {
    private let sink: any ByteSink
    private let rateLimit: RateLimit

    package init(_ sink: any ByteSink, bytesPerSecond: UInt64) {
        self.sink = sink
        rateLimit = RateLimit(bytesPerSecond: bytesPerSecond)
    }

    package func write(_ bytes: [UInt8]) throws {
        rateLimit.wait(for: bytes.count)
        try sink.write(bytes)
    }
}

/// Reads from another source at a limited rate.
package final class LimitedSource: ByteSource {
    private let source: any ByteSource
    private let rateLimit: RateLimit

    package init(_ source: any ByteSource, bytesPerSecond: UInt64) {
        self.source = source
        rateLimit = RateLimit(bytesPerSecond: bytesPerSecond)
    }

    package func next() throws -> ArraySlice<UInt8> {
        let bytes = try source.next()
        rateLimit.wait(for: bytes.count)
        return bytes
    }
}

/// Sends a delta stream through the wire.
package final class WireSink: ByteSink {
    private let stream: OutgoingStream

    package init(_ stream: OutgoingStream) { self.stream = stream }

    package func write(_ bytes: [UInt8]) throws { try stream.write(bytes) }
}

/// Takes a delta stream from the wire.
package final class WireSource: ByteSource {
    private let stream: IncomingStream

    package init(_ stream: IncomingStream) { self.stream = stream }

    package func next() throws -> ArraySlice<UInt8> { try stream.next() ?? [] }
}

/// Passes a delta stream from one thread to another.
package final class LocalPipe: ByteSink, ByteSource, Sendable {
    private let queue = BoundedQueue<[UInt8]>(capacity: 8)
    private let isBroken = Monitor(false)

    package init() {}

    struct Broken: Error {}

    package func write(_ bytes: [UInt8]) throws {
        if isBroken.withState({ $0 }) { throw Broken() }
        if !bytes.isEmpty { queue.push(bytes) }
    }

    package func next() throws -> ArraySlice<UInt8> { queue.pop()?[...] ?? [] }

    /// No more will be written.
    package func finish() { queue.close() }

    /// Nobody reads any more: drops what comes until the writer notices.
    package func drain() {
        isBroken.update { $0 = true }
        while queue.pop() != nil {}
    }
}

/// Gathers small writes into large ones; what is large already goes on as it is.
package final class BufferedSink: ByteSink {
    private let sink: any ByteSink
    private var gathered: [UInt8] = []

    private static let limit = 256 << 10

    package init(_ sink: any ByteSink) { self.sink = sink }

    package func write(_ bytes: [UInt8]) throws {
        let isLarge = bytes.count > Self.limit / 2
        if isLarge || gathered.count + bytes.count > Self.limit { try flush() }
        if isLarge { return try sink.write(bytes) }
        if gathered.isEmpty { gathered.reserveCapacity(Self.limit) }
        gathered += bytes
    }

    package func flush() throws {
        guard !gathered.isEmpty else { return }
        try sink.write(gathered)
        gathered = []
    }
}

/// Gives exact numbers of bytes, and knows the place in the stream.
package struct StreamCursor {
    private let source: any ByteSource
    private var pending: ArraySlice<UInt8> = []
    package private(set) var offset: UInt64 = 0

    /// So much of what a stream promises is believed: a large blob.
    private static let expected = 4 << 20

    package init(_ source: any ByteSource) { self.source = source }

    /// The next `count` bytes, which the caller has checked against a cap; memory is taken only as
    /// they arrive, but for 4 MiB.
    package mutating func take(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(count, Self.expected))
        while bytes.count < count {
            if pending.isEmpty {
                pending = try source.next()
                guard !pending.isEmpty else { throw StreamError(.cutShort, at: offset) }
            }
            let part = pending.prefix(count - bytes.count)
            pending = pending.dropFirst(part.count)
            offset += UInt64(part.count)
            bytes += part
        }
        return bytes
    }

    /// Whether nothing follows.
    package mutating func isAtEnd() throws -> Bool {
        if pending.isEmpty { pending = try source.next() }
        return pending.isEmpty
    }
}
