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
        _ progress: WorkProgress
    ) throws(CaptureError) -> CaptureResult {
        do {
            return try CaptureRun(sources, repository, options, progress).run()
        } catch let error as CaptureError {
            throw error
        } catch let error as PlatformError {
            throw .source(error)
        } catch let error as RepositoryError {
            throw .repository(error)
        } catch let error as Interrupted {
            throw .interrupted(error)
        } catch {
            throw .repository(RepositoryError(.damaged("\(error)"), "capture"))
        }
    }
}
