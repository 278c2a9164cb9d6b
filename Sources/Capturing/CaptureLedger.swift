internal import Bytes
internal import Platform
internal import Snapshots
internal import Trees

/// What a capture came across, for its record and its report.
struct CaptureLedger {
    var statistics = SnapshotStatistics()
    private(set) var problems: [CaptureProblem] = []
    private(set) var notes: [CaptureNote] = []

    mutating func note(_ note: CaptureNote) { notes.append(note) }

    /// Adds a problem; the reason becomes part of the record, as text for people.
    mutating func add(_ kind: CaptureProblem.Kind, _ path: [UInt8], _ reason: String) {
        problems.append(CaptureProblem(kind, path, reason))
    }

    /// Adds a path whose content, or all of it, is not in the snapshot.
    mutating func addUnread(_ path: [UInt8], _ reason: String) {
        statistics.unreadableFiles += 1
        add(.unreadable, path, reason)
    }

    /// Adds why a path could not be read; one that is gone by now is no fault.
    mutating func add(_ path: [UInt8], _ error: PlatformError) {
        if error.isNotFound {
            add(.vanished, path, "\(error.errno)")
        } else {
            addUnread(path, "\(error.errno)")
        }
    }

    /// Adds attributes that are not in the snapshot, as the content is.
    mutating func add(_ path: [UInt8], _ unread: [ExtendedAttributes.Failure]) {
        for failure in unread {
            let name = PathBytes.printable(failure.name)
            add(
                .unreadable, path,
                (name.isEmpty ? "its attributes" : "its attribute \(name)")
                    + " could not be read, the rest is stored: \(failure.error.errno)")
        }
    }

    mutating func addKept(_ entry: ManifestEntry) {
        switch entry.payload {
        case .file: statistics.unchangedFiles += 1
        case .directory: statistics.directories += 1
        default: break
        }
    }
}
