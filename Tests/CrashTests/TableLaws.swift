import Bytes
import Platform
import TableLog
import TableStore
import Testing
import TestSupport

/// What a crash must not do to a table.
struct TableLaws {
    /// The numbers in each version, from 0 on.
    private static let versions: [[Int]] = [
        [], Array(0..<40), Array(0..<60), Array(10..<60), Array(10..<60),
    ]

    /// Each makes the next version.
    private static let steps: [@Sendable (RowTable) throws -> Void] = [
        { table in try table.create() },
        { table in try table.append(0..<40) },
        { table in try table.append(40..<60) },
        { table in try table.delete("id < 10") },
        { table in _ = try table.stored().compact() },
    ]

    @Test func `A table is at a version that was committed, and not before one that was reported`()
        throws
    {
        try CrashLaw("table commit", points: 1_500).holds { _ in
        } run: { place, isDone in
            let table = RowTable(path: place.path("table"))
            for (version, step) in Self.steps.enumerated() {
                if try table.versionCount() == version { try step(table) }
                isDone()
            }
        } law: { scene in
            let table = RowTable(path: scene.place.path("table"))
            let count = try table.versionCount()
            scene.expect(count >= scene.done, "of the versions only \(count) are there")
            for version in 0..<count {
                let ids = try table.ids(.number(Int64(version)))
                scene.expect(ids == Self.versions[version], "version \(version) has other rows")
            }
            if count == 0 { try table.create() }
            scene.expect(try table.isSound(), "damage is found")
            try table.append(100..<105)
            let before = count == 0 ? [] : Self.versions[count - 1]
            scene.expect(try table.ids() == before + Array(100..<105), "the next import")
        }
    }

    @Test func `A vacuum takes nothing that the table has, and the next one takes the rest`()
        throws
    {
        var options = VacuumOptions()
        options.retention = .zero
        options.force = true
        try CrashLaw("vacuum", points: 1_500).holds { place in
            let table = RowTable(path: place.path("table"))
            for step in Self.steps { try step(table) }
            try table.delete("id >= 50")
            try place.write("a killed import", "table/seg-0123456789abcdef.parquet")
        } run: { place, isDone in
            _ = try RowTable(path: place.path("table")).stored().vacuum(options)
            isDone()
        } law: { scene in
            let table = RowTable(path: scene.place.path("table"))
            scene.expect(try table.ids() == Array(10..<50), "other rows")
            scene.expect(try table.isSound(), "damage is found")
            // What was removed may be back, which harms nobody.
            _ = try table.stored().vacuum(options)
            scene.expect(try table.ids() == Array(10..<50), "other rows after the next one")
            let again = try table.stored().vacuum(options)
            scene.expect(again.files.isEmpty, "the next vacuum leaves some")
        }
    }
}
