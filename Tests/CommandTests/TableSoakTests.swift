import Foundation
import Testing
import TestSupport

/// Snapshots of tables while others write and remove, and restores that are killed.
///
/// In their short form; `make soak` runs them for minutes. They run alone, for what is measured is
/// how things come out when all want the same files at once.
@Suite(.serialized)
struct TableSoakTests {
    private static func run(_ arguments: String...) throws -> Bool {
        let script = String(decoding: Fixtures.project, as: UTF8.self) + "/Scripts/table-soak.py"
        let outcome = try ExternalTool.python.run(
            [script, arguments[0], Workshop.program] + arguments.dropFirst())
        return outcome.status == 0
    }

    @Test(.needs(.python), .endsWithin(minutes: 20))
    func `Every snapshot taken among writers and vacuums is a version as others read it`() throws {
        #expect(try Self.run("soak", "8"))
    }

    @Test(.needs(.python), .endsWithin(minutes: 20))
    func `Readers of a replica find whole versions while it is written`() throws {
        #expect(try Self.run("replicas", "10"))
    }

    @Test(.needs(.python), .endsWithin(minutes: 20))
    func `A restore in place that is killed leaves one version or the other`() throws {
        #expect(try Self.run("kill", "10"))
    }
}
