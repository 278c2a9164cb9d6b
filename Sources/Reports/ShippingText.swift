internal import JSON
package import Operations
package import Remote
package import Repository

/// What shipping snapshots came to: by streams, and between repositories.
package enum ShippingText {
    /// A stream that was written, or on a dry run would be.
    package static func sent(
        _ sent: SendSummary, _ id: SnapshotID, from: SnapshotID?, isDryRun: Bool
    ) -> Report {
        let object: JSONObject = [
            "type": "summary", "dry_run": .bool(isDryRun), "snapshot_id": .id(id),
            "from_id": .id(from), "blobs": .number(sent.blobs), "patches": .number(sent.patches),
            "bytes_plain": .number(sent.plainBytes), "bytes_shipped": .number(sent.streamBytes),
        ]
        let what = from.map { "what turns \($0.short) into \(id.short)" } ?? "all of \(id.short)"
        let lines = [
            isDryRun ? "would send \(what)" : "sent \(what)",
            "  blobs  \(Wording.grouped(sent.blobs)), \(Wording.grouped(sent.patches)) as patches",
            "  bytes  \(Wording.bytes(sent.streamBytes)) for "
                + "\(Wording.bytes(sent.plainBytes)) of content",
        ]
        return Report(object.value, summary: lines)
    }

    /// A stream that was applied.
    package static func received(_ received: ReceiveSummary) -> Report {
        let object: JSONObject = [
            "type": "summary",
            "snapshot_ids": .array(received.newSnapshots.map { .id($0) }),
            "known_ids": .array(received.knownSnapshots.map { .id($0) }),
            "blobs": .number(received.blobs), "blobs_known": .number(received.knownBlobs),
            "bytes_stored": .number(received.storedBytes),
            "bytes_shipped": .number(received.streamBytes),
        ]
        let lines =
            received.newSnapshots.map { "received \($0.short)" }
            + received.knownSnapshots.map { "\($0.short) was there already" }
        let bytes =
            "  bytes  \(Wording.bytes(received.streamBytes)) received, "
            + "\(Wording.bytes(received.storedBytes)) stored"
        return Report(object.value, summary: lines + [bytes])
    }

    /// The streams of a directory, when all were looked at.
    package static func received(_ streams: ReceivedDirectory) -> Report {
        let object: JSONObject = [
            "type": "directory", "streams": .number(streams.streams),
            "streams_applied": .number(streams.applied), "streams_known": .number(streams.known),
        ]
        let line =
            "\(Wording.count(streams.applied, "stream")) applied, "
            + "\(Wording.grouped(streams.known)) there already"
        return Report(object.value, summary: [line])
    }

    /// Snapshots that were brought from one repository to another, one of them at `location`.
    package static func transferred(
        _ result: TransferResult, _ direction: TransferDirection, _ location: [UInt8]
    ) -> Report {
        let summary = result.summary
        let there = summary.alreadyThere + result.knownBefore
        let milliseconds = Wording.milliseconds(result.duration)
        var object: JSONObject = [
            "type": "summary", "direction": .string(direction.rawValue),
        ]
        object.setBytes("location", location)
        object["snapshot_ids"] = .array(summary.transferred.map { .id($0) })
        object["snapshots_known"] = .number(there)
        object["blobs"] = .number(summary.blobs)
        object["bytes_plain"] = .number(summary.plainBytes)
        object["bytes_shipped"] = .number(summary.streamBytes)
        object["duration_ms"] = .number(milliseconds)
        let count = Wording.count(summary.transferred.count, "snapshot")
        var lines = [
            "\(count) \(direction.rawValue) \(Wording.list([location])), "
                + "\(Wording.grouped(there)) there already"
        ]
        if !summary.transferred.isEmpty {
            let verb = direction == .from ? "received" : "sent"
            lines += [
                "  bytes  \(Wording.bytes(summary.streamBytes)) \(verb) for "
                    + "\(Wording.bytes(summary.plainBytes)) of new content",
                "  time   \(Wording.pace(summary.streamBytes, milliseconds: milliseconds))",
            ]
        }
        return Report(object.value, summary: lines)
    }
}
