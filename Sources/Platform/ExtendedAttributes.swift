internal import SystemPackage

internal import Bytes
internal import CLinux
internal import Glibc

/// A name and a value that a file system keeps with a file; POSIX ACLs are such (man 7 xattr).
package struct ExtendedAttribute: Hashable, Sendable {
    package var name: [UInt8]
    package var value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// Reads and writes extended attributes.
///
/// Names in an open directory go through `/proc/self/fd`, which also serves symlinks and special
/// files that cannot be opened.
package enum ExtendedAttributes {
    /// The kernel's cap on a value and on a list of names (XATTR_SIZE_MAX, XATTR_LIST_MAX).
    private static let kernelLimit = 64 << 10

    private enum Place {
        case open(CInt)
        case named([UInt8])
    }

    /// Attributes of an open file, sorted by name; a file system without attributes has none.
    package static func read(
        _ file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError)
        -> [ExtendedAttribute]
    {
        try read(.open(file.raw), path)
    }

    /// Attributes of `name` in the open directory, sorted by name; symlinks are not followed.
    package static func read(
        _ name: [UInt8], at directory: CInt
    ) throws(PlatformError)
        -> [ExtendedAttribute]
    {
        try read(.named(location(name, at: directory)), name)
    }

    private static func read(
        _ place: Place, _ path: [UInt8]
    ) throws(PlatformError)
        -> [ExtendedAttribute]
    {
        let list = try unsafe grow("list attributes of", path) { buffer in
            switch place {
            case .open(let file): unsafe flistxattr(file, buffer.baseAddress, buffer.count)
            case .named(let name):
                unsafe withCStringOrFail(name) {
                    unsafe llistxattr($0, buffer.baseAddress, buffer.count)
                }
            }
        }
        guard let list, !list.isEmpty else { return [] }
        var attributes: [ExtendedAttribute] = []
        for attribute in list.split(separator: 0).map(Array.init) {
            guard let value = try value(attribute, place, path) else { continue }
            attributes.append(ExtendedAttribute(name: attribute, value: value))
        }
        return attributes.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    private static func value(
        _ attribute: [UInt8], _ place: Place, _ path: [UInt8]
    )
        throws(PlatformError) -> [UInt8]?
    {
        try unsafe grow("read attribute of", path) { buffer in
            unsafe withCStringOrFail(attribute) { cName in
                switch place {
                case .open(let file):
                    unsafe fgetxattr(file, cName, buffer.baseAddress, buffer.count)
                case .named(let name):
                    unsafe withCStringOrFail(name) {
                        unsafe lgetxattr($0, cName, buffer.baseAddress, buffer.count)
                    }
                }
            }
        }
    }

    /// Makes the attributes of `name` exactly `wanted`; symlinks are not followed.
    package static func write(
        _ wanted: [ExtendedAttribute], to name: [UInt8], at directory: CInt
    ) throws(PlatformError) {
        _ = try traced(.setNamed(.init(name, at: directory))) { () throws(PlatformError) in
            try write(wanted, .named(location(name, at: directory)), name)
        }
    }

    /// Makes the attributes of an open file exactly `wanted`.
    package static func write(
        _ wanted: [ExtendedAttribute], to file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError) {
        _ = try traced(.set(file.raw)) { () throws(PlatformError) in
            try write(wanted, .open(file.raw), path)
        }
    }

    /// Returns how many attributes were changed.
    private static func write(
        _ wanted: [ExtendedAttribute], _ place: Place, _ path: [UInt8]
    ) throws(PlatformError) -> Int {
        var changed = 0
        let present = try read(place, path)
        for attribute in present where !wanted.contains(where: { $0.name == attribute.name }) {
            changed += 1
            _ = try retrying("remove attribute of", path) {
                unsafe withCStringOrFail(attribute.name) { cName in
                    switch place {
                    case .open(let file): unsafe Int(fremovexattr(file, cName))
                    case .named(let name):
                        unsafe withCStringOrFail(name) { unsafe Int(lremovexattr($0, cName)) }
                    }
                }
            }
        }
        for attribute in wanted where !present.contains(attribute) {
            changed += 1
            let (value, size) = (attribute.value, attribute.value.count)
            _ = try retrying("set attribute of", path) {
                unsafe withCStringOrFail(attribute.name) { cName in
                    switch place {
                    case .open(let file): unsafe Int(fsetxattr(file, cName, value, size, 0))
                    case .named(let name):
                        unsafe withCStringOrFail(name) {
                            unsafe Int(lsetxattr($0, cName, value, size, 0))
                        }
                    }
                }
            }
        }
        return changed
    }

    /// Path of `name` in the open directory; without a name, of the directory itself.
    ///
    /// An absolute path stays what it is, as in openat(2).
    private static func location(_ name: [UInt8], at directory: CInt) -> [UInt8] {
        if name.first == PathBytes.separator { return name }
        let base = directory == Descriptor.workingDirectory ? "." : "/proc/self/fd/\(directory)"
        return Array("\(base)/".utf8) + (name.isEmpty ? [0x2e] : name)
    }

    /// Calls with a small buffer, then with the largest there can be; nil when the file system has
    /// no attributes, or the attribute is gone.
    private static func grow(
        _ operation: String, _ name: [UInt8],
        _ call: (UnsafeMutableBufferPointer<CChar>) -> Int
    ) throws(PlatformError) -> [UInt8]? {
        var capacity = 256
        while true {
            var filled = 0
            let buffer = unsafe [CChar](unsafeUninitializedCapacity: capacity) { memory, count in
                filled = unsafe call(memory)
                count = max(filled, 0)
            }
            if filled >= 0 { return buffer.map { UInt8(bitPattern: $0) } }
            switch Glibc.errno {
            case EINTR: continue
            case ERANGE where capacity < kernelLimit: capacity = kernelLimit
            case ENODATA, EOPNOTSUPP: return nil
            default: throw PlatformError.last(operation, name)
            }
        }
    }

    private static func withCStringOrFail(
        _ bytes: [UInt8], _ body: (UnsafePointer<CChar>) -> Int
    ) -> Int {
        do throws(PlatformError) {
            return try unsafe withCString("", bytes) { unsafe body($0) }
        } catch {
            Glibc.errno = EINVAL
            return -1
        }
    }
}
