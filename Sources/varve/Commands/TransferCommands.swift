internal import ArgumentParser
internal import Operations

struct PushCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "push",
        abstract: "Bring snapshots to another repository.",
        discussion: """
            All snapshots that the other repository lacks, unless some are named or chosen. \
            Nothing that it has is sent again; what changed a little is sent as patches against \
            what it has. A push that was cut goes on where it was when it is run again.

            Examples:
              varve push --repo /backup/repo --to ssh://standby/srv/repo
              varve push latest --repo /backup/repo --to standby:/srv/repo
              varve push --repo /backup/repo --to /mnt/disk/repo --tag monthly
            """
    )

    @OptionGroup(title: "Which snapshots") var choice: TransferChoiceOptions

    @Option(
        help: ArgumentHelp("The repository to bring them to.", valueName: "repo"),
        completion: .directory
    )
    var to: ByteArgument

    @OptionGroup var transfer: TransferOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let source = try repository.access().place()
        let target = try repository.access(to: to).place()
        try transfer.run(try choice.choice(), from: source, to: target, .to, to, console)
    }
}

struct PullCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull",
        abstract: "Bring snapshots from another repository.",
        discussion: """
            The same as push, from the other side: the snapshots of the other repository that \
            this one lacks.

            Examples:
              varve pull --repo /backup/repo --from ssh://laptop/home/backup
              varve pull latest --repo /backup/repo --from laptop:/home/backup
            """
    )

    @OptionGroup(title: "Which snapshots") var choice: TransferChoiceOptions

    @Option(
        help: ArgumentHelp("The repository to bring them from.", valueName: "repo"),
        completion: .directory
    )
    var from: ByteArgument

    @OptionGroup var transfer: TransferOptions
    @OptionGroup var repository: RepositoryOptions
    @OptionGroup var output: OutputOptions

    func run(_ console: Console) throws {
        let target = try repository.access().place()
        let source = try repository.access(to: from).place()
        try transfer.run(try choice.choice(), from: source, to: target, .from, from, console)
    }
}
