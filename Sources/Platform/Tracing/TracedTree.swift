internal import SystemPackage

internal import Bytes
internal import Glibc

/// What a trace knows of its tree, and the changes so far.
struct TracedTree {
    private(set) var nodes: [FileTrace.Key: FileNode] = [:]
    private(set) var changes: [FileChange] = []
    private(set) var gaps: [String] = []
    private var count = 0

    mutating func note(_ action: FileChange.Action, at time: Timestamp? = nil) {
        changes.append(FileChange(action, time: time ?? .now()))
    }

    mutating func gap(_ text: String, _ path: [UInt8]) {
        gaps.append("\(text): \(PathBytes.printable(path))")
    }

    func knows(_ keys: [FileTrace.Key]) -> Bool { keys.contains { nodes[$0] != nil } }

    /// Somebody else's file has this identity now.
    mutating func forget(_ key: FileTrace.Key) { nodes[key] = nil }

    private mutating func newNode(_ key: FileTrace.Key) -> FileNode {
        let node = FileNode(count)
        count += 1
        nodes[key] = node
        return node
    }
}

// MARK: - The tree at the start

extension TracedTree {
    mutating func addRoot(_ top: borrowing Descriptor) throws(PlatformError) {
        let status = try top.status([])
        guard let key = FileTrace.Key(status) else { return }
        let root = newNode(key)
        note(.set(root, attributes(status, try ExtendedAttributes.read(top, []))), at: status.ctime)
        try addNames(root, top)
        note(.syncAll)
    }

    private mutating func addNames(
        _ directory: FileNode, _ descriptor: borrowing Descriptor
    ) throws(PlatformError) {
        for entry in try descriptor.list([]) {
            let status = try entry.status.get()
            let place = FileChange.Entry(directory, entry.name)
            if let key = FileTrace.Key(status), let node = nodes[key] {
                note(.link(node, at: place), at: status.ctime)
                continue
            }
            let node = try make(status, at: place, entry.name, descriptor.raw)
            switch status.type {
            case .directory:
                let below = try Descriptor.open(
                    entry.name, [.readOnly, .directory, .noFollow], at: descriptor.raw)
                try addNames(node, below)
                // Its time changed while names were added.
                note(
                    .set(node, try attributes(status, entry.name, descriptor.raw)),
                    at: status.ctime)
            case .regular:
                let file = try Descriptor.open(entry.name, [.readOnly], at: descriptor.raw)
                let bytes = try file.read(Int(status.size), at: 0, entry.name)
                note(.write(node, bytes, at: 0), at: status.ctime)
                note(
                    .set(node, try attributes(status, entry.name, descriptor.raw)),
                    at: status.ctime)
            default: break
            }
        }
    }

    /// Notes a node that is new, with its attributes.
    ///
    /// `path` is where it is found from `directory`.
    private mutating func make(
        _ status: FileStatus, at place: FileChange.Entry, _ path: [UInt8], _ directory: CInt
    ) throws(PlatformError) -> FileNode {
        guard let key = FileTrace.Key(status) else { preconditionFailure("a status has a key") }
        let kind: FileChange.Kind
        switch status.type {
        case .regular: kind = .regular
        case .directory: kind = .directory
        case .symlink:
            kind = .symlink(target: try FileOperations.readLink(path, at: directory))
        default: kind = .special(status.type, device: status.specialDevice)
        }
        let node = newNode(key)
        note(.make(node, kind, at: place), at: status.ctime)
        note(.set(node, try attributes(status, path, directory)), at: status.ctime)
        return node
    }

    private func attributes(
        _ status: FileStatus, _ extended: [ExtendedAttribute]
    ) -> FileChange.Attributes {
        FileChange.Attributes(
            mode: status.mode, inode: status.inode, uid: status.uid, gid: status.gid,
            mtime: status.mtime,
            extended: extended)
    }

    private func attributes(
        _ status: FileStatus, _ name: [UInt8], _ directory: CInt
    ) throws(PlatformError) -> FileChange.Attributes {
        attributes(status, try ExtendedAttributes.read(name, at: directory))
    }
}

// MARK: - Calls

/// What stood at the names of a call before it was made.
struct NamesBefore {
    /// Of a call with two names, at the first.
    var source: FileStatus?
    /// At the only name, or the second.
    var target: FileStatus?

    init(_ call: TracedCall) {
        switch call {
        case .open(let name, _), .make(let name), .remove(let name): target = name.status()
        case .rename(let one, let other, _), .link(let one, let other):
            source = one.status()
            target = other.status()
        default: break
        }
    }
}

