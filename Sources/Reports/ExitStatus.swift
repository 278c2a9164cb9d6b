/// What the program tells its caller in one number.
package struct ExitStatus: Equatable, Sendable {
    /// What exit(3) takes.
    package let code: Int32

    /// All was done.
    package static let done = Self(code: 0)
    /// Nothing was changed.
    package static let failed = Self(code: 1)
    /// The command line makes no sense.
    package static let usage = Self(code: 2)
    /// Part of the work was done; what was not is listed.
    package static let partial = Self(code: 3)
    /// There is no repository, or no table, at the place that was named.
    package static let noRepository = Self(code: 10)
    /// Another process holds what is needed.
    package static let held = Self(code: 11)
    /// Reserved: nothing is encrypted yet.
    package static let wrongKey = Self(code: 12)

    /// As a shell reports a process that a signal ended.
    package static func interrupted(_ signal: Int32) -> Self { Self(code: 128 + signal) }
}
