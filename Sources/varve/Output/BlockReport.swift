internal import Remote
internal import Bytes

/// Prints what a delta is made of.
struct BlockReport {
    private let explanation: DeltaExplanation

    init(_ explanation: DeltaExplanation) { self.explanation = explanation }

    func print(_ console: Console) throws {
        if console.isJSON { return try console.print(json) }
        var table = Table([
            ("copied", .trailing), ("patched", .trailing), ("new", .trailing),
            ("to ship", .trailing), ("file", .leading),
        ])
        for file in explanation.files {
            table.append(Self.columns(file.share) + [PathBytes.printable(file.path)])
        }
        if explanation.files.count != 1 {
            table.append(Self.columns(explanation.total) + ["all files"])
        }
        for line in table.lines { try console.print(line: line) }
        try console.print(
            line: "\(Wording.bytes(explanation.shippedBytes)) to ship, "
                + "\(Wording.bytes(explanation.nodeBytes)) of them for "
                + Wording.count(explanation.nodes, "manifest node")
        )
    }

    private static func columns(_ share: DeltaExplanation.Share) -> [String] {
        [share.copied, share.patched, share.new, share.shipped].map(Wording.bytes)
    }

    private var json: JSONValue {
        let files = explanation.files.map { file in
            var object = JSONObject()
            object.setBytes("path", file.path)
            object["size"] = .count(file.size)
            object.append(Self.json(file.share))
            return object.value
        }
        var object: JSONObject = ["files": .array(files)]
        object["total"] = Self.json(explanation.total).value
        object["nodes"] = .count(UInt64(explanation.nodes))
        object["node_bytes"] = .count(explanation.nodeBytes)
        object["shipped_bytes"] = .count(explanation.shippedBytes)
        return object.value
    }

    private static func json(_ share: DeltaExplanation.Share) -> JSONObject {
        [
            "copied_bytes": .count(share.copied), "patched_bytes": .count(share.patched),
            "new_bytes": .count(share.new), "hole_bytes": .count(share.holes),
            "shipped_bytes": .count(share.shipped),
        ]
    }
}
