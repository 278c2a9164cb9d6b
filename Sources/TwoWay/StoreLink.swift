internal import Remote
internal import Targets
internal import Wire
internal import Bytes
internal import Hashing
internal import Platform

/// One of two stores that are synced, as whoever runs the sync sees it.
struct StoreLink {
    let connection: Connection
    private let options: TwoWayOptions

    init(_ connection: Connection, _ options: TwoWayOptions) {
        self.connection = connection
        self.options = options
    }

    /// Whether sending to this store costs more than looking for what it has.
    var isFar: Bool { options.contains(.compress) }

    // MARK: Steps

    func begin() throws -> StoreInventory {
        try download(.begin) { try StoreInventory(reading: WireSource($0)) }
    }

    func facts(_ pair: PairEnd) throws -> TwoWayFacts {
        try download(.facts, Self.argument(pair)) { try TwoWayFacts(reading: WireSource($0)) }
    }

    func ask(_ questions: [StoreQuestion]) throws -> [StoreAnswer] {
        guard !questions.isEmpty else { return [] }
        try upload(.ask) { sink in
            var writer = ReplicaRecordWriter(sink)
            for question in questions { try question.write(to: &writer) }
            try writer.end()
        }
        return try download(.answers) {
            try StoreAnswer.read(WireSource($0), count: questions.count)
        }
    }

    func offer(_ files: [OfferedFile]) throws -> [FileNeed] {
        try upload(.offer) { sink in
            var writer = ReplicaRecordWriter(sink)
            for file in files { try writer.write(1) { file.encode(into: &$0) } }
            try writer.end()
        }
        let needs: [FileNeed] = try download(.needs) { stream in
            var records = ReplicaRecordReader(WireSource(stream))
            var needs: [FileNeed] = []
            while let next = try records.next() {
                var reader = next.reader
                guard next.type == 1, needs.count < files.count else {
                    throw RemoteFailure(.violation, "an answer that does not fit the offer")
                }
                needs.append(try FileNeed(decoding: &reader))
                try reader.finish()
            }
            return needs
        }
        guard needs.count == files.count else {
            throw ConnectionError(.violation, connection.location, "files are left out")
        }
        return needs
    }

    /// Brings files of another store to this one's staging directory.
    func stage(
        _ wants: [WantedFile], from other: StoreLink, _ rate: RateLimit?, _ progress: WorkProgress
    ) throws {
        try other.upload(.want) { sink in
            var writer = ReplicaRecordWriter(sink)
            for want in wants {
                try writer.write(1) {
                    $0.u32(want.number)
                    $0.string(want.path)
                }
                for copy in want.copies { try writer.write(2) { copy.encode(into: &$0) } }
            }
            try writer.end()
        }
        try upload(.stage) { sink in
            try other.download(.content) { stream in
                while let bytes = try stream.next() {
                    try Interruption.check()
                    rate?.wait(for: bytes.count)
                    try sink.write(Array(bytes))
                    progress.update { $0.bytesDone += UInt64(bytes.count) }
                }
            }
        }
    }

    func apply(_ changes: [StoreChange]) throws -> StoreOutcome {
        try upload(.apply) { sink in
            var writer = ReplicaRecordWriter(sink)
            for change in changes { try change.write(to: &writer) }
            try writer.end()
        }
        return try download(.outcome) { try StoreOutcome(reading: WireSource($0)) }
    }

    func remember(_ facts: TwoWayFacts, _ pair: PairEnd) throws {
        try upload(.remember, Self.argument(pair)) { try facts.write(to: $0) }
    }

    private static func argument(_ pair: PairEnd) -> [UInt8] {
        var writer = ByteWriter()
        pair.encode(into: &writer)
        return writer.bytes
    }

    /// Lets go of the store, so that another sync can begin at once.
    func release() { try? download(.release) { while try $0.next() != nil {} } }

    // MARK: Streams

    private func upload(
        _ step: TwoWayStep, _ argument: [UInt8] = [], _ body: (any ByteSink) throws -> Void
    ) throws {
        try telling {
            let request = TwoWayRequest(step, options, argument).encoded()
            _ = try connection.upload(request) { stream in
                let sink = BufferedSink(WireSink(stream))
                try body(sink)
                try sink.flush()
            }
        }
    }

    private func download<Value>(
        _ step: TwoWayStep, _ argument: [UInt8] = [], _ body: (IncomingStream) throws -> Value
    ) throws -> Value {
        try telling {
            let request = TwoWayRequest(step, options, argument).encoded()
            return try connection.download(request, body)
        }
    }

    /// What a signal ended is told as that.
    private func telling<Value>(_ body: () throws -> Value) throws -> Value {
        try Interruption.check()
        return try connection.blamingPeer { try interruptible(body) }
    }

    /// A store of this host is served by a thread of this process, which the signal ends too.
    private func interruptible<Value>(_ body: () throws -> Value) throws -> Value {
        let result = Result { try body() }
        if case .failure = result { try Interruption.check() }
        return try result.get()
    }
}
