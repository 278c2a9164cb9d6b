internal import Platform

/// Copies a batch of files into the staging directory; the three strategies are three ways through
/// the same list, with one result.
struct FileCopies {
    let source: MigrationSource
    let target: MigrationTarget
    let settings: CopySettings

    /// What became of a batch.
    struct Outcome: Sendable {
        /// In the order of the batch.
        var staged: [StagedFile] = []
        var problems: [MigrationProblem] = []
        /// Files that were gone when they should have been read.
        var vanished: [[UInt8]] = []
        var fault: PlatformError?
    }

    func run(_ batch: [Inventory.Item], _ strategy: CopyStrategy) -> Outcome {
        switch strategy {
        case .sequential: sequential(batch)
        case .parallel: shared(batch, partSize: nil)
        case .chunked: shared(batch, partSize: CopyStrategy.partSize)
        }
    }

    /// One file after the other.
    private func sequential(_ batch: [Inventory.Item]) -> Outcome {
        var outcome = Outcome()
        for item in batch where outcome.fault == nil && !Interruption.isRequested {
            do throws(CopyFailure) {
                let file = try FileCopy(item, source, target, settings)
                for part in try file.begin(partSize: nil) { _ = file.copy(part) }
                outcome.staged.append(try file.finish(target))
            } catch {
                outcome.note(error, item)
            }
            settings.didFinish(item.path)
        }
        return outcome
    }

    private struct Part: Sendable {
        var file: FileCopy
        var extent: DataExtent
    }

    private struct Schedule {
        var next = 0
        var parts: [Part] = []
        /// Threads that may still add parts.
        var active = 0
        var outcome = Outcome()
    }

    private enum Work: Sendable {
        case file(Inventory.Item)
        case part(Part)
    }

    /// Threads take files, and with a part size the parts of large files first.
    private func shared(_ batch: [Inventory.Item], partSize: UInt64?) -> Outcome {
        let schedule = Monitor(Schedule())
        let copies = self
        let count = min(
            CopyStrategy.parallel.threads(on: settings.host),
            max(1, batch.count * (partSize == nil ? 1 : 8)))
        let threads = WorkerThreads(count: count) { _ in
            while let work = Self.take(schedule, batch) {
                switch work {
                case .file(let item): copies.begin(item, partSize, schedule)
                case .part(let part): copies.copy(part, schedule)
                }
                schedule.update { $0.active -= 1 }
            }
        }
        threads.join()
        var outcome = schedule.withState { $0.outcome }
        let order = Dictionary(
            batch.enumerated().map { ($1.path, $0) }, uniquingKeysWith: { first, _ in first })
        outcome.staged.sort { (order[$0.path.path] ?? 0) < (order[$1.path.path] ?? 0) }
        return outcome
    }

    private static func take(_ schedule: Monitor<Schedule>, _ batch: [Inventory.Item]) -> Work? {
        schedule.wait { schedule -> Work?? in
            if schedule.outcome.fault != nil || Interruption.isRequested { return .some(nil) }
            if let part = schedule.parts.popLast() {
                schedule.active += 1
                return .part(part)
            }
            if schedule.next < batch.count {
                schedule.active += 1
                schedule.next += 1
                return .file(batch[schedule.next - 1])
            }
            return schedule.active == 0 ? .some(nil) : nil
        }
    }

    private func begin(
        _ item: Inventory.Item, _ partSize: UInt64?, _ schedule: Monitor<Schedule>
    ) {
        do throws(CopyFailure) {
            let file = try FileCopy(item, source, target, settings)
            let parts = try file.begin(partSize: partSize)
            guard partSize != nil, parts.count > 1 else {
                for part in parts { _ = file.copy(part) }
                return finish(file, schedule)
            }
            let waiting = parts.dropFirst().reversed().map { Part(file: file, extent: $0) }
            schedule.update { $0.parts += waiting }
            if file.copy(parts[0]) { finish(file, schedule) }
        } catch {
            schedule.update { $0.outcome.note(error, item) }
            settings.didFinish(item.path)
        }
    }

    private func copy(_ part: Part, _ schedule: Monitor<Schedule>) {
        if part.file.copy(part.extent) { finish(part.file, schedule) }
    }

    private func finish(_ file: FileCopy, _ schedule: Monitor<Schedule>) {
        do throws(CopyFailure) {
            let staged = try file.finish(target)
            schedule.update { $0.outcome.staged.append(staged) }
        } catch {
            target.removeStaged(file.staged)
            schedule.update { $0.outcome.note(error, file.item) }
        }
        settings.didFinish(file.item.path)
    }
}

extension FileCopies.Outcome {
    fileprivate mutating func note(_ failure: CopyFailure, _ item: Inventory.Item) {
        switch failure {
        case .source(let error) where error.isNotFound: vanished.append(item.path)
        case .source(let error), .metadata(let error):
            problems.append(MigrationProblem(path: item.path, reason: "\(error)"))
        case .target(let error): fault = fault ?? error
        case .stopped: break
        }
    }
}
