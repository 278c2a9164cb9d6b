import Bytes
import Hashing
import Platform
import Snapshots
import Testing
import TestSupport

@testable import Capturing

/// An inode number proves nothing.
struct LinkTableTests {
    private let status: FileStatus
    private let start = Timestamp(seconds: 1_000_000, nanoseconds: 0)

    init() throws {
        let directory = try TemporaryDirectory()
        var status = try FileStatus.of(directory.write([1], "file"))
        status.links = 2
        status.ctime = Timestamp(seconds: 999_000, nanoseconds: 0)
        self.status = status
    }

    private func changed(_ change: (inout FileStatus) -> Void) -> FileStatus {
        var status = status
        change(&status)
        return status
    }

    private func entry(_ path: String, _ content: String) -> ManifestEntry {
        let id = ChunkID(of: Array(content.utf8).span)
        let size = UInt64(content.utf8.count)
        var entry = ManifestEntry(
            path: Array(path.utf8), payload: .file(size: size, .pieces([.chunk(id, size: size)])),
            status: status)
        entry.linkDevice = 0
        return entry
    }

    @Test func `A name of the same settled file is read by the job of the first`() {
        var table = LinkTable(captureStart: start)
        #expect(table.job(reading: status) == nil)
        table.began(5, status)
        #expect(table.job(reading: status) == 5)
    }

    @Test func `A status that differs in anything needs a job of its own`() {
        var table = LinkTable(captureStart: start)
        table.began(5, status)
        let others = [
            changed { $0.size += 1 }, changed { $0.mtime.seconds += 1 },
            changed { $0.ctime.nanoseconds += 1 }, changed { $0.inode += 1 },
            changed { $0.device += 1 }, changed { $0.links = 1 },
        ]
        for other in others { #expect(table.job(reading: other) == nil) }
    }

    @Test(arguments: [(999_997, true), (999_998, false), (1_000_000, false), (2_000_000, false)])
    func `A change time younger than the capture by the window proves nothing`(
        seconds: Int64, isTrusted: Bool
    ) {
        var table = LinkTable(captureStart: start)
        let status = changed { $0.ctime = Timestamp(seconds: seconds, nanoseconds: 0) }
        table.began(5, status)
        #expect((table.job(reading: status) == 5) == isTrusted)
    }

    @Test func `What a job read is not taken for a file that was changed before it was read`() {
        var table = LinkTable(captureStart: start)
        table.finished(5, entry("a", "x"), changed { $0.ctime.seconds += 1 })
        #expect(table.entry(Array("b".utf8), status, readBy: 5) == nil)
        table.finished(6, entry("a", "x"), status)
        #expect(table.entry(Array("b".utf8), status, readBy: 6) == entry("b", "x"))
        #expect(table.entry(Array("b".utf8), status, readBy: 7) == nil, "its first name vanished")
        var changing = entry("a", "x")
        changing.isIncomplete = true
        table.finished(8, changing, status)
        #expect(table.entry(Array("b".utf8), status, readBy: 8) == nil)
    }

    @Test func `Names are one file only with equal content on one device`() {
        var table = LinkTable(captureStart: start)
        func device(_ entry: ManifestEntry, on device: UInt64) -> UInt32? {
            var entry = entry
            table.settle(&entry, device: device)
            return entry.linkDevice
        }
        #expect(device(entry("a", "x"), on: 1) == 0)
        #expect(device(entry("b", "x"), on: 1) == 0)
        #expect(device(entry("c", "y"), on: 1) == nil)
        #expect(device(entry("d", "y"), on: 2) == 0)
        #expect(device(entry("e", "x"), on: 1) == 0)
    }
}
