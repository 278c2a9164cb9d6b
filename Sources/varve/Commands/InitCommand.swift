internal import ArgumentParser
internal import Bytes
internal import Chunking
internal import Operations
internal import Reports

struct InitCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a repository.",
        discussion: """
            The directory is made where it is missing; one that is there must be empty. The chunk \
            sizes are fixed for the life of the repository.

            Examples:
              varve init --repo /backup/repo
              varve init --repo /backup/logs --chunk-average 1M
            """
    )

    @OptionGroup var repository: RepositoryOptions

    @Option(
        help: ArgumentHelp(
            "Average size of a chunk, a power of two from 16K to 4M.",
            discussion: """
                The smallest chunk is a quarter of it, the largest twice. Small chunks find \
                more that is equal, large ones cost less.
                """,
            valueName: "size"
        )
    )
    var chunkAverage: SizeArgument?

    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let access = try repository.access()
        let config = try access.create(try chunking())
        try console.print(RepositoryText.made(config, access.location))
    }

    private func chunking() throws(UsageError) -> ChunkingParameters {
        guard let average = chunkAverage?.count.bytes else { return .standard }
        do throws(ChunkingError) {
            let average = Int(clamping: average)
            return try ChunkingParameters(average: average)
        } catch {
            throw UsageError(
                "\(average) bytes cannot be the average size of chunks",
                "Choose a power of two from 16K to 8M."
            )
        }
    }
}
