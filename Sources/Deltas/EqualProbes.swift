/// Of `probes` runs of eight bytes spread evenly over `range` of `one`, how many are equal in
/// `other`, which is `drift` bytes ahead; runs outside `other` count as unequal.
///
/// Soundness of the pointers: words are loaded only where eight bytes remain in both spans, which
/// is checked each time; no pointer leaves its closure.
func equalProbes(
    _ one: Span<UInt8>, _ range: Range<Int>, _ other: Span<UInt8>, drift: Int, probes: Int
) -> Int {
    precondition(range.lowerBound >= 0 && range.upperBound <= one.count)
    let step = max(8, range.count / max(1, probes))
    return unsafe one.withUnsafeBytes { one in
        unsafe other.withUnsafeBytes { other in
            var found = 0
            var offset = range.lowerBound
            while offset <= range.upperBound - 8 {
                let (place, isOver) = offset.addingReportingOverflow(drift)
                if !isOver, place >= 0, place <= other.count - 8,
                    unsafe one.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                        == other.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                {
                    found &+= 1
                }
                offset &+= step
            }
            return found
        }
    }
}
