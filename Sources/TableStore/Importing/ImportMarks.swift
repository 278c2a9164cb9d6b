internal import Bytes
internal import Hashing
internal import Platform
internal import TableLog

/// Marks by which a table knows the files that were imported into it, whatever they are called: for
/// each a transaction (PROTOCOL.md, "Transaction Identifiers") of an application that is named by
/// the SHA-256 of the content.
///
/// They are in the commit of the rows. So of two imports of a file at the same time one fails, and
/// passes the file over when it is tried again.
struct ImportMarks {
    private var known: Set<ExactText>
    private var new: [[UInt8]: ExactText] = [:]

    init(_ table: StoredTable?) {
        known = Set(table.map { Array($0.snapshot.transactions.keys) } ?? [])
    }

    /// Whether a file is not in the table yet; it is marked then.
    mutating func take(_ path: [UInt8]) throws(TableStoreError) -> Bool {
        let application: ExactText = "varve.import:sha256:\(try Self.digest(path))"
        guard known.insert(application).inserted else { return false }
        new[path] = application
        return true
    }

    /// Forgets a file of which no row came into the table.
    mutating func drop(_ path: [UInt8]) { new[path] = nil }

    var actions: [LogAction] {
        let now = Timestamp.now().milliseconds
        return new.values.sorted().map {
            .transaction(TransactionAction(application: $0, version: 1, lastUpdated: now))
        }
    }

    private static func digest(_ path: [UInt8]) throws(TableStoreError) -> String {
        let file = try InputFile(path)
        guard file.isSeekable else {
            throw .request(
                "\(PathBytes.printable(path)) can be read only once: what is in it is not known "
                    + "before its rows are")
        }
        var (hasher, block) = (SHA256Hasher(), [UInt8]())
        while try file.read(into: &block) {
            try checkInterruption()
            hasher.update(block.span)
            block.removeAll(keepingCapacity: true)
        }
        return hasher.finish().hex
    }
}
