internal import SystemPackage

/// Records how this process changes a tree of files, in a debug build.
///
/// Files are known by their identity, so that they are followed through renames and by whatever
/// path they are reached. Calls of all threads stand in one order: each is made and recorded before
/// the next one is. What other programs do is not seen; where something turns up that the trace did
/// not see made, `gaps` says so.
///
/// The tree as it is at the start is recorded too, as changes that make it, and a sync of all.
package final class FileTrace: Sendable {
    /// Called before each change of the tree with the name of the call and its path, which is empty
    /// for an open file; what it returns is thrown in place of the call.
    package typealias Question = @Sendable (_ operation: String, _ path: [UInt8]) -> PlatformError?

    /// A file for as long as it exists.
    struct Key: Hashable {
        var device: UInt64
        var inode: UInt64

        init?(_ status: FileStatus?) {
            guard let status else { return nil }
            device = status.device
            inode = status.inode
        }
    }

    private let tree = Monitor(TracedTree())
    private let question: Question?
    /// Whether the question is being asked: what it does itself is not asked about.
    private let isAsking = Monitor(false)

    /// The traces that run; held while a call is made.
    private static let running = Monitor<[FileTrace]>([])

    static var isAnyRunning: Bool { running.withState { !$0.isEmpty } }

    /// Begins to record the tree at `root`, until `stop`.
    package init(_ root: [UInt8], asking question: Question? = nil) throws(PlatformError) {
        self.question = question
        let top = try PinnedDirectory(root)
        let failure = Self.running.withState { running -> PlatformError? in
            do throws(PlatformError) {
                var scanned = TracedTree()
                try scanned.addRoot(top.descriptor)
                tree.withState { $0 = scanned }
                running.append(self)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    /// Ends recording.
    package func stop() { Self.running.withState { running in running.removeAll { $0 === self } } }

    /// Everything so far, in order.
    package var changes: [FileChange] { tree.withState { $0.changes } }

    /// What could not be followed; such a trace proves nothing.
    package var gaps: [String] { tree.withState { $0.gaps } }

    /// Notes that something is done, for those who look at what was done before a change.
    package func mark() { Self.running.withState { _ in tree.withState { $0.note(.mark) } } }
}

// MARK: - Calls

extension FileTrace {
    /// Makes a call, and records it where it changes a tree that is traced.
    static func perform<Value: BinaryInteger>(
        _ call: TracedCall, _ body: () throws(PlatformError) -> Value
    ) throws(PlatformError) -> Value {
        let places = call.places()
        let concerned = running.withState { running in
            running.filter { trace in trace.tree.withState { $0.knows(places) } }
        }
        guard !concerned.isEmpty else {
            let value = try body()
            if call.makesNode { forgetMade(call, Int(value)) }
            return value
        }
        for trace in concerned { try trace.ask(call) }
        let result = running.withState { _ -> Result<Value, PlatformError> in
            let before = NamesBefore(call)
            do throws(PlatformError) {
                let value = try body()
                for trace in concerned { trace.record(call, before, Int(value)) }
                return .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// An identity that is free is given to the next file, wherever that is made.
    private static func forgetMade(_ call: TracedCall, _ value: Int) {
        let key: Key?
        switch call {
        case .open: key = Key(TracedCall.status(of: CInt(value)))
        case .make(let name): key = name.key()
        default: key = nil
        }
        guard let key else { return }
        running.withState { running in
            for trace in running { trace.tree.withState { $0.forget(key) } }
        }
    }

    private func ask(_ call: TracedCall) throws(PlatformError) {
        guard let question,
            isAsking.withState({ isAsking in
                defer { isAsking = true }
                return !isAsking
            })
        else { return }
        defer { isAsking.withState { $0 = false } }
        if let refusal = question(call.operation, call.path) { throw refusal }
    }

    private func record(_ call: TracedCall, _ before: NamesBefore, _ value: Int) {
        tree.withState { tree in
            do throws(PlatformError) {
                try tree.record(call, before, value)
            } catch {
                tree.gap("\(error)", call.path)
            }
        }
    }
}
