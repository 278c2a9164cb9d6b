internal import JSON
internal import Operations
internal import Platform
internal import Reports
internal import SystemPackage

/// Where a command prints: data to standard output, everything else to standard error.
final class Console {
    private(set) var isJSON: Bool
    private(set) var isQuiet = false
    private(set) var isVerbose = false

    /// What the program will exit with if nothing fails from here on.
    var status = ExitStatus.done

    /// What shows progress at the moment.
    var display: ProgressDisplay?

    private var buffer: [UInt8] = []
    private static let bufferLimit = 64 << 10
    private static let newline = UInt8(ascii: "\n")

    init(isJSON: Bool) { self.isJSON = isJSON }

    func configure(_ options: OutputOptions) {
        isJSON = options.json
        isQuiet = options.quiet
        isVerbose = options.verbose
    }

    // MARK: Data

    func print(_ bytes: [UInt8]) throws(OutputError) {
        buffer += bytes
        if buffer.count >= Self.bufferLimit { try flush() }
    }

    /// Prints a line of text; what a terminal would act on is escaped.
    func print(line: String) throws(OutputError) {
        buffer += TerminalText.harmless(line).utf8
        try print([Self.newline])
    }

    /// Prints a value on a line of its own.
    func print(_ value: JSONValue) throws(OutputError) {
        buffer += value.bytes
        try print([Self.newline])
    }

    /// Prints a report as the options ask for it.
    func print(_ report: Report) throws(OutputError) {
        guard !isJSON else {
            for document in report.documents { try print(document) }
            return
        }
        for warning in report.warnings { warn(warning) }
        if isVerbose { for remark in report.remarks { warn(remark) } }
        for line in report.results { try print(line: line) }
        guard !isQuiet else { return }
        for line in report.summary { try print(line: line) }
        if let absence = report.absence { warn(absence) }
    }

    /// Prints a note of an operation.
    func print(_ note: OperationNote) throws(OutputError) {
        switch NoteText.form(note) {
        case .failure(let failure): self.report(failure)
        case .report(let report): try print(report)
        }
    }

    /// Writes what is still buffered.
    func flush() throws(OutputError) {
        let bytes = buffer
        buffer.removeAll(keepingCapacity: true)
        do throws(PlatformError) {
            try Descriptor.write(bytes.span, toStandard: 1)
        } catch {
            throw error.errno == .brokenPipe ? .closed : .failed(error)
        }
    }

    // MARK: Everything else

    /// Prints to standard error, whatever the options say; what a terminal would act on is escaped.
    func warn(_ message: Message) {
        let lines = ["varve: " + message.text] + message.details.map { "  " + $0 }
        standardError(lines.map { TerminalText.harmless($0) + "\n" }.joined())
    }

    func report(_ failure: Failure) {
        standardError(isJSON ? failure.json.text + "\n" : failure.text)
    }

    /// Prints a report to standard error, where standard output is taken.
    func printAside(_ report: Report) {
        guard !isJSON else {
            return standardError(report.documents.map { $0.text + "\n" }.joined())
        }
        if !isQuiet {
            standardError(report.summary.map { TerminalText.harmless($0) + "\n" }.joined())
        }
    }

    private func standardError(_ text: String) {
        // There is nobody left to tell when this fails.
        let write = { _ = try? Descriptor.write(Array(text.utf8).span, toStandard: 2) }
        if let display { display.clearing(write) } else { write() }
    }
}
