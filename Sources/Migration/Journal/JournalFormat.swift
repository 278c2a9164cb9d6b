internal import Bytes
internal import Hashing
internal import JSON
internal import Platform
internal import TableStore
internal import Trees

// The journal of a migration, version 1: lines of text that are only ever appended.
//
//     VARVE-MIGRATION 1
//     <checksum> <JSON>
//     <checksum> <JSON>
//
// A checksum is 32 digits, XXH3-128 of the checksum of the line before (of the first line's text,
// for the first record) followed by the JSON: a line that was changed, moved, left out or put in
// breaks it. A last line that is not whole is what a crash left; it is dropped and its work is done
// again. Anything else that does not fit is damage, and nothing goes on.
//
// Records are objects with the member "type":
//
//     begin      who, from where, to where, with what scope; always first, and once
//     backup     the snapshot that holds the source
//     strategy   how is copied
//     copied     paths that are in the target whole and durable, each with the source's stamp
//     made       tables that were made of row files, with the stamps of those files
//     gone       paths that were removed from the target because the source lost them
//     compared   paths and tables that are the same on both sides, as the receipt has them
//     verified   all is proven; the SHA-256 of the receipt
//     cleaning   the clean-up of the source began, with the receipt of this SHA-256
//     cleaned    it ended
//
// The journal promises nothing about the target that is not looked at again: what is "copied" is
// compared by size and time when a migration goes on, and by content before it is verified. What
// was "compared" counts, until all is verified, while both sides have the stamps of then.

/// Who migrates what.
struct MigrationIdentity: Equatable, Sendable {
    /// 32 random digits.
    var id: String
    /// Absolute, without symlinks.
    var source: [UInt8]
    var target: [UInt8]
    var sourceDevice: UInt64
    var sourceInode: UInt64
    var targetDevice: UInt64
    var targetInode: UInt64
    var scope: [String]
    var makesTables: Bool
    var begun: Timestamp
}

/// A table that was made of row files.
struct MadeTable: Equatable, Sendable {
    /// The directory, below source and target.
    var path: [UInt8]
    var format: RowFormat
    /// Names of the row files in the directory of the source, with their stamps.
    var files: [CopiedPath]
}

/// A path of the source, with its stamp when it was read.
struct CopiedPath: Equatable, Sendable {
    var path: [UInt8]
    var stamp: FileStamp
}

/// One line of the journal.
enum JournalRecord: Equatable, Sendable {
    case begin(MigrationIdentity)
    case backup(snapshot: String)
    case strategy(CopyStrategy)
    case copied([CopiedPath])
    case made(MadeTable)
    case gone([[UInt8]])
    case compared([ProvenPath], [TableProof])
    case verified(receipt: SHA256Digest)
    case cleaning(receipt: SHA256Digest)
    case cleaned
}

/// The frame of lines.
enum JournalFormat {
    static let header = Array("VARVE-MIGRATION 1".utf8)
    static let headerStart = Array("VARVE-MIGRATION ".utf8)
    /// A journal is read into memory, so it has a limit: about ten million paths.
    static let sizeLimit = 2 << 30
    /// Beyond this size no more is told of what was compared: it is only there to save time.
    static let proofLimit = 1 << 30
    static let newline = UInt8(ascii: "\n")
    /// Digits of a checksum.
    static let checksumSize = 32

    static func checksum(_ previous: [UInt8], _ json: ArraySlice<UInt8>) -> [UInt8] {
        var writer = ByteWriter(capacity: previous.count + json.count)
        writer.raw(previous)
        writer.raw(json)
        var digits = ByteWriter()
        digits.xxh3(XXH3Digest(of: writer.bytes.span))
        return Array(Hex.encode(digits.bytes).utf8)
    }

    /// A line with its newline, and the checksum that the next one begins with.
    static func line(
        _ record: JournalRecord, after previous: [UInt8]
    ) -> (bytes: [UInt8], checksum: [UInt8]) {
        let json = record.json.bytes
        let checksum = checksum(previous, json[...])
        return (checksum + [UInt8(ascii: " ")] + json + [newline], checksum)
    }
}
