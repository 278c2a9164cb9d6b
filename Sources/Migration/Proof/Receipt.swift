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
        for table in tables { try add(Self.json(table)) }
        for path in paths { try add(Self.json(path)) }
        try flush()
        let end: [(String, JSONValue)] = [
            ("type", .string("end")), ("tables", .number(tables.count)),
            ("paths", .number(paths.count)), ("sha256", .string(body.finish().hex)),
        ]
        block = Self.object(end).bytes + [JournalFormat.newline]
        all.update(block.span)
        try write(block)
        return all.finish()
    }

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        .object(members.map { JSONValue.Member($0.0, $0.1) })
    }

    private var head: JSONValue {
        Self.object([
            ("type", .string("receipt")), ("version", .number(1)),
            ("migration", .string(migration)), ("source", PathText.json(source)),
            ("target", PathText.json(target)), ("began", began.json),
            ("verified", verified.json),
        ])
    }

    private static func json(_ table: TableProof) -> JSONValue {
        object([
            ("type", .string("table")), ("path", PathText.json(table.path)),
            ("version", table.version.map { .number($0) } ?? .null),
            ("rows", table.rows.map { .number($0) } ?? .null),
            ("row_digest", table.digest.map { .string($0) } ?? .null),
            ("reason", table.reason.map { .string($0) } ?? .null), ("made", .bool(table.isMade)),
        ])
    }

    private static func json(_ path: ProvenPath) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("type", .string(path.isRowFile ? "rows" : "path")),
            ("path", PathText.json(path.path)), ("stamp", path.stamp.json),
        ]
        if !path.isRowFile { members.append(("target_stamp", path.targetStamp.json)) }
        if let digest = path.digest {
            let hex = digest.hex
            members.append(("xxh3", .string(String(hex.prefix(2 * XXH3Digest.size)))))
            members.append(("sha256", .string(digest.sha256.hex)))
        }
        return object(members)
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
            json["type"]?.string == "receipt", json["version"]?.int64 == 1,
            let migration = json["migration"]?.string,
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
        guard let end = try? JSONValue(parsing: last), end["type"]?.string == "end",
            let digest = end["sha256"]?.string.flatMap({ SHA256Digest(hex: $0) }),
            let tables = end["tables"]?.uint64, let paths = end["paths"]?.uint64,
            tables.addingReportingOverflow(paths).partialValue == UInt64(lineCount - 1),
            SHA256Digest(of: bytes.span.extracting(0..<last.startIndex)) == digest
        else { throw JournalDamage("the receipt is not as it was written") }
    }

    private mutating func add(_ line: ArraySlice<UInt8>) throws(JournalDamage) {
        guard let json = try? JSONValue(parsing: line),
            let path = PathText.parseRelative(json["path"])
        else { throw JournalDamage("the receipt has a line that is none of a receipt") }
        if json["type"]?.string == "table" {
            tables.append(
                TableProof(
                    path: path, version: json["version"]?.int64, rows: json["rows"]?.int64,
                    digest: json["row_digest"]?.string, reason: json["reason"]?.string,
                    isMade: json["made"]?.bool == true))
            return
        }
        let isRowFile = json["type"]?.string == "rows"
        guard isRowFile || json["type"]?.string == "path", let stamp = FileStamp(json["stamp"]),
            let there = isRowFile ? stamp : FileStamp(json["target_stamp"])
        else { throw JournalDamage("the receipt has a path without its stamps") }
        var proven = ProvenPath(path: path, stamp: stamp, targetStamp: there)
        proven.isRowFile = isRowFile
        if let digits = json["sha256"]?.string, let high = json["xxh3"]?.string {
            guard let digest = Self.fingerprint(high, digits) else {
                throw JournalDamage("the receipt has a digest that is none")
            }
            proven.digest = digest
        }
        paths.append(proven)
    }

    private static func fingerprint(_ xxh3: String, _ sha256: String) -> Fingerprint? {
        guard let bytes = Hex.decode(xxh3), bytes.count == XXH3Digest.size,
            let digest = SHA256Digest(hex: sha256)
        else { return nil }
        let halves = [bytes[..<8], bytes[8...]].map { half in
            half.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        return Fingerprint(xxh3: XXH3Digest(high: halves[0], low: halves[1]), sha256: digest)
    }
}
