internal import Glibc
internal import SystemPackage

/// A file mapped into memory for reading; for immutable files of our own only, because a file that
/// shrinks under a mapping kills the process.
///
/// Unchecked-Sendable: the mapping is never written after it is made.
@safe package final class MappedFile: @unchecked Sendable {
    private let base: UnsafeRawPointer
    package let count: Int

    /// Maps the whole open file; an empty file is an empty mapping.
    package init(_ descriptor: borrowing Descriptor, _ path: [UInt8]) throws(PlatformError) {
        let size = try descriptor.status(path).size
        guard let count = Int(exactly: size) else {
            throw PlatformError("map", path, .fileTooLarge)
        }
        self.count = count
        guard count > 0 else {
            unsafe base = UnsafeRawPointer(
                UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))
            return
        }
        let memory = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor.raw, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
            throw PlatformError.last("map", path)
        }
        unsafe base = UnsafeRawPointer(memory)
    }

    deinit {
        if count > 0 {
            unsafe munmap(UnsafeMutableRawPointer(mutating: base), count)
        } else {
            unsafe base.deallocate()
        }
    }

    /// Copies `range`, which must lie inside.
    package func bytes(_ range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        return unsafe Array(
            UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// Calls `body` with the bytes in `range`, which must lie inside.
    package func withBytes<Value>(_ range: Range<Int>, _ body: (Span<UInt8>) -> Value) -> Value {
        precondition(range.lowerBound >= 0 && range.upperBound <= count)
        let start = unsafe (base + range.lowerBound).assumingMemoryBound(to: UInt8.self)
        return body(unsafe Span(_unsafeStart: start, count: range.count))
    }

    /// Tells the kernel that reads will jump about.
    package func adviseRandom() {
        if count > 0 {
            _ = unsafe madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_RANDOM)
        }
    }
}
