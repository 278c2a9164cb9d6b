internal import Glibc

/// A block of memory that one thread fills from files and others then read.
///
/// Unchecked-Sendable: whoever holds a buffer from a `BufferPool` is its only writer, and hands it
/// over through a queue before others read it.
@safe package final class ReadBuffer: @unchecked Sendable {
    package let capacity: Int
    /// Bytes filled so far.
    package private(set) var count = 0
    private let memory: UnsafeMutablePointer<UInt8>

    /// Allocates `capacity` bytes; pages are used only once they are filled.
    package init(capacity: Int) {
        self.capacity = capacity
        unsafe memory = .allocate(capacity: capacity)
    }

    deinit { unsafe memory.deallocate() }

    package var room: Int { capacity - count }

    package func removeAll() { count = 0 }

    /// Appends up to `wanted` bytes of the file at `offset`, fewer only where it ends.
    ///
    /// There must be room for them. Returns how many.
    package func append(
        reading wanted: Int, at offset: UInt64, of file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError) -> Int {
        precondition(wanted >= 0 && wanted <= room)
        var filled = 0
        while filled < wanted {
            let position = off_t(clamping: offset &+ UInt64(filled))
            let raw = file.raw
            let got = try retrying("read", path) {
                unsafe Glibc.pread(raw, memory + count + filled, wanted - filled, position)
            }
            if got == 0 { break }
            filled += got
        }
        count += filled
        return filled
    }

    /// Appends a copy of `range` of another buffer; there must be room for it.
    package func append(_ range: Range<Int>, of other: ReadBuffer) {
        precondition(range.lowerBound >= 0 && range.upperBound <= other.count)
        precondition(range.count <= room)
        unsafe (memory + count).update(from: other.memory + range.lowerBound, count: range.count)
        count += range.count
    }

    /// Calls `body` with the bytes in `range`, which must be filled.
    package func withBytes<Value, Failure: Error>(
        _ range: Range<Int>, _ body: (Span<UInt8>) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return try body(
            unsafe Span(
                _unsafeStart: UnsafePointer(memory + range.lowerBound), count: range.count))
    }
}

/// A fixed number of buffers: taking one waits until one is free, so memory is bounded.
package final class BufferPool: Sendable {
    private let free: BoundedQueue<ReadBuffer>

    package init(count: Int, capacity: Int) {
        free = BoundedQueue(capacity: count)
        for _ in 0..<count { free.push(ReadBuffer(capacity: capacity)) }
    }

    /// Takes an empty buffer; nil once the pool is closed.
    package func take() -> ReadBuffer? {
        let buffer = free.pop()
        buffer?.removeAll()
        return buffer
    }

    package func giveBack(_ buffer: ReadBuffer) { free.push(buffer) }

    package func close() { free.close() }
}
