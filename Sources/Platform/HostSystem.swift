internal import CLinux
internal import Glibc

/// What the host says of itself and of this process.
package enum HostSystem {
    package static func hostName() -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else {
            return Array("unknown".utf8)
        }
        return buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }

    /// The id of this start of the machine, as text; empty where the system has none.
    static func bootID() -> [UInt8] {
        let path = Array("/proc/sys/kernel/random/boot_id".utf8)
        do throws(PlatformError) {
            let file = try Descriptor.open(path, [.readOnly])
            return try file.readToEnd(limit: 256, path).filter { $0 > 0x20 }
        } catch {
            return []
        }
    }

    package static var isRoot: Bool { geteuid() == 0 }

    /// Allows this process as many open descriptors as the system lets it have; returns how many.
    package static func raiseDescriptorLimit() -> Int {
        Int(clamping: varve_raise_descriptor_limit())
    }

    package static var processID: Int32 { getpid() }

    /// The working directory, as an absolute path.
    package static func workingDirectory() throws(PlatformError) -> [UInt8] {
        guard let path = unsafe getcwd(nil, 0) else {
            throw PlatformError.last("find directory", [])
        }
        defer { unsafe free(path) }
        return unsafe Array(UnsafeRawBufferPointer(start: path, count: strlen(path)))
    }

    /// `path` with every symlink, "." and ".." resolved (realpath(3)).
    package static func resolve(_ path: [UInt8]) throws(PlatformError) -> [UInt8] {
        try unsafe withCString("resolve", path) { cPath throws(PlatformError) in
            guard let resolved = unsafe realpath(cPath, nil) else {
                throw PlatformError.last("resolve", path)
            }
            defer { unsafe free(resolved) }
            return unsafe Array(UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
        }
    }

    /// The name of a user or group id; nil when it has none.
    package static func userName(_ uid: UInt32) -> String? {
        guard let entry = unsafe getpwuid(uid) else { return nil }
        return unsafe String(cString: entry.pointee.pw_name)
    }

    package static func groupName(_ gid: UInt32) -> String? {
        guard let entry = unsafe getgrgid(gid) else { return nil }
        return unsafe String(cString: entry.pointee.gr_name)
    }

    /// Random bytes from the kernel (getrandom(2)).
    package static func randomBytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe getrandom(buffer.baseAddress.map { unsafe $0 + filled }, count - filled, 0)
            }
            precondition(got > 0 || Glibc.errno == EINTR, "the kernel gives no randomness")
            filled += max(got, 0)
        }
        return bytes
    }

    /// Sets the mask of permission bits that new files never get, and returns the old one.
    @discardableResult
    package static func setFileModeMask(_ mask: UInt32) -> UInt32 { umask(mask) }

    /// Keeps freed blocks of a few MiB for the next use instead of giving them back to the system.
    ///
    /// Blobs come and go in such blocks; without this every one is faulted in and zeroed again,
    /// which cost a tenth of a restore's processor time.
    package static func keepFreedMemory() { varve_keep_freed_memory() }

    /// Sleeps for the given time.
    package static func sleep(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var wanted = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        _ = unsafe nanosleep(&wanted, nil)
    }
}
