internal import Bytes
internal import Trees

/// How far a migration is, put together from the records of its journal.
struct JournalState: Equatable, Sendable {
    var identity: MigrationIdentity?
    var backup: String?
    var strategy: CopyStrategy?
    /// What is in the target, by path, with the stamp of the source when it was read.
    var copied: [[UInt8]: FileStamp] = [:]
    var made: [[UInt8]: MadeTable] = [:]
    /// What a verification that has not ended found the same on both sides.
    var proven: [[UInt8]: ProvenPath] = [:]
    var provenTables: [[UInt8]: TableProof] = [:]
    /// The receipt, while nothing was copied after it.
    var receipt: SHA256Digest?
    var isCleaning = false
    var isCleaned = false

    init() {}

    /// Throws when the order of the records is impossible.
    init(_ records: [JournalRecord]) throws(JournalDamage) {
        for (index, record) in records.enumerated() {
            if case .begin = record, index > 0 { throw JournalDamage("it begins twice") }
            guard index > 0 || record.isBegin else { throw JournalDamage("it has no beginning") }
            try apply(record)
        }
    }

    mutating func apply(_ record: JournalRecord) throws(JournalDamage) {
        guard !isCleaned else { throw JournalDamage("it goes on after its end") }
        switch record {
        case .begin(let identity): self.identity = identity
        case .backup(let id): backup = id
        case .strategy(let strategy): self.strategy = strategy
        case .copied(let paths):
            try changeTarget()
            for path in paths {
                copied[path.path] = path.stamp
                forgetProof(path.path)
            }
        case .made(let table):
            try changeTarget()
            made[table.path] = table
            forgetProof(table.path)
        case .gone(let paths):
            try changeTarget()
            for path in paths {
                copied[path] = nil
                made[path] = nil
                forgetProof(path)
            }
        case .compared(let paths, let tables): try prove(paths, tables)
        case .verified(let digest):
            guard !isCleaning else { throw JournalDamage("it verifies while it cleans") }
            receipt = digest
            // The next verification begins anew.
            proven = [:]
            provenTables = [:]
        case .cleaning(let digest):
            guard receipt == digest else { throw JournalDamage("it cleans without its receipt") }
            isCleaning = true
        case .cleaned:
            guard isCleaning else { throw JournalDamage("it is cleaned without a beginning") }
            isCleaned = true
        }
    }

    /// What was proven is no longer, once something is written.
    private mutating func changeTarget() throws(JournalDamage) {
        guard !isCleaning else { throw JournalDamage("it copies while it cleans") }
        receipt = nil
    }

    private mutating func prove(
        _ paths: [ProvenPath], _ tables: [TableProof]
    ) throws(JournalDamage) {
        guard !isCleaning else { throw JournalDamage("it compares while it cleans") }
        for path in paths {
            guard copied[path.path] == path.stamp else {
                throw JournalDamage("it compares what it did not copy")
            }
            proven[path.path] = path
        }
        for table in tables { provenTables[table.path] = table }
    }

    /// What was proven of a path and of the tables around it is no longer.
    private mutating func forgetProof(_ path: [UInt8]) {
        proven[path] = nil
        guard !provenTables.isEmpty else { return }
        var place = path
        while !place.isEmpty {
            provenTables[place] = nil
            place = PathBytes.parent(place)
        }
        provenTables[[]] = nil
    }
}

extension JournalRecord {
    fileprivate var isBegin: Bool { if case .begin = self { true } else { false } }
}
