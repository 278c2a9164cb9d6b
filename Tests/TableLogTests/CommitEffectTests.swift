import Bytes
import TableLog
import Testing
import TestSupport

/// What a commit does, for whoever brings it to another log.
struct CommitEffectTests {
    private static func effect(_ lines: String...) throws -> CommitEffect {
        try CommitEffect(parsing: Array(lines.joined(separator: "\n").utf8), "a commit")
    }

    private static func add(_ path: String, more: String = "") -> String {
        #"{"add":{"path":"\#(path)","partitionValues":{},"size":7,"modificationTime":1,"#
            + #""dataChange":true\#(more)}}"#
    }

    @Test func `Rows that come are an append, with the files that hold them`() throws {
        let vector =
            #","deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","#
            + #""offset":1,"sizeInBytes":36,"cardinality":2}"#
        let effect = try Self.effect(
            #"{"commitInfo":{"operation":"WRITE"}}"#, Self.add("p=a%20b/one.parquet"),
            Self.add("two.parquet", more: vector),
            #"{"txn":{"appId":"job","version":1}}"#)
        #expect(effect.kind == .append && effect.operation == "WRITE")
        #expect(effect.applications == ["job"] && effect.removed.isEmpty)
        #expect(effect.files.map(\.path).prefix(2) == ["p=a b/one.parquet", "two.parquet"])
        #expect(effect.files.map(\.size) == [7, 7, nil])
        let last = try #require(effect.files.last?.path)
        #expect(last.hasPrefix("ab/deletion_vector_") && last.hasSuffix(".bin"))
        #expect(effect.files.last?.key == effect.files[1].key)
    }

    @Test func `Rows that move are a rearrangement, rows that go a change`() throws {
        let quiet = #"{"remove":{"path":"a","dataChange":false}}"#
        let added = Self.add("b").replacing("true", with: "false")
        let moved = try Self.effect(quiet, added)
        #expect(moved.kind == .rearrangement && moved.replaced == ["a"])
        let gone = try Self.effect(#"{"remove":{"path":"a","dataChange":true}}"#, Self.add("b"))
        #expect(gone.kind == .change("removes rows"))
        #expect(try Self.effect(added).kind == .change("tells anew of files that are there"))
        // Who does not say that no row changes may have changed some.
        #expect(try Self.effect(#"{"remove":{"path":"a"}}"#).kind == .change("removes rows"))
    }

    @Test func `What is not known is a change, told by its name`() throws {
        guard case .change(let what) = try Self.effect(Self.add("a"), #"{"novel":{}}"#).kind else {
            Issue.record("an append")
            return
        }
        #expect(what.contains("'novel'"))
    }

    @Test(arguments: ["../x", "a/../../x", "/etc/passwd", "s3://bucket/x", "a//b", "%2e%2e/x", ""])
    func `A file outside of the table is refused`(path: String) throws {
        #expect(throws: TableLogError.self) { try Self.effect(Self.add(path)) }
        #expect(throws: TableLogError.self) {
            try Self.effect(#"{"remove":{"path":"\#(path)","dataChange":true}}"#)
        }
    }

    @Test(arguments: ["../", "a/../", "/", "a//b", "./"])
    func `A deletion vector outside of the table is refused`(prefix: String) throws {
        let vector =
            #","deletionVector":{"storageType":"u","#
            + #""pathOrInlineDv":"\#(prefix)^-aqEH.-t@S}K{vb[*k^","#
            + #""offset":1,"sizeInBytes":36,"cardinality":2}"#
        #expect(throws: TableLogError.self) { try Self.effect(Self.add("a", more: vector)) }
    }

    @Test(arguments: ["{", "[]", "1", #"{"add":{}}"#, #"{"add":{"path":"a","size":-1}}"#])
    func `What is no commit is refused`(text: String) throws {
        #expect(throws: TableLogError.self) { try Self.effect(text) }
    }
}
