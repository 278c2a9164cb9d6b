internal import Glibc
internal import SystemPackage

extension HostSystem {
    /// The arguments of this process as raw bytes, its name first: `CommandLine.arguments` replaces
    /// what is not UTF-8.
    package static let arguments: [[UInt8]] = {
        var arguments: [[UInt8]] = []
        for index in 0..<Int(CommandLine.argc) {
            guard let argument = unsafe CommandLine.unsafeArgv[index] else { break }
            arguments.append(unsafe bytes(argument))
        }
        return arguments
    }()

    /// A variable of the environment as raw bytes; nil when it is not set.
    package static func variable(_ name: String) -> [UInt8]? {
        guard let value = unsafe getenv(name) else { return nil }
        return unsafe bytes(value)
    }

    private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
        unsafe Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
    }

    /// Ends the process at once; nothing that is still buffered is written.
    package static func exit(_ status: Int32) -> Never { _exit(status) }
}

extension Descriptor {
    /// Reads from the current position to the end, of a pipe too (read(2)).
    ///
    /// Fails with `fileTooLarge` when there are more than `limit` bytes.
    package func readToEnd(limit: Int, _ path: [UInt8]) throws(PlatformError) -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try retrying("read", path) {
                unsafe block.withUnsafeMutableBytes { buffer in
                    unsafe Glibc.read(raw, buffer.baseAddress, buffer.count)
                }
            }
            if count == 0 { return bytes }
            bytes += block[..<count]
            guard bytes.count <= limit else { throw PlatformError("read", path, .fileTooLarge) }
        }
    }

    /// Reads what comes next, from a pipe too, up to `limit` bytes; nothing at the end (read(2)).
    package func readSome(_ limit: Int, _ path: [UInt8]) throws(PlatformError) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: limit)
        let count = try retrying("read", path) {
            unsafe block.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(raw, buffer.baseAddress, buffer.count)
            }
        }
        block.removeLast(limit - count)
        return block
    }
}
