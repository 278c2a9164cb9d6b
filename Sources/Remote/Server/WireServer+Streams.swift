internal import Bytes
internal import Platform
internal import Repository
internal import Wire

extension WireServer {
    func performStream(
        _ message: ClientMessage, _ number: UInt32, _ served: ServedStorage
    ) throws {
        switch message {
        case .upload(let request): startUpload(Array(request), number, served)
        case .download(let credit, let request):
            startDownload(Array(request), Int(credit), number, served)
        case .data(let content): tables.withState { $0.uploads[number] }?.push(content)
        case .end: tables.withState { $0.uploads[number] }?.finish()
        case .credit(let count): tables.withState { $0.downloads[number] }?.grant(Int(count))
        default: cancel(number)
        }
    }

    var hasStreams: Bool { tables.withState { $0.streamThreads > 0 } }

    private static let gone = ConnectionError(.cancelled, "the client")

    private func cancel(_ number: UInt32) {
        let (upload, download) = tables.withState { ($0.uploads[number], $0.downloads[number]) }
        upload?.fail(Self.gone)
        download?.fail(Self.gone)
    }

    private func startUpload(_ request: [UInt8], _ number: UInt32, _ served: ServedStorage) {
        let stream = IncomingStream { count in
            self.session.withState { $0.granted(count, to: number) }
            // A pipe that is broken ends the stream by itself.
            try? self.send(.credit(UInt32(clamping: count)), number)
        }
        tables.update { tables in
            tables.uploads[number] = stream
            tables.streamThreads += 1
        }
        run(number) { .done(try self.service.receive(request, stream, served)[...]) }
    }

    private func startDownload(
        _ request: [UInt8], _ credit: Int, _ number: UInt32, _ served: ServedStorage
    ) {
        let stream = OutgoingStream(credit: credit) { content in
            do throws(FrameFault) {
                return .success(try self.send(.data(content), number))
            } catch {
                return .failure(ConnectionError(.lost, "the client", "\(error)"))
            }
        }
        tables.update { tables in
            tables.downloads[number] = stream
            tables.streamThreads += 1
        }
        run(number) {
            try self.service.send(request, stream, served)
            try stream.flush()
            return .done([])
        }
    }

    private func run(_ number: UInt32, _ body: @escaping @Sendable () throws -> ServerMessage) {
        WorkerThreads(count: 1) { _ in self.runStream(number, body) }.detach()
    }

    private func runStream(_ number: UInt32, _ body: () throws -> ServerMessage) {
        let answer: ServerMessage
        do {
            let reply = try body()
            guard case .done(let bytes) = reply, bytes.count <= WireLimits.request else {
                throw RemoteFailure(.other, "the reply is too large")
            }
            answer = reply
        } catch {
            answer = .failure(RemoteFailure(error))
        }
        tables.withState { tables in
            tables.uploads[number] = nil
            tables.downloads[number] = nil
        }
        session.withState { $0.answered(number) }
        try? send(answer, number)
        tables.update { $0.streamThreads -= 1 }
    }

    /// Makes all streams fail and waits for their threads.
    func endStreams() {
        tables.withState { tables in
            for stream in tables.uploads.values { stream.fail(Self.gone) }
            for stream in tables.downloads.values { stream.fail(Self.gone) }
        }
        tables.wait { $0.streamThreads == 0 ? () : nil }
    }
}
