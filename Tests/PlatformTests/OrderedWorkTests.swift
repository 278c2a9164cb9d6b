import Platform
import Testing

struct OrderedWorkTests {
    /// Gives out the numbers below `count`.
    private static func numbers(_ count: Int) -> @Sendable () -> Int? {
        let next = Monitor(0)
        return {
            next.withState { number in
                guard number < count else { return nil }
                number += 1
                return number - 1
            }
        }
    }

    @Test(arguments: [0, 1, 2, 7, 500], [1, 2, 5])
    func `Results come in the order of the inputs`(count: Int, threads: Int) {
        let work = OrderedWork(
            threads: threads, window: threads + 3, source: Self.numbers(count)
        ) { (number: Int) in
            // Some take longer than those behind them.
            if number % 7 == 0 { HostSystem.sleep(.milliseconds(1)) }
            return number * 2
        }
        var found: [Int] = []
        while let result = work.next() { found.append(result) }
        #expect(found == (0..<count).map { $0 * 2 })
        #expect(work.next() == nil)
    }

    @Test func `No more is taken than the window allows`() {
        let taken = Monitor(0)
        let source = Self.numbers(100)
        let work = OrderedWork(threads: 2, window: 5, source: source) { (number: Int) in
            taken.update { $0 += 1 }
            return number
        }
        taken.wait { $0 >= 5 ? () : nil }
        HostSystem.sleep(.milliseconds(30))
        #expect(taken.withState { $0 } == 5)
        #expect(work.next() == 0)
        taken.wait { $0 >= 6 ? () : nil }
    }

    @Test func `Work that nobody waits for any more ends`() {
        let source = Self.numbers(.max)
        let work = OrderedWork(threads: 3, window: 4, source: source) { (number: Int) in number }
        #expect(work.next() == 0)
    }
}
