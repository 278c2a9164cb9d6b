internal import SystemPackage

internal import CLinux
internal import Glibc

extension Descriptor {
    /// Makes this file share all blocks of `source` (FICLONE, ioctl_ficlone(2)); false where the
    /// file system cannot.
    package func clone(_ source: borrowing Descriptor) -> Bool {
        let file = source.raw
        let result = try? traced(.clone(file, to: raw)) { () throws(PlatformError) in
            try retrying("clone", []) { varve_clone(raw, file) }
        }
        return result != nil
    }

    /// Files that may still be made on the file system; nil where it has no such limit, or does
    /// not tell.
    package func freeFiles() -> UInt64? {
        var status = statvfs()
        guard unsafe fstatvfs(raw, &status) == 0, status.f_files > 0 else { return nil }
        return UInt64(status.f_favail)
    }
}
