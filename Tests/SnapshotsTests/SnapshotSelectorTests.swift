@testable import Snapshots
import Bytes
import Hashing
import Platform
import Repository
import Testing

@Suite struct SnapshotSelectorTests {
    private static func id(_ number: UInt64) -> SnapshotID {
        SnapshotID(SHA256Digest(number << 56, number, 0, 0))
    }

    /// Four snapshots, at 03:00:05 UTC on the 18th to 21st of November 2026, by two hosts in turn.
    private static let items: [Snapshot] = (0..<4).map { number in
        let empty: [UInt8] = []
        let root = TreeRoot(id: NodeID(of: empty.span), level: 0, itemCount: 0, byteCount: 0)
        let time = Timestamp(
            seconds: 1_794_970_805 + Int64(number) * 86_400,
            nanoseconds: 500_000_000
        )
        let record = SnapshotRecord(
            root: root,
            time: time,
            captureStart: time,
            host: Array((number.isMultiple(of: 2) ? "one" : "two").utf8),
            sources: [],
            tags: [],
            parent: nil,
            sequence: UInt64(number),
            statistics: SnapshotStatistics(),
            problems: [],
            unlistedProblems: 0,
            programVersion: []
        )
        return Snapshot(id(UInt64(number) + 0xa0), record)
    }

    private func choose(_ name: String, host: String? = nil) throws -> Int? {
        let selector = try SnapshotSelector(parsing: Array(name.utf8))
        let item = try selector.choose(
            from: Self.items,
            host: host.map { Array($0.utf8) },
            moment: { $0.moment(offset: 0) }
        )
        return Self.items.firstIndex { $0.id == item.id }
    }

    @Test(arguments: [
        ("latest", 3), ("latest~0", 3), ("latest~1", 2), ("latest~3", 0),
        ("@2026-11-21", 3), ("@2026-11-20", 2), ("@2030-01-01", 3),
        ("@2026-11-20T03:00", 2), ("@2026-11-20T02:59", 1), ("@2026-11-20T03:00:05", 2),
        ("@2026-11-20T03:00:04", 1), ("a100", 1), ("A300", 3),
    ])
    func `A name finds its snapshot`(name: String, index: Int) throws {
        #expect(try choose(name) == index)
    }

    @Test func `Only the snapshots of the host count when one is given`() throws {
        #expect(try choose("latest", host: "one") == 2)
        #expect(try choose("latest~1", host: "one") == 0)
        #expect(try choose("@2026-11-20", host: "two") == 1)
    }

    @Test(arguments: [
        "", "abc", "xyz0", "latest~", "latest~-1", "latest~+1", "latest ", "Latest", "@",
        "@2026-11", "@2026-02-30", "@2026-11-20T24:00", "@2026-11-20 03:00", "@1969-12-31",
        String(repeating: "a", count: 65),
    ])
    func `Other text is no name`(name: String) {
        #expect(throws: SnapshotSelectorError.self) {
            _ = try SnapshotSelector(parsing: Array(name.utf8))
        }
    }

    private func failure(_ body: () throws -> Void) -> SnapshotSelectorError? {
        do {
            try body()
            return nil
        } catch {
            return error as? SnapshotSelectorError
        }
    }

    @Test func `A history that is too short says how long it is`() {
        let failure = failure { _ = try choose("latest~4") }
        guard case .tooFew(let wanted, let count)? = failure else {
            Issue.record("latest~4 of four: \(String(describing: failure))")
            return
        }
        #expect(wanted == 4 && count == 4)
    }

    @Test func `A time before the first snapshot names the oldest`() {
        let failure = failure { _ = try choose("@2026-11-17") }
        guard case .noneBefore(_, let oldest, _)? = failure else {
            Issue.record("a day before the first: \(String(describing: failure))")
            return
        }
        #expect(oldest == Self.items[0].id)
    }

    @Test func `A host without snapshots is named`() {
        let failure = failure { _ = try choose("latest", host: "three") }
        guard case .none(let host)? = failure else {
            Issue.record("a host without snapshots: \(String(describing: failure))")
            return
        }
        #expect(host == Array("three".utf8))
    }

    @Test func `A prefix names one snapshot or is refused`() throws {
        let ids = [0x1234, 0x1235, 0x2000].map { number in
            SnapshotID(SHA256Digest(UInt64(number) << 48, 0, 0, 0))
        }
        #expect(try SnapshotSelector.id("1234", among: ids) == ids[0])
        #expect(try SnapshotSelector.id(ids[2].hex, among: ids) == ids[2])
        let ambiguous = failure { _ = try SnapshotSelector.id("123", among: ids) }
        guard case .ambiguous(_, let candidates)? = ambiguous else {
            Issue.record("two ids begin alike: \(String(describing: ambiguous))")
            return
        }
        #expect(candidates == [ids[0], ids[1]])
        let unknown = failure { _ = try SnapshotSelector.id("9999", among: ids) }
        guard case .unknown(let prefix)? = unknown else {
            Issue.record("no id begins so: \(String(describing: unknown))")
            return
        }
        #expect(prefix == "9999")
    }

    @Test(arguments: [
        ("latest", "latest", ""), ("latest:", "latest", ""), ("latest:a/b", "latest", "a/b"),
        ("latest:/a//b/", "latest", "a/b"), ("latest:./a/.", "latest", "a"),
        ("abcd:x:y", "abcd", "x:y"), ("latest~2:x", "latest~2", "x"),
        ("@2026-11-20:05", "@2026-11-20", "05"),
        ("@2026-11-20T03:00:05", "@2026-11-20T03:00:05", ""),
        ("@2026-11-20T03:00:05:05", "@2026-11-20T03:00:05", "05"),
        ("@2026-11-20T03:00:2026/x", "@2026-11-20T03:00", "2026/x"),
        ("@2026-11-20T03:00:05/x", "@2026-11-20T03:00", "05/x"),
        ("@2026-11-20T03:00+01:00:x", "@2026-11-20T03:00+01:00", "x"),
        ("@2026-11-20T03:00:00Z:x:y", "@2026-11-20T03:00:00Z", "x:y"),
    ])
    func `A path follows the name behind a colon`(text: String, name: String, path: String) throws {
        let parsed = try SnapshotPath(parsing: Array(text.utf8))
        #expect(parsed.snapshot == (try SnapshotSelector(parsing: Array(name.utf8))))
        #expect(parsed.path == Array(path.utf8))
    }
}
