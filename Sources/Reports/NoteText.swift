internal import Bytes
package import Operations
internal import Repository
internal import Snapshots

/// What is said of something while an operation goes on.
package enum NoteText {
    /// What is printed of a note, when it comes.
    package enum Form {
        /// An error that did not end the work.
        case failure(Failure)
        case report(Report)
    }

    /// The form of a note.
    package static func form(_ note: OperationNote) -> Form {
        switch note {
        case .unreadable(let error): .failure(Failure(leftOut: error))
        case .received(let received): .report(ShippingText.received(received))
        case .repositoryLeftOut(let path):
            .report(aside("left out the repository itself, \(PathBytes.printable(path))"))
        case .nothingChosen: .report(aside("there are no such snapshots to bring"))
        case .notPinned(let table):
            .report(
                warning(
                    "the snapshot does not have this table as a whole version: "
                        + PathBytes.printable(table.reason)))
        case .streamLeftOut(let path, let obstacle):
            .report(warning("left out \(PathBytes.printable(path)): \(words(obstacle))"))
        }
    }

    private static func words(_ obstacle: StreamObstacle) -> String {
        switch obstacle {
        case .unusable(let reason): reason
        case .damaged(let error): "\(error)"
        case .lacks(let ids):
            "it needs the snapshot\(ids.count == 1 ? "" : "s") "
                + ids.map(\.short).joined(separator: ", ")
        }
    }

    private static func warning(_ text: String) -> Report {
        var report = Report()
        report.warnings = [Message(text)]
        report.documents = report.warnings.map(\.document)
        return report
    }

    /// Left out for those who want quiet.
    private static func aside(_ text: String) -> Report {
        var report = Report()
        report.absence = Message(text)
        report.documents = [Message(text).document]
        return report
    }
}
