internal import Bytes
internal import Platform

/// Files of the project that tests read.
package enum Fixtures {
    /// The top directory of the project.
    package static let project: [UInt8] = {
        var path = Array(#filePath.utf8)
        for _ in 0..<3 { path = PathBytes.parent(path) }
        return path
    }()

    /// The path of a fixture.
    package static func path(_ relative: String) -> [UInt8] {
        PathBytes.join(project, Array("fixtures/\(relative)".utf8))
    }

    /// The bytes of a fixture.
    package static func bytes(_ relative: String) throws -> [UInt8] {
        try read(path(relative))
    }

    /// Adds a fixture.
    package static func write(_ bytes: [UInt8], _ relative: String) throws {
        try TemporaryDirectory.write(bytes, Array("fixtures/\(relative)".utf8), in: project)
    }

    /// The bytes of any file.
    package static func read(_ path: [UInt8]) throws -> [UInt8] {
        let file = try Descriptor.open(path, .readOnly)
        return try file.read(Int(try file.status(path).size), at: 0, path)
    }

    /// The paths of all regular files below a directory.
    package static func files(below path: [UInt8]) throws -> [[UInt8]] {
        let directory = try Descriptor.open(path, [.readOnly, .directory])
        return try directory.list(path).flatMap { entry in
            let path = PathBytes.join(path, entry.name)
            let isDirectory = try entry.status.get().type == .directory
            return isDirectory ? try files(below: path) : [path]
        }
    }

    /// Pairs of different contents with one XXH3-128.
    package static let collisions = [
        Collision(one: "collide_256_a.bin", other: "collide_256_b.bin"),
        Collision(one: "collide_4096_a.bin", other: "collide_4096_b.bin"),
        Collision(one: "preimage_65536_victim.bin", other: "preimage_65536_evil.bin"),
    ]

    /// Two files in `fixtures/xxh3`.
    package struct Collision: Sendable {
        let one: String
        let other: String

        package func contents() throws -> ([UInt8], [UInt8]) {
            (try Fixtures.bytes("xxh3/\(one)"), try Fixtures.bytes("xxh3/\(other)"))
        }
    }
}
