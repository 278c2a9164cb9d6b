import Parquet
import Testing
import TestSupport

@testable import TableStore

/// The digest of rows, which knows no order, and everything else.
struct RowDigestTests {
    private static func digest(_ columns: [Column]) -> RowDigest {
        var digest = RowDigest()
        digest.add(RecordBatch(rowCount: columns.first?.count ?? 0, columns: columns))
        return digest
    }

    private static func digest(_ texts: [String?]) -> RowDigest {
        let bytes: [[UInt8]?] = texts.map { text in text.map { Array($0.utf8) } }
        return digest([.bytes(bytes)])
    }

    private static func digest(_ rows: [(Int64?, String?)]) -> RowDigest {
        let texts: [[UInt8]?] = rows.map { row in row.1.map { Array($0.utf8) } }
        return digest([.int64(rows.map { $0.0 }), .bytes(texts)])
    }

    private static let rows = (0..<200).map(row)

    private static func row(_ number: Int) -> (Int64?, String?) {
        let id: Int64? = number.isMultiple(of: 7) ? nil : Int64(number)
        let text: String? = number.isMultiple(of: 5) ? nil : "row \(number % 50)"
        return (id, text)
    }

    @Test(arguments: 1...UInt64(20))
    func `Rows in any order and in any batches have one digest`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let shuffled = Self.rows.shuffled(using: &random)
        #expect(Self.digest(shuffled) == Self.digest(Self.rows))
        var sum = RowDigest()
        var start = 0
        while start < shuffled.count {
            let end = min(shuffled.count, start + 1 + random.below(40))
            sum.add(Self.digest(Array(shuffled[start..<end])))
            start = end
        }
        #expect(sum == Self.digest(Self.rows))
        #expect(sum.hex == Self.digest(Self.rows).hex)
    }

    @Test func `A row more, less, twice or changed is another digest`() {
        let whole = Self.digest(Self.rows)
        for index in stride(from: 0, to: Self.rows.count, by: 9) {
            var missing = Self.rows
            missing.remove(at: index)
            var doubled = Self.rows
            doubled.append(doubled[index])
            var changed = Self.rows
            changed[index].0 = -1
            var exchanged = Self.rows
            exchanged[index] = Self.rows[(index + 1) % Self.rows.count]
            for other in [missing, doubled, changed, exchanged] {
                #expect(Self.digest(other) != whole, "row \(index)")
                #expect(Self.digest(other).hex != whole.hex, "row \(index)")
            }
        }
    }

    @Test func `A row in place of its neighbour twice does not cancel out`() {
        #expect(Self.digest(["a", "a", "b", "b"]) != Self.digest(["a", "b"]))
        #expect(Self.digest(["a", "a"]) != Self.digest(["b", "b"]))
        #expect(Self.digest(["a", "a", "c", "c"]) != Self.digest(["b", "b", "c", "c"]))
    }

    @Test func `Nothing, an empty value and its neighbours are told apart`() {
        let different: [RowDigest] = [
            Self.digest([String?]()), Self.digest([nil]), Self.digest([""]), Self.digest(["\0"]),
            Self.digest(["null"]), Self.digest([nil, nil]), Self.digest(["", nil]),
        ]
        #expect(Set(different.map { "\($0.rows) \($0.hex)" }).count == different.count)
    }

    @Test func `What belongs to one column does not pass for that of the next`() {
        let one = Self.digest([.bytes([[1, 2]]), .bytes([[3]])])
        let other = Self.digest([.bytes([[1]]), .bytes([[2, 3]])])
        #expect(one != other)
        let null = Self.digest([.int64([nil]), .int64([1])])
        #expect(null != Self.digest([.int64([1]), .int64([nil])]))
        let lists = [[Int32(0), 2, 2], [0, 1, 2]].map { offsets in
            Self.digest([
                Column(count: 2, values: .list(offsets: offsets, element: .int64([1, 2])))
            ])
        }
        #expect(lists[0] != lists[1])
    }

    @Test func `Zeros of both signs differ, and one NaN is as good as another`() {
        #expect(Self.digest([.double([0.0])]) != Self.digest([.double([-0.0])]))
        #expect(Self.digest([.float([0.0])]) != Self.digest([.float([-0.0])]))
        let payload = Double(bitPattern: 0xfff8_0000_0000_1234)
        #expect(payload.isNaN)
        #expect(Self.digest([.double([.nan])]) == Self.digest([.double([payload])]))
        #expect(Self.digest([.double([.nan])]) == Self.digest([.double([.signalingNaN])]))
        #expect(Self.digest([.float([.nan])]) == Self.digest([.double([.nan])]))
        #expect(Self.digest([.double([.nan])]) != Self.digest([.double([.infinity])]))
        #expect(Self.digest([.double([.nan])]) != Self.digest([.double([nil])]))
    }

    @Test func `Rows of files and rows of a table made of them have one digest`() throws {
        let directory = try TemporaryDirectory()
        let lines = ["id,text", "1,a", "2,", "3,\"\"", "1,a"]
        let file = try directory.write(Array(lines.joined(separator: "\n").utf8), "rows.csv")
        let schema = try SchemaGrammar.parse("id long, text string")
        let table = try StoredTable.create(directory.path("table"), TableDesign(schema))
        _ = try TableImport.append([file], to: table)
        let digest = try table.refreshed().rowDigest()
        #expect(digest.rows == 4)
        #expect(try RowDigest(of: [file], table.schema) == digest)
        // Null and the empty string are two things in CSV as well.
        let other = try directory.write(
            Array(lines.joined(separator: "\n").replacing(",\"\"", with: ",").utf8), "other.csv")
        #expect(try RowDigest(of: [other], table.schema) != digest)
    }
}
