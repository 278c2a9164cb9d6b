internal import CLinux

/// Tells a service manager how this process is (sd_notify(3)); does nothing where there is none.
package enum ServiceNotice {
    /// The work has begun.
    package static func ready() { send("READY=1") }

    /// Sign of life, and a line for whoever asks for the status.
    package static func status(_ text: String) { send("STATUS=\(text)\nWATCHDOG=1") }

    package static func stopping() { send("STOPPING=1") }

    private static func send(_ text: String) {
        guard let path = HostSystem.variable("NOTIFY_SOCKET"), !path.isEmpty, !path.contains(0)
        else { return }
        // A manager that does not listen is no reason to stop.
        _ = unsafe (path + [0]).withUnsafeBufferPointer { buffer in
            unsafe buffer.withMemoryRebound(to: CChar.self) { name in
                guard let base = name.baseAddress else { return CInt(-1) }
                return unsafe varve_send_datagram(base, text)
            }
        }
    }
}

/// Where a directory lies.
package enum FileSystem {
    /// Of statfs(2): NFS, SMB and its successors, FUSE, 9P, Ceph, AFS, Lustre.
    private static let remoteTypes: Set<UInt64> = [
        0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400,
        0x5346_414f, 0x0bd0_0bd0,
    ]

    /// Of statfs(2): ext2 to ext4, XFS, tmpfs.
    private static let countingTypes: Set<UInt64> = [0xef53, 0x5846_5342, 0x0102_1994]

    /// Whether the links of a directory are its name, "." and the ".." of each directory in it.
    ///
    /// On other file systems they may be two whatever is in it.
    package static func countsDirectories(_ directory: borrowing Descriptor) -> Bool {
        countingTypes.contains(unsafe varve_file_system_of(directory.raw))
    }

    /// Whether others may change files there without this host being told.
    package static func isRemote(_ path: [UInt8]) -> Bool {
        let type = try? unsafe withCString("find file system of", path) {
            unsafe varve_file_system($0)
        }
        return type.map(remoteTypes.contains) ?? false
    }
}
