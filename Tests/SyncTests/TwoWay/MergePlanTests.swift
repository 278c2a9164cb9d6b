import Targets
@testable import Snapshots
@testable import TwoWay
import Bytes
import Hashing
import Platform
import TableLog
import Testing
import TestSupport

/// What becomes of two stores, decided without input or output.
struct MergePlanTests {
    // MARK: Plain paths

    private static func entry(
        _ path: String, _ text: String, _ kind: PlainEntry.Kind = .file
    ) -> PlainEntry {
        PlainEntry(
            path: Array(path.utf8), kind: kind, mode: 0o644,
            mtime: Timestamp(seconds: 1, nanoseconds: 0), size: UInt64(text.utf8.count),
            digest: kind == .directory ? .zero : SHA256Digest(of: Array(text.utf8).span))
    }

    /// What a path becomes, in a word; `nil` stands for nothing there, or nothing remembered.
    private static func merge(_ ours: String?, _ theirs: String?, _ known: String?) -> String {
        let fact = known.map { entry("a", $0).fact }
        let plan = PlainMerge(
            here: ours.map { [entry("a", $0)] } ?? [],
            there: theirs.map { [entry("a", $0)] } ?? [],
            facts: fact.map { [$0] } ?? [], blocked: [])
        var words = plan.conflicts.map { "\($0.kind)" }
        for (changes, side) in [(plan.toHere, "here"), (plan.toThere, "there")] {
            for change in changes {
                if case .put = change {
                    words.append("put \(side)")
                } else {
                    words.append("remove \(side)")
                }
            }
        }
        if !plan.kept.isEmpty { words.append("kept") }
        return words.joined(separator: " ")
    }

    @Test(
        arguments: [
            ("1", "1", "1", "kept"), ("1", "1", nil, "kept"), ("2", "2", "1", "kept"),
            ("2", "1", "1", "put there"), ("1", "2", "1", "put here"),
            ("1", nil, nil, "put there"), (nil, "1", nil, "put here"),
            (nil, "1", "1", "remove there"), ("1", nil, "1", "remove here"),
            (nil, nil, "1", ""), ("2", "3", "1", "bothChanged kept"),
            ("2", "3", nil, "bothHave"), ("2", nil, "1", "removedAndChanged kept"),
            (nil, "2", "1", "removedAndChanged kept"),
        ] as [(String?, String?, String?, String)])
    func `A path becomes what the side has that changed it`(
        ours: String?, theirs: String?, known: String?, wanted: String
    ) {
        #expect(Self.merge(ours, theirs, known) == wanted)
    }

    @Test func `What lies below a conflict is left alone`() {
        let plan = PlainMerge(
            here: [Self.entry("a", "file")],
            there: [Self.entry("a", "", .directory), Self.entry("a/b", "x")], facts: [],
            blocked: [])
        #expect(plan.conflicts.map(\.kind) == [.bothHave])
        #expect(plan.toHere.isEmpty && plan.toThere.isEmpty)
    }

    @Test func `What is blocked keeps what is remembered of it`() {
        let known = Self.entry("t/x", "1").fact
        let plan = PlainMerge(
            here: [Self.entry("t/x", "2"), Self.entry("tt", "1")], there: [],
            facts: [known], blocked: [Array("t".utf8)])
        #expect(plan.kept == [known])
        #expect(plan.toThere.map(\.path) == [Array("tt".utf8)])
    }

    // MARK: Tables

    private static func commit(_ version: Int64, _ lines: String...) throws -> LoggedCommit {
        let info = #"{"commitInfo":{"operation":"OP\#(version)"}}"#
        let text = ([info] + lines).joined(separator: "\n")
        return try LoggedCommit(
            version, Array(text.utf8), modified: Timestamp(seconds: 1, nanoseconds: 0))
    }

    private static func add(_ path: String, dataChange: Bool = true) -> String {
        #"{"add":{"path":"\#(path)","partitionValues":{},"size":1,"modificationTime":0,"#
            + #""dataChange":\#(dataChange)}}"#
    }

