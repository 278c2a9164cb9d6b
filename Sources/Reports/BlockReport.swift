internal import Bytes
internal import JSON
package import Remote

/// What a delta is made of.
package struct BlockReport {
    private let explanation: DeltaExplanation

    /// A report on a delta that was looked at, and not sent.
    package init(_ explanation: DeltaExplanation) { self.explanation = explanation }

    /// A row for each file, and what shipping all of them would cost.
    package var report: Report { Report(json, results: lines) }

    private var lines: [String] {
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
        let sum =
            "\(Wording.bytes(explanation.shippedBytes)) to ship, "
            + "\(Wording.bytes(explanation.nodeBytes)) of them for "
            + Wording.count(explanation.nodes, "manifest node")
        return table.lines + [sum]
    }

    private static func columns(_ share: DeltaExplanation.Share) -> [String] {
        [share.copied, share.patched, share.new, share.shipped].map(Wording.bytes)
    }

    private var json: JSONValue {
        let files = explanation.files.map { file in
            var object = JSONObject(path: file.path)
            object["size"] = .number(file.size)
            object.append(Self.json(file.share))
            return object.value
        }
        let object: JSONObject = [
            "file_list": .array(files), "totals": Self.json(explanation.total).value,
            "nodes": .number(explanation.nodes), "bytes_in_nodes": .number(explanation.nodeBytes),
            "bytes_shipped": .number(explanation.shippedBytes),
        ]
        return object.value
    }

    private static func json(_ share: DeltaExplanation.Share) -> JSONObject {
        [
            "bytes_copied": .number(share.copied), "bytes_patched": .number(share.patched),
            "bytes_new": .number(share.new), "bytes_in_holes": .number(share.holes),
            "bytes_shipped": .number(share.shipped),
        ]
    }
}
