internal import Bytes
internal import Platform
internal import Repository
internal import Snapshots
internal import Trees

/// The threads of a restore that write parts of files.
///
/// Threads keep to different files while there are several: two that write one file mostly wait for
/// its lock in the kernel. Only what is left of the last large file is shared.
final class FileWriters: Sendable {
    /// Parts of one large file, or a run of small files that one thread writes.
    fileprivate struct Work {
        var parts: Queue<FileRestore.Part>
        var isShared: Bool
        var threads = 0
    }

    fileprivate struct Schedule {
        var work: [Int: Work] = [:]
        var order = Queue<Int>()
        var nextNumber = 0
        var queuedParts = 0
        var isClosed = false
    }

    private let repository: Repository
    private let target: SharedLiveTree
    private let outcome: Monitor<RestoreResult>
    private let progress: WorkProgress
    private let rateLimit: RateLimit?
    private let schedule = Monitor(Schedule())

    /// Parts that may wait; a part of a large file is about 8 MiB, and only its ids are in memory.
    private static let queueLimit = 1024

    init(
        _ repository: Repository, _ target: SharedLiveTree, _ outcome: Monitor<RestoreResult>,
        _ progress: WorkProgress, bytesPerSecond: UInt64?
    ) {
        self.repository = repository
        self.target = target
        self.outcome = outcome
        self.progress = progress
        rateLimit = bytesPerSecond.map { RateLimit(bytesPerSecond: $0) }
    }

    /// Runs `body`, which pushes parts, and waits until all of them are written.
    func run<Failure: Error>(
        threads count: Int, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        let threads = WorkerThreads(count: count) { _ in self.work() }
        let result: Result<Void, Failure>
        do throws(Failure) {
            try body()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        schedule.update { $0.isClosed = true }
        threads.join()
        try result.get()
    }

    /// Queues small files that one thread writes.
    func push(smallFiles parts: [FileRestore.Part]) { push(parts, isShared: false) }

    /// Queues the parts of one file, which threads may share.
    func push(largeFile parts: [FileRestore.Part]) { push(parts, isShared: true) }

    private func push(_ parts: [FileRestore.Part], isShared: Bool) {
        var queue = Queue<FileRestore.Part>()
        for part in parts { queue.append(part) }
        let work = Work(parts: queue, isShared: isShared)
        schedule.wait { schedule -> Void? in
            guard schedule.queuedParts < Self.queueLimit else { return nil }
            schedule.work[schedule.nextNumber] = work
            schedule.order.append(schedule.nextNumber)
            schedule.nextNumber += 1
            schedule.queuedParts += parts.count
            return ()
        }
    }

    private func work() {
        let nodes = NodeSource(repository)
        var current: Int?
        while let (number, parts) = next(after: current) {
            current = number
            for part in parts where !Interruption.isRequested { write(part, nodes) }
        }
    }

    /// What to write next: more of the current file, else work that nobody is at, else a share of a
    /// file that others write.
    ///
    /// Nil at the end.
    private func next(after current: Int?) -> (number: Int, parts: [FileRestore.Part])? {
        var current = current
        return schedule.wait { schedule -> (number: Int, parts: [FileRestore.Part])?? in
            if let current, let parts = schedule.take(from: current) { return (current, parts) }
            if let left = current { schedule.leave(left) }
            current = nil
            if let number = schedule.choose() {
                schedule.work[number]?.threads += 1
                return schedule.take(from: number).map { (number, $0) }
            }
            return schedule.isClosed ? .some(nil) : nil
        }
    }

    private func write(_ part: FileRestore.Part, _ nodes: NodeSource) {
        let size = part.pieces.reduce(0) { $0 &+ $1.size }
        rateLimit?.wait(for: Int(clamping: size))
        progress.update { $0.currentPath = part.file.path }
        let finished = part.file.write(part, target.value, nodes)
        progress.update { counters in
            counters.bytesDone &+= size
            if finished != nil { counters.filesDone += 1 }
        }
        guard let finished else { return }
        if finished.fault == nil {
            let isWritten = finished.bytesWritten > 0 || finished.isNew
            progress.tell(isWritten ? .written : .unchanged, part.file.path)
        }
        outcome.withState { $0.note(finished, part.file.path) }
    }
}

extension RestoreResult {
    fileprivate mutating func note(_ file: FileRestore.Outcome, _ path: [UInt8]) {
        bytesWritten &+= file.bytesWritten
        bytesKept &+= file.bytesKept
        shortfalls += file.unset.map { .init(path: path, part: .metadata($0)) }
        if let fault = file.fault {
            failures.append(.init(path: path, fault: fault))
        } else if file.bytesWritten > 0 || file.isNew {
            filesWritten += 1
        } else {
            filesUnchanged += 1
        }
    }
}

extension FileWriters.Schedule {
    /// The next part of a shared file, or all of a run; nil when nothing is left of it.
    fileprivate mutating func take(from number: Int) -> [FileRestore.Part]? {
        guard var work = work[number] else { return nil }
        var parts: [FileRestore.Part] = []
        while let part = work.parts.removeFirst() {
            parts.append(part)
            if work.isShared { break }
        }
        queuedParts -= parts.count
        self.work[number] = work
        return parts.isEmpty ? nil : parts
    }

    /// A thread is done with a piece of work.
    fileprivate mutating func leave(_ number: Int) {
        work[number]?.threads -= 1
        if let left = work[number], left.parts.isEmpty, left.threads == 0 { work[number] = nil }
    }

    /// The first work that nobody is at, else the first with parts left.
    fileprivate mutating func choose() -> Int? {
        while let first = order.first, work[first]?.parts.isEmpty != false { order.removeFirst() }
        var shared: Int?
        for index in 0..<order.count {
            let number = order[index]
            guard let found = work[number], !found.parts.isEmpty else { continue }
            if found.threads == 0 { return number }
            shared = shared ?? number
        }
        return shared
    }
}
