import Testing
import TestSupport

/// Whether what other modules may use says what it is for: `package` is our public.
struct CommentTests {
    /// How many declarations of a module have no comment yet.
    ///
    /// The numbers only fall: whoever writes a comment writes the new number here.
    private static let missing = [
        "Bytes": 56, "Capturing": 9, "Chunking": 6, "Compression": 10, "Deltas": 11, "Hashing": 15,
        "JSON": 11, "Migration": 80, "Operations": 21, "Parquet": 149, "Platform": 90,
        "Remote": 63, "Replicas": 38, "Repository": 0, "Restoring": 23, "Serving": 4,
        "Snapshots": 104, "TableLog": 83, "TableStore": 71, "Targets": 15, "Trees": 22,
        "TwoWay": 57, "Upkeep": 0, "Wire": 101,
    ]
    /// So many may be written before the number must be.
    private static let slack = 20

    @Test func `What a module offers is documented, but for a number that only falls`() throws {
        var found: [String: Int] = [:]
        for file in try ProjectFiles.swift(below: "Sources") {
            let module = String(file.path.split(separator: "/")[1])
            found[module, default: 0] += Self.undocumented(file)
        }
        for (module, count) in found.sorted(by: { $0.key < $1.key }) {
            let limit = Self.missing[module] ?? 0
            #expect(count <= limit, "\(module): \(count) without a comment, \(limit) at most")
            #expect(count + Self.slack >= limit, "\(module): only \(count): write that down here")
        }
        for module in Self.missing.keys { #expect(found[module] != nil, "\(module)") }
    }

    /// Declarations without a comment above them; what a protocol asks for needs none.
    private static func undocumented(_ file: SourceFile) -> Int {
        let declaration = /^\s*(?:@\w+(?:\([^)]*\))? )*package (?!import\b|extension\b)/
        let lines = file.lines
        return lines.indices.count { index in
            guard lines[index].contains(declaration) else { return false }
            var above = index - 1
            while above >= 0, lines[above].contains(/^\s*@/) { above -= 1 }
            return above < 0 || !lines[above].contains(/^\s*\/\/\//)
        }
    }
}
