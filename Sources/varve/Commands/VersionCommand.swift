internal import ArgumentParser
internal import Repository

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
        guard console.isJSON else {
            try console.print(line: Version.text)
            if console.isVerbose {
                try console.print(line: "repository format \(RepositoryConfig.version)")
            }
            return
        }
        let object: JSONObject = [
            "version": .string(Version.number),
            "repository_format": .integer(Int64(RepositoryConfig.version)),
        ]
        try console.print(object.value)
    }
}
