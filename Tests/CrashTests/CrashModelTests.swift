import Bytes
import Platform
import Testing
import TestSupport

/// The traces and the trees that are made of them: what a crash may leave, and what it must.
struct CrashModelTests {
    /// All contents of `name` that a law meets after crashes at the end of a run; nil where the
    /// name is not there.
    private static func contents(
        _ name: String, run: (CrashPlace) throws -> Void
    ) throws -> Set<[UInt8]?> {
        var found: Set<[UInt8]?> = []
        try CrashLaw("model of \(name)", points: 2_000).holds(kills: 0) { place in
            try place.write("old", "old")
        } run: { place, isDone in
            try run(place)
            isDone()
        } law: { scene in
            if scene.done == 1 { found.insert(try? scene.place.read(name)) }
        }
        return found
    }

    private static func write(
        _ text: String, _ name: String, _ place: CrashPlace, isSynced: Bool
    ) throws {
        let path = place.path(name)
        let file = try Descriptor.open(path, [.writeOnly, .create, .truncate])
        try file.write(Array(text.utf8).span, at: 0, path)
        if isSynced { try file.sync(path) }
    }

    private static func syncNames(_ name: String, _ place: CrashPlace) throws {
        let path = name.isEmpty ? place.root : place.path(name)
        try Descriptor.open(path, [.readOnly, .directory]).sync(path)
    }

    private static func rename(_ from: String, _ to: String, _ place: CrashPlace) throws {
        try FileOperations.rename(
            place.path(from), to: place.path(to), at: Descriptor.workingDirectory)
    }

    @Test func `What was written, synced and named in a synced directory is there`() throws {
        let found = try Self.contents("new") { place in
            try Self.write("whole", "tmp", place, isSynced: true)
            try Self.rename("tmp", "new", place)
            try Self.syncNames("", place)
        }
        #expect(found == [Array("whole".utf8)])
    }

    @Test func `A file that was renamed without a sync may be empty, zeros, old or whole`() throws {
        let found = try Self.contents("old") { place in
            try Self.write("whole", "tmp", place, isSynced: false)
            try Self.rename("tmp", "old", place)
        }
        #expect(found.contains([]) && found.contains([0, 0, 0, 0, 0]))
        #expect(found.contains(Array("old".utf8)) && found.contains(Array("whole".utf8)))
        #expect(!found.contains(nil))
    }

    @Test func `A name in a directory that was not synced may be missing`() throws {
        let found = try Self.contents("d/new") { place in
            try place.makeDirectory("d")
            try Self.write("whole", "d/new", place, isSynced: true)
            try Self.syncNames("d", place)
        }
        // The directory itself has no name that is durable.
        #expect(found == [nil, Array("whole".utf8)])
    }

    @Test func `A file that is emptied to be written anew may stay empty or old`() throws {
        let found = try Self.contents("old") { place in
            try Self.write("whole", "old", place, isSynced: false)
        }
        #expect(found.contains([]) && found.contains(Array("old".utf8)))
    }

    @Test func `A sync of the file system keeps everything, under any name`() throws {
        let found = try Self.contents("d/moved") { place in
            try Self.write("whole", "new", place, isSynced: false)
            try place.makeDirectory("d")
            try Self.rename("new", "d/moved", place)
            try PinnedDirectory(place.root).descriptor.syncFileSystem([])
        }
        #expect(found == [Array("whole".utf8)])
    }

    @Test func `Of two directories the later change may be there without the earlier`() throws {
        var found: Set<[Bool]> = []
        try CrashLaw("model of two directories").holds(kills: 0) { place in
            try place.makeDirectory("a")
            try place.makeDirectory("b")
        } run: { place, _ in
            try Self.write("1", "a/first", place, isSynced: false)
            try Self.write("2", "b/second", place, isSynced: false)
            try Self.write("3", "b/third", place, isSynced: false)
        } law: { scene in
            found.insert(
                ["a/first", "b/second", "b/third"].map { scene.place.status($0) != nil })
        }
        #expect(found.contains([false, true, true]) && found.contains([true, false, false]))
        #expect(!found.contains([true, false, true]), "in one directory their order is kept")
    }

    @Test func `A copy shows number and change time of the file that it is a copy of`() throws {
        var before: FileStatus?
        try CrashLaw("model of identity", points: 20).holds(kills: 0) { place in
            before = try FileStatus.of(place.write("kept", "kept"))
        } run: { place, _ in
            try Self.write("1", "other", place, isSynced: false)
        } law: { scene in
            let after = scene.place.status("kept")
            scene.expect(after?.inode == before?.inode, "another number")
            scene.expect(after?.ctime == before?.ctime, "another change time")
            scene.expect(after?.mtime == before?.mtime, "another modification time")
            let path = scene.place.path("kept")
            try FileOperations.setMode(path, 0o600, at: Descriptor.workingDirectory)
            scene.expect(scene.place.status("kept")?.ctime != before?.ctime, "no change shows")
        }
    }

    @Test func `Calls of several threads are followed in one order`() throws {
        var found: Set<Int> = []
        try CrashLaw("model of threads", points: 300).holds(kills: 0) { _ in
        } run: { place, isDone in
            let threads = WorkerThreads(count: 4) { thread in
                for number in 0..<5 {
                    try? Self.write("x", "\(thread)-\(number)", place, isSynced: true)
                }
            }
            threads.join()
            try Self.syncNames("", place)
            isDone()
        } law: { scene in
            let names = try Descriptor.open(scene.place.root, [.readOnly, .directory]).names([])
            if scene.done == 1 { found.insert(names.count) }
        }
        #expect(found == [20])
    }
}
