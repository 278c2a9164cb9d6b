internal import Bytes
internal import Hashing
internal import Platform
internal import Remote
internal import Targets
internal import Wire

/// One of two stores that are synced, as whoever runs the sync sees it.
struct StoreLink {
    let connection: Connection
    private let options: TwoWayOptions

    init(_ connection: Connection, _ options: TwoWayOptions) {
        self.connection = connection
        self.options = options.union(.listsUnset)
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
        try upload(.ask) { try Self.write(questions, to: $0) }
        return try download(.answers) {
            try StoreAnswer.read(WireSource($0), to: questions)
        }
    }

    func offer(_ files: [OfferedFile]) throws -> [FileNeed] {
        try upload(.offer) { try Self.write(files, to: $0) }
        let needs = try download(.needs) {
            try RecordReader.all(FileNeed.self, in: WireSource($0), limit: files.count)
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
            var writer = RecordWriter(sink)
            for want in wants {
                try writer.write(WantRecord.file(want.number, want.path))
                for copy in want.copies { try writer.write(WantRecord.copy(copy)) }
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
        try upload(.apply) { try Self.write(changes, to: $0) }
        return try download(.outcome) { try StoreOutcome(reading: WireSource($0)) }
    }

    func remember(_ facts: TwoWayFacts, _ pair: PairEnd) throws {
        try upload(.remember, Self.argument(pair)) { try facts.write(to: $0) }
    }

    private static func write(_ records: [some PeerRecord], to sink: any ByteSink) throws {
        var writer = RecordWriter(sink)
        for record in records { try writer.write(record) }
        try writer.end()
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

    /// Reports an interruption as an interruption, not as a lost connection.
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
