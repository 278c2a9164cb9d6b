internal import Bytes
internal import Hashing
internal import Platform
internal import SystemPackage

/// The directory of a migration: journal, receipt, and the mark of a clean-up that began.
///
/// Invariants:
/// 1. One process at a time has it: it holds the lock of the journal from opening to the end.
/// 2. A record is durable before anything relies on it, and the state changes only with it.
/// 3. The receipt is published whole, before the record that names its digest.
/// 4. The mark of a clean-up is durable before the first path of the source goes, and stays: a
///    journal that lost its end can not make a cleaned source look like one that lost its files.
final class MigrationJournal {
    let path: [UInt8]
    private let directory: Descriptor
    private let file: Descriptor
    private var size: UInt64
    private var checksum: [UInt8]
    private(set) var state: JournalState
    /// What a crash left at the end was dropped.
    let hasLostTail: Bool

    static let journalName = Array("journal".utf8)
    static let receiptName = Array("receipt.jsonl".utf8)
    private static let markName = Array("cleaning".utf8)

    /// Where a migration to `target` keeps its journal if nothing else is said.
    static func usualPlace(_ target: [UInt8]) -> [UInt8] {
        target + Array(".varve-migration".utf8)
    }

    /// Whether there is a journal in a directory.
    static func exists(_ path: [UInt8]) throws(MigrationError) -> Bool {
        do throws(PlatformError) {
            _ = try FileStatus.of(PathBytes.join(path, journalName))
            return true
        } catch {
            guard error.isNotFound else { throw .journal(error) }
            return false
        }
    }

    /// Opens the journal in a directory, which is made where it is missing, for this process alone.
    init(_ path: [UInt8]) throws(MigrationError) {
        self.path = path
        let directory = try journaling { () throws(PlatformError) in try Self.open(path) }
        let file = try journaling { () throws(PlatformError) in
            try Descriptor.openBeneath(
                Self.journalName, [.readWrite, .create], at: directory.raw, mode: 0o600)
        }
        guard try journaling({ () throws(PlatformError) in try file.lock(Self.journalName) })
        else { throw .held(journal: path) }
        let contents = try Self.read(file, path)
        do throws(JournalDamage) {
            state = try JournalState(contents.records)
        } catch {
            throw .damaged(file: PathBytes.join(path, Self.journalName), detail: error.detail)
        }
        checksum = contents.checksum
        size = UInt64(contents.wholeSize)
        let fileSize = try journaling { () throws(PlatformError) in
            try file.status(Self.journalName).size
        }
        hasLostTail = contents.hasLostTail && fileSize > 0
        self.directory = directory
        self.file = file
        try begin(cutting: fileSize > size)
    }

    private static func open(_ path: [UInt8]) throws(PlatformError) -> Descriptor {
        do throws(PlatformError) {
            try FileOperations.makeDirectory(path, mode: 0o700)
        } catch {
            guard error.errno == .fileExists else { throw error }
        }
        return try Descriptor.open(path, [.readOnly, .directory])
    }

    private static func read(
        _ file: borrowing Descriptor, _ path: [UInt8]
    ) throws(MigrationError) -> JournalContents {
        let bytes = try journaling { () throws(PlatformError) in
            try file.readToEnd(limit: JournalFormat.sizeLimit, journalName)
        }
        do throws(JournalDamage) {
            return try JournalReader.read(bytes)
        } catch {
            throw .damaged(file: PathBytes.join(path, journalName), detail: error.detail)
        }
    }

    /// Cuts off what a crash left, and writes the first line of a new journal.
    private func begin(cutting: Bool) throws(MigrationError) {
        try journaling { () throws(PlatformError) in
            if cutting {
                try file.truncate(to: size, Self.journalName)
                try file.sync(Self.journalName)
            }
            guard size == 0 else { return }
            let line = JournalFormat.header + [JournalFormat.newline]
            try file.write(line.span, at: 0, Self.journalName)
            try file.sync(Self.journalName)
            try directory.sync(path)
            size = UInt64(line.count)
        }
    }
}

