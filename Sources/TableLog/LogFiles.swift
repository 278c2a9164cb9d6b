package import Bytes
package import Parquet
package import Platform

/// A file of a log.
package struct LogFile: Equatable, Sendable {
    package let name: String
    package let size: UInt64
    /// The time of the last change, in milliseconds since 1970: when a commit was made.
    package let modified: Int64
    /// Nil where the file lies in no directory.
    package let status: FileStatus?

    package init(name: String, size: UInt64, modified: Int64, status: FileStatus? = nil) {
        self.name = name
        self.size = size
        self.modified = modified
        self.status = status
    }
}

/// Where the files of a log are read from: a directory, or a snapshot that holds them.
package protocol LogFiles {
    /// The files of the log, sorted; nil when there is no log.
    func listLog() throws(TableLogError) -> [LogFile]?

    /// Reads a file of the log; nil when it is not there.
    func readLog(_ name: String) throws(TableLogError) -> [UInt8]?

    /// Opens a file below the table, by its plain relative path.
    func source(_ relative: ExactText) throws(TableLogError) -> any ByteSource
}

/// A log as it was when it was listed: what came later is not seen.
package struct ListedLog: LogFiles {
    private let files: [LogFile]
    private let log: any LogFiles

    package init(_ files: [LogFile], of log: any LogFiles) {
        self.files = files
        self.log = log
    }

    package func listLog() throws(TableLogError) -> [LogFile]? { files }

    package func readLog(_ name: String) throws(TableLogError) -> [UInt8]? {
        try log.readLog(name)
    }

    package func source(_ relative: ExactText) throws(TableLogError) -> any ByteSource {
        try log.source(relative)
    }
}
