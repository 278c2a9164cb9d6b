internal import Bytes
internal import Hashing
internal import JSON
internal import Trees

// How proofs are written, in the receipt and in the journal (varve-migrate(1), "Journal").

extension JSONValue {
    /// An object whose first member tells its type.
    static func object(ofType type: String, _ members: [(String, JSONValue)]) -> JSONValue {
        .object([Member("type", .string(type))] + members.map { Member(ExactText($0.0), $0.1) })
    }
}

extension TableProof {
    static let type = "table"

    var json: JSONValue {
        .object(
            ofType: Self.type,
            [
                ("path", PathText.json(path)), ("version", version.map { .number($0) } ?? .null),
                ("rows", rows.map { .number($0) } ?? .null),
                ("row_digest", digest.map { .string($0) } ?? .null),
                ("reason", reason.map { .string($0) } ?? .null), ("made", .bool(isMade)),
            ])
    }

    init?(_ json: JSONValue) {
        guard json["type"]?.word == Self.type, let path = PathText.parseRelative(json["path"])
        else { return nil }
        self.init(
            path: path, version: json["version"]?.int64, rows: json["rows"]?.int64,
            digest: json["row_digest"]?.word, reason: json["reason"]?.word,
            isMade: json["made"]?.bool == true)
    }
}

extension ProvenPath {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("path", PathText.json(path)), ("stamp", stamp.json),
        ]
        if !isRowFile { members.append(("target_stamp", targetStamp.json)) }
        if let digest {
            members.append(("xxh3", .string(String(digest.hex.prefix(2 * XXH3Digest.size)))))
            members.append(("sha256", .string(digest.sha256.hex)))
        }
        return .object(ofType: isRowFile ? "rows" : "path", members)
    }

    init?(_ json: JSONValue) {
        let isRowFile = json["type"]?.word == "rows"
        guard isRowFile || json["type"]?.word == "path",
            let path = PathText.parseRelative(json["path"]),
            let stamp = FileStamp(json["stamp"]),
            let there = isRowFile ? stamp : FileStamp(json["target_stamp"])
        else { return nil }
        self.init(path: path, stamp: stamp, targetStamp: there, isRowFile: isRowFile)
        guard let digits = json["sha256"]?.word, let high = json["xxh3"]?.word else { return }
        guard let digest = Self.fingerprint(high, digits) else { return nil }
        self.digest = digest
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
