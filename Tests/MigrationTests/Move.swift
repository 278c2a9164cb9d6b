import Bytes
import Platform
import TestSupport
import Trees

@testable import Migration

/// A source, a target and a journal in a directory of their own.
struct Move {
    let directory: TemporaryDirectory
    var strategy: CopyStrategy?
    var makesTables = false
    var excluded: [String] = []
    var passLimit = 8

    init() throws {
        directory = try TemporaryDirectory()
        try directory.makeDirectories(Array("source".utf8))
    }

    var source: [UInt8] { directory.path("source") }
    var target: [UInt8] { directory.path("target") }
    var journal: [UInt8] { directory.path("target.varve-migration") }

    var request: MigrationRequest {
        let patterns = ExcludePatterns(lines: excluded.map { Array($0.utf8) })
        var request = MigrationRequest(
            source: source, target: target, filter: WalkFilter(patterns: patterns),
            scope: excluded)
        request.strategy = strategy
        request.makesTables = makesTables
        request.passLimit = passLimit
        request.pause = .milliseconds(30)
        return request
    }

    /// A run that has planned and started.
    func started() throws(MigrationError) -> MigrationRun {
        let run = try MigrationRun(request)
        try run.start(try run.plan(backsUp: false, cleans: false))
        return run
    }

    /// Plans, copies and verifies.
    @discardableResult
    func run() throws(MigrationError) -> VerificationReport {
        let run = try started()
        _ = try run.execute()
        return try run.verify()
    }

    func cleanUp() throws(MigrationError) -> CleanUpReport {
        try MigrationRun(request).cleanUp()
    }

    func write(_ text: String, _ path: String) throws {
        try directory.write(Array(text.utf8), "source/" + path)
    }

    func read(_ path: String) throws -> String {
        String(decoding: try directory.read(path), as: UTF8.self)
    }

    /// The error of a body that must fail.
    static func failure(
        _ body: () throws(MigrationError) -> Void
    ) -> MigrationError? {
        do throws(MigrationError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    /// Why something is refused; nil for everything else.
    static func refusal(_ body: () throws(MigrationError) -> Void) -> MigrationRefusal? {
        guard case .refused(let refusal) = failure(body) else { return nil }
        return refusal
    }
}
