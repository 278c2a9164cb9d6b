import Platform
import Testing

struct BoundedQueueTests {
    @Test(arguments: [1, 2, 3, 100])
    func `Elements come out in the order they went in`(capacity: Int) {
        let queue = BoundedQueue<Int>(capacity: capacity)
        let writer = WorkerThreads(count: 1) { _ in
            for number in 0..<1_000 { queue.push(number) }
            queue.close()
        }
        var found: [Int] = []
        while let number = queue.pop() { found.append(number) }
        writer.join()
        #expect(found == Array(0..<1_000))
    }

    @Test func `Several writers and readers pass on each element once`() {
        let queue = BoundedQueue<Int>(capacity: 3)
        let found = Monitor<[Int]>([])
        let readers = WorkerThreads(count: 3) { _ in
            while let number = queue.pop() { found.update { $0.append(number) } }
        }
        let writers = WorkerThreads(count: 4) { writer in
            for number in 0..<250 { queue.push(writer * 250 + number) }
        }
        writers.join()
        queue.close()
        readers.join()
        #expect(found.withState { $0.sorted() } == Array(0..<1_000))
    }

    @Test func `A full queue makes its writer wait`() {
        let queue = BoundedQueue<Int>(capacity: 2)
        let pushed = Monitor(0)
        let writer = WorkerThreads(count: 1) { _ in
            for number in 0..<5 {
                queue.push(number)
                pushed.update { $0 += 1 }
            }
        }
        pushed.wait { $0 >= 2 ? () : nil }
        HostSystem.sleep(.milliseconds(30))
        #expect(pushed.withState { $0 } == 2)
        #expect(queue.pop() == 0)
        pushed.wait { $0 >= 3 ? () : nil }
        for number in 1..<5 { #expect(queue.pop() == number) }
        writer.join()
    }

    @Test func `A queue full of large elements makes its writer wait, but always takes one`() {
        let queue = BoundedQueue<Int>(capacity: 8, sizeLimit: 100)
        let pushed = Monitor(0)
        let writer = WorkerThreads(count: 1) { _ in
            for size in [400, 60, 40, 1, 500] {
                queue.push(size, size: size)
                pushed.update { $0 += 1 }
            }
        }
        for (sizeAtFront, pushedThen) in [(400, 1), (60, 3), (40, 4), (1, 4), (500, 5)] {
            pushed.wait { $0 >= pushedThen ? () : nil }
            HostSystem.sleep(.milliseconds(10))
            #expect(pushed.withState { $0 } == pushedThen)
            #expect(queue.pop() == sizeAtFront)
        }
        writer.join()
    }

    @Test func `Elements are taken together up to a weight, but always one`() {
        let queue = BoundedQueue<Int>(capacity: 8)
        for weight in [5, 3, 2, 1, 90, 4, 7] { queue.push(weight) }
        queue.close()
        let taken = (0..<5).map { _ in queue.pop(weighing: { $0 }, upTo: 10) }
        #expect(taken == [[5, 3, 2], [1], [90], [4], [7]])
        #expect(queue.pop(weighing: { $0 }, upTo: 10).isEmpty)
    }

    @Test func `A closed queue delivers what is in it and takes nothing more`() {
        let queue = BoundedQueue<Int>(capacity: 4)
        #expect(queue.push(1) && queue.push(2))
        queue.close()
        #expect(!queue.push(3))
        #expect(queue.pop() == 1)
        #expect(queue.pop() == 2)
        #expect(queue.pop() == nil)
        #expect(queue.pop() == nil)
    }

    @Test func `Closing wakes a writer that waits for room and a reader that waits for work`() {
        let full = BoundedQueue<Int>(capacity: 1)
        full.push(0)
        let empty = BoundedQueue<Int>(capacity: 1)
        let outcome = Monitor<[String]>([])
        let waiting = WorkerThreads(count: 2) { thread in
            if thread == 0 {
                let isTaken = full.push(1)
                outcome.update { $0.append("pushed: \(isTaken)") }
            } else {
                let element = empty.pop()
                outcome.update { $0.append("popped: \(element == nil)") }
            }
        }
        HostSystem.sleep(.milliseconds(20))
        full.close()
        empty.close()
        waiting.join()
        #expect(outcome.withState { $0.sorted() } == ["popped: true", "pushed: false"])
    }
}

struct MonitorTests {
    @Test func `Updates of several threads are all counted`() {
        let count = Monitor(0)
        let threads = WorkerThreads(count: 4) { _ in
            for _ in 0..<5_000 { count.update { $0 += 1 } }
        }
        threads.join()
        #expect(count.withState { $0 } == 20_000)
    }

    @Test func `A wait ends with what it waited for and others see what it changed`() {
        let turn = Monitor(0)
        let order = Monitor<[Int]>([])
        let threads = WorkerThreads(count: 4) { thread in
            turn.wait { $0 == thread ? () : nil }
            order.update { $0.append(thread) }
            turn.wait { turn -> Void? in
                turn += 1
                return ()
            }
        }
        threads.join()
        #expect(order.withState { $0 } == [0, 1, 2, 3])
    }

    @Test(arguments: [0, 1, 7])
    func `Each thread gets its own number`(count: Int) {
        let seen = Monitor<Set<Int>>([])
        let threads = WorkerThreads(count: count) { thread in
            seen.update { _ = $0.insert(thread) }
        }
        threads.join()
        #expect(seen.withState { $0 } == Set(0..<count))
    }
}

struct BufferPoolTests {
    @Test func `A pool has so many buffers and no more`() {
        let pool = BufferPool(count: 2, capacity: 10)
        let (one, other) = (pool.take(), pool.take())
        #expect(one?.capacity == 10 && other?.capacity == 10 && one !== other)
        let taken = Monitor(false)
        let thread = WorkerThreads(count: 1) { _ in
            let buffer = pool.take()
            taken.update { $0 = buffer != nil }
        }
        HostSystem.sleep(.milliseconds(20))
        #expect(!taken.withState { $0 })
        if let one { pool.giveBack(one) }
        thread.join()
        #expect(taken.withState { $0 })
    }

    @Test func `A closed pool gives what is left and then nothing`() {
        let pool = BufferPool(count: 1, capacity: 10)
        pool.close()
        #expect(pool.take() != nil)
        #expect(pool.take() == nil)
    }
}
