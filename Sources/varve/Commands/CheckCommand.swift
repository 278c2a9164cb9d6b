internal import ArgumentParser
internal import Operations
internal import Reports
internal import Upkeep

/// A whole number of per cent.
///
/// Every text is taken, so that one that makes no sense is refused by name: ArgumentParser would
/// take the option to have no value.
struct PercentArgument: ExpressibleByArgument, CustomStringConvertible {
    /// 1 to 100; nil for a text that is no such number.
    let percent: Int?

    static let all = Self(percent: 100)

    private init(percent: Int) { self.percent = percent }

    init?(argument: String) {
        let digits = argument.hasSuffix("%") ? argument.dropLast() : argument[...]
        percent = Int(digits).flatMap { (1...100).contains($0) ? $0 : nil }
    }

    var description: String { percent.map(String.init) ?? "" }
}

struct CheckCommand: VarveCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check that the repository is sound.",
        discussion: """
            Checks that every snapshot, node and reference resolves and that the index agrees with \
            the packs. With --read-data every chunk is read too and its XXH3 and SHA-256 compared; \
            a share of the packs, left to chance, with --read-data=PERCENT.

            Damage is told with the files and snapshots that it affects, and the exit status is 1. \
            Nothing is changed.

            Examples:
              varve check --repo /backup/repo
              varve check --read-data
              varve check --read-data=15 --json
            """
    )

    @OptionGroup var repository: RepositoryOptions

    @Option(
        defaultAsFlag: PercentArgument.all,
        parsing: .next,
        help: ArgumentHelp(
            "Read and hash what the packs hold: all, or this share of them.",
            valueName: "percent"
        )
    )
    var readData: PercentArgument? = nil

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let readData, readData.percent == nil {
            throw ValidationError("The value of '--read-data' must be from 1 to 100.")
        }
    }

    func run(_ console: Console) throws {
        let repository = try repository.access().open(isTrustless: true)
        let start = ContinuousClock.now
        let report = try ProgressDisplay.showing(console) { progress throws(CheckError) in
            try RepositoryCheck.run(
                repository,
                readDataPercent: readData?.percent,
                progress
            )
        }
        console.status = report.damages.isEmpty ? .done : .failed
        try console.print(CheckText(report, took: ContinuousClock.now - start).report)
    }
}
