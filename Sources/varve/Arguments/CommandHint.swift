internal import ArgumentParser
internal import Bytes

/// Sees a command that there is not before ArgumentParser does, and says what was meant perhaps.
enum CommandHint {
    /// Options of the program itself, which stand alone.
    private static let ownOptions = [
        "-h", "--help", "--help-hidden", "--version", "--generate-completion-script",
        "--experimental-dump-help",
    ]

    /// What other tools call our commands.
    private static let elsewhere = [
        "backup": "snapshot", "create": "snapshot", "snap": "snapshot", "snapshots": "list",
        "extract": "restore", "verify": "check", "fsck": "check", "info": "show", "du": "stats",
        "dump": "cat", "copy": "push", "mirror": "replicate", "log": "list", "ll": "ls",
    ]

    /// What other tools call what removes snapshots or space.
    ///
    /// Nothing here does that, and what sounds alike may remove something else.
    private static let removals: Set<String> = [
        "clean", "cleanup", "compact", "delete", "erase", "expire", "forget", "gc", "prune",
        "purge", "remove", "rm", "thin", "unlink", "wipe",
    ]

    /// What other tools call the commands of tables.
    private static let elsewhereForTables = [
        "cat": "scan", "check": "verify", "copy": "import", "describe": "info", "fsck": "verify",
        "head": "scan", "insert": "append", "list": "history", "load": "import",
        "log": "history", "merge": "compact", "new": "create", "optimise": "compact",
        "optimize": "compact",
        "query": "scan", "rollback": "restore", "schema": "info", "select": "scan",
        "show": "info", "write": "append",
    ]

    static func check(_ arguments: [String]) throws(UsageError) {
        guard let first = arguments.first, first != "help" else { return }
        let name = PathBytes.printable(LosslessText.decode(first))
        if first.hasPrefix("-") {
            let option = first.prefix { $0 != "=" }
            guard arguments.count > 1, !ownOptions.contains(String(option)) else { return }
            throw UsageError(
                "the option \(name) stands before the command",
                "Options follow it: varve list --repo /backup/repo"
            )
        }
        let commands = names(Varve.configuration)
        guard !commands.contains(first), !first.hasPrefix("__") else {
            if first == "table" { try checkTable(arguments.dropFirst()) }
            if first == "init" { try checkInit(arguments.dropFirst()) }
            return
        }
        guard !removals.contains(first) else {
            throw UsageError(
                "there is no command \(name)",
                "Snapshots stay: no command removes them or the space that they take. What removes "
                    + "rows and files of tables is listed by `varve table --help`."
            )
        }
        let likely =
            elsewhere[first] ?? commands.first { EditDistance.isAtMostTwo(first, $0) }
            ?? (names(TableCommand.configuration).contains(first) ? "table \(first)" : nil)
        throw unknown(name, likely, "varve")
    }

    /// Other tools take the directory of a new repository as an operand.
    private static func checkInit(_ arguments: ArraySlice<String>) throws(UsageError) {
        guard let first = arguments.first, !first.hasPrefix("-") else { return }
        let name = PathBytes.printable(LosslessText.decode(first))
        throw UsageError(
            "init takes no operand, and \(name) is one",
            "A repository is named by an option: "
                + "varve init --repo \(ShellWord.quoted(LosslessText.decode(first)))"
        )
    }

    /// The same for the commands of tables.
    private static func checkTable(_ arguments: ArraySlice<String>) throws(UsageError) {
        let commands = names(TableCommand.configuration)
        guard let first = arguments.first, !first.hasPrefix("-"), first != "help",
            !commands.contains(first)
        else { return }
        let harmless = commands.filter { !removals.contains($0) }
        let likely =
            elsewhereForTables[first] ?? harmless.first { EditDistance.isAtMostTwo(first, $0) }
        throw unknown(
            "table " + PathBytes.printable(LosslessText.decode(first)),
            likely.map { "table \($0)" }, "varve table")
    }

    private static func names(_ configuration: CommandConfiguration) -> [String] {
        configuration.subcommands.compactMap { $0.configuration.commandName }
    }

    private static func unknown(_ name: String, _ likely: String?, _ list: String) -> UsageError {
        UsageError(
            "there is no command \(name)",
            (likely.map { "Did you mean `varve \($0)`? " } ?? "")
                + "`\(list) --help` lists the commands."
        )
    }
}

/// How alike two words are (Damerau and Levenshtein, adjacent letters may be swapped).
enum EditDistance {
    static func isAtMostTwo(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        guard min(one.count, other.count) > 2, abs(one.count - other.count) <= 2 else {
            return false
        }
        return distance(one, other) <= 2
    }

    private static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var rows = [Array(0...other.count)]
        for (index, byte) in one.enumerated() {
            var row = [index + 1]
            for (column, wanted) in other.enumerated() {
                var best = min(
                    rows[index][column + 1] + 1,
                    row[column] + 1,
                    rows[index][column] + (byte == wanted ? 0 : 1)
                )
                if index > 0, column > 0, byte == other[column - 1], wanted == one[index - 1] {
                    best = min(best, rows[index - 1][column - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[one.count][other.count]
    }
}
