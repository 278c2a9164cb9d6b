/// The gear table: one random 32-bit number per byte value.
///
/// Part of the format.
///
/// The numbers are the upper halves of the first 256 outputs of SplitMix64 (Steele, Lea, Flood:
/// "Fast Splittable Pseudorandom Number Generators", 2014) from the state 0x76617276652f31, the
/// bytes of "varve/1".
enum GearTable {
    static let seed: UInt64 = 0x7661_7276_652f_31

    static let values: [UInt32] = {
        var state = seed
        return (0..<256).map { _ in UInt32(next(&state) >> 32) }
    }()

    private static func next(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
