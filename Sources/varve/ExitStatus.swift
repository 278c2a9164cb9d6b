/// What the program tells its caller in one number.
struct ExitStatus: Equatable {
    let code: Int32

    /// All was done.
    static let done = Self(code: 0)
    /// Nothing was changed.
    static let failed = Self(code: 1)
    /// The command line makes no sense.
    static let usage = Self(code: 2)
    /// Part of the work was done; what was not is listed.
    static let partial = Self(code: 3)
    /// There is no repository, or no table, at the place that was named.
    static let noRepository = Self(code: 10)
    /// Another process holds what is needed.
    static let held = Self(code: 11)
    static let wrongKey = Self(code: 12)

    /// As a shell reports a process that a signal ended.
    static func interrupted(_ signal: Int32) -> Self { Self(code: 128 + signal) }
}
