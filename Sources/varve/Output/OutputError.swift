internal import Platform

/// Why standard output took no more.
enum OutputError: Error {
    /// The reader of the pipe went away.
    case closed
    case failed(PlatformError)
}
