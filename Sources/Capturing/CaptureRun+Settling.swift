internal import Snapshots
internal import Bytes
internal import Compression
internal import Hashing
internal import Platform
internal import Repository
internal import SystemPackage

// MARK: - Settling in path order

extension CaptureRun {
    /// Writes entries whose turn has come; waits only when too many are held up.
    func settleDone() throws {
        while waiting.count > Self.waitingLimit {
            submitRun()
            try settleFirst()
        }
        while let first = waiting.first {
            if case .reading(let job, let template, let base) = first {
                guard let outcome = pipeline.takeIfDone(job) else { return }
                waiting.removeFirst()
                try settle(job, outcome, template, base)
            } else {
                try settleFirst()
            }
        }
    }

    func settleFirst() throws {
        try Interruption.check()
        guard let first = waiting.removeFirst() else { return }
        switch first {
        case .ready(let entry): try write(entry)
        case .reading(let job, let template, let base):
            guard let outcome = try pipeline.take(job) else { return try Interruption.check() }
            try settle(job, outcome, template, base)
        case .link(let job, let template):
            guard let (file, content) = linkFiles[job] else {
                problems.append(
                    CaptureProblem(.unreadable, template.path, "its other name was not readable"))
                statistics.unreadableFiles += 1
                return
            }
            try write(finished(template, file, content))
        case .range(let pieces): try writeRange(pieces)
        }
    }

    func settle(
        _ job: Int, _ outcome: FileOutcome, _ template: ManifestEntry, _ base: Content?
    ) throws {
        let isNeeded = neededJobs.remove(job) != nil
        switch outcome {
        case .vanished where isNeeded: lack(template.path, "it vanished before it was read")
        case .unreadable(let error) where isNeeded: lack(template.path, "\(error)")
        case .vanished: problems.append(CaptureProblem(.vanished, template.path, "vanished"))
        case .unreadable(let error): note(template.path, error)
        case .stored(let file):
            statistics.bytesRead &+= file.size
            if file.isChanging {
                problems.append(
                    CaptureProblem(.changedWhileRead, template.path, "changed while it was read"))
            }
            let content = try storeContent(file.pieces)
            count(template.path, content, base)
            if template.linkDevice != nil { linkFiles[job] = (file, content) }
            try write(finished(template, file, content))
        }
        progress.update { $0.filesDone += 1 }
    }

    private func count(_ path: [UInt8], _ content: Content, _ base: Content?) {
        switch base {
        case nil:
            statistics.newFiles += 1
            progress.tell(.new, path)
        case content?:
            statistics.unchangedFiles += 1
            progress.tell(.unchanged, path)
        case .some:
            statistics.changedFiles += 1
            progress.tell(.changed, path)
        }
    }

    func storeContent(_ pieces: [ContentPiece]) throws(RepositoryError) -> Content {
        let (writer, encoder) = (self.writer, self.encoder)
        return try ContentWriter.content(pieces) { id, bytes throws(RepositoryError) in
            try writer.put(.node(id), bytes.span, encoder)
        }
    }

    func finished(
        _ template: ManifestEntry, _ file: StoredFile, _ content: Content
    )
        -> ManifestEntry
    {
        var entry = ManifestEntry(
            path: template.path, payload: .file(size: file.size, content), status: file.status)
        entry.linkDevice = template.linkDevice
        entry.attributes = file.attributes
        entry.isIncomplete = file.isChanging
        dropOverlong(&entry)
        return entry
    }

    /// Writes a part of the parent's manifest: where nodes begin as they did there, whole nodes.
    private func writeRange(_ pieces: [ParentComparison.Piece]) throws(RepositoryError) {
        for piece in pieces {
            switch piece {
            case .entry(let entry, let position): try keepInLeaf(entry, position)
            case .subtree(let root, let lastKey): try write(subtree: root, lastKey: lastKey)
            }
        }
    }

    private func write(subtree root: TreeRoot, lastKey: [UInt8]) throws(RepositoryError) {
        try writeKept()
        if tree.isAtStart(upTo: root.level) {
            return try tree.append(subtree: root, lastKey: lastKey)
        }
        switch try nodes.node(root, .manifest) {
        case .inner(let items):
            for item in items { try write(subtree: item.root, lastKey: item.key) }
        case .entries(let entries): for entry in entries { try write(entry) }
        case .pieces: throw RepositoryError(.damaged("a content node in a manifest"), "manifest")
        }
    }

    func write(_ entry: ManifestEntry) throws(RepositoryError) {
        try writeKept()
        try tree.append(
            key: entry.path, hash: TreeBoundary.hash(key: entry.path), byteCount: entry.size
        ) { writer, previous in
            ManifestCoding.encode(entry, after: previous, into: &writer)
        }
    }
}

// MARK: - Committing

extension CaptureRun {
    func commit() throws -> CaptureResult {
        try writeKept()
        let root = try tree.finish()
        if let failure = comparison.failure {
            notes.append("the parent snapshot is damaged, the rest was read anew: \(failure)")
        }
        try Interruption.check()
        let write = try writer.commit()
        statistics.newBytes = write.newBytes
        statistics.storedBytes = write.storedBytes
        statistics.durationMilliseconds = milliseconds(ContinuousClock.now - clock)
        let record = makeRecord(root)
        if options.skipsUnchanged, let parent, record.holdsSame(as: parent.record) {
            var result = result(parent.record, parent.id, write)
            result.isUnchanged = true
            return result
        }
        let bytes = record.encoded()
        var id: SnapshotID?
        if !options.isDryRun {
            id = SnapshotID(SHA256Digest(of: bytes.span))
            // Invariant 3: what is published was decoded again.
            if let id, try SnapshotRecord(decoding: bytes, id) != record {
                throw RepositoryError(.damaged("does not decode to what was encoded"), "snapshot")
            }
            id = try repository.publishSnapshot(bytes)
        }
        return result(record, id, write)
    }

    private func result(
        _ record: SnapshotRecord, _ id: SnapshotID?, _ write: WriteStatistics
    ) -> CaptureResult {
        CaptureResult(
            record: record, id: id, problems: problems, write: write, notes: notes,
            tables: captured.sorted { PathBytes.isBefore($0.path, $1.path) },
            filesLeftOut: filesLeftOut)
    }

    func makeRecord(_ root: TreeRoot) -> SnapshotRecord {
        let listed = SnapshotRecord.listed(problems)
        return SnapshotRecord(
            root: root, time: options.time ?? start, captureStart: start, host: options.host,
            sources: sources, tags: options.tags, parent: parent?.id,
            sequence: parent.map { $0.record.sequence + 1 } ?? 0, statistics: statistics,
            problems: listed, unlistedProblems: UInt64(problems.count - listed.count),
            programVersion: options.programVersion, tables: recordedTables())
    }

    func milliseconds(_ duration: Duration) -> UInt64 {
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
