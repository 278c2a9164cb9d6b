internal import Bytes
internal import JSON
internal import Platform

/// What the bytes of a journal say.
struct JournalContents: Equatable, Sendable {
    var records: [JournalRecord]
    /// Bytes from the start that are whole; what follows is what a crash left.
    var wholeSize: Int
    /// What the next line's checksum begins with.
    var checksum: [UInt8]
    /// Bytes after the last whole line were dropped.
    var hasLostTail = false
}

/// Reads a journal; whatever the bytes are, it ends in records or in an error, never in a trap.
enum JournalReader {
    /// Throws the reason, as words, when the bytes are damaged.
    static func read(_ bytes: [UInt8]) throws(JournalDamage) -> JournalContents {
        guard bytes.count <= JournalFormat.sizeLimit else { throw JournalDamage("it is too long") }
        let header = JournalFormat.header
        var contents = JournalContents(records: [], wholeSize: 0, checksum: header)
        contents.hasLostTail = true
        guard let headerEnd = bytes.firstIndex(of: JournalFormat.newline) else {
            // The very first line may be what a crash left.
            guard header.starts(with: bytes) else {
                throw JournalDamage("it does not begin as a journal does")
            }
            return contents
        }
        try checkHeader(bytes[..<headerEnd])
        var start = headerEnd + 1
        contents.wholeSize = start
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: JournalFormat.newline)
            let isLast = end == nil || end == bytes.count - 1
            guard let end, let (record, checksum) = record(bytes[start..<end], contents.checksum)
            else {
                guard isLast else {
                    throw JournalDamage("the line at byte \(start) is not as it was written")
                }
                return contents
            }
            contents.records.append(record)
            contents.checksum = checksum
            start = end + 1
            contents.wholeSize = start
        }
        contents.hasLostTail = false
        return contents
    }

    private static func checkHeader(_ line: ArraySlice<UInt8>) throws(JournalDamage) {
        guard !line.elementsEqual(JournalFormat.header) else { return }
        guard line.starts(with: JournalFormat.headerStart) else {
            throw JournalDamage("it does not begin as a journal does")
        }
        let version = line.dropFirst(JournalFormat.headerStart.count)
        throw JournalDamage("it has version \(PathBytes.printable(version)), not 1")
    }

    private static func record(
        _ line: ArraySlice<UInt8>, _ previous: [UInt8]
    ) -> (JournalRecord, [UInt8])? {
        let size = JournalFormat.checksumSize
        guard line.count > size + 1, line[line.startIndex + size] == UInt8(ascii: " ") else {
            return nil
        }
        let json = line.dropFirst(size + 1)
        let checksum = JournalFormat.checksum(previous, json)
        guard line.prefix(size).elementsEqual(checksum) else { return nil }
        guard let value = try? JSONValue(parsing: json), let record = JournalRecord(value) else {
            return nil
        }
        return (record, checksum)
    }
}

/// Why a journal is no use.
struct JournalDamage: Error, Equatable {
    var detail: String

    init(_ detail: String) { self.detail = detail }
}
