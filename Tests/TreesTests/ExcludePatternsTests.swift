@testable import Trees
import Foundation
import Glibc
import TestSupport
import Testing

struct ExcludePatternsTests {
    @Test(arguments: manualCases)
    func `A single pattern means what the manual says`(
        pattern: String, expected: Bool, path: String
    ) {
        let patterns = ExcludePatterns(lines: [Array(pattern.utf8)])
        let isDirectory = path.hasSuffix("/")
        let bytes = Array((isDirectory ? String(path.dropLast()) : path).utf8)
        #expect(patterns.isExcluded(bytes, isDirectory: isDirectory) == expected)
    }

    @Test func `The last pattern that matches decides`() {
        let patterns = patterns("*.log", "!keep.log", "/b/keep.log", "!x/", "x")
        #expect(patterns.isExcluded(bytes("a.log"), isDirectory: false))
        #expect(!patterns.isExcluded(bytes("a/keep.log"), isDirectory: false))
        #expect(patterns.isExcluded(bytes("b/keep.log"), isDirectory: false))
        #expect(patterns.isExcluded(bytes("x"), isDirectory: true))
    }

    @Test func `What lies in an excluded directory cannot be taken back in`() {
        let one = patterns("build", "!build/keep")
        #expect(!one.isExcluded(bytes("build/keep"), isDirectory: false))
        #expect(one.isExcludedWithParents(bytes("build/keep"), isDirectory: false))
        // The example of the manual: everything but the directory foo/bar.
        let manual = patterns("/*", "!/foo", "/foo/*", "!/foo/bar")
        #expect(manual.isExcludedWithParents(bytes("x"), isDirectory: false))
        #expect(manual.isExcludedWithParents(bytes("foo/x"), isDirectory: false))
        #expect(!manual.isExcludedWithParents(bytes("foo/bar/x"), isDirectory: false))
    }

    @Test func `A file of patterns may have a byte order mark and carriage returns`() {
        var patterns = ExcludePatterns()
        patterns.append(contents: [0xef, 0xbb, 0xbf] + bytes("a\r\n\n#c\r\n\r\n!b \nd"))
        for (path, expected) in [("a", true), ("#c", false), ("b", false), ("d", true)] {
            #expect(patterns.isExcluded(bytes(path), isDirectory: false) == expected, "\(path)")
        }
        let line = ExcludePatterns(lines: [bytes("a\r")])
        #expect(line.isExcluded(bytes("a\r"), isDirectory: false))
    }

    @Test func `Names that are not UTF-8 are matched byte for byte`() {
        #expect(excludes([0xff, 0x2a], [0xff, 0xfe, 0x80]))
        #expect(excludes(bytes("?"), [0xff]))
        #expect(!excludes(bytes("?"), bytes("é")))
        #expect(excludes([0x5b, 0x80, 0x2d, 0xff, 0x5d], [0xc3]))
        #expect(!excludes(bytes("[[:alpha:]]"), [0xe9]))
    }

    @Test func `Without patterns, and for the root, nothing is excluded`() {
        #expect(!ExcludePatterns().isExcluded(bytes("a"), isDirectory: false))
        #expect(!patterns("*", "**", "/").isExcluded([], isDirectory: true))
    }

    @Test(.endsWithin(minutes: 5))
    func `No pattern takes more than the product of the lengths`() {
        let name = [UInt8](repeating: 0x61, count: 4_000)
        let stars = bytes(String(repeating: "*a", count: 500) + "*b")
        #expect(!excludes(stars, name))
        let deep = Array(repeating: "a", count: 2_000).joined(separator: "/")
        let deepStars = String(repeating: "**/a/", count: 200) + "b"
        #expect(!excludes(bytes(deepStars), bytes(deep)))
    }

