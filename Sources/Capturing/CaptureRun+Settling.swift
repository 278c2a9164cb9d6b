internal import Bytes
internal import Hashing
internal import Platform
internal import Repository
internal import Snapshots
internal import Trees

// MARK: - Settling in path order

extension CaptureRun {
    /// Writes entries whose turn has come; waits only when too many are held up.
    func settleDone() throws(CaptureError) {
        while queue.isTooLong {
            files.submit()
            try settleFirst()
        }
        while let first = queue.first {
            if case .reading(let file) = first {
                guard let outcome = files.pipeline.takeIfDone(file.job) else { return }
                queue.removeFirst()
                try settle(file, outcome)
            } else {
                try settleFirst()
            }
        }
    }

    func settleFirst() throws(CaptureError) {
        try checkInterruption()
        guard let first = queue.removeFirst() else { return }
        switch first {
        case .ready(let entry): try write(entry)
        case .named(var entry, let device):
            links.settle(&entry, device: device)
            try write(entry)
        case .reading(let file): try waitFor(file)
        case .furtherName(let name): try settle(name)
        case .range(let pieces):
            try inRepository { () throws(RepositoryError) in try manifest.write(range: pieces) }
        }
    }

    private func write(_ entry: ManifestEntry) throws(CaptureError) {
        try inRepository { () throws(RepositoryError) in try manifest.write(entry) }
    }

    private func waitFor(_ file: EntryQueue.Reading) throws(CaptureError) {
        let outcome = try inRepository { () throws(RepositoryError) in
            try files.pipeline.take(file.job)
        }
        guard let outcome else { return try checkInterruption() }
        try settle(file, outcome)
    }

    private func settle(_ file: EntryQueue.Reading, _ outcome: FileOutcome) throws(CaptureError) {
        let path = file.template.path
        switch outcome {
        case .vanished where file.isNeeded: lack(path, "it vanished before it was read")
        case .unreadable(let error) where file.isNeeded: lack(path, "\(error)")
        case .vanished: ledger.add(.vanished, path, "vanished")
        case .unreadable(let error): ledger.add(path, error)
        case .stored(let stored): try settle(file, stored)
        }
        context.progress.update { $0.filesDone += 1 }
    }

    private func settle(_ file: EntryQueue.Reading, _ stored: StoredFile) throws(CaptureError) {
        let path = file.template.path
        ledger.statistics.bytesRead &+= stored.size
        if stored.isChanging {
            ledger.add(.changedWhileRead, path, "changed while it was read")
        }
        let content = try inRepository { () throws(RepositoryError) in
            try manifest.content(stored.pieces)
        }
        count(path, content, file.base)
        var entry = ManifestEntry(
            path: path, payload: .file(size: stored.size, content), status: stored.status)
        entry.linkDevice = links.number(stored.status)
        entry.attributes = stored.attributes
        entry.isIncomplete = stored.isChanging
        note(stored.unread, of: &entry)
        dropOverlong(&entry)
        links.finished(file.job, entry, stored.status)
        links.settle(&entry, device: stored.status.device)
        try write(entry)
    }

    private func count(_ path: [UInt8], _ content: Content, _ base: Content?) {
        switch base {
        case nil:
            ledger.statistics.newFiles += 1
            context.progress.tell(.new, path)
        case content?:
            ledger.statistics.unchangedFiles += 1
            context.progress.tell(.unchanged, path)
        case .some:
            ledger.statistics.changedFiles += 1
            context.progress.tell(.changed, path)
        }
    }

    /// Writes a further name; where what the other job read may be another file, it is read too.
    private func settle(_ name: EntryQueue.FurtherName) throws(CaptureError) {
        if var entry = links.entry(name.path, name.status, readBy: name.job) {
            links.settle(&entry, device: name.status.device)
            return try write(entry)
        }
        let job = files.add(name.path, name.status, name.base, name.walk)
        files.submit()
        let template = ManifestEntry(
            path: name.path, payload: .file(size: 0, .empty), status: name.status)
        try waitFor(EntryQueue.Reading(job: job, template: template, base: name.base))
    }
}

// MARK: - Committing

extension CaptureRun {
    func commit() throws(CaptureError) -> CaptureResult {
        let root = try inRepository { () throws(RepositoryError) in try manifest.finish() }
        if let failure = comparison.failure { ledger.note(.damagedParent(failure)) }
        try checkInterruption()
        let write = try inRepository { () throws(RepositoryError) in try writer.commit() }
        ledger.statistics.newBytes = write.newBytes
        ledger.statistics.storedBytes = write.storedBytes
        ledger.statistics.durationMilliseconds = milliseconds(
            context.host.elapsed(since: context.startInstant))
        let record = makeRecord(root)
        if context.options.skipsUnchanged, let parent, record.holdsSame(as: parent.record) {
            var result = result(parent.record, parent.id, write)
            result.isUnchanged = true
            return result
        }
        let id = try inRepository { () throws(RepositoryError) in try publish(record) }
        return result(record, id, write)
    }

    /// Publishes the record; nil on a dry run.
    private func publish(_ record: SnapshotRecord) throws(RepositoryError) -> SnapshotID? {
        guard !context.options.isDryRun else { return nil }
        let bytes = record.encoded()
        // Invariant 3: what is published was decoded again.
        let id = SnapshotID(SHA256Digest(of: bytes.span))
        guard try SnapshotRecord(decoding: bytes, id) == record else {
            throw RepositoryError(.damaged("does not decode to what was encoded"), "snapshot")
        }
        return try context.repository.publishSnapshot(bytes)
    }

    private func result(
        _ record: SnapshotRecord, _ id: SnapshotID?, _ write: WriteStatistics
    ) -> CaptureResult {
        CaptureResult(
            record: record, id: id, problems: ledger.problems, write: write, notes: ledger.notes,
            tables: tables.inOrder, filesLeftOut: tables.filesLeftOut)
    }

    private func makeRecord(_ root: TreeRoot) -> SnapshotRecord {
        let (options, problems) = (context.options, ledger.problems)
        let listed = SnapshotRecord.listed(problems)
        return SnapshotRecord(
            root: root, time: options.time ?? context.start, captureStart: context.start,
            host: options.host, sources: context.sources, tags: options.tags,
            parent: parent?.id, sequence: parent.map { $0.record.sequence &+ 1 } ?? 0,
            statistics: ledger.statistics, problems: listed,
            unlistedProblems: UInt64(problems.count - listed.count),
            programVersion: options.programVersion, tables: tables.recorded(problems))
    }

    private func milliseconds(_ duration: Duration) -> UInt64 {
        let (seconds, attoseconds) = duration.components
        return UInt64(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}

extension SnapshotRecord {
    /// Whether it tells of the same paths, tables and problems.
    fileprivate func holdsSame(as other: SnapshotRecord) -> Bool {
        root == other.root && tables == other.tables && tags == other.tags
            && problems == other.problems && unlistedProblems == other.unlistedProblems
    }
}
