internal import Bytes
internal import Hashing
internal import JSON
internal import Platform

// The receipt of a migration, version 1: lines of JSON.
//
//     {"type":"receipt","version":1,"migration":…,"source":…,"target":…,"began":…,"verified":…}
//     {"type":"table","path":…,"version":…,"rows":…,"row_digest":…,"made":…}      one a table
//     {"type":"path","path":…,"stamp":[…],"target_stamp":[…],"xxh3":…,"sha256":…}  one a path
//     {"type":"end","tables":…,"paths":…,"sha256":…}
//
// The last line holds the SHA-256 of everything before it, and the journal that of the whole file.
// Stamps are those of the journal; paths come in path order.

/// Proof that a target holds what a source held.
struct Receipt: Equatable, Sendable {
    var migration: String
    var source: [UInt8]
    var target: [UInt8]
    /// When the last walk that found nothing changed began and ended.
    var began: Timestamp
    var verified: Timestamp
    var tables: [TableProof]
    var paths: [ProvenPath]
}

// MARK: - Writing
extension Receipt {
    /// Writes the receipt line by line; returns the SHA-256 of all of it.
    func write(
        _ write: ([UInt8]) throws(PlatformError) -> Void
    ) throws(PlatformError)
        -> SHA256Digest
    {
        var all = SHA256Hasher()
        var body = SHA256Hasher()
        var block: [UInt8] = []
        func flush() throws(PlatformError) {
            all.update(block.span)
            body.update(block.span)
            try write(block)
            block.removeAll(keepingCapacity: true)
        }
        func add(_ json: JSONValue) throws(PlatformError) {
            block += json.bytes + [JournalFormat.newline]
            if block.count >= 1 << 20 { try flush() }
        }
        try add(head)
        for table in tables { try add(table.json) }
        for path in paths { try add(path.json) }
        try flush()
        let end: [(String, JSONValue)] = [
            ("tables", .number(tables.count)), ("paths", .number(paths.count)),
            ("sha256", .string(body.finish().hex)),
        ]
        block = JSONValue.object(ofType: "end", end).bytes + [JournalFormat.newline]
        all.update(block.span)
        try write(block)
        return all.finish()
    }

    private var head: JSONValue {
        .object(
            ofType: "receipt",
            [
                ("version", .number(1)), ("migration", .string(migration)),
                ("source", PathText.json(source)), ("target", PathText.json(target)),
                ("began", began.json), ("verified", verified.json),
            ])
    }
}

// MARK: - Reading
extension Receipt {
    /// Reads a receipt; whatever the bytes are, it ends in one or in an error.
    init(parsing bytes: [UInt8]) throws(JournalDamage) {
        var lines = bytes.split(
            separator: JournalFormat.newline, omittingEmptySubsequences: false)
        guard lines.count >= 3, lines.removeLast().isEmpty, let last = lines.popLast() else {
            throw JournalDamage("the receipt is not whole")
        }
        try Self.checkEnd(last, bytes, lines.count)
        guard let head = lines.first, let json = try? JSONValue(parsing: head),
            json["type"]?.word == "receipt", json["version"]?.int64 == 1,
            let migration = json["migration"]?.word,
            let source = PathText.parse(json["source"]),
            let target = PathText.parse(json["target"]), let began = Timestamp(json["began"]),
            let verified = Timestamp(json["verified"])
        else { throw JournalDamage("the receipt does not begin as version 1 does") }
        self.init(
            migration: migration, source: source, target: target, began: began,
            verified: verified, tables: [], paths: [])
        for line in lines.dropFirst() { try add(line) }
    }

    private static func checkEnd(
        _ last: ArraySlice<UInt8>, _ bytes: [UInt8], _ lineCount: Int
    ) throws(JournalDamage) {
        guard let end = try? JSONValue(parsing: last), end["type"]?.word == "end",
            let digest = end["sha256"]?.word.flatMap({ SHA256Digest(hex: $0) }),
            let tables = end["tables"]?.uint64, let paths = end["paths"]?.uint64,
            tables.addingReportingOverflow(paths).partialValue == UInt64(lineCount - 1),
            SHA256Digest(of: bytes.span.extracting(0..<last.startIndex)) == digest
        else { throw JournalDamage("the receipt is not as it was written") }
    }

    private mutating func add(_ line: ArraySlice<UInt8>) throws(JournalDamage) {
        guard let json = try? JSONValue(parsing: line) else {
            throw JournalDamage("the receipt has a line that is no JSON")
        }
        if let table = TableProof(json) {
            tables.append(table)
        } else if let path = ProvenPath(json) {
            paths.append(path)
        } else {
            throw JournalDamage("the receipt has a line that is none of a receipt")
        }
    }
}
