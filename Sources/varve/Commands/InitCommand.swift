internal import Remote
internal import ArgumentParser
internal import Bytes
internal import Chunking
internal import Repository

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
        let location = try repository.location()
        let config = try repository.create(try chunking())
        guard console.isJSON else {
            if !console.isQuiet {
                try console.print(
                    line: "made repository \(config.id.hex.prefix(12)) in "
                        + location.description
                )
            }
            return
        }
        var object: JSONObject = ["type": "summary", "repository_id": .hex(config.id)]
        switch location {
        case .directory(let path): object.setBytes("path", path)
        case .remote(let remote):
            object.setBytes("path", remote.path)
            object["location"] = .string(remote.description)
        }
        object["chunk_minimum"] = .count(UInt64(config.chunking.minimum))
        object["chunk_average"] = .count(UInt64(config.chunking.average))
        object["chunk_maximum"] = .count(UInt64(config.chunking.maximum))
        try console.print(object.value)
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