    private static func remove(_ path: String, dataChange: Bool = true) -> String {
        #"{"remove":{"path":"\#(path)","dataChange":\#(dataChange)}}"#
    }

    private static func history(
        at version: Int64 = 3, refusal: String? = nil, _ commits: LoggedCommit...
    ) -> TableHistory {
        let base = LogPoint(version: version, digest: .zero)
        return TableHistory(base: base, commits: commits, refusal: refusal)
    }

    @Test func `What one side did goes to the other, whatever it is`() throws {
        let new = [
            try Self.commit(4, Self.add("a")), try Self.commit(5, Self.remove("b")),
            try Self.commit(6, #"{"metaData":{"id":"x","schemaString":"{}"}}"#),
        ]
        let history = Self.history(new[0], new[1], new[2])
        #expect(
            TableMerge(here: history, there: Self.history()) == .bring(toHere: [], toThere: new))
        #expect(
            TableMerge(here: Self.history(), there: history) == .bring(toHere: new, toThere: []))
        #expect(
            TableMerge(here: Self.history(), there: Self.history())
                == .bring(toHere: [], toThere: []))
    }

    @Test func `Appends of both go to both`() throws {
        let (ours, theirs) = (try Self.commit(4, Self.add("a")), try Self.commit(4, Self.add("b")))
        let merge = TableMerge(here: Self.history(ours), there: Self.history(theirs))
        #expect(merge == .bring(toHere: [theirs], toThere: [ours]))
    }

    @Test func `A commit that is in both already is brought no second time`() throws {
        let (ours, theirs) = (try Self.commit(4, Self.add("a")), try Self.commit(4, Self.add("b")))
        var brought = theirs
        brought.version = 5
        let merge = TableMerge(here: Self.history(ours, brought), there: Self.history(theirs))
        #expect(merge == .bring(toHere: [], toThere: [ours]))
    }

    @Test(arguments: [
        #"{"remove":{"path":"a","dataChange":true}}"#,
        #"{"metaData":{"id":"x","schemaString":"{}"}}"#,
        #"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
        #"{"domainMetadata":{"domain":"d","configuration":"","removed":false}}"#,
        #"{"cdc":{"path":"c","partitionValues":{},"size":1,"dataChange":false}}"#,
        #"{"somethingNew":{}}"#,
        #"{"add":{"path":"a","size":1,"modificationTime":0,"dataChange":false}}"#,
    ])
    func `What does more than to add rows is refused when both changed`(line: String) throws {
        let other = Self.history(try Self.commit(4, Self.add("b")))
        let history = Self.history(try Self.commit(4, Self.add("x")), try Self.commit(5, line))
        for (ours, theirs, wanted) in [
            (history, other, SyncConflict.Side.here), (other, history, .there),
        ] {
            let merge = TableMerge(here: ours, there: theirs)
            guard case .refused(.changes(5, "OP5", _), let side) = merge else {
                Issue.record("\(merge)")
                continue
            }
            #expect(side == wanted)
        }
    }

    @Test func `A compaction and appends go together, two of the same files do not`() throws {
        func compaction(_ files: [String], into: String) throws -> LoggedCommit {
            var lines = files.map { Self.remove($0, dataChange: false) }
            lines.append(Self.add(into, dataChange: false))
            let text = lines.joined(separator: "\n")
            return try LoggedCommit(
                4, Array(text.utf8), modified: Timestamp(seconds: 1, nanoseconds: 0))
        }
        let one = try compaction(["a", "b"], into: "ab")
        let append = try Self.commit(4, Self.add("x"))
        #expect(
            TableMerge(here: Self.history(one), there: Self.history(append))
                == .bring(toHere: [append], toThere: [one]))
        let apart = try compaction(["c", "d"], into: "cd")
        #expect(
            TableMerge(here: Self.history(one), there: Self.history(apart))
                == .bring(toHere: [apart], toThere: [one]))
        let same = try compaction(["b", "c"], into: "bc")
        let merge = TableMerge(here: Self.history(one), there: Self.history(same))
        #expect(
            merge == .refused(.bothRearranged(version: 4, operation: "", file: "b"), .there))
    }

    @Test func `An application that wrote to both is refused`() throws {
        let line = #"{"txn":{"appId":"job","version":3}}"#
        let ours = Self.history(try Self.commit(4, Self.add("a"), line))
        let theirs = Self.history(try Self.commit(4, Self.add("b"), line))
        let merge = TableMerge(here: ours, there: theirs)
        #expect(
            merge
                == .refused(
                    .sameApplication(version: 4, operation: "OP4", application: "job"), .there))
        let other = Self.history(try Self.commit(4, Self.add("b")))
        guard case .bring = TableMerge(here: ours, there: other) else {
            Issue.record("one side's application is no conflict")
            return
        }
    }

    @Test func `A table that is not understood is never renumbered`() throws {
        let new = try Self.commit(4, Self.add("a"))
        let refusal = "row tracking"
        #expect(
            TableMerge(here: Self.history(refusal: refusal, new), there: Self.history())
                == .bring(toHere: [], toThere: [new]))
        let shifted = Self.history(at: 7)
        #expect(
            TableMerge(here: Self.history(refusal: refusal, new), there: shifted)
                == .refused(.refused(refusal), .here))
        let both = TableMerge(
            here: Self.history(new), there: Self.history(refusal: refusal, try Self.commit(4)))
        #expect(both == .refused(.refused(refusal), .there))
    }

    @Test func `Pieces that lie side by side in both files are one copy`() {
        func id(_ byte: UInt8) -> ChunkID { ChunkID(of: [byte].span) }
        func pieces(_ bytes: [UInt8]) -> [FilePiece] {
            bytes.enumerated().map { number, byte in
                FilePiece(offset: UInt64(number) * 10, size: 10, id: id(byte))
            }
        }
        var search = PieceSearch()
        #expect(search.isEmpty && search.copies(pieces([1])).isEmpty)
        let (one, two) = (Array("one".utf8), Array("two".utf8))
        search.add(pieces([1, 2, 3]), of: one)
        search.add(pieces([7, 8]), of: two)
        let copies = search.copies(pieces([2, 3, 9, 1, 7, 8, 3]))
        #expect(
            copies == [
                PieceCopy(offset: 0, size: 20, path: one, place: 10),
                PieceCopy(offset: 30, size: 10, path: one, place: 0),
                PieceCopy(offset: 40, size: 20, path: two, place: 0),
                PieceCopy(offset: 60, size: 10, path: one, place: 20),
            ])
    }

    @Test func `Tables without a memory are equal where their logs or their files are`() {
        func point(_ version: Int64, _ byte: UInt8) -> LogPoint {
            LogPoint(version: version, digest: SHA256Digest(of: [byte].span))
        }
        let path = Array("t".utf8)
        var ours = TableIdentity(metadataID: "m", points: [point(0, 0), point(1, 1), point(2, 2)])
        var theirs = TableIdentity(metadataID: "m", points: [point(0, 0), point(1, 1)])
        func common(_ facts: [TableFact] = []) -> TableFact? {
            TableIdentity.common(ours, theirs, remembered: facts, path: path)
        }
        #expect(common()?.here == point(1, 1))
        theirs.points = [point(0, 9)]
        #expect(common() == nil)
        ours.content = .zero
        theirs.content = .zero
        #expect(common() == TableFact(path: path, here: point(2, 2), there: point(0, 9)))
        theirs.metadataID = "n"
        #expect(common() == nil)
        let fact = TableFact(path: path, here: point(1, 1), there: point(0, 9))
        #expect(common([fact]) == fact)
        #expect(common([TableFact(path: path, here: point(1, 2), there: point(0, 9))]) == nil)
    }
}
