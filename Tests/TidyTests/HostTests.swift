import Testing
import TestSupport

/// Times, randomness, waiting and the number of processors come from a `Host` that is handed in, so
/// that a test can drive what uses them by a seed and a clock of its own.
struct HostTests {
    /// Where the machine itself is asked: the module that does it, and the outermost entry.
    private static let outermost = ["Platform", "varve"]
    /// Modules in which some of it is left, and why.
    private static let left = [
        "Operations": "durations of whole uses, measured for their reports",
        "Restoring": "table restores are not handed a host yet",
        "TableLog": "tables are not handed a host yet",
        "TableStore": "tables are not handed a host yet",
    ]

    @Test func `Nothing but Platform and the command line asks the machine for times or chance`()
        throws
    {
        let clocks = /Timestamp\.now\(|ContinuousClock\.now/
        let others = /HostSystem\.(randomBytes|sleep|hostName)|Processors\.count/
        for file in try ProjectFiles.swift(below: "Sources") {
            let module = String(file.path.split(separator: "/")[1])
            guard !Self.outermost.contains(module), Self.left[module] == nil else { continue }
            for line in file.code where line.contains(clocks) || line.contains(others) {
                Issue.record("\(file.path): \(line)")
            }
        }
    }
}
