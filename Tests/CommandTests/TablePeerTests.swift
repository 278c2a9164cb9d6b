import Testing
import TestSupport

/// Tables in the hands of varve, pyarrow, delta-rs, DuckDB and Polars.
///
/// The cases are in Scripts/table_peers, many in one process: the engines take long to load.
@Suite(.serialized) struct TablePeerTests {
    /// Runs a suite with the program that was built, and shows what it complains of.
    private func play(_ suite: String, _ flags: String...) throws {
        let script = String(decoding: Fixtures.project, as: UTF8.self) + "/Scripts/table_peers"
        let workshop = try Workshop()
        let finished = try workshop.start(ExternalTool.python.name, [script, suite] + flags)
            .finish()
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test(.needs(.python))
    func `What we write the others read, every type, partition and version`() throws {
        try play("written_by_us")
    }

    @Test(.needs(.python))
    func `What the others write we read, with their checkpoints and deletion vectors`() throws {
        try play("written_by_others")
    }

    @Test(.needs(.python))
    func `We and the others change one table in turns`() throws {
        try play("in_turns")
    }

    @Test(.needs(.python), arguments: Seed.some(1))
    func `Rows, schemas and changes by chance are read the same by all`(seed: Seed) throws {
        try play("by_chance", "--seed", String(seed.value))
    }

    @Test(.needs(.python))
    func `Tables that were synced both ways are read the same by all, on both sides`() throws {
        try play("synced")
    }

    @Test(.needs(.python), .needs("strace"))
    func `Writers at once lose no row, and who contradicts the other is told so`() throws {
        try play("at_once")
    }
}
