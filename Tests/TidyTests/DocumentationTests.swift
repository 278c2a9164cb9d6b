import Testing
import TestSupport

/// What is promised to be documented is.
struct DocumentationTests {
    /// Written by hand.
    private static let formatPages = [
        "man/varve-repository.5", "man/varve-stream.5", "man/varve-table.5",
    ]

    /// As their pages are named: those of tables have "table-" before their own name.
    private static func commands() throws -> [String] {
        let name = /commandName: "(?<name>[\w-]+)"/
        return try ProjectFiles.swift(below: "Sources/varve/Commands").flatMap { file in
            let isOfTable = file.path.contains("/Table/") && file.name != "TableCommand.swift"
            return file.text.matches(of: name).map { (isOfTable ? "table-" : "") + $0.name }
        }
    }

    @Test func `The page of tables names the page of each of their commands`() throws {
        let page = try ProjectFiles.text("man/varve-table.1")
        let ofTables = try Self.commands().filter { $0.hasPrefix("table-") }
        #expect(ofTables.count >= 12)
        for command in ofTables {
            #expect(page.contains(".It Xr varve-\(command) 1\n"), "\(command)")
        }
    }

    @Test func `Every command has a man page`() throws {
        let commands = try Self.commands()
        #expect(commands.count >= 12)
        for command in commands {
            #expect(ProjectFiles.exists("man/varve-\(command).1"), "man/varve-\(command).1")
        }
        #expect(ProjectFiles.exists("man/varve.1"))
        for page in Self.formatPages { #expect(ProjectFiles.exists(page), "\(page)") }
    }

    @Test func `Every man page is that of a command or of the format`() throws {
        let known = try Set(Self.commands().map { "man/varve-\($0).1" })
            .union(["man/varve.1"] + Self.formatPages)
        let isPage = /\.[1-8]$/
        for path in try ProjectFiles.paths(below: "man") where path.contains(isPage) {
            let isKnown = known.contains(path)
            #expect(isKnown, "\(path) belongs to no command")
        }
    }

    /// Keys as the code writes them: `"key": value`, `object["key"]`, `setBytes("key"`.
    private static func keys(_ file: SourceFile) -> Set<String> {
        let patterns = [
            /"(?<key>[a-z][a-z0-9_]*)":\s/, /\["(?<key>[a-z][a-z0-9_]*)"\]/,
            /setBytes\("(?<key>[a-z][a-z0-9_]*)"/,
        ]
        return patterns.reduce(into: []) { keys, pattern in
            keys.formUnion(file.text.matches(of: pattern).map { String($0.key) })
        }
    }

    @Test func `Every key of JSON stands in the table of the manual, and no other`() throws {
        let page = try ProjectFiles.text("man/parts/varve.mdoc")
        let list = page.components(between: ".Ss Keys of JSON\n", and: "\n.El\n")
        let table = Set(list.matches(of: /\n\.It Cm (?<key>\w+)/).map { String($0.key) })
        let files =
            try ProjectFiles.swift(below: "Sources/Reports")
            + ProjectFiles.swift(below: "Sources/varve/Output")
        let written = files.reduce(into: Set<String>()) { $0.formUnion(Self.keys($1)) }
        let unknown = written.subtracting(table)
        #expect(unknown.isEmpty, "not in the table: \(unknown.sorted())")
        let quoted = files.map(\.text).joined()
        for key in table {
            let isWritten = quoted.contains("\"\(key)\"") || quoted.contains("\"\(key)\\\"")
            #expect(isWritten, "no command prints \(key)")
        }
    }

    /// `.Ss In place` was printed as "#include <place>".
    @Test func `No word of a heading is taken for a macro of mdoc`() throws {
        let heading = /^\.(?:Sh|Ss|Nd|It (?:Ar|Cm)) (?:.* )?(?<word>[A-Z][a-z])(?: |$)/
        let meant: Set<String> = ["Ar", "Cm", "Ns", "Op", "Oo", "Oc", "Ta", "Ev", "Pa", "Ql"]
        for path in try ProjectFiles.paths(below: "man") {
            for (index, line) in try ProjectFiles.text(path).split(
                separator: "\n", omittingEmptySubsequences: false
            ).enumerated() {
                guard let match = line.firstMatch(of: heading),
                    !meant.contains(String(match.word))
                else { continue }
                Issue.record("\(path):\(index + 1): write \\&\(match.word)")
            }
        }
    }

    @Test func `Every fixture is named in the index`() throws {
        let index = try ProjectFiles.text("fixtures/README.md")
        let makers = [".gitattributes", "README.md", "make.py", "make-store.py"]
        for path in try ProjectFiles.paths(below: "fixtures") {
            let relative = path.dropFirst("fixtures/".count)
            guard !makers.contains(String(relative.split(separator: "/").last ?? "")) else {
                continue
            }
            // By itself, or by a directory above it that is named as a whole.
            var names = ["`\(relative)`"]
            var directory = relative
            while let slash = directory.lastIndex(of: "/") {
                directory = directory[..<slash]
                names.append("`\(directory)/`")
            }
            let isNamed = names.contains { index.contains($0) }
            #expect(isNamed, "\(path)")
        }
    }

    @Test func `Every file that the index of fixtures names is there`() throws {
        let index = try ProjectFiles.text("fixtures/README.md")
        let rows = index.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count > 3)
        for row in rows {
            let cell = row.split(separator: "|")[0]
            for match in cell.matches(of: /`(?<path>[^`]+)`/) {
                #expect(ProjectFiles.exists("fixtures/\(match.path)"), "\(match.path)")
            }
        }
    }

    /// Places of the machine where this was written mean nothing elsewhere.
    @Test func `No file names a place of one machine`() throws {
        // Put together, so that this file does not contain them.
        let places = [
            "/wo" + "rk/main", "/wo" + "rk/shared", "/wo" + "rk/.", "/opt/swift-" + "packages",
            "../sha" + "red", "../.lib" + "rary", "/root" + "/", "/tmp/build" + "-",
        ]
        for path in try ProjectFiles.paths(below: "") where !path.hasSuffix(".bin") {
            let text = try ProjectFiles.text(path)
            let found = places.filter(text.contains)
            #expect(found.isEmpty, "\(path)")
        }
    }

    @Test func `The numbers of the reference are not in the code`() throws {
        for file in try ["Sources", "Tests"].flatMap(ProjectFiles.swift) {
            let issue = file.lines.firstIndex { $0.contains(/\b[Ii]ssue (?:#)?\d+\b/) }
            #expect(issue == nil, "\(file.path) names an issue")
        }
    }
}

extension String {
    /// What stands between two texts; empty when one of them is not there.
    fileprivate func components(between start: String, and end: String) -> String {
        guard let first = firstRange(of: start) else { return "" }
        let rest = self[first.upperBound...]
        return String(rest[..<(rest.firstRange(of: end)?.lowerBound ?? rest.startIndex)])
    }
}
