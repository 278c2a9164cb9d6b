/// Which paths of a source to leave out: a list of patterns with the syntax and the meaning of
/// gitignore(5).
///
///     line       ["!"] ["/"] segment {"/" segment} ["/"]
///     segment    "**" (any number of directories), or any of:
///                "*" (any bytes), "?" (one byte), "[...]" (one of), "\" byte, byte
///
/// The last pattern that matches a path decides; "!" takes a path back in. A slash at the
/// beginning or in the middle ties a pattern to the root, without one it is compared with the last
/// name of a path only. A slash at the end admits only directories. Everything is bytes: "?" is one
/// byte of a name, whatever its encoding.
///
/// Where the manual is silent, git's own matcher is followed: a pattern that ends in a backslash,
/// or within brackets, or names an unknown class such as "[[:foo:]]", never matches anything.
package struct ExcludePatterns: Sendable {
    private var patterns: [ExcludePattern] = []
    /// The lines that say something, in order: what tells two lists apart.
    package private(set) var lines: [[UInt8]] = []

    /// Whether there is no pattern, so that nothing is excluded.
    package var isEmpty: Bool { patterns.isEmpty }

    /// Patterns in the order given; each line without its line end.
    package init(lines: [[UInt8]] = []) {
        for line in lines { append(line: line) }
    }

    /// Appends one line.
    ///
    /// Empty lines and lines that begin with "#" say nothing.
    package mutating func append(line: [UInt8]) {
        guard let first = line.first, first != UInt8(ascii: "#") else { return }
        if let pattern = ExcludePattern(line: withoutTrailingSpaces(line)) {
            patterns.append(pattern)
            lines.append(line)
        }
    }

    /// Appends the lines of a file, which end in LF or CR LF.
    ///
    /// A byte order mark is skipped.
    package mutating func append(contents: [UInt8]) {
        let byteOrderMark: [UInt8] = [0xef, 0xbb, 0xbf]
        let text = contents.starts(with: byteOrderMark) ? contents.dropFirst(3) : contents[...]
        for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
            append(line: Array(line.last == UInt8(ascii: "\r") ? line.dropLast() : line))
        }
    }

    /// Whether the path itself is excluded.
    ///
    /// `path` is relative, with "/" between its names.
    ///
    /// Its parents are not looked at. Who walks a tree leaves out all that lies in an excluded
    /// directory, and so never asks about it; others call `isExcludedWithParents`.
    package func isExcluded(_ path: [UInt8], isDirectory: Bool) -> Bool {
        for pattern in patterns.reversed()
        where (isDirectory || !pattern.isDirectoryOnly) && pattern.matches(path) {
            return !pattern.isNegated
        }
        return false
    }

    /// Whether the path or any directory above it is excluded: what is in an excluded directory
    /// cannot be taken back in.
    package func isExcludedWithParents(_ path: [UInt8], isDirectory: Bool) -> Bool {
        for slash in path.indices where path[slash] == UInt8(ascii: "/") {
            if isExcluded(Array(path[..<slash]), isDirectory: true) { return true }
        }
        return isExcluded(path, isDirectory: isDirectory)
    }
}

/// A line without the spaces at its end, of which a backslash protects one.
private func withoutTrailingSpaces(_ line: [UInt8]) -> ArraySlice<UInt8> {
    var end = 0
    var offset = 0
    while offset < line.count {
        let isEscape = line[offset] == UInt8(ascii: "\\") && offset + 1 < line.count
        let isSpace = line[offset] == UInt8(ascii: " ")
        offset += isEscape ? 2 : 1
        if !isSpace { end = offset }
    }
    return line[..<end]
}

/// One pattern, taken apart.
private struct ExcludePattern: Sendable {
    enum Segment: Sendable {
        /// One name of the path.
        case name(Glob)
        /// Any number of names, but at least `minimum`, which is 0 or 1.
        case names(minimum: Int)
    }

    let isNegated: Bool
    let isDirectoryOnly: Bool
    /// Whether the whole path is compared, and not only its last name.
    private let isAnchored: Bool
    private let segments: [Segment]

    /// Returns nil for a pattern that cannot match anything.
    init?(line: ArraySlice<UInt8>) {
        var rest = line
        isNegated = rest.first == UInt8(ascii: "!")
        if isNegated { rest = rest.dropFirst() }
        isDirectoryOnly = rest.last == UInt8(ascii: "/")
        if isDirectoryOnly { rest = rest.dropLast() }
        isAnchored = rest.contains(UInt8(ascii: "/"))
        if rest.first == UInt8(ascii: "/") { rest = rest.dropFirst() }

        var parser = PatternParser(rest: rest)
        guard let segments = parser.segments() else { return nil }
        self.segments = segments
    }

