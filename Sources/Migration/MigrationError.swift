package import Capturing
package import Platform
package import TableStore

/// Why a migration did not go on.
package enum MigrationError: Error {
    /// What was asked for is not done; nothing was changed by the step that refuses.
    case refused(MigrationRefusal)
    /// Another process is at the same migration.
    case held(journal: [UInt8])
    /// The journal or the receipt does not say what was written into it.
    case damaged(file: [UInt8], detail: String)
    case source(PlatformError)
    case target(PlatformError)
    /// Journal or receipt could not be read or written.
    case journal(PlatformError)
    case table(path: [UInt8], TableStoreError)
    case backup(CaptureError)
    /// The source changed as fast as it was copied; the paths are those that changed last.
    case unsettled(passes: Int, paths: [[UInt8]])
    /// The clean-up would remove what the receipt does not prove; nothing was removed.
    case notProven([CleanUpObstacle])
    case interrupted(Interrupted)
    /// Any other after the clean-up of the source began: part of the source may be gone.
    indirect case cleaning(MigrationError)
}

/// Why a path keeps the source from being cleaned.
package struct CleanUpObstacle: Equatable, Sendable {
    package var path: [UInt8]
    package var reason: String
}

/// A path that could not be migrated; everything else was.
package struct MigrationProblem: Equatable, Sendable {
    package var path: [UInt8]
    package var reason: String

    package init(path: [UInt8], reason: String) {
        self.path = path
        self.reason = reason
    }
}

// MARK: - Crossing from the modules below
func checkInterruption() throws(MigrationError) {
    do throws(Interrupted) {
        try Interruption.check()
    } catch {
        throw .interrupted(error)
    }
}

func reading<Value: ~Copyable>(
    _ body: () throws(PlatformError) -> Value
) throws(MigrationError) -> Value {
    do throws(PlatformError) { return try body() } catch { throw .source(error) }
}

func writing<Value: ~Copyable>(
    _ body: () throws(PlatformError) -> Value
) throws(MigrationError) -> Value {
    do throws(PlatformError) { return try body() } catch { throw .target(error) }
}

func journaling<Value: ~Copyable>(
    _ body: () throws(PlatformError) -> Value
) throws(MigrationError) -> Value {
    do throws(PlatformError) { return try body() } catch { throw .journal(error) }
}

func tabling<Value>(
    _ path: [UInt8], _ body: () throws(TableStoreError) -> Value
) throws(MigrationError) -> Value {
    do throws(TableStoreError) {
        return try body()
    } catch {
        if error.kind == .interrupted { throw .interrupted(Interrupted(signal: error.signal)) }
        throw .table(path: path, error)
    }
}
