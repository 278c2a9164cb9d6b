/// The log of a table in a directory: reads versions and commits new ones.
package struct CommitLog: Sendable {
    package let directory: TableDirectory

    package init(_ directory: TableDirectory) { self.directory = directory }

    /// Reads the same log.
    package var reader: LogReader { LogReader(directory) }

    func listing() throws(TableLogError) -> LogListing { try reader.listing() }

    /// Reads the table at `version`, or the newest.
    package func snapshot(version: Int64? = nil) throws(TableLogError) -> TableSnapshot {
        try reader.snapshot(version: version)
    }

    /// The actions of one commit.
    package func actions(of version: Int64) throws(TableLogError) -> [LogAction] {
        try reader.actions(of: version)
    }

    /// The versions whose commits are in the log, with their times, the newest first.
    package func history() throws(TableLogError) -> [(version: Int64, time: Int64)] {
        try reader.history()
    }

    /// The newest version that was made at `time` or before, in milliseconds since 1970.
    package func version(at time: Int64) throws(TableLogError) -> Int64 {
        try reader.version(at: time)
    }
}
