import Operations
import Targets
@testable import Remote
@testable import TwoWay
@testable import Wire
import Bytes
import Hashing
import Platform
import Repository
import TableLog
import Testing
import TestSupport

/// Two live stores that are synced, with tables whose data files are lists of numbers.
final class StorePair {
    let directory: TemporaryDirectory
    private var fileNumber = 0

    init() throws {
        directory = try TemporaryDirectory(inMemory: true)
        for side in ["here", "there"] { try directory.makeDirectories(Array(side.utf8)) }
    }

    func path(_ relative: String) -> [UInt8] { directory.path(relative) }

    @discardableResult
    func sync(_ options: TwoWayOptions = []) throws -> StoreSyncSummary {
        let here = try StoreSync.local(path("here"))
        let there = try StoreSync.local(path("there"))
        return try StoreSync(here, there, options).run(WorkProgress())
    }

    /// Syncs, and asks before each change in the store of one side.
    func sync(
        asking side: String, _ question: @escaping FileTrace.Question
    ) throws -> StoreSyncSummary {
        let trace = try FileTrace(path(side), asking: question)
        defer { trace.stop() }
        return try sync()
    }

    // MARK: Plain files

    func write(_ text: String, _ relative: String) throws {
        try directory.write(Array(text.utf8), relative)
    }

    func read(_ relative: String) -> String? {
        (try? directory.read(relative)).map { String(decoding: $0, as: UTF8.self) }
    }

    func remove(_ relative: String, isDirectory: Bool = false) throws {
        try FileOperations.remove(path(relative), isDirectory: isDirectory)
    }

    // MARK: Tables

    func log(_ table: String) throws -> CommitLog { CommitLog(try TableDirectory(path(table))) }

    func create(_ table: String, id: String = "one") throws {
        try directory.makeDirectories(Array(table.utf8))
        let schema =
            #"{"type":"struct","fields":[{"name":"n","type":"long","nullable":true,"#
            + #""metadata":{}}]}"#
        try log(table).create(
            ProtocolAction(readerVersion: 1, writerVersion: 2),
            TableMetadata(id: ExactText(id), schemaText: ExactText(schema)))
    }

    private func addFile(_ table: String, _ rows: [Int], dataChange: Bool) throws -> AddFile {
        fileNumber += 1
        let name = "part-\(fileNumber)-\(Hex.encode(HostSystem.randomBytes(4))).parquet"
        let text = rows.map { "\($0)\n" }.joined()
        try directory.write(Array(text.utf8), "\(table)/\(name)")
        return AddFile(
            path: ExactText(name), size: Int64(text.utf8.count), modificationTime: 0,
            dataChange: dataChange)
    }

    @discardableResult
    func append(_ table: String, _ rows: [Int], application: ExactText? = nil) throws -> Int64 {
        let log = try log(table)
        var actions: [LogAction] = [.add(try addFile(table, rows, dataChange: true))]
        if let application {
            actions.append(.transaction(TransactionAction(application: application, version: 1)))
        }
        return try log.commit(TableChange("WRITE", actions), to: try log.snapshot())
    }

    /// Removes the rows of the file that has `row`, but for the others in it.
    func delete(_ table: String, _ row: Int) throws {
        let log = try log(table)
        let snapshot = try log.snapshot()
        for file in snapshot.files.values {
            let rows = try rows(table, file)
            guard rows.contains(row) else { continue }
            var actions: [LogAction] = [.remove(file.removed(at: 1))]
            let rest = rows.filter { $0 != row }
            if !rest.isEmpty {
                actions.append(.add(try addFile(table, rest, dataChange: true)))
            }
            _ = try log.commit(
                TableChange("DELETE", actions, reads: .removedFiles), to: snapshot)
        }
    }

    /// Lays the rows of the oldest files into one; returns what these were called.
    @discardableResult
    func compact(_ table: String, _ count: Int = .max) throws -> Set<String> {
        let log = try log(table)
        let snapshot = try log.snapshot()
        let files = snapshot.files.values.sorted { $0.path < $1.path }.prefix(count)
        let rows = try files.flatMap { try self.rows(table, $0) }
        var actions = files.map { LogAction.remove($0.removed(at: 1, dataChange: false)) }
        actions.append(.add(try addFile(table, rows, dataChange: false)))
        _ = try log.commit(TableChange("OPTIMIZE", actions, reads: .removedFiles), to: snapshot)
        return Set(files.map(\.path.string))
    }

    private func rows(_ table: String, _ file: AddFile) throws -> [Int] {
        let bytes = try directory.read("\(table)/\(file.path)")
        #expect(Int64(bytes.count) == file.size, "\(table)/\(file.path) is whole")
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
    }

    /// Makes one table a copy of another.
    func replace(_ table: String, with other: String) throws {
        for file in try Fixtures.files(below: path(table)) { try FileOperations.remove(file) }
        for file in try Fixtures.files(below: path(other)) {
            let name = String(decoding: file.dropFirst(path(other).count), as: UTF8.self)
            try directory.write(try Fixtures.read(file), table + name)
        }
    }

    /// All rows of the newest version, sorted; throws where a file of it is missing.
    func rows(_ table: String) throws -> [Int] {
        try log(table).snapshot().files.values.flatMap { try rows(table, $0) }.sorted()
    }

    func version(_ table: String) throws -> Int64 { try log(table).snapshot().version }

    /// Expects every version that a log has to consist of files that are there, as far as none was
    /// removed from the table since.
    func expectWhole(
        _ table: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let log = try log(table)
        let latest = try log.snapshot()
        for version in 0...latest.version {
            for file in try log.snapshot(version: version).files.values {
                let status = try? FileStatus.of(path("\(table)/\(file.path)"))
                #expect(
                    status.map { Int64($0.size) } == file.size, "\(table), version \(version)",
                    sourceLocation: sourceLocation)
            }
        }
    }

    /// The lines of a store, without logs and what varve has of its own there.
    func listing(_ side: String) throws -> [String] {
        try TreeListing.of(path(side)).filter {
            !$0.hasPrefix(".varve-replica") && !$0.contains("_delta_log")
        }
    }

    /// The names of plain paths with the content of files.
    func contents(_ side: String) throws -> [String: String] {
        var contents: [String: String] = [:]
        for file in try Fixtures.files(below: path(side)) {
            let name = String(decoding: file.dropFirst(path(side).count + 1), as: UTF8.self)
            guard !name.hasPrefix(".varve-replica"), !name.contains(".parquet"),
                !name.contains("_delta_log")
            else { continue }
            contents[name] = String(decoding: try Fixtures.read(file), as: UTF8.self)
        }
        return contents
    }
}