    @Test(.enabled(if: Git.isWanted, "git is not installed"))
    func `Random patterns exclude what git check-ignore says`() throws {
        let seed: UInt64 = 20_260_731
        var generator = PatternGenerator(seed: seed)
        let git = try Git(entries: generator.tree())
        defer { git.remove() }
        var excluded = 0
        for round in 0..<250 {
            let lines = (0..<Int.random(in: 1...5, using: &generator.numbers)).map { _ in
                generator.pattern()
            }
            let expected = try git.ignored(by: lines)
            excluded += expected.count
            let patterns = ExcludePatterns(lines: lines)
            for entry in git.entries {
                let found = patterns.isExcludedWithParents(
                    entry.path, isDirectory: entry.isDirectory)
                #expect(
                    found == expected.contains(entry.path),
                    "seed \(seed), round \(round): \(lines.map(show)), path \(show(entry.path))")
            }
        }
        // Both answers have to be common, or the comparison says little.
        let share = Double(excluded) / Double(250 * git.entries.count)
        #expect(share > 0.1 && share < 0.9, "\(share) of all answers are yes")
    }

    private func patterns(_ lines: String...) -> ExcludePatterns {
        ExcludePatterns(lines: lines.map(bytes))
    }

    private func excludes(_ pattern: [UInt8], _ path: [UInt8]) -> Bool {
        ExcludePatterns(lines: [pattern]).isExcluded(path, isDirectory: false)
    }
}

