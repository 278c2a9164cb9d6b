import Dispatch
package import Testing

/// Ends the whole test process, by name, when a test does not end.
///
/// A test that waits for ever can be ended in no other way, as it holds its thread. The time is
/// counted from when a thread runs the test: Swift Testing's own time limit counts from when the
/// test is put into the queue, and so measures how busy the machine is.
package struct HangGuard: TestTrait, SuiteTrait, TestScoping {
    package let minutes: Int
    package let isRecursive = true

    package func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing body: @Sendable () async throws -> Void
    ) async throws {
        let name = test.name
        let minutes = minutes
        let alarm = DispatchWorkItem {
            fatalError("\(name) did not end within \(minutes) minutes.")
        }
        let deadline = DispatchTime.now() + .seconds(60 * minutes)
        DispatchQueue(label: "hang guard").asyncAfter(deadline: deadline, execute: alarm)
        defer { alarm.cancel() }
        try await body()
    }
}

extension Trait where Self == HangGuard {
    /// For tests of what must end by itself: far more time than it takes on a busy machine.
    package static func endsWithin(minutes: Int) -> Self { Self(minutes: minutes) }
}
