import TableLog
import TableStore
import Testing
import TestSupport

/// What is copied into a new data file is read again before it is named by a commit.
struct CopiedPagesTests {
    private static func store() throws -> TestStore {
        let store = try TestStore()
        try store.create("id long, name string")
        for file in 0..<3 {
            let rows = (0..<30_000).map { "\(file * 30_000 + $0),name \($0 &* 7919 % 3001)" }
            try store.append("id,name\n" + rows.joined(separator: "\n") + "\n")
        }
        return store
    }

    @Test func `Row groups that are copied are what they were`() throws {
        let store = try Self.store()
        let before = try store.lines().sorted()
        let report = try store.table().compact()
        #expect(report.splicedGroups == 3 && report.rewrittenRows == 0)
        #expect(try store.lines().sorted() == before)
        #expect(try store.table().verify().damages.isEmpty)
    }

    @Test func `A damaged page ends a compaction, and nothing is changed`() throws {
        let store = try Self.store()
        let names = try store.dataFiles().sorted()
        let relative = String(names[1].dropFirst(store.text.utf8.count - 5))
        var bytes = try store.temporary.read(relative)
        bytes[bytes.count / 3] ^= 1
        try store.temporary.write(bytes, relative)
        do {
            _ = try store.table().compact()
            Issue.record("the damage was copied")
        } catch let error as TableStoreError {
            #expect(error.kind == .damaged)
            #expect(error.detail.contains("nothing was changed"))
        }
        #expect(try store.table().snapshot.version == 3)
        #expect(try store.dataFiles().sorted() == names)
    }
}
