internal import ArgumentParser

/// The options that every command has.
struct OutputOptions: ParsableArguments {
    @Flag(
        help: "Print JSON: one document, or for long work one object a line with its progress."
    )
    var json = false

    @Flag(name: [.customShort("q"), .long], help: "Print no summary and no progress.")
    var quiet = false

    @Flag(name: [.customShort("v"), .long], help: "Print more.")
    var verbose = false
}
