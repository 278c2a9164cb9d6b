internal import SystemPackage

internal import CLinux
internal import Glibc

/// A moment in seconds and nanoseconds since 1970, as file systems keep it.
package struct Timestamp: Hashable, Comparable, Sendable {
    package var seconds: Int64
    /// 0 to 999,999,999.
    package var nanoseconds: UInt32

    package init(seconds: Int64, nanoseconds: UInt32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package static func < (one: Self, other: Self) -> Bool {
        (one.seconds, one.nanoseconds) < (other.seconds, other.nanoseconds)
    }

    /// The wall clock.
    package static func now() -> Self {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Self(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }
}

/// What kind of thing a name stands for.
package enum FileType: Sendable {
    case regular, directory, symlink, fifo, socket, characterDevice, blockDevice, unknown
}

/// What statx(2) tells of one file.
package struct FileStatus: Equatable, Sendable {
    package var type: FileType
    /// The twelve permission bits.
    package var mode: UInt32
    package var links: UInt32
    package var uid: UInt32
    package var gid: UInt32
    package var inode: UInt64
    package var size: UInt64
    /// Allocated space in units of 512 bytes.
    package var blocks: UInt64
    package var mtime: Timestamp
    package var ctime: Timestamp
    package var device: UInt64
    /// The device that a device file stands for.
    package var specialDevice: UInt64
    /// Something is mounted here; false on kernels before 5.8, which do not say.
    package var isMountRoot = false
}

extension FileStatus {
    init(_ status: varve_status) {
        type = Self.type(status.mode)
        mode = status.mode & 0o7777
        links = status.links
        uid = status.uid
        gid = status.gid
        inode = status.inode
        size = status.size
        blocks = status.blocks
        mtime = Timestamp(
            seconds: status.mtime_seconds, nanoseconds: status.mtime_nanoseconds)
        ctime = Timestamp(
            seconds: status.ctime_seconds, nanoseconds: status.ctime_nanoseconds)
        device = status.device
        specialDevice = status.special_device
        isMountRoot = status.is_mount_root != 0
        #if DEBUG
        FileDisguise.apply(to: &self)
        #endif
    }

    private static func type(_ mode: UInt32) -> FileType {
        switch mode & 0o170000 {
        case 0o100000: .regular
        case 0o040000: .directory
        case 0o120000: .symlink
        case 0o010000: .fifo
        case 0o140000: .socket
        case 0o020000: .characterDevice
        case 0o060000: .blockDevice
        default: .unknown
        }
    }

    /// Status of `name` in the directory `directory`; symlinks are not followed.
    package static func of(
        _ name: [UInt8], at directory: CInt = Descriptor.workingDirectory
    ) throws(PlatformError) -> FileStatus {
        var status = varve_status()
        _ = try unsafe withCString("stat", name) { cName throws(PlatformError) in
            try retrying("stat", name) {
                unsafe varve_statx(directory, cName, AT_SYMLINK_NOFOLLOW, &status)
            }
        }
        return FileStatus(status)
    }

    /// Status of `path` with symlinks followed.
    package static func following(_ path: [UInt8]) throws(PlatformError) -> FileStatus {
        var status = varve_status()
        _ = try unsafe withCString("stat", path) { cName throws(PlatformError) in
            try retrying("stat", path) {
                unsafe varve_statx(Descriptor.workingDirectory, cName, 0, &status)
            }
        }
        return FileStatus(status)
    }
}

extension Descriptor {
    /// Status of the open file.
    package func status(_ path: [UInt8]) throws(PlatformError) -> FileStatus {
        var status = varve_status()
        let flags = CInt(VARVE_AT_EMPTY_PATH)
        _ = try retrying("stat", path) { unsafe varve_statx(raw, "", flags, &status) }
        return FileStatus(status)
    }
}

/// File systems that show the state of the kernel as files (magic.h of Linux).
package enum PseudoFileSystem {
    private static let types: Set<UInt64> = [
        0x9fa0,  // proc
        0x6265_6572,  // sysfs
        0x27_e0eb, 0x6367_7270,  // cgroup, cgroup2
        0x6462_6720, 0x7472_6163,  // debugfs, tracefs
        0x7363_6673,  // securityfs
        0x6265_6570,  // configfs
        0x6165_676c,  // pstore
        0xde5e_81e4,  // efivarfs
        0x4249_4e4d,  // binfmt_misc
        0x6573_5543,  // fusectl
        0xcafe_4a11,  // bpf
        0xf97c_ff8c,  // selinux
        0x1980_0202,  // mqueue
        0x6e73_6673,  // nsfs
        0x1cd1,  // devpts
    ]

    /// Whether the open file lies on one of them.
    package static func has(_ file: borrowing Descriptor) -> Bool {
        types.contains(varve_file_system_type(file.raw))
    }
}
