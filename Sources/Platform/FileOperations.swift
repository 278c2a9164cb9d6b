internal import SystemPackage

internal import CLinux
internal import Glibc

/// Calls that change names in a directory; `directory` is an open descriptor, names are relative.
package enum FileOperations {
    package static func makeDirectory(
        _ name: [UInt8], at directory: CInt = Descriptor.workingDirectory, mode: UInt32 = 0o777
    ) throws(PlatformError) {
        _ = try traced(.make(.init(name, at: directory))) { () throws(PlatformError) in
            try unsafe withCString("make directory", name) { cName throws(PlatformError) in
                try retrying("make directory", name) { unsafe mkdirat(directory, cName, mode) }
            }
        }
    }

    /// Makes a directory and, as root, gives it the owner and mode of the one that it is made in,
    /// so that whoever writes there can write in it too; false when it was there.
    @discardableResult
    package static func makeDirectory(
        _ name: [UInt8], like parent: borrowing Descriptor
    ) throws(PlatformError) -> Bool {
        do throws(PlatformError) {
            try makeDirectory(name, at: parent.raw)
        } catch {
            guard error.errno == .fileExists else { throw error }
            return false
        }
        guard HostSystem.isRoot else { return true }
        let above = try parent.status(name)
        let made = try Descriptor.open(name, [.readOnly, .directory, .noFollow], at: parent.raw)
        try made.setOwner(uid: above.uid, gid: above.gid, name)
        try made.setMode(above.mode, name)
        return true
    }

    package static func remove(
        _ name: [UInt8], at directory: CInt = Descriptor.workingDirectory,
        isDirectory: Bool = false
    ) throws(PlatformError) {
        _ = try traced(.remove(.init(name, at: directory))) { () throws(PlatformError) in
            try unsafe withCString("remove", name) { cName throws(PlatformError) in
                try retrying("remove", name) {
                    unsafe unlinkat(directory, cName, isDirectory ? AT_REMOVEDIR : 0)
                }
            }
        }
    }

    /// Renames; fails with `fileExists` when `target` exists (renameat2(2), RENAME_NOREPLACE).
    ///
    /// File systems that have no such call (NFS, sshfs) get a hard link and a removal, which
    /// promise the same. Without hard links, and for directories, the last way is to look first: a
    /// name that appears between the look and the rename is replaced, unless it is a directory with
    /// something in it.
    package static func renameWithoutReplacing(
        _ source: [UInt8], to target: [UInt8], at directory: CInt, toDirectory: CInt? = nil
    ) throws(PlatformError) {
        let targetDirectory = toDirectory ?? directory
        do throws(PlatformError) {
            try rename(source, to: target, at: directory, toDirectory: targetDirectory, flags: 1)
            return
        } catch  where error.meansNoFlags {}
        do throws(PlatformError) {
            try link(source, to: target, at: directory, toDirectory: targetDirectory)
        } catch  where error.meansNoLinks {
            try checkAbsence(of: target, at: targetDirectory)
            return try rename(source, to: target, at: directory, toDirectory: targetDirectory)
        }
        try remove(source, at: directory)
    }

    private static func checkAbsence(
        of name: [UInt8], at directory: CInt
    ) throws(PlatformError) {
        do throws(PlatformError) {
            _ = try FileStatus.of(name, at: directory)
        } catch {
            guard error.errno == .noSuchFileOrDirectory else { throw error }
            return
        }
        throw PlatformError("rename", name, .fileExists)
    }

    /// Swaps two names in one step (renameat2(2), RENAME_EXCHANGE).
    ///
    /// False where the file system has no such call; both names are as they were then.
    package static func exchange(
        _ source: [UInt8], with target: [UInt8], at directory: CInt, toDirectory: CInt
    ) throws(PlatformError) -> Bool {
        do throws(PlatformError) {
            try rename(source, to: target, at: directory, toDirectory: toDirectory, flags: 2)
            return true
        } catch  where error.meansNoFlags {
            return false
        }
    }

    /// Renames, replacing what `target` names.
    package static func rename(
        _ source: [UInt8], to target: [UInt8], at directory: CInt, toDirectory: CInt? = nil,
        flags: UInt32 = 0
    ) throws(PlatformError) {
        let places = (from: directory, to: toDirectory ?? directory)
        _ = try traced(
            .rename(.init(source, at: places.from), to: .init(target, at: places.to), flags: flags)
        ) { () throws(PlatformError) in
            try unsafe withCString("rename", source) { from throws(PlatformError) in
                try unsafe withCString("rename", target) { to throws(PlatformError) in
                    try retrying("rename", target) {
                        unsafe varve_renameat2(places.from, from, places.to, to, flags)
                    }
                }
            }
        }
    }

    package static func link(
        _ source: [UInt8], to target: [UInt8], at directory: CInt, toDirectory: CInt? = nil
    ) throws(PlatformError) {
        let places = (from: directory, to: toDirectory ?? directory)
        _ = try traced(
            .link(.init(source, at: places.from), to: .init(target, at: places.to))
        ) { () throws(PlatformError) in
            try unsafe withCString("link", source) { from throws(PlatformError) in
                try unsafe withCString("link", target) { to throws(PlatformError) in
                    try retrying("link", target) {
                        unsafe linkat(places.from, from, places.to, to, 0)
                    }
                }
            }
        }
    }

    package static func makeSymlink(
        _ name: [UInt8], to target: [UInt8], at directory: CInt
    )
        throws(PlatformError)
    {
        _ = try traced(.make(.init(name, at: directory))) { () throws(PlatformError) in
            try unsafe withCString("make symlink", name) { cName throws(PlatformError) in
                try unsafe withCString("make symlink", target) { cTarget throws(PlatformError) in
                    try retrying("make symlink", name) {
                        unsafe symlinkat(cTarget, directory, cName)
                    }
                }
            }
        }
    }

    /// Makes a fifo or device; `type` is one of fifo, characterDevice, blockDevice.
    package static func makeSpecial(
        _ name: [UInt8], _ type: FileType, device: UInt64, at directory: CInt
    ) throws(PlatformError) {
        let format: UInt32
        switch type {
        case .fifo: format = S_IFIFO
        case .characterDevice: format = S_IFCHR
        case .blockDevice: format = S_IFBLK
        default: throw PlatformError("make device", name, .invalidArgument)
        }
        _ = try traced(.make(.init(name, at: directory))) { () throws(PlatformError) in
            try unsafe withCString("make device", name) { cName throws(PlatformError) in
                try retrying("make device", name) {
                    unsafe mknodat(directory, cName, format | 0o600, dev_t(device))
                }
            }
        }
    }

    package static func readLink(
        _ name: [UInt8], at directory: CInt
    ) throws(PlatformError)
        -> [UInt8]
    {
        let capacity = 4096
        var buffer = [UInt8](repeating: 0, count: capacity)
        let count = try unsafe withCString("read link", name) { cName throws(PlatformError) in
            try retrying("read link", name) {
                unsafe buffer.withUnsafeMutableBytes { bytes in
                    guard let base = bytes.baseAddress else { return 0 }
                    return unsafe readlinkat(directory, cName, base, capacity)
                }
            }
        }
        return Array(buffer.prefix(count))
    }

    package static func setOwner(
        _ name: [UInt8], uid: UInt32, gid: UInt32, at directory: CInt
    ) throws(PlatformError) {
        _ = try traced(.setNamed(.init(name, at: directory))) { () throws(PlatformError) in
            try unsafe withCString("change owner of", name) { cName throws(PlatformError) in
                try retrying("change owner of", name) {
                    unsafe fchownat(directory, cName, uid, gid, AT_SYMLINK_NOFOLLOW)
                }
            }
        }
    }

    /// Sets the mode of a name; a symlink is not followed, and has none to set.
    package static func setMode(
        _ name: [UInt8], _ mode: UInt32, at directory: CInt
    )
        throws(PlatformError)
    {
        _ = try traced(.setNamed(.init(name, at: directory))) { () throws(PlatformError) in
            try unsafe withCString("change mode of", name) { cName throws(PlatformError) in
                try retrying("change mode of", name) {
                    unsafe fchmodat(directory, cName, mode, AT_SYMLINK_NOFOLLOW)
                }
            }
        }
    }

    /// Sets the modification time and leaves the access time alone; symlinks are not followed.
    package static func setModificationTime(
        _ name: [UInt8], _ time: Timestamp, at directory: CInt
    ) throws(PlatformError) {
        let times = modificationTimes(time)
        _ = try traced(.setNamed(.init(name, at: directory))) { () throws(PlatformError) in
            try unsafe withCString("set time of", name) { cName throws(PlatformError) in
                try retrying("set time of", name) {
                    unsafe utimensat(directory, cName, times, AT_SYMLINK_NOFOLLOW)
                }
            }
        }
    }

    fileprivate static func modificationTimes(_ time: Timestamp) -> [timespec] {
        [
            timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2),
            timespec(tv_sec: Int(time.seconds), tv_nsec: Int(time.nanoseconds)),
        ]
    }
}