extension TracedTree {
    /// Notes a call that returned `value`.
    mutating func record(
        _ call: TracedCall, _ before: NamesBefore, _ value: Int
    ) throws(PlatformError) {
        switch call {
        case .open(let name, let flags): try opened(name, flags, before, CInt(value))
        case .make(let name):
            guard let place = place(name), let status = name.status() else { return }
            _ = try make(status, at: place, name.path, name.directory)
        case .remove(let name):
            guard let place = place(name), let node = node(before.target, name) else { return }
            note(.remove(node, at: place))
        case .rename(let one, let other, let flags): renamed(one, other, flags, before)
        case .link(let one, let other):
            guard let place = place(other), let node = node(before.source, one) else { return }
            note(.link(node, at: place), at: other.status()?.ctime)
        case .set(let file):
            guard let status = TracedCall.status(of: file) else { return }
            let descriptor = Descriptor(owning: file)
            let extended = try? ExtendedAttributes.read(descriptor, [])
            descriptor.release()
            set(status, extended ?? [])
        case .setNamed(let name):
            guard let status = name.status() else { return }
            set(status, try ExtendedAttributes.read(name.path, at: name.directory))
        case .sync(let file):
            if let node = node(of: file) { note(.sync(node)) }
        case .syncAll: note(.syncAll)
        default: recordContent(call, value)
        }
    }

    private mutating func recordContent(_ call: TracedCall, _ value: Int) {
        guard let file = call.content, let status = TracedCall.status(of: file),
            let node = FileTrace.Key(status).flatMap({ nodes[$0] })
        else { return }
        let time = status.ctime
        switch call {
        case .write(_, let bytes, let offset):
            let start = offset ?? UInt64(max(0, lseek(file, 0, SEEK_CUR) - value))
            note(.write(node, Array(bytes.prefix(value)), at: start), at: time)
        case .copy(let source, let from, _, let offset) where value > 0:
            note(.write(node, TracedCall.read(value, of: source, at: from), at: offset), at: time)
        case .clone(let source, _):
            let size = TracedCall.status(of: source)?.size ?? 0
            note(.resize(node, to: 0), at: time)
            note(.write(node, TracedCall.read(Int(size), of: source, at: 0), at: 0), at: time)
        case .resize(_, let size): note(.resize(node, to: size), at: time)
        case .punch(_, let range): note(.punch(node, range), at: time)
        default: break
        }
    }

    private mutating func opened(
        _ name: TracedCall.Name, _ flags: OpenFlags, _ before: NamesBefore, _ file: CInt
    ) throws(PlatformError) {
        guard let status = TracedCall.status(of: file), status.type == .regular else { return }
        if before.target == nil {
            guard let place = place(name) else { return }
            _ = try make(status, at: place, name.path, name.directory)
        } else if flags.contains(.truncate), let size = before.target?.size, size > 0,
            let node = node(status, name)
        {
            note(.resize(node, to: 0), at: status.ctime)
        }
    }

    private mutating func renamed(
        _ one: TracedCall.Name, _ other: TracedCall.Name, _ flags: UInt32, _ before: NamesBefore
    ) {
        let isSame = before.source?.inode == before.target?.inode
        if isSame, before.source?.device == before.target?.device { return }
        guard let from = place(one), let to = place(other) else {
            return gap("renamed over the edge", one.path)
        }
        guard let node = node(before.source, one) else { return }
        let time = other.status()?.ctime
        if flags & 2 != 0 {
            guard let second = self.node(before.target, other) else { return }
            return note(.exchange(node, at: from, second, with: to), at: time)
        }
        let replaced = FileTrace.Key(before.target).flatMap { nodes[$0] }
        note(.rename(node, from: from, to: to, replaced: replaced), at: time)
    }

    private mutating func set(_ status: FileStatus, _ extended: [ExtendedAttribute]) {
        guard let key = FileTrace.Key(status), let node = nodes[key] else { return }
        note(.set(node, attributes(status, extended)), at: status.ctime)
    }

    private func node(of file: CInt) -> FileNode? {
        FileTrace.Key(TracedCall.status(of: file)).flatMap { nodes[$0] }
    }

    /// The node of what stood at a name of the tree.
    private mutating func node(_ status: FileStatus?, _ name: TracedCall.Name) -> FileNode? {
        guard let key = FileTrace.Key(status) else { return nil }
        if nodes[key] == nil { gap("not seen when it was made", name.path) }
        return nodes[key]
    }

    /// Where in the tree a name is; nil outside of it.
    private func place(_ name: TracedCall.Name) -> FileChange.Entry? {
        guard let key = name.parentKey(), let directory = nodes[key] else { return nil }
        return FileChange.Entry(directory, name.last)
    }
}
