import Bytes
import Parquet
import Testing
import TestSupport

@testable import TableLog

struct DeletionVectorTests {
    /// The example of the protocol (PROTOCOL.md, "JSON Example 3").
    private static let example: ExactText = "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"

    @Test func `The example of the protocol is understood`() throws {
        let bytes = try #require(Base85.decode(Self.example))
        let rows = try DeletionVector.decode(bytes, rowCount: .max)
        #expect(rows.ranges == [3..<5, 7..<8, 11..<12, 18..<19, 29..<30])
    }

    @Test func `An inline vector is read through its reference`() throws {
        let table = try TestTable.created()
        var add = try table.file("a.parquet", Array(0..<40))
        add.deletionVector = DeletionVectorReference(
            storage: "i", place: Self.example, offset: nil, size: 40, cardinality: 6)
        let rows = try #require(try table.log.deletedRows(of: add, rowCount: 40))
        #expect(rows.count == 6)
        #expect(throws: TableLogError.self) {
            _ = try table.log.deletedRows(of: add, rowCount: 20)
        }
        add.deletionVector?.cardinality = 7
        #expect(throws: TableLogError.self) {
            _ = try table.log.deletedRows(of: add, rowCount: 40)
        }
    }

    private static func little(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    /// A container of each form: bits, a list, runs.
    private static var vector: [UInt8] {
        var bytes = little(1_681_511_377, 4) + little(1, 8) + little(2, 4)
        bytes += little(12_347 | 2 << 16, 4) + [0b100]
        bytes += little(0, 2) + little(4_999, 2) + little(1, 2) + little(1, 2)
        bytes += little(9, 2) + little(99, 2)
        for word in 0..<1024 { bytes += little(word < 78 ? .max : word == 78 ? 0xff : 0, 8) }
        bytes += little(5, 2) + little(700, 2)
        return bytes + little(1, 2) + little(100, 2) + little(99, 2)
    }

    @Test func `All forms of containers are understood`() throws {
        let rows = try DeletionVector.decode(Self.vector, rowCount: .max)
        let base = Int64(2) << 32
        #expect(
            rows.ranges == [
                base..<base + 5_000, base + 65_541..<base + 65_542,
                base + 66_236..<base + 66_237, base + 9 * 65_536 + 100..<base + 9 * 65_536 + 200,
            ])
    }

    /// One of a few bytes can name more rows than fit into memory.
    @Test func `A vector is left at the first row that its file has not`() throws {
        let base = Int64(2) << 32
        #expect(throws: MalformedBytes.self) {
            _ = try DeletionVector.decode(Self.vector, rowCount: base + 4_999)
        }
        let whole = base + 9 * 65_536 + 200
        #expect(try DeletionVector.decode(Self.vector, rowCount: whole).count == 5_102)
        #expect(throws: MalformedBytes.self) {
            _ = try DeletionVector.decode(Self.vector, rowCount: whole - 1)
        }
    }

    @Test func `A vector cut short is refused, and a changed one ends in an error or rows`() throws
    {
        let bytes = Self.vector
        for count in stride(from: 0, to: bytes.count, by: count(bytes)) {
            #expect(throws: MalformedBytes.self) {
                _ = try DeletionVector.decode(Array(bytes.prefix(count)), rowCount: .max)
            }
        }
        for index in bytes.indices where index < 60 || index > bytes.count - 20 {
            var changed = bytes
            changed[index] ^= 0xff
            _ = try? DeletionVector.decode(changed, rowCount: .max)
        }
    }

    private func count(_ bytes: [UInt8]) -> Int { max(1, bytes.count / 500) }
}
