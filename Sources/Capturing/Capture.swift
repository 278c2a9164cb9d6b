package import Platform
package import Repository

/// Why a capture produced no snapshot.
package enum CaptureError: Error {
    case source(PlatformError)
    case repository(RepositoryError)
    case interrupted(Interrupted)
    /// Two sources would have the same name in the snapshot.
    case sameName([UInt8])
}

/// Takes a snapshot of directories or files into a repository.
package enum Capture {
    /// Captures `sources`, absolute paths without symlinks, sorted.
    ///
    /// One directory is the top of the snapshot; several sources lie below their base names, and a
    /// file always does. Throws, with nothing committed, on faults of the repository; faults of
    /// the source are problems in the result.
    package static func run(
        _ sources: [[UInt8]], into repository: Repository, _ options: CaptureOptions,
        _ progress: WorkProgress, host: Host = .system
    ) throws(CaptureError) -> CaptureResult {
        let context = CaptureContext(
            sources: sources, repository: repository, options: options, progress: progress,
            host: host)
        return try CaptureRun(context).run()
    }
}

/// What all parts of a capture are told.
struct CaptureContext: Sendable {
    let sources: [[UInt8]]
    let repository: Repository
    let options: CaptureOptions
    let progress: WorkProgress
    let host: Host
    /// The clocks when the capture began.
    let start: Timestamp
    let startInstant: ContinuousClock.Instant

    init(
        sources: [[UInt8]], repository: Repository, options: CaptureOptions,
        progress: WorkProgress, host: Host
    ) {
        self.sources = sources
        self.repository = repository
        self.options = options
        self.progress = progress
        self.host = host
        start = host.now()
        startInstant = host.instant()
    }
}

// MARK: - Faults of steps

/// Runs a step on the source, whose failure ends the capture.
func onSource<Value>(
    _ body: () throws(PlatformError) -> Value
) throws(CaptureError) -> Value {
    do throws(PlatformError) { return try body() } catch { throw .source(error) }
}

/// Runs a step that reads or writes the repository.
func inRepository<Value>(
    _ body: () throws(RepositoryError) -> Value
) throws(CaptureError) -> Value {
    do throws(RepositoryError) { return try body() } catch { throw .repository(error) }
}

/// Throws where the user wants the work to end.
func checkInterruption() throws(CaptureError) {
    do throws(Interrupted) { try Interruption.check() } catch { throw .interrupted(error) }
}
