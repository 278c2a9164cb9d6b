import Bytes
import Platform
import Testing
import TestSupport
import Trees

@testable import Operations

/// A watch does not feed on its own health and metrics files.
struct OwnFilesTests {
    @Test(arguments: ["health.json", "sub/m*[x]", "a b ", "#x", "!y"])
    func `A file of the watch's own is left out, and no other`(name: String) throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectories(Array("sub/deeper".utf8))
        let store = try HostSystem.resolve(directory.path)
        let path = Array(name.utf8)
        let own = OwnFiles([PathBytes.join(directory.path, path)], in: store)
        #expect(own.paths.contains(PathBytes.join(store, path)) && own.paths.count == 2)
        var filter = WalkFilter(patterns: ExcludePatterns())
        own.exclude(from: &filter)
        #expect(filter.patterns.isExcluded(path, isDirectory: false))
        let temporary = WatchRecord.temporary(path)
        #expect(filter.patterns.isExcluded(temporary, isDirectory: false))
        for other in ["sub", "sub/deeper/" + name, name + "x", "sub/mx"] where other != name {
            #expect(!filter.patterns.isExcluded(Array(other.utf8), isDirectory: false), "\(other)")
        }
        #expect(own.isDirectoryOfOne(PathBytes.parent(path)))
        #expect(!own.isDirectoryOfOne(Array("sub/deeper".utf8)))
    }

    @Test func `Files outside of the store are no matter`() throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectories(Array("store".utf8))
        let store = try HostSystem.resolve(directory.path("store"))
        let own = OwnFiles([directory.path("health"), Array("/nowhere/x".utf8)], in: store)
        #expect(own.paths.isEmpty)
    }
}
