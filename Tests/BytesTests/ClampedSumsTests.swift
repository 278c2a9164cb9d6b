import Bytes
import Testing

/// Totals of numbers from outside end where their range does.
struct ClampedSumsTests {
    @Test(arguments: [
        (Int64.max, Int64(1), Int64.max), (.max - 1, 1, .max), (.min, -1, .min), (.max, .max, .max),
        (.max, .min, -1), (0, .min, .min), (1, 2, 3),
    ])
    func `A sum is clamped, not wrapped`(one: Int64, other: Int64, sum: Int64) {
        #expect(one.addingClamped(other) == sum && other.addingClamped(one) == sum)
    }

    @Test(arguments: [
        (Int64.min, Int64(1), Int64.min), (0, .min, .max), (.max, -1, .max), (5, 7, -2),
        (-1, .min, .max),
    ])
    func `A difference is clamped, not wrapped`(one: Int64, other: Int64, difference: Int64) {
        #expect(one.subtractingClamped(other) == difference)
    }

    @Test func `Numbers without sign end at zero and at their maximum`() {
        #expect(UInt64.max.addingClamped(1) == .max && UInt64(1).subtractingClamped(2) == 0)
    }
}
