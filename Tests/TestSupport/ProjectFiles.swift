internal import Bytes
internal import Platform

/// The files of the project as text, for tests about the project itself.
package enum ProjectFiles {
    /// What is made by building and measuring, and what git keeps.
    private static let left: Set<String> = [".git", "Benchmarks/data"]

    /// Paths of all regular files below `directory`, relative to the project, sorted.
    package static func paths(below directory: String) throws -> [String] {
        let path = PathBytes.join(Fixtures.project, Array(directory.utf8))
        let descriptor = try Descriptor.open(path, [.readOnly, .directory])
        var paths: [String] = []
        for entry in try descriptor.list(path) {
            let name = String(decoding: entry.name, as: UTF8.self)
            let relative = directory.isEmpty ? name : directory + "/" + name
            let isLeft = left.contains(relative) || relative.hasPrefix(".build")
            switch try entry.status.get().type {
            case .directory: if !isLeft { paths += try Self.paths(below: relative) }
            case .regular: if !isLeft { paths.append(relative) }
            default: break
            }
        }
        return paths
    }

    /// The Swift files below `directory`.
    package static func swift(below directory: String) throws -> [SourceFile] {
        try paths(below: directory).filter { $0.hasSuffix(".swift") }.map { path in
            SourceFile(path: path, text: try text(path))
        }
    }

    package static func text(_ path: String) throws -> String {
        String(decoding: try bytes(path), as: UTF8.self)
    }

    package static func bytes(_ path: String) throws -> [UInt8] {
        try Fixtures.read(PathBytes.join(Fixtures.project, Array(path.utf8)))
    }

    package static func exists(_ path: String) -> Bool {
        do throws(PlatformError) {
            _ = try FileStatus.of(PathBytes.join(Fixtures.project, Array(path.utf8)))
            return true
        } catch {
            return false
        }
    }
}

/// One Swift file.
package struct SourceFile: Sendable {
    /// Relative to the project.
    package let path: String
    package let text: String

    package init(path: String, text: String) {
        self.path = path
        self.text = text
    }

    package var name: String { String(path.split(separator: "/").last ?? "") }

    package var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The lines without comments and without what stands between quotes.
    package var code: [String] { lines.map(Self.code) }

    private static func code(_ line: Substring) -> String {
        var code: [UInt8] = []
        var isQuoted = false
        var previous = UInt8(ascii: " ")
        for byte in line.utf8 {
            if byte == UInt8(ascii: "\""), previous != UInt8(ascii: "\\") { isQuoted.toggle() }
            if byte == UInt8(ascii: "/"), previous == byte, !isQuoted {
                code.removeLast()
                break
            }
            if !isQuoted { code.append(byte) }
            previous = byte
        }
        return String(decoding: code, as: UTF8.self)
    }
}
