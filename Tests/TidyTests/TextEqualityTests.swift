import Testing
import TestSupport

/// Names, values and paths that others chose are compared by their bytes, as `ExactText`, wherever
/// tables are read, written and captured.
///
/// This looks at what is declared: a `String` is no key, no member of a set, and no property that a
/// synthesized `==` would compare, but for those listed, which hold words of our own. It cannot see
/// what is done with a local `String`.
struct TextEqualityTests {
    /// Properties that hold messages for people, or names that are ASCII by a check where they are
    /// made (those of files of a log).
    private static let ours: Set<String> = [
        "detail", "expected", "file", "upkeepProblem", "option", "name", "names", "logNames",
        "log", "createdBy", "units", "operators", "delimiters", "null", "emptyCommits",
        "compressions",
    ]

    private static func files() throws -> [SourceFile] {
        let modules = ["JSON", "Parquet", "TableLog", "TableStore"].map { "Sources/\($0)/" }
        return try ProjectFiles.swift(below: "Sources").filter { file in
            modules.contains { file.path.hasPrefix($0) } || file.path.contains("/Tables/")
                || file.path.hasSuffix("+Tables.swift") && !file.path.hasPrefix("Sources/varve/")
                    && !file.path.hasPrefix("Sources/Reports/")
        }
    }

    @Test func `No String is a key or in a set`() throws {
        let files = try Self.files()
        #expect(files.count > 100)
        for file in files {
            for (number, line) in file.code.enumerated()
            where line.contains(/\[String:|Set<String>/) {
                Issue.record("\(file.path):\(number + 1): \(line)")
            }
        }
    }

    @Test func `No property is a String but for words of our own`() throws {
        let property = /^ {0,4}(?:[a-z]\S* )*(?:let|var) (?<name>\w+)(?::.*\bString\b| = "$)/
        for file in try Self.files() {
            for (number, line) in file.code.enumerated() {
                guard let match = line.firstMatch(of: property), !line.contains("{"),
                    !Self.ours.contains(String(match.name))
                else { continue }
                Issue.record("\(file.path):\(number + 1): \(line)")
            }
        }
    }
}
