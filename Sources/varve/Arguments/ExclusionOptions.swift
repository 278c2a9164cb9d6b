internal import ArgumentParser
internal import Platform
internal import SystemPackage
internal import Trees

/// What a snapshot leaves out.
struct ExclusionOptions: ParsableArguments {
    @Option(
        name: [.customShort("e"), .long],
        help: ArgumentHelp(
            "Leave out what matches, in the syntax of gitignore(5); may be repeated.",
            valueName: "pattern"
        )
    )
    var exclude: [ByteArgument] = []

    @Option(
        help: ArgumentHelp(
            "Leave out what matches a line of the file; - is standard input.",
            valueName: "file"
        ),
        completion: .file()
    )
    var excludeFrom: [ByteArgument] = []

    @Flag(help: "Leave out what is in directories marked by a CACHEDIR.TAG.")
    var excludeCaches = false

    @Flag(
        name: [.customShort("x"), .long],
        help: "Do not enter directories on other file systems."
    )
    var oneFileSystem = false

    private static let fileLimit = 64 << 20

    /// The filter that the options make.
    func filter() throws -> WalkFilter {
        var patterns = ExcludePatterns()
        for file in excludeFrom { patterns.append(contents: try Self.read(file)) }
        for pattern in exclude { patterns.append(line: pattern.bytes) }
        return WalkFilter(
            patterns: patterns,
            excludesCaches: excludeCaches,
            staysOnFileSystem: oneFileSystem
        )
    }

    /// The options as they were given, for those who must be told the same again.
    var words: [String] {
        let patterns = exclude.map { ["--exclude", LosslessText.encode($0.bytes)] }
        let files = excludeFrom.map { ["--exclude-from", LosslessText.encode($0.bytes)] }
        return (patterns + files).flatMap { $0 } + (excludeCaches ? ["--exclude-caches"] : [])
            + (oneFileSystem ? ["--one-file-system"] : [])
    }

    private static func read(_ file: ByteArgument) throws(PlatformError) -> [UInt8] {
        let isStandardInput = file.bytes == Array("-".utf8)
        let path = isStandardInput ? Array("/dev/stdin".utf8) : file.bytes
        let descriptor = try Descriptor.open(path, .readOnly)
        return try descriptor.readToEnd(limit: fileLimit, path)
    }
}
