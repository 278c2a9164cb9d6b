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
        let (attributes, failures) = readEach(place, path)
        if let first = failures.first { throw first.error }
        return attributes
    }

    /// One attribute, or the list of them where the name is empty, that could not be read or set.
    package struct Failure: Equatable, Sendable {
        package var name: [UInt8]
        package var error: PlatformError
    }

    /// Those attributes of an open file that can be read, sorted by name, and what could not.
    package static func readEach(
        _ file: borrowing Descriptor, _ path: [UInt8]
    ) -> (attributes: [ExtendedAttribute], failures: [Failure]) {
        readEach(.open(file.raw), path)
    }

    /// The same for `name` in the open directory; symlinks are not followed.
    package static func readEach(
        _ name: [UInt8], at directory: CInt
    ) -> (attributes: [ExtendedAttribute], failures: [Failure]) {
        readEach(.named(location(name, at: directory)), name)
    }

    private static func readEach(
        _ place: Place, _ path: [UInt8]
    ) -> (attributes: [ExtendedAttribute], failures: [Failure]) {
        var attributes: [ExtendedAttribute] = []
        var failures: [Failure] = []
        let names: [[UInt8]]
        do throws(PlatformError) {
            names = try self.names(place, path)
        } catch {
            return ([], [Failure(name: [], error: error)])
        }
        for name in names {
            do throws(PlatformError) {
                guard let value = try value(name, place, path) else { continue }
                attributes.append(ExtendedAttribute(name: name, value: value))
            } catch {
                failures.append(Failure(name: name, error: error))
            }
        }
        return (attributes.sorted { $0.name.lexicographicallyPrecedes($1.name) }, failures)
    }

    private static func names(
        _ place: Place, _ path: [UInt8]
    ) throws(PlatformError) -> [[UInt8]] {
        let list = try unsafe grow("list attributes of", path) { buffer in
            switch place {
            case .open(let file): unsafe flistxattr(file, buffer.baseAddress, buffer.count)
            case .named(let name):
                unsafe withCStringOrFail(name) {
                    unsafe llistxattr($0, buffer.baseAddress, buffer.count)
                }
            }
        }
        return (list ?? []).split(separator: 0).map(Array.init)
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

    /// Gives `name` in the open directory the attributes `wanted`; symlinks are not followed.
    ///
    /// Each that cannot be set costs only itself. Others that are there go, but for those that the
    /// system keeps for itself, such as labels.
    package static func writeEach(
        _ wanted: [ExtendedAttribute], to name: [UInt8], at directory: CInt
    ) -> [Failure] {
        traced(.setNamed(.init(name, at: directory))) {
            writeEach(wanted, .named(location(name, at: directory)), name)
        }
    }

    /// The same for an open file.
    package static func writeEach(
        _ wanted: [ExtendedAttribute], to file: borrowing Descriptor, _ path: [UInt8]
    ) -> [Failure] {
        traced(.set(file.raw)) { writeEach(wanted, .open(file.raw), path) }
    }

    /// Lets the traces that run record what `body` sets.
    private static func traced(
        _ call: TracedCall, _ body: () -> (changed: Int, failures: [Failure])
    ) -> [Failure] {
        var failures: [Failure] = []
        do throws(PlatformError) {
            _ = try Platform.traced(call) { () throws(PlatformError) in
                let outcome = body()
                failures = outcome.failures
                return outcome.changed
            }
        } catch {
            failures.append(Failure(name: [], error: error))
        }
        return failures
    }

    /// The same for `name`; throws the first failure after all have been tried.
    package static func write(
        _ wanted: [ExtendedAttribute], to name: [UInt8], at directory: CInt
    ) throws(PlatformError) {
        if let first = writeEach(wanted, to: name, at: directory).first { throw first.error }
    }

    /// The same for an open file; throws the first failure after all have been tried.
    package static func write(
        _ wanted: [ExtendedAttribute], to file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError) {
        if let first = writeEach(wanted, to: file, path).first { throw first.error }
    }

    /// Returns how many attributes were changed, and what failed.
    private static func writeEach(
        _ wanted: [ExtendedAttribute], _ place: Place, _ path: [UInt8]
    ) -> (changed: Int, failures: [Failure]) {
        let (present, unread) = readEach(place, path)
        // A file system without attributes lacks nothing where none are wanted.
        if wanted.isEmpty, present.isEmpty { return (0, []) }
        var changed = 0
        var failures: [Failure] = []
        let surplus = present.map(\.name) + unread.map(\.name)
        for name in surplus where isOurs(name) && !wanted.contains(where: { $0.name == name }) {
            changed += 1
            attempt(name, &failures) { () throws(PlatformError) in try remove(name, place, path) }
        }
        for attribute in wanted where !present.contains(attribute) {
            changed += 1
            attempt(attribute.name, &failures) { () throws(PlatformError) in
                try set(attribute, place, path)
            }
        }
        return (changed, failures)
    }

    /// Whether an attribute that is not wanted may go: labels and the like belong to the system.
    private static func isOurs(_ name: [UInt8]) -> Bool {
        name.starts(with: "user.".utf8) || name.starts(with: "trusted.".utf8)
            || name.starts(with: "system.posix_acl_".utf8) || name == capability
    }

    /// The attribute with the capabilities of a program (man 7 capabilities).
    package static let capability = Array("security.capability".utf8)

    private static func attempt(
        _ name: [UInt8], _ failures: inout [Failure], _ body: () throws(PlatformError) -> Void
    ) {
        do throws(PlatformError) {
            try body()
        } catch {
            failures.append(Failure(name: name, error: error))
        }
    }

    private static func remove(
        _ attribute: [UInt8], _ place: Place, _ path: [UInt8]
    ) throws(PlatformError) {
        _ = try retrying("remove attribute of", path) {
            unsafe withCStringOrFail(attribute) { cName in
                switch place {
                case .open(let file): unsafe Int(fremovexattr(file, cName))
                case .named(let name):
                    unsafe withCStringOrFail(name) { unsafe Int(lremovexattr($0, cName)) }
                }
            }
        }
    }

    private static func set(
        _ attribute: ExtendedAttribute, _ place: Place, _ path: [UInt8]
    ) throws(PlatformError) {
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
