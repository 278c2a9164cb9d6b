internal import ArgumentParser
internal import Reports

struct VersionCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "version",
        abstract: "Print the version.",
        discussion: """
            Examples:
              varve version
              varve version --json
            """
    )

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let report = RepositoryText.version(Version.number, isDetailed: console.isVerbose)
        try console.print(report)
    }
}
