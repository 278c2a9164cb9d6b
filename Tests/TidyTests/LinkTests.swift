import Testing
import TestSupport

/// Relative links in the documents lead somewhere; web addresses are not looked up.
struct LinkTests {
    /// All documents in Markdown that people read on their own.
    private static func documents() throws -> [String] {
        try ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"]
            + ["docs", "Benchmarks", "fixtures", "Sources/varve/varve.docc"]
            .flatMap(ProjectFiles.paths).filter { $0.hasSuffix(".md") }
    }

    @Test func `Every relative link in the documents leads to a file and a heading`() throws {
        var count = 0
        for document in try Self.documents() {
            let prose = Markdown(try ProjectFiles.text(document)).prose
            for match in prose.matches(of: /\]\((?<target>[^)\s]+)\)/)
            where !match.target.contains("://") {
                count += 1
                let leads = try Self.leads(String(match.target), from: document)
                #expect(leads, "\(document) has a link to \(match.target)")
            }
        }
        #expect(count >= 40, "only \(count) links were found")
    }

    @Test func `Every chapter is linked from the README`() throws {
        let readme = try ProjectFiles.text("README.md")
        for path in try ProjectFiles.paths(below: "docs") {
            #expect(readme.contains("](\(path))"), "\(path)")
        }
    }

    @Test func `Anchors are made of headings as GitHub makes them`() {
        let text = """
            # What is it, `exactly`?
            ```
            # a comment
            ```
            ## Two words
            ## Two words
            """
        #expect(Markdown(text).anchors == ["what-is-it-exactly", "two-words", "two-words-1"])
    }

    /// Whether `target`, as written in `document`, is a file of the project and, behind "#", has
    /// that heading.
    private static func leads(_ target: String, from document: String) throws -> Bool {
        let parts = target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let path = parts[0].isEmpty ? document : resolve(String(parts[0]), from: document)
        guard ProjectFiles.exists(path) else { return false }
        guard parts.count == 2 else { return true }
        return Markdown(try ProjectFiles.text(path)).anchors.contains(String(parts[1]))
    }

    private static func resolve(_ path: String, from document: String) -> String {
        var names = document.split(separator: "/").dropLast()
        for name in path.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return names.joined(separator: "/")
    }
}

/// A document, as far as its links are concerned.
private struct Markdown {
    /// The text without blocks of code.
    let prose: String

    init(_ text: String) {
        let blocks = text.split(separator: "```", omittingEmptySubsequences: false)
        prose = blocks.enumerated().filter { $0.offset.isMultiple(of: 2) }
            .map { String($0.element) }.joined()
    }

    /// The anchors of all headings, in their order.
    var anchors: [String] {
        var seen: [String: Int] = [:]
        return prose.split(separator: "\n").filter { $0.hasPrefix("#") }.map { line in
            let anchor = Self.anchor(line.drop { $0 == "#" }.dropFirst())
            let earlier = seen[anchor, default: 0]
            seen[anchor] = earlier + 1
            return earlier == 0 ? anchor : "\(anchor)-\(earlier)"
        }
    }

    /// Lower case, with "-" for blanks and without punctuation.
    private static func anchor(_ heading: Substring) -> String {
        String(
            heading.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
                .map { $0 == " " ? "-" : $0 })
    }
}
