internal import Bytes
internal import Platform
internal import Repository
internal import SystemPackage

/// Where a command prints: data to standard output, everything else to standard error.
final class Console {
    private(set) var isJSON: Bool
    private(set) var isQuiet = false
    private(set) var isVerbose = false

    /// What the program will exit with if nothing fails from here on.
    var status = ExitStatus.done

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

    func print(line: String) throws(OutputError) {
        buffer += line.utf8
        try print([Self.newline])
    }

    /// Prints a value on a line of its own.
    func print(_ value: JSONValue) throws(OutputError) {
        value.write(into: &buffer)
        try print([Self.newline])
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

    /// Prints a line to standard error, whatever the options say.
    func warn(_ text: String) { Self.standardError(text + "\n") }

    /// Prints a line to standard error if more was asked for.
    func remark(_ text: String) {
        if isVerbose { warn(text) }
    }

    func report(_ failure: Failure) {
        Self.standardError(isJSON ? failure.json.text + "\n" : failure.text)
    }

    /// Tells of a snapshot that is left out because it cannot be read.
    func report(damaged error: RepositoryError) {
        var failure = Failure(error)
        failure.message += "; this snapshot is left out"
        report(failure)
    }

    private static func standardError(_ text: String) {
        // There is nobody left to tell when this fails.
        try? Descriptor.write(Array(text.utf8).span, toStandard: 2)
    }
}
