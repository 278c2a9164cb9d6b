import Bytes
import Operations
import Platform
import Testing
import TestSupport
import TwoWay

/// What a crash must not do to two stores that are synced.
struct TwoWayLaws {
    /// What each plain path may hold while the sync goes on; an empty text stands for none.
    private static let allowed: [String: Set<String>] = [
        "a": ["1", "2"], "b": ["1", "3"], "gone": ["1", ""], "d/e": ["new", ""],
    ]
    private static let wanted = ["a": "2", "b": "3", "gone": "", "d/e": "new"]

    private static func sync(_ place: CrashPlace) throws -> StoreSyncSummary {
        let here = try StoreSync.local(place.path("here"))
        let there = try StoreSync.local(place.path("there"))
        return try StoreSync(here, there).run(WorkProgress())
    }

    private static func text(_ name: String, _ place: CrashPlace) throws -> String {
        guard place.status(name) != nil else { return "" }
        return String(decoding: try place.read(name), as: UTF8.self)
    }

    private static func table(_ name: String, _ place: CrashPlace) -> RowTable {
        RowTable(path: place.path(name))
    }

    private static func prepare(_ place: CrashPlace) throws {
        for side in ["here", "there"] { try place.makeDirectory(side) }
        try table("here/t", place).create()
        try table("here/t", place).append(0..<3)
        for name in ["a", "b", "gone"] { try place.write("1", "here/\(name)") }
        _ = try sync(place)
        try table("here/t", place).append(10..<12)
        try table("there/t", place).append(20..<22)
        try table("here/new", place).create()
        try table("here/new", place).append(5..<6)
        try place.write("2", "here/a")
        try place.write("3", "there/b")
        try FileOperations.remove(place.path("here/gone"))
        try place.write("new", "there/d/e")
    }

    private static func expectEqual(_ scene: CrashScene) throws {
        for side in ["here", "there"] {
            for (name, text) in wanted {
                scene.expect(
                    try Self.text("\(side)/\(name)", scene.place) == text, "\(side)/\(name)")
            }
            let rows = try table("\(side)/t", scene.place).ids()
            scene.expect(rows == [0, 1, 2, 10, 11, 20, 21], "rows of \(side)/t")
            scene.expect(try table("\(side)/new", scene.place).ids() == [5], "\(side)/new")
        }
    }

    @Test func `Two stores are whole for their readers, and the next sync does the rest`() throws {
        try CrashLaw("two-way sync", points: 500).holds { place in
            try Self.prepare(place)
        } run: { place, isDone in
            let summary = try Self.sync(place)
            #expect(summary.isComplete)
            isDone()
        } law: { scene in
            for side in ["here", "there"] {
                for (name, texts) in Self.allowed {
                    let text = try Self.text("\(side)/\(name)", scene.place)
                    scene.expect(texts.contains(text), "\(side)/\(name) is neither old nor new")
                }
                for table in ["t", "new"].map({ Self.table("\(side)/\($0)", scene.place) })
                where try table.versionCount() > 0 {
                    scene.expect(try table.isSound(), "damage in a table of \(side)")
                }
            }
            if scene.done == 1 { try Self.expectEqual(scene) }
            let summary = try Self.sync(scene.place)
            scene.expect(summary.isComplete, "\(summary.conflicts) \(summary.problems)")
            try Self.expectEqual(scene)
            let again = try Self.sync(scene.place)
            scene.expect(again.hasNothingToDo, "the next sync leaves some")
        }
    }
}