    /// Compares name by name, and after a miss goes back to the last "**" alone, which takes one
    /// name more: nothing before it needs another try.
    ///
    /// Steps: at most the product of the lengths.
    func matches(_ path: [UInt8]) -> Bool {
        guard !path.isEmpty else { return false }
        let slash = path.lastIndex(of: UInt8(ascii: "/"))
        var start = isAnchored ? 0 : slash.map { $0 + 1 } ?? 0
        var segment = 0
        var lastNames: (segment: Int, start: Int)?

        while true {
            if segment == segments.count {
                if start > path.count { return true }
            } else if case .names(let minimum) = segments[segment] {
                if minimum == 0 || start <= path.count {
                    if minimum > 0 { start = endOfName(path, from: start) + 1 }
                    segment += 1
                    lastNames = (segment, start)
                    continue
                }
            } else if case .name(let glob) = segments[segment], start <= path.count {
                let end = endOfName(path, from: start)
                if glob.matches(path, in: start..<end) {
                    segment += 1
                    start = end + 1
                    continue
                }
            }
            guard let last = lastNames, last.start <= path.count else { return false }
            start = endOfName(path, from: last.start) + 1
            segment = last.segment
            lastNames = (segment, start)
        }
    }

    private func endOfName(_ path: [UInt8], from start: Int) -> Int {
        var end = start
        while end < path.count, path[end] != UInt8(ascii: "/") { end += 1 }
        return end
    }
}

/// A pattern for one name.
private struct Glob: Sendable {
    enum Token: Sendable {
        case byte(UInt8)
        case any
        case oneOf(ByteSet)
        case star

        func matches(_ byte: UInt8) -> Bool {
            switch self {
            case .byte(let wanted): byte == wanted
            case .any: true
            case .oneOf(let set): set.contains(byte)
            case .star: false
            }
        }
    }

    var tokens: [Token] = []

    /// Like the comparison of whole paths: after a miss the last star takes one byte more.
    func matches(_ path: [UInt8], in name: Range<Int>) -> Bool {
        var offset = name.lowerBound
        var token = 0
        var lastStar: (token: Int, offset: Int)?
        while offset < name.upperBound || token < tokens.count {
            if token < tokens.count {
                if case .star = tokens[token] {
                    token += 1
                    lastStar = (token, offset)
                    continue
                }
                if offset < name.upperBound, tokens[token].matches(path[offset]) {
                    token += 1
                    offset += 1
                    continue
                }
            }
            guard let last = lastStar, last.offset < name.upperBound else { return false }
            token = last.token
            offset = last.offset + 1
            lastStar = (token, offset)
        }
        return true
    }
}

/// Some of the 256 byte values.
private struct ByteSet: Sendable {
    private var words: SIMD4<UInt64> = .zero

    init() {}

    /// The ASCII bytes of a class of POSIX, or nil when there is none of that name.
    ///
    /// White space is what git takes for it: space, tab, line feed and carriage return.
    init?(className: ArraySlice<UInt8>) {
        let name = String(decoding: className, as: UTF8.self)
        guard let ranges = Self.classes[name] else { return nil }
        for range in ranges { insert(range) }
    }

    private static let classes: [String: [ClosedRange<UInt8>]] = [
        "alnum": [0x30...0x39, 0x41...0x5a, 0x61...0x7a],
        "alpha": [0x41...0x5a, 0x61...0x7a],
        "blank": [0x09...0x09, 0x20...0x20],
        "cntrl": [0x00...0x1f, 0x7f...0x7f],
        "digit": [0x30...0x39],
        "graph": [0x21...0x7e],
        "lower": [0x61...0x7a],
        "print": [0x20...0x7e],
        "punct": [0x21...0x2f, 0x3a...0x40, 0x5b...0x60, 0x7b...0x7e],
        "space": [0x09...0x0a, 0x0d...0x0d, 0x20...0x20],
        "upper": [0x41...0x5a],
        "xdigit": [0x30...0x39, 0x41...0x46, 0x61...0x66],
    ]