/// A pattern, whether it excludes the path, the path; a slash behind the path makes it a directory.
///
/// The cases follow the paragraphs of gitignore(5).
private let manualCases: [(pattern: String, expected: Bool, path: String)] = [
    // Names, and the last name of a path.
    ("foo", true, "foo"), ("foo", true, "a/b/foo"), ("foo", false, "foobar"),
    ("foo", false, "foo/a"), ("foo", false, "Foo"), ("foo", true, "foo/"),
    // Comments and spaces.
    ("#foo", false, "#foo"), ("\\#foo", true, "#foo"), (" #foo", true, " #foo"),
    ("foo  ", true, "foo"), (#"foo\ "#, true, "foo "), (#"foo\  "#, true, "foo "),
    (#"foo\ "#, false, "foo"), ("foo\t", false, "foo"), ("foo bar", true, "foo bar"),
    (" foo", false, "foo"), (" foo", true, " foo"), ("   ", false, "   "),
    ("", false, "foo"), (#"foo\\ "#, true, #"foo\"#),
    // Negation alone, and its escape.
    ("!foo", false, "foo"), (#"\!foo"#, true, "!foo"), ("!", false, "!"),
    // A slash at the beginning or in the middle ties to the root.
    ("/foo", true, "foo"), ("/foo", false, "a/foo"), ("a/foo", true, "a/foo"),
    ("a/foo", false, "b/a/foo"), ("/a/foo", true, "a/foo"), ("//foo", false, "foo"),
    ("a//foo", false, "a/foo"), (#"\/foo"#, false, "foo"), (#"a\/foo"#, true, "a/foo"),
    // A slash at the end: directories only.
    ("foo/", true, "foo/"), ("foo/", false, "foo"), ("foo/", true, "a/foo/"),
    ("a/foo/", true, "a/foo/"), ("a/foo/", false, "b/a/foo/"), ("/foo/", true, "foo/"),
    ("/", false, "foo/"), ("foo//", false, "foo/"), (#"foo\/"#, false, "foo/"),
    // One star, and the question mark.
    ("*", true, "foo"), ("*", true, "a/.foo"), ("*.o", true, "a/b.o"), ("*.o", true, ".o"),
    ("f*o", true, "fo"), ("f*o", true, "fxxo"), ("f*o", false, "fxxa"),
    ("a/*", true, "a/foo"), ("a/*", false, "a/b/foo"), ("a/*/c", true, "a/b/c"),
    ("a/*/c", false, "a/b/b/c"), ("a/*/c", false, "a/c"), ("?", true, "x"),
    ("?", false, "xy"), ("a?b", false, "a/b"), ("/*", true, "foo"), ("/*", false, "a/foo"),
    ("*a*a*b", true, "xaxaxb"), ("*a*a*b", false, "xaxb"), (#"\*"#, true, "*"),
    (#"\*"#, false, "foo"), (#"\a"#, true, "a"), (#"foo\"#, false, #"foo\"#),
    // Two stars.
    ("**/foo", true, "foo"), ("**/foo", true, "a/b/foo"), ("**/a/foo", true, "x/y/a/foo"),
    ("**/a/foo", true, "a/foo"), ("**/a/foo", false, "a/b/foo"), ("a/**", true, "a/b/c"),
    ("a/**", false, "a/"), ("a/**/", true, "a/b/"), ("a/**/", false, "a/b"),
    ("a/**/b", true, "a/b"), ("a/**/b", true, "a/x/y/b"), ("a/**/b", false, "a/x/y/bb"),
    ("a/**/b/**/c", true, "a/b/x/b/y/c"), ("a/**/**/b", true, "a/b"), ("**", true, "a/b"),
    ("/**", true, "a/b"), ("**/", true, "a/b/"), ("**/", false, "a/b"),
    ("a/***/b", true, "a/x/y/b"), ("a**b", true, "axxb"), ("x/a**b", false, "x/a/b"),
    ("x/**b", false, "x/a/b"), ("x/**b", true, "x/ab"), ("x/**b", false, "x/y/ab"),
    (#"a/**\/b"#, true, "a/x/b"), (#"a/**\/b"#, false, "a/b"),
    // "Other consecutive asterisks are considered regular asterisks": git 2.39 does not when
    // plain text stands before them.
    ("foo**/bar", true, "foox/bar"), ("foo**/bar", false, "foox/y/bar"),
    ("a/foo**", false, "a/foo/x"),
    // Brackets.
    ("[abc]", true, "b"), ("[abc]", false, "d"), ("[a-c]x", true, "bx"), ("[!a]", true, "b"),
    ("[!a]", false, "a"), ("[^a]", true, "b"), ("[^a]", false, "a"), ("[]]", true, "]"),
    ("[!]]", false, "]"), ("[]-a]", true, "_"), ("[a-]", true, "-"), ("[-a]", true, "-"),
    (#"[\]]"#, true, "]"), (#"[\\]"#, true, #"\"#), ("[c-a]", false, "b"),
    ("[a-c-e]", true, "-"), ("[a-c-e]", false, "d"), ("[[]", true, "["),
    ("[", false, "["), ("[a", false, "[a"), ("a[]", false, "a[]"), ("x/[!a]b", false, "x/y/b"),
    ("x[/]y", false, "x/y"), ("[[:digit:]]", true, "7"), ("[[:digit:]]", false, "x"),
    ("[![:digit:]]", true, "x"), ("[[:nope:]]", false, "n"), ("[[:digit]", true, ":"),
    ("[[:digit:]-z]", true, "-"), ("[[:digit:]-z]", false, "m"), ("[[::]]", false, ":"),
    ("[[:]x", true, "[x"),
]

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func show(_ bytes: [UInt8]) -> String {
    bytes.map { $0 < 0x7f ? String(UnicodeScalar($0)) : "<\(String($0, radix: 16))>" }.joined()
}

private struct Entry {
    let path: [UInt8]
    let isDirectory: Bool
}

/// Makes up patterns and a tree from the same few pieces, so that they often meet.
private struct PatternGenerator {
    struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    var numbers: Numbers

    init(seed: UInt64) { numbers = Numbers(state: seed) }

    private static let plain = ["a", "a", "b", "b", "ab", "c", "-", ".", " "].map(bytes)
    private static let odd =
        ["!", "#", "*", "?", "[", "]", "\\", ":", "7", "A", "\t", "\u{b}", "é"].map(bytes)
        + [[0xff]]
    private static let special =
        [
            "*", "*", "?", "/", "/", "/", "**", "/**/", "**/", "/**", "***", "[ab]", "[!a]",
            "[^b]", "[a-c]", "[]a]", "[a-]", "[!]a-]", "[", "[[:alpha:]]", "[[:space:]-]",
            "[[:punct:]7]", "[![:graph:]]", "[[:cntrl:]b]", "[[:nope:]]", "[[:]", #"[\]b]"#,
            #"[\a-c]"#, "[a/b]", "\\", #"\*"#, #"\a"#, #"\/"#, #"\ "#, #"\["#, "!", "#",
        ].map(bytes) + [[0x5b, 0x80, 0x2d, 0xff, 0x5d]]

    /// Up to 160 paths, at most four names deep; parents come before what they hold.
    mutating func tree() -> [Entry] {
        var entries: [Entry] = []
        var known: Set<[UInt8]> = []
        var directories: [[UInt8]] = [[]]
        while entries.count < 160 {
            let parent = directories.randomElement(using: &numbers) ?? []
            let path = parent + (parent.isEmpty ? [] : [0x2f]) + name()
            guard known.insert(path).inserted else { continue }
            let depth = path.count { $0 == 0x2f }
            let isDirectory = depth < 3 && Bool.random(using: &numbers)
            if isDirectory { directories.append(path) }
            entries.append(Entry(path: path, isDirectory: isDirectory))
        }
        return entries
    }

    private mutating func name() -> [UInt8] {
        while true {
            var name: [UInt8] = []
            for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                let isOdd = Int.random(in: 0..<4, using: &numbers) == 0
                name += (isOdd ? Self.odd : Self.plain).randomElement(using: &numbers) ?? []
            }
            if name != bytes("."), name != bytes("..") { return name }
        }
    }

    mutating func pattern() -> [UInt8] {
        while true {
            var pattern: [UInt8] = Int.random(in: 0..<6, using: &numbers) == 0 ? bytes("!") : []
            for _ in 0..<Int.random(in: 1...4, using: &numbers) {
                let isPlain = Bool.random(using: &numbers)
                let pieces = isPlain ? Self.plain : Self.special
                pattern += pieces.randomElement(using: &numbers) ?? []
            }
            if !hasStarsBehindText(pattern) { return pattern }
        }
    }

    /// Whether git departs from its manual: it takes the plain text at the beginning of a pattern
    /// off before it matches the rest, and so sees "**" at a beginning where there is none.
    ///
    /// What we do then is in the first test.
    private func hasStarsBehindText(_ pattern: [UInt8]) -> Bool {
        let body = pattern.first == UInt8(ascii: "!") ? pattern.dropFirst() : pattern[...]
        guard let special = body.firstIndex(where: { bytes("*?[\\").contains($0) }),
            special > body.startIndex, body[special - 1] != UInt8(ascii: "/")
        else { return false }
        return body[special...].starts(with: bytes("**"))
    }
}

/// The real git, with a tree of its own.
private struct Git {
    /// Missing, it is a failure when tools are required; else the test is skipped by name.
    static var isWanted: Bool {
        path != nil || ProcessInfo.processInfo.environment["VARVE_REQUIRE_TOOLS"] == "1"
    }

    private static var path: String? {
        let directories = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return directories.split(separator: ":").map { "\($0)/git" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    struct Failure: Error {
        let message: String
    }

    let entries: [Entry]
    private let executable: String
    private let root: String

    init(entries: [Entry]) throws {
        self.entries = entries
        guard let path = Self.path else { throw Failure(message: "git is not installed") }
        executable = path
        root = NSTemporaryDirectory() + "ExcludePatternsTests-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        _ = try run(["init", "--quiet"], input: [])
        for entry in entries { try make(entry) }
    }

    /// Names here are no strings for Foundation: they need not be UTF-8.
    private func systemPath(_ entry: Entry) -> [CChar] {
        (Array(root.utf8) + [0x2f] + entry.path + [0]).map { CChar(bitPattern: $0) }
    }

    private func make(_ entry: Entry) throws {
        let path = systemPath(entry)
        if entry.isDirectory {
            guard unsafe mkdir(path, 0o755) == 0 else { throw Failure(message: "mkdir: \(errno)") }
        } else {
            let file = unsafe open(path, O_CREAT | O_EXCL | O_WRONLY, 0o644)
            guard file >= 0 else { throw Failure(message: "open: \(errno)") }
            close(file)
        }
    }

    func remove() {
        for entry in entries.reversed() { unsafe Glibc.remove(systemPath(entry)) }
        try? FileManager.default.removeItem(atPath: root)
    }

    /// The paths of all entries that git would ignore with these lines.
    func ignored(by lines: [[UInt8]]) throws -> Set<[UInt8]> {
        let text: [UInt8] = lines.flatMap { $0 + [0x0a] }
        try Data(text).write(to: URL(fileURLWithPath: root + "/.git/info/exclude"))
        // Without "./" git would take a name such as ":" for magic.
        let paths: [UInt8] = entries.flatMap { bytes("./") + $0.path + [0] }
        let output = try run(["check-ignore", "--no-index", "--stdin", "-z"], input: paths)
        return Set(output.split(separator: 0).map { Array($0.dropFirst(2)) })
    }

    private func run(_ arguments: [String], input: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: root)
        process.environment = [
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "HOME": root,
            "LC_ALL": "C",
        ]
        let (inputPipe, outputPipe) = (Pipe(), Pipe())
        process.standardInput = inputPipe
        process.standardOutput = outputPipe
        try process.run()
        // Both fit into the buffer of a pipe, so neither side can wait for the other.
        try inputPipe.fileHandleForWriting.write(contentsOf: Data(input))
        try inputPipe.fileHandleForWriting.close()
        let output = try outputPipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        // 1: no path is ignored.
        guard process.terminationStatus <= 1 else {
            throw Failure(message: "git \(arguments): exit code \(process.terminationStatus)")
        }
        return Array(output)
    }
}
