internal import Bytes
package import Compression

// A chunk is encoded against its bases from front to end, in units:
//
//  1. A unit is compared with the bytes at the place that is due. Where few of them differ, it
//     joins a run of edits in place.
//  2. Else it is probed there. When hardly anything is equal, the anchors of the bases tell where
//     its content moved to.
//  3. A unit that is alike, but not in place, is compressed with the bytes round that place as
//     prefix. So is one that shares only short runs with them, as a column of numbers does whose
//     values all changed a little: its first bytes are tried. Units that are not alike are gathered
//     and compressed alone.
//
// Measured on 100 MB of orders with 10,000 scattered edits of 20 bytes: all patches take 0.142 MB;
// without step 1, in units of 64 KiB, 0.217 MB. A column of prices in Parquet, each of which became
// 1.00 dearer, compressed by Snappy, in MB; alone, in 1, and by `ZstdPrefixEncoder`:
//
//     pyarrow   6.404   5.567   1.495
//     DuckDB    0.690   0.578   0.353
//     delta-rs  2.372   2.042   1.151

/// Encodes chunks as patches against bases.
///
/// Holds contexts: one per thread.
package final class PatchEncoder {
    /// Bytes compressed against one window.
    package static let unitSize = 64 << 10
    /// How far round the place that is due the window reaches.
    private static let slack = 4 << 10
    /// A unit joins a run of edits when no more than this share of its bytes differ.
    private static let editsShare = 8
    private static let probeCount = 64
    /// A unit is alike when so many of its probes are equal.
    private static let leastEqualProbes = 3
    /// Bytes of a unit that does not look alike by which it is tried.
    private static let trialSize = 16 << 10

    private let near = ZstdPrefixEncoder()
    private let alone: ZstdEncoder
    private var frame: [UInt8] = []
    private var trial: [UInt8] = []

    /// `level` is for what is new in a patch.
    package init(_ level: CompressionLevel) { alone = ZstdEncoder(level) }

    /// Encodes `plain` against `bases`, the bytes that `header` lists, where its start is expected
    /// at `place` of them.
    ///
    /// Returns nil when the patch would not be smaller than `limit` bytes, or when nothing of
    /// `plain` is found in the bases.
    package func encode(
        _ plain: Span<UInt8>, _ header: PatchHeader, bases: Span<UInt8>, place: Int, limit: Int
    ) -> [UInt8]? {
        var run = PatchRun(header, drift: place)
        while run.offset < plain.count, run.writer.size < limit {
            let unit = run.offset..<min(run.offset + Self.unitSize, plain.count)
            if edit(plain, unit, bases, &run) { continue }
            if !isAlike(plain, unit, bases, run.drift), realign(plain, unit, bases, &run) {
                // Much of it may be the same now.
                if edit(plain, unit, bases, &run) { continue }
            }
            if isAlike(plain, unit, bases, run.drift) || resembles(plain, unit, bases, &run) {
                close(plain, &run)
                let window = Self.window(unit, run.drift, bases.count)
                write(near: plain.extracting(unit), bases.extracting(window), window, &run.writer)
            } else if run.edits != nil {
                close(plain, &run)
            }
            run.offset = unit.upperBound
        }
        close(plain, &run)
        return run.writer.usesBases && run.writer.size < limit ? run.writer.bytes : nil
    }

    /// Lets a unit join the run of edits, if it nearly equals the bytes at the place that is due.
    private func edit(
        _ plain: Span<UInt8>, _ unit: Range<Int>, _ bases: Span<UInt8>, _ run: inout PatchRun
    ) -> Bool {
        let (start, isOver) = unit.lowerBound.addingReportingOverflow(run.drift)
        guard !isOver, start >= 0, start <= bases.count, unit.count <= bases.count - start,
            let found = differences(
                plain, unit, bases, drift: run.drift, limit: unit.count / Self.editsShare)
        else { return false }
        if run.edits == nil { close(plain, &run) }
        var edits = run.edits ?? Edits(place: start)
        run.edits = nil  // So that it is changed in place.
        edits.add(unit, of: plain, found)
        run.edits = edits
        run.offset = unit.upperBound
        return true
    }

    /// Looks for a unit elsewhere in the bases; true if its content lies at another place.
    private func realign(
        _ plain: Span<UInt8>, _ unit: Range<Int>, _ bases: Span<UInt8>, _ run: inout PatchRun
    ) -> Bool {
        let anchors = run.anchors ?? Anchors(bases)
        run.anchors = anchors
        guard let found = anchors.drift(of: plain, unit), found != run.drift else { return false }
        close(plain, &run)
        run.drift = found
        return true
    }

    /// Writes what is gathered before the place that the encoding has come to.
    private func close(_ plain: Span<UInt8>, _ run: inout PatchRun) {
        if let edits = run.edits {
            write(edits, &run.writer)
            run.edits = nil
        }
        write(new: plain.extracting(run.writer.end..<run.offset), &run.writer)
    }

    private func isAlike(
        _ plain: Span<UInt8>, _ unit: Range<Int>, _ bases: Span<UInt8>, _ drift: Int
    ) -> Bool {
        equalProbes(plain, unit, bases, drift: drift, probes: Self.probeCount)
            >= min(Self.leastEqualProbes, max(1, unit.count / 16))
    }

    /// Whether the beginning of a unit that does not look alike shrinks by a quarter more with the
    /// bytes round the place that is due.
    private func resembles(
        _ plain: Span<UInt8>, _ unit: Range<Int>, _ bases: Span<UInt8>, _ run: inout PatchRun
    ) -> Bool {
        guard run.trials.isDue() else { return false }
        let part = unit.prefix(Self.trialSize)
        let window = Self.window(part, run.drift, bases.count)
        let bytes = plain.extracting(part)
        let size = alone.encode(bytes, into: &trial, limit: part.count) ? trial.count : part.count
        let isNear =
            !window.isEmpty
            && near.encode(
                bytes, prefix: bases.extracting(window), into: &trial, limit: size - size / 4)
        run.trials.end(isNear)
        return isNear
    }

    /// The part of the bases that a unit is compressed against; empty when it would lie outside.
    private static func window(_ unit: Range<Int>, _ drift: Int, _ size: Int) -> Range<Int> {
        // The place that is due may be any number.
        let drift = min(max(drift, -unit.upperBound - slack), size + slack)
        let lower = min(max(0, unit.lowerBound + drift - slack), size)
        return lower..<max(lower, min(size, unit.upperBound + drift + slack))
    }

    private func write(
        near unit: Span<UInt8>, _ prefix: Span<UInt8>, _ window: Range<Int>,
        _ patch: inout PatchWriter
    ) {
        if near.encode(unit, prefix: prefix, into: &frame, limit: unit.count) {
            patch.near(unit.count, window, frame)
        } else {
            write(new: unit, &patch)
        }
    }

    private func write(_ edits: Edits, _ patch: inout PatchWriter) {
        guard edits.hasEdits else { return patch.copy(edits.size, from: edits.place) }
        let plain = edits.encoded()
        if alone.encode(plain.span, into: &frame, limit: .max) {
            patch.edits(edits.size, from: edits.place, encodedSize: plain.count, frame)
        }
    }

    private func write(new bytes: Span<UInt8>, _ patch: inout PatchWriter) {
        guard !bytes.isEmpty else { return }
        if alone.encode(bytes, into: &frame, limit: bytes.count) {
            patch.frame(bytes.count, frame)
        } else {
            patch.stored(bytes)
        }
    }
}

