internal import ArgumentParser
internal import Operations
internal import Platform
internal import Reports

struct ReceiveCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "receive",
        abstract: "Apply streams that `varve send` wrote.",
        discussion: """
            Every blob is compared with its id before it is stored, and a snapshot is made only \
            once all that it needs is durable. A stream that is cut anywhere leaves the \
            repository as it was; what arrived whole is not stored twice by the next try.

            Of a directory, all streams that fit are applied, in the order that they need; those \
            applied already are passed over, and those that are damaged are told.

            Examples:
              ssh host varve send latest --repo /srv/repo | varve receive --repo /backup/repo
              varve receive /mnt/usb --repo /backup/repo
            """
    )

    @Argument(
        help: ArgumentHelp(
            "A stream, or a directory with streams; standard input otherwise.",
            valueName: "path"
        ),
        completion: .file()
    )
    var path: ByteArgument?

    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        if path == nil, Descriptor.isTerminal(0) {
            throw UsageError(
                "a terminal sends no stream",
                "Pipe `varve send` into this, or name a file or directory."
            )
        }
        let request = ReceiveRequest(path?.bytes, into: try repository.access())
        let streams = try ProgressDisplay.showing(console) { progress throws in
            try request.run(progress) { try console.print($0) }
        }
        guard let streams else { return }
        if !streams.isComplete { console.status = .partial }
        try console.print(ShippingText.received(streams))
    }
}
