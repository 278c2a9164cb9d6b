internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import SystemPackage
internal import Wire

/// The client's end of the pipes: one thread reads, any thread sends and waits for its answer.
///
/// The reading thread never waits for anything but the pipe: what it gets is bounded by what was
/// asked for and granted. So the server can always send, and neither side waits for the other for
/// ever.
final class ServerLink: Sendable {
    fileprivate struct State {
        let location: String
        var session = ClientSession()
        var hello: ServerHello?
        var replies: [UInt32: Reply] = [:]
        var incoming: [UInt32: IncomingStream] = [:]
        var outgoing: [UInt32: OutgoingStream] = [:]
        var failure: ConnectionError?
    }

    let location: String
    let deadlines: WireDeadlines
    private let pipes: PipePair
    private let child: ChildProcess?
    private let writer: FrameWriter
    private let state: Monitor<State>
    /// Why ssh failed, from how it ended and what it said.
    private let explain: @Sendable (ProcessEnd, [UInt8]) -> ConnectionError?

    private static let blockSize = 256 << 10

    init(
        _ pipes: PipePair, _ child: ChildProcess?, _ location: String, _ deadlines: WireDeadlines,
        explain: @escaping @Sendable (ProcessEnd, [UInt8]) -> ConnectionError?
    ) {
        self.pipes = pipes
        self.child = child
        self.location = location
        self.deadlines = deadlines
        self.explain = explain
        state = Monitor(State(location: location))
        writer = FrameWriter(pipes, stall: deadlines.stall)
    }

    /// Begins the conversation and starts the thread that reads.
    func start(_ hello: ClientHello) throws(ConnectionError) {
        do throws(FrameFault) {
            try writer.send { _ in WireLimits.preface }
            try writer.send { ClientMessage.hello(hello).encode(&$0, 0) }
        } catch {
            // The reader learns why: a host that cannot be reached closes the pipe.
        }
        writer.setSalt(hello.salt)
        let salt = hello.salt
        WorkerThreads(count: 1) { _ in self.readAll(salt) }.detach()
    }

    /// Waits for the server's first words.
    func greeting() throws(ConnectionError) -> ServerHello {
        let result: Result<ServerHello, ConnectionError> = state.wait { state in
            if let hello = state.hello { return .success(hello) }
            return state.failure.map { .failure($0) }
        }
        return try result.get()
    }

    /// Ends the conversation; whoever waits fails.
    func close() {
        pipes.closeOutput()
        child?.finish(within: state.withState({ $0.failure == nil }) ? deadlines.goodbye : .zero)
        pipes.stop()
        fail(ConnectionError(.cancelled, location))
    }

    private func fail(_ error: ConnectionError) {
        state.update { state in
            let failure = state.failure ?? error
            state.failure = failure
            for stream in state.incoming.values { stream.fail(failure) }
            for stream in state.outgoing.values { stream.fail(failure) }
        }
    }
}

// MARK: - Reading

extension ServerLink {
    private func readAll(_ salt: UInt64) {
        var decoder = FrameDecoder()
        decoder.salt = salt
        do {
            try read(&decoder)
            throw ended(decoder)
        } catch let error as WireError {
            fail(ConnectionError(error, location))
        } catch FrameFault.pipe(let error) {
            fail(ConnectionError(.lost, location, "\(error)"))
        } catch let error as PlatformError {
            fail(ConnectionError(.lost, location, "\(error)"))
        } catch {
            fail(error as? ConnectionError ?? ConnectionError(.lost, location, "\(error)"))
        }
        pipes.stop()
        pipes.closeOutput()
    }

    /// Takes what comes until the server closes.
    private func read(_ decoder: inout FrameDecoder) throws {
        var silence: Duration = .zero
        while true {
            switch try pipes.read(Self.blockSize, within: deadlines.ping) {
            case .bytes(let bytes):
                silence = .zero
                decoder.feed(bytes)
                while let frame = try decoder.next() { try receive(frame) }
            case .end: return
            case .stopped: throw ConnectionError(.cancelled, location)
            case .timeout:
                silence += deadlines.ping
                guard silence < deadlines.stall else {
                    throw ConnectionError(.lost, location, "nothing came for \(silence)")
                }
                // Whoever sends will be answered; a pipe that is full must not stop this thread.
                if !writer.isBusy, state.withState({ $0.hello != nil }) {
                    try writer.send { ClientMessage.ping.encode(&$0, 0) }
                }
            }
        }
    }

