import Platform
import Testing

struct ThreadsTests {
    @Test(arguments: [0, 1, 2, 999, 1_000])
    func `Each element is taken once`(count: Int) {
        let found = Monitor<[Int]>([])
        Threads.forEach(Array(0..<count), threads: 4) { element in
            found.withState { $0.append(element) }
        }
        #expect(found.withState { $0.sorted() } == Array(0..<count))
    }

    private enum Fault: Error, Equatable { case at(Int) }

    @Test func `The first failure is thrown, and nothing more is begun`() {
        let begun = Monitor(0)
        #expect(throws: Fault.at(3)) {
            try Threads.forEach(Array(0..<1_000), threads: 1) { element throws(Fault) in
                begun.withState { $0 += 1 }
                if element >= 3 { throw Fault.at(element) }
            }
        }
        #expect(begun.withState { $0 } == 4)
    }

    @Test func `Each thread makes one thing of its own`() {
        let made = Monitor(0)
        let used = Monitor<Set<Int>>([])
        Threads.forEach(
            Array(0..<100), threads: 3,
            context: {
                made.withState { made -> Int in
                    made += 1; return made
                }
            },
            { _, own in used.withState { _ = $0.insert(own) } })
        #expect(made.withState { $0 } == 3)
        #expect(used.withState { $0 }.isSubset(of: [1, 2, 3]))
    }
}

struct SharedTests {
    private struct Resource: ~Copyable {
        let closed: Monitor<Int>
        deinit { closed.withState { $0 += 1 } }
    }

    @Test func `A shared value ends with its last owner, once`() {
        let closed = Monitor(0)
        var owners = [Shared(Resource(closed: closed))]
        owners.append(owners[0])
        owners.removeFirst()
        #expect(closed.withState { $0 } == 0)
        owners = []
        #expect(closed.withState { $0 } == 1)
    }
}