    mutating func insert(_ range: ClosedRange<UInt8>) {
        for byte in range { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
    }

    mutating func insert(contentsOf other: ByteSet) {
        words |= other.words
    }

    func contains(_ byte: UInt8) -> Bool {
        words[Int(byte >> 6)] & (1 << UInt64(byte & 63)) != 0
    }

    var inverted: ByteSet {
        var other = self
        other.words = ~words
        return other
    }
}

/// Takes a pattern apart.
///
/// Every method returns nil when the pattern cannot match anything.
private struct PatternParser {
    var rest: ArraySlice<UInt8>

    mutating func segments() -> [ExcludePattern.Segment]? {
        var segments: [ExcludePattern.Segment] = []
        while true {
            if let names = doubleStar() {
                segments.append(names)
                if rest.isEmpty { return segments }
                skipSlash()
                continue
            }
            guard let glob = glob() else { return nil }
            segments.append(.name(glob))
            if rest.isEmpty { return segments }
            skipSlash()
        }
    }

    /// A whole segment of two or more stars.
    ///
    /// Before an ordinary slash it may stand for nothing; at the end, and before an escaped slash,
    /// it stands for one name at least.
    private mutating func doubleStar() -> ExcludePattern.Segment? {
        let behind = rest.drop { $0 == UInt8(ascii: "*") }
        guard behind.startIndex - rest.startIndex >= 2 else { return nil }
        guard behind.isEmpty || startsWithSlash(behind) else { return nil }
        rest = behind
        return .names(minimum: behind.first == UInt8(ascii: "/") ? 0 : 1)
    }

    /// Everything up to the next slash or the end.
    private mutating func glob() -> Glob? {
        var glob = Glob()
        while let byte = rest.first, !startsWithSlash(rest) {
            rest = rest.dropFirst()
            switch byte {
            case UInt8(ascii: "*"):
                glob.tokens.append(.star)
            case UInt8(ascii: "?"):
                glob.tokens.append(.any)
            case UInt8(ascii: "["):
                guard let set = brackets() else { return nil }
                glob.tokens.append(.oneOf(set))
            case UInt8(ascii: "\\"):
                guard let escaped = unescaped(byte) else { return nil }
                glob.tokens.append(.byte(escaped))
            default:
                glob.tokens.append(.byte(byte))
            }
        }
        return glob
    }

    /// What follows an opening bracket, and the closing one.
    ///
    /// A closing bracket that comes first is an ordinary byte.
    private mutating func brackets() -> ByteSet? {
        let isInverted = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isInverted { rest = rest.dropFirst() }
        var set = ByteSet()
        var lowest: UInt8?
        var isFirst = true
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "]"), !isFirst { return isInverted ? set.inverted : set }
            isFirst = false
            if byte == UInt8(ascii: "-"), let from = lowest, startsWithRangeEnd() {
                guard let to = rest.popFirst().flatMap({ unescaped($0) }) else { return nil }
                if from <= to { set.insert(from...to) }
                lowest = nil
            } else if byte == UInt8(ascii: "["), let name = className() {
                guard let members = ByteSet(className: name) else { return nil }
                set.insert(contentsOf: members)
                lowest = nil
            } else {
                guard let value = unescaped(byte) else { return nil }
                set.insert(value...value)
                lowest = value
            }
        }
        return nil
    }

    private func startsWithRangeEnd() -> Bool {
        rest.first.map { $0 != UInt8(ascii: "]") } ?? false
    }

    /// The name in "[:name:]", of which the first bracket is taken already.
    ///
    /// Anything else stays where it is.
    private mutating func className() -> ArraySlice<UInt8>? {
        guard rest.first == UInt8(ascii: ":") else { return nil }
        let behindColon = rest.dropFirst()
        guard let end = behindColon.firstIndex(of: UInt8(ascii: "]")) else { return nil }
        let name = behindColon[..<end]
        guard name.last == UInt8(ascii: ":") else { return nil }
        rest = rest[(end + 1)...]
        return name.dropLast()
    }

    /// The byte, or the one behind it if it is a backslash.
    private mutating func unescaped(_ byte: UInt8) -> UInt8? {
        byte == UInt8(ascii: "\\") ? rest.popFirst() : byte
    }

    private mutating func skipSlash() {
        rest = rest.dropFirst(rest.first == UInt8(ascii: "\\") ? 2 : 1)
    }

    private func startsWithSlash(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.first == UInt8(ascii: "/") || bytes.starts(with: #"\/"#.utf8)
    }
}
