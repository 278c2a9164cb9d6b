internal import Bytes

/// In which order what is new is published, so that a reader of a table always finds whole what its
/// log points at: data, deletion vectors, sidecars, checkpoints, commits by version, and what tells
/// of commits: the pointer to the last checkpoint, compacted commits, and the checksums of
/// versions, which make readers fail that find none of these versions.
package enum TargetOrder: UInt8, Comparable, Sendable {
    case data = 0
    case deletionVector = 1
    case sidecar = 2
    case checkpoint = 3
    case commit = 4
    case pointer = 5

    package static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }

    package static let log = Array("_delta_log".utf8)
    private static let logPart = [PathBytes.separator] + log + [PathBytes.separator]

    package init(_ path: [UInt8]) {
        let name = PathBytes.name(path)
        guard let inLog = Self.pathInLog(path) else {
            let isVector = name.starts(with: "deletion_vector".utf8)
            self = isVector ? .deletionVector : .data
            return
        }
        if inLog.starts(with: "_sidecars/".utf8) {
            self = .sidecar
        } else if name.elementsEqual("_last_checkpoint".utf8)
            || name.suffix(15).elementsEqual(".compacted.json".utf8)
            || name.suffix(4).elementsEqual(".crc".utf8)
        {
            self = .pointer
        } else {
            self = Self.isCommit(inLog) ? .commit : .checkpoint
        }
    }

    /// The part of the path inside the log of a table; nil outside of logs.
    private static func pathInLog(_ path: [UInt8]) -> ArraySlice<UInt8>? {
        let whole = [PathBytes.separator] + path
        guard whole.count > logPart.count else { return nil }
        for start in 0..<whole.count - logPart.count
        where whole[start] == PathBytes.separator
            && whole[start..<start + logPart.count].elementsEqual(logPart)
        {
            return whole[(start + logPart.count)...]
        }
        return nil
    }

    /// `NNNNNNNNNNNNNNNNNNNN.json`.
    private static func isCommit(_ name: ArraySlice<UInt8>) -> Bool {
        name.count == 25 && name.prefix(20).allSatisfy { (0x30...0x39).contains($0) }
            && name.suffix(5).elementsEqual(".json".utf8)
    }

    /// The directory of the table that a path in a log belongs to; nil outside of logs.
    package static func table(_ path: [UInt8]) -> [UInt8]? {
        guard let inside = pathInLog(path) else { return nil }
        let log = path.count - inside.count - Self.log.count - 1
        return Array(path.prefix(max(0, log - 1)))
    }

    /// Whether the path is the directory of a log.
    package static func isLog(_ path: [UInt8]) -> Bool { PathBytes.name(path).elementsEqual(log) }
}
