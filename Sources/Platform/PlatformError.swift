package import SystemPackage

internal import Bytes
internal import Glibc

/// A system call that failed: what was tried, on what, and why.
package struct PlatformError: Error, Equatable {
    /// The call, for example "open".
    package var operation: String
    /// The path or name it was about, as raw bytes; empty when there is none.
    package var path: [UInt8]
    package var errno: Errno
    /// What more is known than the number tells, printable; empty when nothing is.
    package var detail = ""

    package init(_ operation: String, _ path: [UInt8], _ errno: Errno, detail: String = "") {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.detail = detail
    }

    /// The error that the last call in this thread left in `errno`.
    static func last(_ operation: String, _ path: [UInt8]) -> Self {
        Self(operation, path, Errno(rawValue: Glibc.errno))
    }

    package var isNotFound: Bool { errno == .noSuchFileOrDirectory || errno == .notDirectory }
}

extension PlatformError: CustomStringConvertible {
    package var description: String {
        let object = path.isEmpty ? "" : " \(PathBytes.printable(path))"
        return "cannot \(operation)\(object): \(detail.isEmpty ? "\(errno)" : detail)"
    }
}

/// Runs a call that returns -1 on failure, again while it is interrupted (man 7 signal).
func retrying<Value: FixedWidthInteger>(
    _ operation: String, _ path: [UInt8], _ call: () -> Value
) throws(PlatformError) -> Value {
    while true {
        let value = call()
        if value != -1 { return value }
        if Glibc.errno != EINTR { throw PlatformError.last(operation, path) }
    }
}

/// Calls `body` with `path` as a C string; a path with a NUL inside is refused as EINVAL.
func withCString<Value>(
    _ operation: String, _ path: [UInt8],
    _ body: (UnsafePointer<CChar>) throws(PlatformError) -> Value
) throws(PlatformError) -> Value {
    guard !path.contains(0) else { throw PlatformError(operation, path, .invalidArgument) }
    let result: Result<Value, PlatformError> = unsafe (path + [0]).withUnsafeBufferPointer {
        buffer in
        unsafe buffer.withMemoryRebound(to: CChar.self) { characters in
            guard let base = characters.baseAddress else {
                return .failure(PlatformError(operation, path, .invalidArgument))
            }
            do throws(PlatformError) {
                return .success(try unsafe body(base))
            } catch {
                return .failure(error)
            }
        }
    }
    return try result.get()
}