    private func receive(_ frame: Frame) throws(WireError) {
        let result: Result<Void, WireError> = state.update { state in
            do throws(WireError) {
                state.perform(try state.session.receive(frame))
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    /// Why the server closed.
    private func ended(_ decoder: FrameDecoder) -> ConnectionError {
        if let child, !decoder.hasBegun || child.end != nil {
            let end = child.finish(within: deadlines.goodbye)
            if let error = explain(end, child.lastErrors()) { return error }
        }
        let isCut = !decoder.isAtBoundary
        return ConnectionError(.lost, location, isCut ? "it ended in the middle of a frame" : "")
    }
}

extension ServerLink.State {
    fileprivate mutating func perform(_ action: ClientAction) {
        switch action {
        case .greeted(let hello): self.hello = hello
        case .reply(let number, let reply): finish(number, reply)
        case .data(let number, let content): incoming[number]?.push(content)
        case .credit(let number, let count): outgoing[number]?.grant(count)
        case .pong, .none: break
        }
    }

    private mutating func finish(_ number: UInt32, _ reply: Reply) {
        replies[number] = reply
        if let stream = incoming.removeValue(forKey: number) {
            // The reply tells why; the stream must not seem whole.
            if case .failure(let failure) = reply {
                stream.fail(ConnectionError(.remote(failure), location))
            } else {
                stream.finish()
            }
        }
        outgoing.removeValue(forKey: number)?.fail(ConnectionError(.cancelled, location))
    }
}

// MARK: - Sending

extension ServerLink {
    /// Sends a message and returns its number.
    @discardableResult
    func send(_ message: ClientMessage, number: UInt32 = 0) throws(ConnectionError) -> UInt32 {
        try send(message, number: number) { _, _ in }
    }

    /// Sends a message; `prepare` runs before with its number, so that no answer comes too early.
    private func send(
        _ message: ClientMessage, number: UInt32, _ prepare: (inout State, UInt32) -> Void
    ) throws(ConnectionError) -> UInt32 {
        var sent: Result<UInt32, ConnectionError> = .success(number)
        do throws(FrameFault) {
            try writer.send { encoder in
                sent = state.withState { state in
                    if let failure = state.failure { return .failure(failure) }
                    do throws(WireError) {
                        let number = try state.session.send(message, number: number)
                        prepare(&state, number)
                        return .success(number)
                    } catch {
                        return .failure(ConnectionError(error, location))
                    }
                }
                guard case .success(let number) = sent else { return nil }
                return message.encode(&encoder, number)
            }
        } catch {
            throw lost(error)
        }
        return try sent.get()
    }

    /// Sends content of a staged object, which is not answered.
    func write(_ number: UInt32, _ offset: UInt64, _ content: Span<UInt8>) throws(ConnectionError) {
        if let failure = state.withState({ $0.failure }) { throw failure }
        do throws(FrameFault) {
            try writer.send { $0.write(number, offset, content) }
        } catch {
            throw lost(error)
        }
    }

    /// What the reader found, which knows more than a pipe that broke.
    private func lost(_ fault: FrameFault) -> ConnectionError {
        if case .pipe(let error) = fault, error.errno == .timedOut {
            let stalled = ConnectionError(.lost, location, "the host takes nothing more")
            fail(stalled)
            pipes.stop()
            return stalled
        }
        return state.wait { $0.failure }
    }

    /// Waits for the answer to a request.
    func reply(_ number: UInt32) throws(ConnectionError) -> Reply {
        let result: Result<Reply, ConnectionError> = state.wait { state in
            if let reply = state.replies.removeValue(forKey: number) { return .success(reply) }
            return state.failure.map { .failure($0) }
        }
        let reply = try result.get()
        if case .failure(let failure) = reply { throw ConnectionError(.remote(failure), location) }
        return reply
    }

    /// Whether a request was answered already.
    func isAnswered(_ number: UInt32) -> Bool { state.withState { $0.replies[number] != nil } }

    /// Sends a request and waits for its answer.
    func ask(_ message: ClientMessage) throws(ConnectionError) -> Reply {
        try reply(try send(message))
    }

    /// An answer of another kind; the session lets none through.
    func misfit() -> ConnectionError {
        ConnectionError(.violation, location, "an answer of another kind")
    }
}

// MARK: - Streams

extension ServerLink {
    /// A request that fits a frame.
    private func check(_ request: [UInt8]) throws(ConnectionError) {
        guard request.count <= WireLimits.request else {
            let why = "a request of \(request.count) bytes is too large"
            throw ConnectionError(.unsupported, location, why)
        }
    }

    func beginUpload(_ request: [UInt8]) throws(ConnectionError) -> (UInt32, OutgoingStream) {
        try check(request)
        let window = Int(try greeting().limits.window)
        let place = Monitor<UInt32>(0)
        let stream = OutgoingStream(credit: window) { content in
            do throws(ConnectionError) {
                try self.send(.data(content), number: place.withState { $0 })
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        let number = try send(.upload(request[...]), number: 0) { state, number in
            place.withState { $0 = number }
            state.outgoing[number] = stream
        }
        return (number, stream)
    }

    func beginDownload(_ request: [UInt8]) throws(ConnectionError) -> (UInt32, IncomingStream) {
        try check(request)
        let place = Monitor<UInt32>(0)
        let stream = IncomingStream { count in
            let number = place.withState { $0 }
            self.state.withState { $0.session.grant(count, to: number) }
            // A failure is the reader's to tell.
            _ = try? self.send(.credit(UInt32(clamping: count)), number: number)
        }
        let message = ClientMessage.download(
            credit: UInt32(clamping: WireLimits.window), request[...])
        let number = try send(message, number: 0) { state, number in
            place.withState { $0 = number }
            state.incoming[number] = stream
        }
        return (number, stream)
    }

    /// Forgets a stream that its user gave up.
    func giveUp(_ number: UInt32) {
        _ = try? send(.cancel, number: number)
        state.update { state in
            state.incoming[number] = nil
            state.outgoing[number] = nil
        }
    }
}