extension Descriptor {
    package func setOwner(uid: UInt32, gid: UInt32, _ path: [UInt8]) throws(PlatformError) {
        _ = try traced(.set(raw)) { () throws(PlatformError) in
            try retrying("change owner of", path) { fchown(raw, uid, gid) }
        }
    }

    package func setMode(_ mode: UInt32, _ path: [UInt8]) throws(PlatformError) {
        _ = try traced(.set(raw)) { () throws(PlatformError) in
            try retrying("change mode of", path) { fchmod(raw, mode) }
        }
    }

    /// Sets the modification time and leaves the access time alone.
    package func setModificationTime(_ time: Timestamp, _ path: [UInt8]) throws(PlatformError) {
        let times = FileOperations.modificationTimes(time)
        _ = try traced(.set(raw)) { () throws(PlatformError) in
            try retrying("set time of", path) { unsafe futimens(raw, times) }
        }
    }

    /// Bytes that an ordinary user may still write on the file system; nil when unknown, as on a
    /// file system that says it has no blocks at all.
    package func freeSpace() -> UInt64? {
        var status = statvfs()
        guard unsafe fstatvfs(raw, &status) == 0, status.f_blocks > 0 else { return nil }
        return UInt64(status.f_bavail) &* UInt64(status.f_frsize)
    }
}

extension PlatformError {
    /// The file system, or the kernel, has no flags of renameat2.
    fileprivate var meansNoFlags: Bool { errno == .invalidArgument || errno == .noFunction }

    /// The file system has no hard links, or not for what was to be linked.
    fileprivate var meansNoLinks: Bool {
        switch errno {
        case .notPermitted, .notSupported, .noFunction, .improperLink, .tooManyLinks: true
        default: false
        }
    }
}
