internal import Bytes
package import Platform
package import Repository

// How snapshots are named:
//
//     name       prefix | "latest" ["~" count] | "@" time
//     prefix     at least four hexadecimal digits of the id
//     time       2026-11-20 | 2026-11-20T03:00 | 2026-11-20T03:00:05, a time of day with "Z" or an
//                offset behind it if wanted
//
// A path in the snapshot follows a colon. A time has colons itself: of all prefixes of what follows
// the "@" that end at a colon or at the end, the longest that is a time is the time.

/// Why a snapshot's name leads to no snapshot.
package enum SnapshotSelectorError: Error {
    /// The text is no snapshot's name.
    case malformed([UInt8])
    case unknown(prefix: String)
    case ambiguous(prefix: String, [SnapshotID])
    /// There is no snapshot at all, or none of the host that was asked for.
    case none(host: [UInt8]?)
    /// `latest~N` goes back further than the history.
    case tooFew(wanted: Int, count: Int)
    /// All snapshots are younger than the time.
    case noneBefore(CivilTime, oldest: SnapshotID, Timestamp)
    case repository(RepositoryError)
}

/// A name that stands for one snapshot of a repository.
package struct SnapshotSelector: Equatable, Sendable {
    package enum Name: Equatable, Sendable {
        /// The first digits of the id, lower case.
        case prefix(String)
        /// The newest but `back`.
        case latest(back: Int)
        /// The newest that is not later; a day or minute counts to its end.
        case notLater(CivilTime)
    }

    package var name: Name

    package static let latest = Self(name: .latest(back: 0))

    private static let prefixLength = 4...2 * SHA256Digest.size

    private init(name: Name) { self.name = name }

    package init(parsing text: [UInt8]) throws(SnapshotSelectorError) {
        let string = String(decoding: text, as: UTF8.self)
        guard let name = Self.parse(string) else { throw .malformed(text) }
        self.name = name
    }

    private static func parse(_ text: String) -> Name? {
        if text.hasPrefix("@") {
            return CivilTime(parsing: text.dropFirst()).map { .notLater($0) }
        }
        if text == "latest" { return .latest(back: 0) }
        if text.hasPrefix("latest~") {
            let digits = text.dropFirst("latest~".count)
            guard digits.allSatisfy({ ("0"..."9").contains($0) }) else { return nil }
            return Int(digits).map { .latest(back: $0) }
        }
        let prefix = text.lowercased()
        let isHex = prefix.utf8.allSatisfy { digit in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(digit)
        }
        return isHex && prefixLength.contains(prefix.utf8.count) ? .prefix(prefix) : nil
    }
}

/// A snapshot's name and, behind a colon, a path in it: `latest:tables/orders`.
package struct SnapshotPath: Equatable, Sendable {
    package var snapshot: SnapshotSelector
    /// Relative to the top of the snapshot; empty for all of it.
    package var path: [UInt8]

    private static let colon = UInt8(ascii: ":")
    /// No written time is longer.
    private static let timeLimit = 32

    package init(parsing text: [UInt8]) throws(SnapshotSelectorError) {
        let end = Self.endOfName(text)
        snapshot = try SnapshotSelector(parsing: Array(text[..<end]))
        path = Self.normalized(text[end...].dropFirst())
    }

    private static func endOfName(_ text: [UInt8]) -> Int {
        let colons = text.indices.filter { text[$0] == colon }
        guard text.first == UInt8(ascii: "@") else { return colons.first ?? text.count }
        let ends = (colons + [text.count]).filter { $0 <= timeLimit }
        let time = ends.last { end in
            CivilTime(parsing: String(decoding: text[1..<end], as: UTF8.self)) != nil
        }
        return time ?? colons.first ?? text.count
    }

    /// Without slashes at either end or doubled, and without "." components.
    private static func normalized(_ path: ArraySlice<UInt8>) -> [UInt8] {
        let names = path.split(separator: PathBytes.separator).filter { !$0.elementsEqual([0x2e]) }
        return Array(names.joined(separator: [PathBytes.separator]))
    }
}

/// A snapshot that was found by its name.
package struct SelectedSnapshot: Sendable {
    package var id: SnapshotID
    package var record: SnapshotRecord
    /// Snapshots that could not be read, and so were not considered.
    package var damaged: [RepositoryError] = []
}

extension SnapshotSelector {
    /// Finds the snapshot.
    ///
    /// With `host`, only snapshots of that host are considered, except by id. An id reads one
    /// record, every other name reads all.
    package func find(
        in repository: Repository,
        host: [UInt8]? = nil
    )
        throws(SnapshotSelectorError) -> SelectedSnapshot
    {
        if case .prefix(let prefix) = name {
            let ids = try Self.reading { () throws(RepositoryError) in
                try repository.snapshotIDs()
            }
            let id = try Self.id(prefix, among: ids)
            let record = try Self.reading { () throws(RepositoryError) in
                try SnapshotRecord(decoding: try repository.snapshotBytes(id), id)
            }
            return SelectedSnapshot(id: id, record: record)
        }
        let series = try Self.reading { () throws(RepositoryError) in
            try SnapshotSeries(repository)
        }
        let item = try choose(from: series.items, host: host)
        return SelectedSnapshot(id: item.id, record: item.record, damaged: series.damaged)
    }

    private static func reading<Value>(
        _ body: () throws(RepositoryError) -> Value
    )
        throws(SnapshotSelectorError) -> Value
    {
        do throws(RepositoryError) {
            return try body()
        } catch {
            throw .repository(error)
        }
    }

    /// The one id that begins with `prefix`.
    package static func id(
        _ prefix: String,
        among ids: [SnapshotID]
    )
        throws(SnapshotSelectorError) -> SnapshotID
    {
        let candidates = ids.filter { $0.hex.hasPrefix(prefix) }
        guard let first = candidates.first else { throw .unknown(prefix: prefix) }
        guard candidates.count == 1 else { throw .ambiguous(prefix: prefix, candidates) }
        return first
    }

    /// Chooses among all snapshots, oldest first.
    ///
    /// `moment` says what a written time means.
    package func choose(
        from items: [Snapshot],
        host: [UInt8]? = nil,
        moment: (CivilTime) -> Timestamp = { $0.moment() }
    ) throws(SnapshotSelectorError) -> Snapshot {
        let items = items.filter { host == nil || $0.record.host == host }
        guard let oldest = items.first else { throw .none(host: host) }
        switch name {
        case .prefix(let prefix):
            let id = try Self.id(prefix, among: items.map(\.id))
            for item in items where item.id == id { return item }
            throw .unknown(prefix: prefix)
        case .latest(let back):
            guard back < items.count else { throw .tooFew(wanted: back, count: items.count) }
            return items[items.count - 1 - back]
        case .notLater(let time):
            let end = moment(time.next)
            guard let item = items.last(where: { $0.record.time < end }) else {
                throw .noneBefore(time, oldest: oldest.id, oldest.record.time)
            }
            return item
        }
    }
}
