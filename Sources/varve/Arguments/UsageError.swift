internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Reports
internal import SystemPackage

/// A command line that makes no sense, found after parsing.
struct UsageError: Error {
    let message: String
    let advice: String

    init(_ message: String, _ advice: String) {
        self.message = message
        self.advice = advice
    }
}

extension Failure {
    /// Explains any error, also those of the command line.
    init(_ error: any Error) {
        self.init(error) { other in
            switch other {
            case let error as UsageError:
                Failure(message: error.message, advice: error.advice, status: .usage)
            case let error as OutputError: Failure(error)
            default: Failure(parsing: other)
            }
        }
    }

    /// What ArgumentParser has to say, with its hint at the usage.
    private init(parsing error: any Error) {
        var text = Varve.fullMessage(for: error)
        if text.hasPrefix("Error: ") { text.removeFirst("Error: ".count) }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            PathBytes.printable(LosslessText.decode(line))
        }
        self.init(
            message: lines.first ?? "",
            advice: lines.dropFirst().joined(separator: "\n"),
            status: Varve.exitCode(for: error) == .validationFailure ? .usage : .failed
        )
    }

    private init(_ error: OutputError) {
        switch error {
        case .closed: self.init(message: "standard output was closed", status: .done)
        case .failed(let error) where error.errno == .brokenPipe:
            self.init(
                message: "the reader of standard output stopped before the end",
                meaning: "What was finished before stays; the reader tells what it did.",
                advice: "Put right what it complains of, then run the command again."
            )
        case .failed(let error):
            self.init(
                message: "cannot write to standard output: \(error.errno)",
                meaning: "What was printed is not all there is.",
                advice: "Print to another place and run the command again."
            )
        }
    }
}
