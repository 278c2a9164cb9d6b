import Testing
import TestSupport

/// How large functions and types are (CONTRIBUTING.md, "Shape").
struct ShapeTests {
    private static let fieldLimit = 12

    /// Types with more stored properties: how many they have, and why that is right or what is to
    /// become of them.
    ///
    /// The numbers only fall.
    private static let wideTypes: [String: (count: Int, reason: String)] = [
        "ColumnBuilder": (15, "a buffer for each kind of value"),
        "ColumnChunk": (14, "the fields that the format has"),
        "ContentPipeline": (13, "its threads, queues and what they share"),
        "DeviceRates": (14, "a rate each, measured once"),
        "FileStatus": (13, "the fields that the system has"),
        "MigrateCommand": (14, "an option each"),
        "MigrationPlan": (15, "a field for each line of the plan"),
        "MigrationRun": (16, "remembers what each of its steps found"),
        "ReplicaStaging": (13, "to share its staging with two-way sync"),
        "RestoreCommand": (16, "an option each"),
        "RestoreResult": (13, "a number for each line of the report"),
        "SnapshotRecord": (13, "the fields that the format has"),
        "TableInfo": (15, "a field for each line of `table info`"),
        "WatchRecord": (14, "a number for each metric"),
    ]

    @Test func `Half of all functions have at most 10 lines`() throws {
        let counts = try ProjectFiles.swift(below: "Sources")
            .flatMap { FunctionScanner.functions($0.code).map(\.count) }.sorted()
        #expect(counts.count > 3000)
        #expect(counts[counts.count / 2] <= 10)
    }

    @Test func `Types have at most 12 stored properties, but for those listed`() throws {
        var listed = Set(Self.wideTypes.keys)
        for file in try ProjectFiles.swift(below: "Sources") {
            for type in FieldScanner.types(file.code) where type.fields > Self.fieldLimit {
                let limit = Self.wideTypes[type.name]?.count ?? Self.fieldLimit
                #expect(type.fields <= limit, "\(file.path): \(type.name) has \(type.fields)")
                listed.remove(type.name)
            }
        }
        #expect(listed.isEmpty, "they are listed and need not be: \(listed.sorted())")
    }
}

/// Counts stored properties by braces; strings and comments are gone already.
enum FieldScanner {
    struct Count {
        let name: String
        var fields: Int
        /// How many braces are open inside of it.
        let depth: Int
    }

    /// The types that a file declares, each with the stored properties in its own body.
    static func types(_ code: [String]) -> [Count] {
        let declaration =
            /^\s*(?:\w+ )*(?:struct|class|enum|actor|extension|protocol) (?<name>\w+)/
        var (open, done): ([Count], [Count]) = ([], [])
        var depth = 0
        for line in code {
            if let match = line.firstMatch(of: declaration), !line.contains(" func ") {
                open.append(Count(name: String(match.name), fields: 0, depth: depth + 1))
            } else if let last = open.indices.last, open[last].depth == depth {
                open[last].fields += stored(line)
            }
            depth += line.count { $0 == "{" } - line.count { $0 == "}" }
            while let last = open.last, depth < last.depth, line.contains("}") {
                done.append(last)
                open.removeLast()
            }
        }
        return done
    }

    /// How many stored properties a line of a type's body declares.
    private static func stored(_ line: String) -> Int {
        let property =
            /^\s*(?:@\w+(?:\([^)]*\))? |\w+(?:\(set\))? )*?(?<word>let|var) (?<rest>.*)/
        guard !line.contains(/\bstatic\b|\bcase\b/), let match = line.firstMatch(of: property)
        else { return 0 }
        let head = match.rest.prefix { $0 != "=" }
        let isComputed = match.word == "var" && head.contains("{")
        if isComputed { return 0 }
        return head.hasPrefix("(") ? head.prefix { $0 != ")" }.count { $0 == "," } + 1 : 1
    }

    @Test static func `Stored properties are counted`() {
        let code = [
            "struct A {", "    let one: Int", "    var two: Int { 2 }", "    static let no = 1",
            "    private var (three, four) = (3, 4)", "    struct B {", "        var five = 5",
            "    }", "    func f() {", "        let inner = 1", "    }", "}",
        ]
        let types = types(code)
        #expect(types.map(\.name) == ["B", "A"])
        #expect(types.map(\.fields) == [1, 3])
    }
}
