// What the machine and our own loops need at least, for one file: `FloorBenchmark FILE`.
//
// One line per piece of work on one core: its name, and GB/s (10^9 bytes), the best of several
// rounds. The file is read warm; the loops run over what one read brought to memory.

import Chunking
import Glibc

let rounds = 5
let blockSize = 1 << 20
let memoryLimit = 512 << 20

func fail(_ message: String) -> Never {
    var line = "FloorBenchmark: \(message)\n"
    _ = line.withUTF8 { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    exit(2)
}

func seconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Runs `work` several times and prints the best rate of `byteCount` bytes.
func measure(_ name: String, byteCount: Int, _ work: () -> Int) {
    var best = Double.infinity
    var result = 0
    for _ in 0..<rounds {
        let start = seconds()
        result = work()
        best = min(best, seconds() - start)
    }
    let hundredths = Int(Double(byteCount) / best / 1e7)
    let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    print("\(name): \(whole).\(rest < 10 ? "0" : "")\(rest) GB/s (\(result))")
}

/// Reads from `offset` until `buffer` is full or the file ends; returns the bytes read.
func fill(_ buffer: UnsafeMutableRawBufferPointer, from file: Int32, at offset: Int) -> Int {
    var filled = 0
    while filled < buffer.count, let start = buffer.baseAddress {
        let count = unsafe pread(file, start + filled, buffer.count - filled, offset + filled)
        if count < 0 { fail("cannot read: errno \(errno)") }
        if count == 0 { break }
        filled += count
    }
    return filled
}

/// Reads the whole file in blocks into one small buffer; returns the bytes read.
func readInBlocks(_ file: Int32) -> Int {
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: blockSize, alignment: 4096)
    defer { unsafe block.deallocate() }
    var offset = 0
    while true {
        let count = unsafe fill(block, from: file, at: offset)
        offset += count
        if count < block.count { return offset }
    }
}

/// Cuts all of `bytes` with `cut`; returns the number of chunks.
@inline(__always)
func chunkCount(_ bytes: Span<UInt8>, _ cut: (Span<UInt8>) -> Int?) -> Int {
    var offset = 0
    var chunks = 0
    while let length = cut(bytes.extracting(offset..<bytes.count)) {
        offset += length
        chunks += 1
    }
    return chunks
}

guard CommandLine.arguments.count == 2 else { fail("usage: FloorBenchmark FILE") }
let path = CommandLine.arguments[1]
let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
if file < 0 { fail("cannot open \(path): errno \(errno)") }
let size = readInBlocks(file)
if size == 0 { fail("\(path) is empty") }

let content = unsafe [UInt8](unsafeUninitializedCapacity: min(size, memoryLimit)) { buffer, count in
    unsafe count = fill(UnsafeMutableRawBufferPointer(buffer), from: file, at: 0)
}
let chunker = FastCDC(.standard)

print("\(path): \(size) bytes; loops over the first \(content.count)")
measure("pread, 1 MiB blocks", byteCount: size) { readInBlocks(file) }
measure("FastCDC.cut", byteCount: content.count) {
    chunkCount(content.span) { chunker.cut($0, isEnd: true) }
}
measure("FastCDC.cutPlain", byteCount: content.count) {
    chunkCount(content.span) { chunker.cutPlain($0, isEnd: true) }
}
