import Testing
import TestSupport

/// How the code is written, as far as a machine can tell (CONTRIBUTING.md).
struct StyleTests {
    private static func swiftFiles() throws -> [SourceFile] {
        try ["Sources", "Tests", "Benchmarks"].flatMap(ProjectFiles.swift)
            + [SourceFile(path: "Package.swift", text: try ProjectFiles.text("Package.swift"))]
    }

    @Test func `Lines have at most 100 columns`() throws {
        for file in try Self.swiftFiles() {
            for (number, line) in file.lines.enumerated()
            where line.utf8.count > 100 && line.count > 100 {
                Issue.record("\(file.path):\(number + 1) has \(line.count) columns")
            }
        }
    }

    @Test func `Lines end without blanks and files with one newline`() throws {
        for file in try Self.swiftFiles() {
            for (number, line) in file.lines.enumerated() where line.hasSuffix(" ") {
                Issue.record("\(file.path):\(number + 1)")
            }
            let isEndRight = file.text.hasSuffix("\n") && !file.text.hasSuffix("\n\n")
            #expect(isEndRight, "\(file.path)")
        }
    }

    @Test func `Files have at most 500 lines`() throws {
        for file in try Self.swiftFiles() {
            let count = file.lines.count - 1
            #expect(count <= 500, "\(file.path) has \(count) lines: it has two subjects")
        }
    }

    @Test func `Functions have at most 70 lines`() throws {
        for file in try Self.swiftFiles() {
            for function in FunctionScanner.functions(file.code) where function.count > 70 {
                Issue.record("\(file.path):\(function.line) has \(function.count) lines")
            }
        }
    }

    @Test func `Nothing is left to do`() throws {
        // Put together, so that this file does not contain them.
        let words = ["TO" + "DO", "FIX" + "ME", "XX" + "X:", "HA" + "CK"]
        let files = try ["Sources", "Tests", "Scripts", "Benchmarks", "man", "fixtures"]
            .filter(ProjectFiles.exists).flatMap(ProjectFiles.paths)
        for path in files where !path.hasPrefix("fixtures/repository/") && !path.hasSuffix(".bin") {
            let text = try ProjectFiles.text(path)
            let found = words.filter(text.contains)
            #expect(found.isEmpty, "\(path)")
        }
    }

    @Test func `Nothing is forced`() throws {
        let forced = /\btry!|\bas!|\bfatalError\(|\b[\w)\]]+!(?:\.|\[|\)|,|$)/
        for file in try ProjectFiles.swift(below: "Sources") {
            for (number, line) in file.code.enumerated() where line.contains(forced) {
                Issue.record("\(file.path):\(number + 1)")
            }
        }
    }

    /// Swift 6.3.1 releases the payload twice where the call throws inside of `do throws`: the
    /// program crashed when a connection was lost.
    @Test func `What may throw is called before its result is matched`() throws {
        let pattern = /guard case \.\w+\(let [^)]*\) = try\b/
        for file in try ProjectFiles.swift(below: "Sources") {
            #expect(!file.code.contains { $0.contains(pattern) }, "\(file.path)")
        }
    }
}

/// Finds functions by counting braces; strings and comments are gone already.
enum FunctionScanner {
    struct Function {
        /// Line of its declaration, from 1.
        let line: Int
        /// Lines from the declaration to the closing brace.
        let count: Int
    }

    static func functions(_ code: [String]) -> [Function] {
        let declaration = /\bfunc\b|\binit[?]?[<(]|\bdeinit\b|\bsubscript\b|\bvar \w+: [^=]*\{\s*$/
        return code.indices.compactMap { index in
            guard code[index].contains(declaration),
                let end = closingBrace(code, from: index)
            else { return nil }
            return Function(line: index + 1, count: end - index + 1)
        }
    }

    /// The line where the body that begins at `start` ends; nil when there is none.
    private static func closingBrace(_ code: [String], from start: Int) -> Int? {
        var depth = 0
        var hasBody = false
        for index in start..<code.count {
            for character in code[index] {
                switch character {
                case "{":
                    depth += 1
                    hasBody = true
                case "}": depth -= 1
                default: break
                }
                if depth < 0 { return nil }
                if hasBody, depth == 0 { return index }
            }
            // A requirement of a protocol: nothing follows that belongs to it.
            let isEmpty = code[index].allSatisfy(\.isWhitespace)
            if !hasBody, isEmpty || index > start + 12 { return nil }
        }
        return nil
    }

    @Test static func `Lines of a function are counted`() {
        let code = [
            "struct A {", "    func one() { 1 }", "    func two() {", "        if x {", "        }",
            "    }", "", "    func three() throws", "", "    func four()", "        throws -> Int",
            "    {", "        4", "    }", "}",
        ]
        let functions = functions(code)
        #expect(functions.map(\.line) == [2, 3, 10])
        #expect(functions.map(\.count) == [1, 4, 5])
    }
}
