internal import Platform
internal import Snapshots
internal import Trees

/// Which names of a capture are one file.
///
/// An inode number proves nothing: while the capture runs a file may go, and its number be given to
/// another. Two names are one file if device, inode, size, times and content agree. What was read
/// by one name stands for another only if the status of both is the same to the last change time,
/// and that time is so old that no later change can hide behind it; else both are read.
struct LinkTable {
    private struct Key: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    private struct ReadName {
        var entry: ManifestEntry
        var status: FileStatus
    }

    /// Change times from here on may hide a change.
    private let trustedBefore: Timestamp
    private var numbers: [UInt64: UInt32] = [:]
    /// The job that reads a file by its first name, and the status that the walk saw.
    private var jobs: [Key: (job: Int, status: FileStatus)] = [:]
    private var read: [Int: ReadName] = [:]
    /// What the first name in the manifest has.
    private var first: [Key: (payload: ManifestEntry.Payload, mtime: Timestamp)] = [:]

    init(captureStart: Timestamp) { trustedBefore = captureStart.earlier(by: .any) }

    /// A number for the file system of a file with several names; small and the same on every run.
    mutating func number(_ status: FileStatus) -> UInt32? {
        guard status.links > 1, status.type != .directory else { return nil }
        let next = UInt32(clamping: numbers.count)
        let number = numbers[status.device] ?? next
        numbers[status.device] = number
        return number
    }

    /// The job that reads, by another name, what seems to be the same file.
    func job(reading status: FileStatus) -> Int? {
        guard status.links > 1, let known = jobs[Self.key(status)],
            isSettled(known.status, status)
        else { return nil }
        return known.job
    }

    mutating func began(_ job: Int, _ status: FileStatus) {
        if status.links > 1 { jobs[Self.key(status)] = (job, status) }
    }

    mutating func finished(_ job: Int, _ entry: ManifestEntry, _ status: FileStatus) {
        guard entry.linkDevice != nil else { return }
        read[job] = ReadName(entry: entry, status: status)
    }

    /// What a job read, as the entry of a further name; nil where that cannot be told.
    func entry(_ path: [UInt8], _ status: FileStatus, readBy job: Int) -> ManifestEntry? {
        guard let known = read[job], !known.entry.isIncomplete, isSettled(known.status, status)
        else { return nil }
        var entry = known.entry
        entry.path = path
        return entry
    }

    private func isSettled(_ one: FileStatus, _ other: FileStatus) -> Bool {
        one.device == other.device && FileStamp(one) == FileStamp(other)
            && other.ctime < trustedBefore
    }

    /// Lets an entry be a further name only of what the manifest has the same content of; entries
    /// come in path order.
    mutating func settle(_ entry: inout ManifestEntry, device: UInt64) {
        guard entry.linkDevice != nil else { return }
        let key = Key(device: device, inode: entry.inode)
        if let first = first[key] {
            if first != (entry.payload, entry.mtime) { entry.linkDevice = nil }
        } else {
            first[key] = (entry.payload, entry.mtime)
        }
    }

    private static func key(_ status: FileStatus) -> Key {
        Key(device: status.device, inode: status.inode)
    }
}
