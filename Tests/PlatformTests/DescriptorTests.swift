import Bytes
import Platform
import SystemPackage
import Testing
import TestSupport

private func errno<Value: ~Copyable>(of body: () throws -> Value) -> Errno? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? PlatformError)?.errno
    }
}

struct DescriptorTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func make(_ bytes: [UInt8]) throws -> Descriptor {
        try Descriptor.open(try directory.write(bytes, "file"), .readWrite)
    }

    private var path: [UInt8] { directory.path("file") }

    @Test func `A read gives what is asked for and less only at the end`() throws {
        let file = try make([1, 2, 3, 4, 5])
        for offset in 0...6 {
            for count in 0...7 {
                let found = try file.read(count, at: UInt64(offset), path)
                #expect(found == Array([1, 2, 3, 4, 5].dropFirst(offset).prefix(count)))
            }
        }
        #expect(try file.read(1, at: UInt64(Int64.max) - 10, path).isEmpty)
    }

    @Test func `Writes land where they are told`() throws {
        let file = try make([1, 2, 3])
        let (nothing, some): ([UInt8], [UInt8]) = ([], [8, 9])
        try file.write(some.span, at: 5, path)
        try file.write(nothing.span, at: 100, path)
        #expect(try directory.read("file") == [1, 2, 3, 0, 0, 8, 9])
        try file.truncate(to: 2, path)
        try file.sync(path)
        #expect(try directory.read("file") == [1, 2])
        try file.close(path)
    }

    @Test func `A large write goes through a pipe that takes little at a time`() throws {
        try FileOperations.makeSpecial(
            directory.path("fifo"),
            .fifo,
            device: 0,
            at: Descriptor.workingDirectory
        )
        let path = directory.path("fifo")
        var generator = SplitMix64(seed: 1)
        let bytes = generator.bytes(300_000)
        let failures = Monitor(0)
        let writer = WorkerThreads(count: 1) { _ in
            do {
                try Descriptor.open(path, .writeOnly).write(bytes.span, path)
            } catch { failures.update { $0 += 1 } }
        }
        let reader = try Descriptor.open(path, .readOnly)
        #expect(try reader.readToEnd(limit: 300_000, path) == bytes)
        writer.join()
        #expect(failures.withState { $0 } == 0)
    }

    @Test func `Errors tell the call and the path`() throws {
        let path = directory.path("missing\n")
        let error = #expect(throws: PlatformError.self) {
            _ = try Descriptor.open(path, .readOnly)
        }
        #expect(error?.errno == .noSuchFileOrDirectory && error?.isNotFound == true)
        #expect(
            error.map { "\($0)".hasPrefix("cannot open \(directory.text)/missing\\x0a: ") } == true
        )
        #expect(errno { try Descriptor.open([0x61, 0, 0x62], .readOnly) } == .invalidArgument)
        #expect(errno { try Descriptor.open([], .readOnly) } == .noSuchFileOrDirectory)
    }

    @Test func `A full device is an error of the write`() throws {
        let path = Array("/dev/full".utf8)
        let full = try Descriptor.open(path, .writeOnly)
        let byte: [UInt8] = [1]
        #expect(errno { try full.write(byte.span, at: 0, path) } == .noSpace)
        #expect(errno { try full.write(byte.span, path) } == .noSpace)
    }

    @Test func `A descriptor is closed when it goes out of scope`() throws {
        let file = try make([1])
        let number = try file.duplicate().raw
        #expect(try file.duplicate().raw == number, "the number is free again")
        try file.close(path)
    }

    @Test(
        arguments: [
            [], [0..<4_096], [65_536..<131_072], [0..<4_096, 1_048_576..<1_052_672],
            [524_288..<528_384, 3_145_728..<3_149_824],
        ] as [[Range<UInt64>]]
    )
    func `Holes of a sparse file are told from its data`(data: [Range<UInt64>]) throws {
        let size: UInt64 = 4 << 20
        let file = try make([])
        try file.truncate(to: size, path)
        for range in data {
            let bytes = [UInt8](repeating: 1, count: range.count)
            try file.write(bytes.span, at: range.lowerBound, path)
        }
        let extents = try file.dataExtents(size: size, path)
        try #require(extents != [DataExtent(offset: 0, count: size)], "a file system without holes")
        for (one, next) in zip(extents, extents.dropFirst()) {
            #expect(one.offset + one.count < next.offset)
        }
        for range in data {
            let isTold = extents.contains { extent in
                extent.offset <= range.lowerBound
                    && range.upperBound <= extent.offset + extent.count
            }
            #expect(isTold, "\(range)")
        }
        // A file system may round up to blocks, but not to everything.
        #expect(extents.reduce(0) { $0 + $1.count } <= UInt64(data.count) * 128 << 10)
        #expect(extents.allSatisfy { $0.count > 0 && $0.offset + $0.count <= size })
    }

    @Test func `Extents end where the caller says`() throws {
        let file = try make([UInt8](repeating: 1, count: 10_000))
        #expect(try file.dataExtents(size: 5, path) == [DataExtent(offset: 0, count: 5)])
        #expect(try file.dataExtents(size: 0, path).isEmpty)
        #expect(try file.dataExtents(size: 10_000, path) == [DataExtent(offset: 0, count: 10_000)])
    }

    @Test func `A hole is punched and reads as zeros`() throws {
        let file = try make([UInt8](repeating: 1, count: 1 << 20))
        let isPunched = file.punchHole(65_536..<131_072)
        try #require(isPunched, "a file system without holes")
        #expect(try file.read(3, at: 65_535, path) == [1, 0, 0])
        #expect(try file.status(path).size == 1 << 20)
        #expect(try file.dataExtents(size: 1 << 20, path).count == 2)
    }
}

struct ReadBufferTests {
    @Test func `A buffer is filled piece by piece`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(Array(0..<100), "file")
        let file = try Descriptor.open(path, .readOnly)
        let buffer = ReadBuffer(capacity: 50)
        #expect(try buffer.append(reading: 10, at: 5, of: file, path) == 10)
        #expect(try buffer.append(reading: 20, at: 95, of: file, path) == 5)
        #expect(buffer.count == 15 && buffer.room == 35)
        #expect(try buffer.append(reading: 0, at: 0, of: file, path) == 0)
        let found = buffer.withBytes(0..<15) { span in (0..<15).map { span[$0] } }
        #expect(found == Array(5..<15) + Array(95..<100))
        let other = ReadBuffer(capacity: 5)
        other.append(8..<12, of: buffer)
        #expect(other.withBytes(0..<4) { span in (0..<4).map { span[$0] } } == [13, 14, 95, 96])
        other.removeAll()
        #expect(other.count == 0 && other.room == 5)
    }

    @Test(arguments: [0, 1, 4_095, 4_096, 4_097, 100_000])
    func `A mapped file holds what the file holds`(count: Int) throws {
        let directory = try TemporaryDirectory()
        var generator = SplitMix64(seed: 2)
        let bytes = generator.bytes(count)
        let path = try directory.write(bytes, "file")
        let mapped = try MappedFile(try Descriptor.open(path, .readOnly), path)
        mapped.adviseRandom()
        #expect(mapped.count == count)
        #expect(mapped.bytes(0..<count) == bytes)
        #expect(mapped.withBytes(count / 2..<count) { $0.count } == count - count / 2)
    }
}
