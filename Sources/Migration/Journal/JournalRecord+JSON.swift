internal import Bytes
internal import JSON
internal import Platform
internal import TableStore
internal import Trees

extension JournalRecord {
    var json: JSONValue {
        switch self {
        case .begin(let identity): identity.json
        case .backup(let id): JSONValue.object(ofType: "backup", [("snapshot", .string(id))])
        case .strategy(let strategy):
            JSONValue.object(ofType: "strategy", [("name", .string(strategy.rawValue))])
        case .copied(let paths): JSONValue.object(ofType: "copied", [("paths", Self.json(paths))])
        case .made(let table):
            JSONValue.object(
                ofType: "made",
                [
                    ("path", PathText.json(table.path)),
                    ("format", .string(table.format.rawValue)), ("files", Self.json(table.files)),
                ])
        case .gone(let paths):
            JSONValue.object(ofType: "gone", [("paths", .array(paths.map(PathText.json)))])
        case .compared(let paths, let tables):
            JSONValue.object(
                ofType: "compared",
                [
                    ("paths", .array(paths.map(\.json))), ("tables", .array(tables.map(\.json))),
                ])
        case .verified(let digest):
            JSONValue.object(ofType: "verified", [("receipt", .string(digest.hex))])
        case .cleaning(let digest):
            JSONValue.object(ofType: "cleaning", [("receipt", .string(digest.hex))])
        case .cleaned: JSONValue.object(ofType: "cleaned", [])
        }
    }

    private static func json(_ paths: [CopiedPath]) -> JSONValue {
        .array(paths.map { .array([PathText.json($0.path), $0.stamp.json]) })
    }

    /// Nil for what no version 1 has.
    init?(_ json: JSONValue) {
        switch json["type"]?.word {
        case "begin":
            guard let identity = MigrationIdentity(json) else { return nil }
            self = .begin(identity)
        case "backup":
            guard let id = json["snapshot"]?.word else { return nil }
            self = .backup(snapshot: id)
        case "strategy":
            guard let strategy = json["name"]?.word.flatMap(CopyStrategy.init) else {
                return nil
            }
            self = .strategy(strategy)
        case "copied":
            guard let paths = Self.paths(json["paths"]) else { return nil }
            self = .copied(paths)
        case "made":
            guard let path = PathText.parseRelative(json["path"]),
                let format = json["format"]?.word.flatMap(RowFormat.init(rawValue:)),
                let files = Self.paths(json["files"])
            else { return nil }
            self = .made(MadeTable(path: path, format: format, files: files))
        case "gone":
            guard let array = json["paths"]?.array else { return nil }
            let paths = array.compactMap { PathText.parseRelative($0) }
            guard paths.count == array.count else { return nil }
            self = .gone(paths)
        case "compared":
            guard let paths = json["paths"]?.array, let tables = json["tables"]?.array else {
                return nil
            }
            let (proven, proofs) = (
                paths.compactMap(ProvenPath.init), tables.compactMap(TableProof.init)
            )
            guard proven.count == paths.count, proofs.count == tables.count else { return nil }
            self = .compared(proven, proofs)
        case "verified", "cleaning": self.init(receiptOf: json)
        case "cleaned": self = .cleaned
        default: return nil
        }
    }

    private init?(receiptOf json: JSONValue) {
        guard let digest = json["receipt"]?.word.flatMap({ SHA256Digest(hex: $0) }) else {
            return nil
        }
        self =
            json["type"]?.word == "verified"
            ? .verified(receipt: digest) : .cleaning(receipt: digest)
    }

    private static func paths(_ json: JSONValue?) -> [CopiedPath]? {
        guard let array = json?.array else { return nil }
        var paths: [CopiedPath] = []
        paths.reserveCapacity(array.count)
        for item in array {
            guard let pair = item.array, pair.count == 2,
                let path = PathText.parseRelative(pair[0]), let stamp = FileStamp(pair[1])
            else { return nil }
            paths.append(CopiedPath(path: path, stamp: stamp))
        }
        return paths
    }
}

extension MigrationIdentity {
    var json: JSONValue {
        JSONValue.object(
            ofType: "begin",
            [
                ("id", .string(id)), ("source", PathText.json(source)),
                ("source_file", .array([.number(sourceDevice), .number(sourceInode)])),
                ("target", PathText.json(target)),
                ("target_file", .array([.number(targetDevice), .number(targetInode)])),
                ("scope", .array(scope.map { .string($0) })), ("into_tables", .bool(makesTables)),
                ("time", begun.json),
            ])
    }

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.word, Hex.decode(id)?.count == 16,
            let source = PathText.parse(json["source"]),
            let target = PathText.parse(json["target"]),
            let sourceFile = json["source_file"]?.array, sourceFile.count == 2,
            let targetFile = json["target_file"]?.array, targetFile.count == 2,
            let sourceDevice = sourceFile[0].uint64, let sourceInode = sourceFile[1].uint64,
            let targetDevice = targetFile[0].uint64, let targetInode = targetFile[1].uint64,
            let scope = json["scope"]?.array, let makesTables = json["into_tables"]?.bool,
            let begun = Timestamp(json["time"])
        else { return nil }
        let words = scope.compactMap(\.word)
        guard words.count == scope.count else { return nil }
        self.init(
            id: id, source: source, target: target, sourceDevice: sourceDevice,
            sourceInode: sourceInode, targetDevice: targetDevice, targetInode: targetInode,
            scope: words, makesTables: makesTables, begun: begun)
    }
}
