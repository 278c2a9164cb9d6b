internal import ArgumentParser
internal import Bytes
internal import Platform
internal import Restoring
internal import TableLog

/// How one table is restored.
struct TableOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Restore this table: its path in the snapshot or, where only one has it, its name.",
            valueName: "name"
        )
    )
    var table: ByteArgument?

    @Flag(
        help: """
            Restore the table where it is, by bringing back missing files and one commit. It is \
            looked for in the source of the snapshot, or is --target.
            """
    )
    var inPlace = false

    @Option(
        help: ArgumentHelp(
            "With --in-place: restore only files with this partition value; may be repeated for "
                + "further columns. \"column=\" stands for null.",
            valueName: "column=value"
        )
    )
    var partition: [TextArgument] = []

    @Option(
        help: ArgumentHelp(
            "Restore this version or time in the history that the snapshot holds, "
                + "such as 12 or 2026-11-20T03:00.",
            valueName: "version|time"
        )
    )
    var at: String?

    /// Refuses what makes no sense together; `others`: options that are about files were given.
    func validate(others: Bool) throws {
        guard table != nil else {
            guard !inPlace, partition.isEmpty, at == nil else {
                throw ValidationError("'--in-place', '--partition' and '--at' need '--table'.")
            }
            return
        }
        guard !others else {
            throw ValidationError(
                "'--include', '--exclude', '--overwrite' and '--delete' are about files, and "
                    + "'--table' is not."
            )
        }
        guard inPlace || partition.isEmpty else {
            throw ValidationError("'--partition' needs '--in-place'.")
        }
        guard
            partition.allSatisfy({
                !$0.text.hasPrefix("=") && $0.text.utf8.contains(Self.equals)
            })
        else {
            throw ValidationError("The value of '--partition' must be 'column=value'.")
        }
        guard at == nil || version != nil else {
            throw ValidationError("The value of '--at' must be a version or a time.")
        }
    }

    private static let equals = UInt8(ascii: "=")

    private var version: TableRestoreOptions.VersionChoice? {
        guard let at else { return nil }
        if let number = Int64(at) { return .version(number) }
        return TimeArgument(argument: at).map { .time($0.moment.milliseconds) }
    }

    func parsed(isDryRun: Bool, verifies: Bool, limitRate: SizeArgument?) -> TableRestoreOptions {
        var options = TableRestoreOptions()
        for text in partition {
            let parts = text.text.utf8.split(
                separator: Self.equals, maxSplits: 1, omittingEmptySubsequences: false
            ).map { ExactText(Substring($0)) }
            options.partition.updateValue(parts[1].isEmpty ? nil : parts[1], forKey: parts[0])
        }
        options.at = version
        options.isDryRun = isDryRun
        options.verifies = verifies
        options.bytesPerSecond = limitRate?.count.bytes
        return options
    }
}