// MARK: - Records
extension MigrationJournal {
    /// Appends a record and waits until it is on the disk.
    func append(_ record: JournalRecord) throws(MigrationError) {
        let line = JournalFormat.line(record, after: checksum)
        guard size + UInt64(line.bytes.count) <= UInt64(JournalFormat.sizeLimit) else {
            throw .refused(.journalTooLarge)
        }
        try journaling { () throws(PlatformError) in
            try file.write(line.bytes.span, at: size, Self.journalName)
            try file.sync(Self.journalName)
        }
        do throws(JournalDamage) {
            try state.apply(record)
        } catch {
            preconditionFailure("a record that contradicts the journal: \(error.detail)")
        }
        size += UInt64(line.bytes.count)
        checksum = line.checksum
    }
}

extension MigrationJournal {
    /// Appends what was compared, as long as that leaves room for what must be told.
    func append(proofs paths: [ProvenPath], _ tables: [TableProof]) throws(MigrationError) {
        guard size < JournalFormat.proofLimit, !paths.isEmpty || !tables.isEmpty else { return }
        try append(.compared(paths, tables))
    }
}

// MARK: - Receipt and mark
extension MigrationJournal {
    /// Whether a clean-up of the source ever began.
    func hasCleaningMark() throws(MigrationError) -> Bool {
        do throws(PlatformError) {
            _ = try FileStatus.of(Self.markName, at: directory.raw)
            return true
        } catch {
            guard error.isNotFound else { throw .journal(error) }
            return false
        }
    }

    /// The same of a journal that cannot be read.
    static func isMarked(_ path: [UInt8]) -> Bool {
        (try? FileStatus.of(PathBytes.join(path, markName))) != nil
    }

    func setCleaningMark() throws(MigrationError) {
        try journaling { () throws(PlatformError) in
            let mark = try Descriptor.openBeneath(
                Self.markName, [.writeOnly, .create], at: directory.raw, mode: 0o600)
            try mark.sync(Self.markName)
            try directory.sync(path)
        }
    }

    var receiptPath: [UInt8] { PathBytes.join(path, Self.receiptName) }

    /// Publishes the receipt (a temporary name, fsync, rename, fsync of the directory), and then
    /// names its SHA-256 in the journal.
    @discardableResult
    func publish(_ receipt: Receipt) throws(MigrationError) -> SHA256Digest {
        let digest = try journaling { () throws(PlatformError) in
            let temporary = Array("receipt.tmp".utf8)
            do throws(PlatformError) {
                let file = try Descriptor.openBeneath(
                    temporary, [.writeOnly, .create, .truncate], at: directory.raw, mode: 0o600)
                let digest = try Self.write(receipt, to: file)
                try file.sync(temporary)
                try FileOperations.rename(temporary, to: Self.receiptName, at: directory.raw)
                try directory.sync(path)
                return digest
            } catch {
                try? FileOperations.remove(temporary, at: directory.raw)
                throw error
            }
        }
        try append(.verified(receipt: digest))
        return digest
    }

    private static func write(
        _ receipt: Receipt, to file: borrowing Descriptor
    ) throws(PlatformError) -> SHA256Digest {
        var offset: UInt64 = 0
        return try receipt.write { bytes throws(PlatformError) in
            try file.write(bytes.span, at: offset, receiptName)
            offset += UInt64(bytes.count)
        }
    }

    /// The receipt that the journal names, by its digest.
    func receipt() throws(MigrationError) -> Receipt {
        let bytes = try journaling { () throws(PlatformError) in
            let file = try Descriptor.openBeneath(
                Self.receiptName, [.readOnly, .nonBlocking], at: directory.raw)
            return try file.readToEnd(limit: JournalFormat.sizeLimit, Self.receiptName)
        }
        guard SHA256Digest(of: bytes.span) == state.receipt else {
            throw .damaged(
                file: receiptPath, detail: "it is not the receipt that the journal names")
        }
        do throws(JournalDamage) {
            return try Receipt(parsing: bytes)
        } catch {
            throw .damaged(file: receiptPath, detail: error.detail)
        }
    }

    /// Takes back a receipt that is about to be no longer true.
    func removeReceipt() throws(MigrationError) {
        do throws(PlatformError) {
            try FileOperations.remove(Self.receiptName, at: directory.raw)
            try directory.sync(path)
        } catch {
            guard error.isNotFound else { throw .journal(error) }
        }
    }
}