/// The state of one encoding.
private struct PatchRun {
    var writer: PatchWriter
    /// Bytes before this place are written, or gathered.
    var offset = 0
    /// How far ahead in the bases the content lies.
    var drift: Int
    /// Units up to `offset` that are nearly equal.
    var edits: Edits?
    /// Made when content has moved.
    var anchors: Anchors?
    var trials = Trials()

    init(_ header: PatchHeader, drift: Int) {
        writer = PatchWriter(header)
        self.drift = drift
    }
}

/// Which units are tried that do not look alike: fewer and fewer while none gains by it.
private struct Trials {
    private var misses = 0
    private var pause = 0

    private static let longestPause = 16

    mutating func isDue() -> Bool {
        guard pause > 0 else { return true }
        pause -= 1
        return false
    }

    mutating func end(_ isHit: Bool) {
        misses = isHit ? 0 : misses + 1
        pause = isHit ? 0 : min(1 << min(misses, 8), Self.longestPause)
    }
}

/// Writes the sections of a patch.
private struct PatchWriter {
    private var writer = ByteWriter()
    /// Plain bytes that the sections give so far.
    private(set) var end = 0
    private(set) var usesBases = false

    init(_ header: PatchHeader) { header.encode(into: &writer) }

    var size: Int { writer.count }
    var bytes: [UInt8] { writer.bytes }

    private mutating func begin(_ kind: PatchSectionKind, _ count: Int) {
        writer.u8(kind.rawValue)
        writer.count(count)
        end += count
    }

    mutating func copy(_ count: Int, from offset: Int) {
        begin(.copy, count)
        writer.count(offset)
        usesBases = true
    }

    mutating func near(_ count: Int, _ window: Range<Int>, _ frame: [UInt8]) {
        begin(.near, count)
        writer.count(window.lowerBound)
        writer.count(window.count)
        writer.string(frame)
        usesBases = true
    }

    mutating func edits(_ count: Int, from offset: Int, encodedSize: Int, _ frame: [UInt8]) {
        begin(.edits, count)
        writer.count(offset)
        writer.count(encodedSize)
        writer.string(frame)
        usesBases = true
    }

    mutating func frame(_ count: Int, _ frame: [UInt8]) {
        begin(.frame, count)
        writer.string(frame)
    }

    mutating func stored(_ bytes: Span<UInt8>) {
        begin(.stored, bytes.count)
        writer.raw([UInt8](copying: bytes))
    }
}
