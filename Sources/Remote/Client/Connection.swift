internal import Bytes
package import Hashing
package import Platform
internal import Repository
package import Wire

/// A conversation with a varve that serves a storage, ended when the last reference goes.
///
/// Usable from any number of threads. Requests are sent at once and answered in any order.
package final class Connection: Sendable {
    let link: ServerLink
    /// What the server said at the beginning.
    package let hello: ServerHello

    /// Talks through pipes; `child` is the program at their other end, if there is one.
    package init(
        _ pipes: PipePair, child: ChildProcess? = nil, location: String,
        _ purpose: ClientHello.Purpose, path: [UInt8], deadlines: WireDeadlines = .standard,
        host: Host = .system,
        explain: @escaping @Sendable (ProcessEnd, [UInt8]) -> ConnectionError? = { _, _ in nil }
    ) throws(ConnectionError) {
        let link = ServerLink(pipes, child, location, deadlines, explain: explain)
        self.link = link
        do throws(ConnectionError) {
            try link.start(ClientHello(salt: Self.salt(host), purpose, path))
            hello = try link.greeting()
        } catch {
            link.close()
            throw error
        }
    }

    deinit { link.close() }

    private static func salt(_ host: Host) -> UInt64 {
        host.randomBytes(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    package var location: String { link.location }

    /// Ends the conversation now; every call, also one under way, fails from here on.
    package func close() { link.close() }

    /// For each id, whether the repository holds such a blob in a pack that is there.
    package func have(_ ids: [BlobID]) throws(ConnectionError) -> [Bool] {
        let numbers = try stride(from: 0, to: ids.count, by: WireLimits.ids).map {
            start throws(ConnectionError) in
            try link.send(.have(Array(ids[start..<min(start + WireLimits.ids, ids.count)])))
        }
        var found: [Bool] = []
        found.reserveCapacity(ids.count)
        for number in numbers {
            let reply = try link.reply(number)
            guard case .bitmap(let bits) = reply else { throw link.misfit() }
            found += bits
        }
        return found
    }

    /// Sends a stream: the server's `StreamService.receive` gets `request` and what `body` writes.
    ///
    /// Returns its reply. When the server ends the stream before `body` does, the writes of `body`
    /// throw, and the server's answer decides: its failure is thrown, its reply returned.
    package func upload(
        _ request: [UInt8], _ body: (OutgoingStream) throws -> Void
    ) throws -> [UInt8] {
        let (number, stream) = try link.beginUpload(request)
        do {
            try body(stream)
            try stream.flush()
            try link.send(.end, number: number)
        } catch {
            let isAnswered = link.isAnswered(number)
            link.giveUp(number)
            guard isAnswered else { throw error }
        }
        let answer = try link.reply(number)
        guard case .done(let reply) = answer else { throw link.misfit() }
        return reply
    }

    /// Tells what a peer sent and may not have sent as its fault.
    package func blamingPeer<Value>(_ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch let error as MalformedBytes {
            throw ConnectionError(.violation, location, "\(error)")
        } catch let error as StreamError {
            throw ConnectionError(.violation, location, "\(error)")
        } catch let error as RemoteFailure where error.kind == .violation {
            throw ConnectionError(.violation, location, "\(error)")
        }
    }

    /// Takes a stream: `body` gets what the server's `StreamService.send` writes for `request`.
    ///
    /// `body` must take all of it, or throw; it throws itself when the server fails.
    package func download<Value>(
        _ request: [UInt8], _ body: (IncomingStream) throws -> Value
    ) throws -> Value {
        let (number, stream) = try link.beginDownload(request)
        let value: Value
        do {
            value = try body(stream)
            while try stream.next() != nil {}
        } catch {
            let isAnswered = link.isAnswered(number)
            link.giveUp(number)
            if isAnswered { _ = try link.reply(number) }
            throw error
        }
        guard case .done = try link.reply(number) else { throw link.misfit() }
        return value
    }
}
