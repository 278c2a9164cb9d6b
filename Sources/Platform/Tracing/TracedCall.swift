internal import SystemPackage

internal import Bytes

/// A system call that may change a file system, with its arguments.
///
/// Numbers without a label are descriptors.
enum TracedCall {
    /// A path and the directory that it starts from, as in openat(2).
    struct Name {
        var path: [UInt8]
        var directory: CInt

        init(_ path: [UInt8], at directory: CInt) {
            self.path = path
            self.directory = directory
        }
    }

    case open(Name, OpenFlags)
    /// A directory, symlink or special file.
    case make(Name)
    case remove(Name)
    case rename(Name, to: Name, flags: UInt32)
    case link(Name, to: Name)
    /// Without an offset, at the position of the descriptor.
    case write(CInt, [UInt8], at: UInt64?)
    case copy(CInt, from: UInt64, to: CInt, at: UInt64)
    case clone(CInt, to: CInt)
    case resize(CInt, UInt64)
    case punch(CInt, Range<UInt64>)
    /// Owner, mode, times or extended attributes.
    case set(CInt)
    case setNamed(Name)
    case sync(CInt)
    case syncAll(CInt)
}

/// Makes a call that may change a file system, and lets the traces that run record it.
///
/// Nothing of it is in a release build but the call.
@inline(__always)
func traced<Value: BinaryInteger>(
    _ call: @autoclosure () -> TracedCall, _ body: () throws(PlatformError) -> Value
) throws(PlatformError) -> Value {
    #if DEBUG
    if FileTrace.isAnyRunning { return try FileTrace.perform(call(), body) }
    #endif
    return try body()
}

/// Opens a file; only what may make or empty one is a change.
@inline(__always)
func traced(
    opening path: [UInt8], _ flags: OpenFlags, at directory: CInt,
    _ body: () throws(PlatformError) -> CInt
) throws(PlatformError) -> CInt {
    #if DEBUG
    if !flags.isDisjoint(with: [.create, .truncate]) {
        return try traced(.open(.init(path, at: directory), flags), body)
    }
    #endif
    return try body()
}

extension TracedCall {
    /// Whether the call can make a file that was not there.
    var makesNode: Bool {
        switch self {
        case .open, .make: true
        default: false
        }
    }

    /// What the call is about: open files, and the directories of names.
    func places() -> [FileTrace.Key] {
        let keys: [FileTrace.Key?] =
            switch self {
            case .open(let name, _), .make(let name), .remove(let name): [name.parentKey()]
            case .setNamed(let name): [name.key()]
            case .rename(let one, let other, _), .link(let one, let other):
                [one.parentKey(), other.parentKey()]
            case .write(let file, _, _), .copy(_, _, let file, _), .clone(_, let file),
                .resize(let file, _), .punch(let file, _), .set(let file), .sync(let file),
                .syncAll(let file):
                [FileTrace.Key(Self.status(of: file))]
            }
        return keys.compactMap { $0 }
    }

    /// The file whose content it may change.
    var content: CInt? {
        switch self {
        case .write(let file, _, _), .copy(_, _, let file, _), .clone(_, let file),
            .resize(let file, _), .punch(let file, _):
            file
        default: nil
        }
    }

    /// What it is called to whoever asks before each call.
    var operation: String {
        switch self {
        case .open: "open"
        case .make: "make"
        case .remove: "remove"
        case .rename: "rename"
        case .link: "link"
        case .write, .copy, .clone: "write"
        case .resize: "resize"
        case .punch: "punch"
        case .set, .setNamed: "set"
        case .sync, .syncAll: "sync"
        }
    }

    /// The path that it was given, of two the second; empty for an open file.
    var path: [UInt8] {
        switch self {
        case .open(let name, _), .make(let name), .remove(let name), .setNamed(let name),
            .rename(_, let name, _), .link(_, let name):
            name.path
        default: []
        }
    }

    /// The status of an open file; nil where there is none.
    static func status(of file: CInt) -> FileStatus? {
        let descriptor = Descriptor(owning: file)
        let status = try? descriptor.status([])
        descriptor.release()
        return status
    }

    /// Up to `count` bytes of an open file; none where they cannot be read.
    static func read(_ count: Int, of file: CInt, at offset: UInt64) -> [UInt8] {
        let descriptor = Descriptor(owning: file)
        let bytes = try? descriptor.read(count, at: offset, [])
        descriptor.release()
        return bytes ?? []
    }
}

extension TracedCall.Name {
    /// The last component.
    var last: [UInt8] { Array(PathBytes.name(path)) }

    /// Status of what the name stands for; a symlink stands for itself.
    func status() -> FileStatus? {
        if path.isEmpty { return TracedCall.status(of: directory) }
        return try? FileStatus.of(path, at: directory)
    }

    func key() -> FileTrace.Key? { FileTrace.Key(status()) }

    /// The directory that the name is in.
    func parentKey() -> FileTrace.Key? {
        let parent: [UInt8]
        if path.contains(PathBytes.separator) {
            let above = PathBytes.parent(path)
            parent = above.isEmpty ? [PathBytes.separator] : above
        } else {
            parent = [UInt8(ascii: ".")]
        }
        let opened = try? Descriptor.open(parent, [.pathOnly, .directory], at: directory)
        guard let opened else { return nil }
        return FileTrace.Key(try? opened.status(parent))
    }
}
