internal import Bytes
internal import Platform
internal import SystemPackage
internal import Targets
internal import Trees

// What a sync brings is content and whether it may be executed. Everything else belongs to the
// store that it is brought to:
//
// - What is replaced hands on its owner, group, attributes and access list. Its permissions stay;
//   only what the other store takes away is taken away here too: the new content is at no time
//   open to more users than it is there, nor than the old one was here.
// - What is new follows its directory, as if it were made there: the group of a directory with the
//   set-group-id bit, and its default access list (acl(5)).

/// Gives what is brought to a store the manners of its place.
struct EntryManners {
    private let tree: TargetTree

    /// Attributes that say something of the old content alone (xattr(7), capabilities(7)).
    private static let ofContent: [StaticString] = [
        "security.capability", "security.ima", "security.evm",
    ]

    private static let setGroupID: UInt32 = 0o2000

    init(_ tree: TargetTree) { self.tree = tree }

    /// Makes a directory; returns its status.
    func makeDirectory(_ path: [UInt8], mode: UInt32) throws(PlatformError) -> FileStatus {
        let parent = try tree.target.openForChange(PathBytes.parent(path))
        let name = Array(PathBytes.name(path))
        try FileOperations.makeDirectory(name, at: parent.raw, mode: mode | 0o700)
        let directory = try tree.target.root.open(path, [.readOnly, .directory])
        let made = try directory.status(path)
        // With a default list the kernel has cut the mode already; else its mask has.
        if defaultList(of: parent, path) == nil {
            try directory.setMode(mode | 0o700 | made.mode & Self.setGroupID, path)
        }
        return try directory.status(path)
    }

    /// Prepares a staged file, which has the mode of the other store, for its name.
    func dress(
        file staged: [UInt8], for path: [UInt8], mode: UInt32, isReplacing: Bool
    ) throws(PlatformError) {
        let file = try tree.target.root.open(staged, [.readOnly, .nonBlocking])
        let present = try file.status(staged)
        var wanted = FileMetadata(present, attributes: [])
        wanted.mode = mode
        if isReplacing, let old = try tree.target.status(path) {
            (wanted.uid, wanted.gid) = (old.uid, old.gid)
            if old.type == .regular { try inherit(from: old, path, &wanted) }
        } else {
            let parent = try tree.target.openParent(path)
            let above = try parent.status(path)
            if above.mode & Self.setGroupID != 0 { wanted.gid = above.gid }
            if let list = defaultList(of: parent, path)?.inherited(mode: mode) {
                wanted.attributes = [
                    ExtendedAttribute(name: PosixACL.accessName, value: list.value)
                ]
                wanted.mode = list.mode
            }
        }
        if wanted == FileMetadata(present, attributes: []) { return }
        if (wanted.uid, wanted.gid) != (present.uid, present.gid), !tree.target.policy.setsOwner {
            chown(file, wanted, staged, path)
        }
        try tree.apply(wanted, to: file, staged, for: path)
    }

    /// A user who is not root may give a file to a group of their own.
    private func chown(
        _ file: borrowing Descriptor, _ wanted: FileMetadata, _ staged: [UInt8], _ path: [UInt8]
    ) {
        do throws(PlatformError) {
            try file.setOwner(uid: wanted.uid, gid: wanted.gid, staged)
        } catch {
            tree.note(TargetFailure(.owner, path, error))
        }
    }

    private func inherit(
        from old: FileStatus, _ path: [UInt8], _ wanted: inout FileMetadata
    ) throws(PlatformError) {
        let parent = try tree.target.openParent(path)
        let name = Array(PathBytes.name(path))
        wanted.attributes = try ExtendedAttributes.read(name, at: parent.raw).filter { attribute in
            !Self.ofContent.contains { attribute.name.elementsEqual("\($0)".utf8) }
        }
        let hasList = wanted.attributes.contains { $0.name == PosixACL.accessName }
        wanted.mode = Self.mode(of: wanted.mode, replacing: old.mode, hasAccessList: hasList)
    }

    /// The permissions of new content with `mode` in the other store, which replaces what had `old`
    /// in this one.
    ///
    /// With an access list the bits of the group are its mask, and stay.
    static func mode(of mode: UInt32, replacing old: UInt32, hasAccessList: Bool) -> UInt32 {
        var result = old & mode & 0o666
        // Whoever may read it may execute it where the other store says so.
        result |= mode & 0o111 & (result >> 2)
        if hasAccessList { result = result & 0o707 | old & 0o070 }
        return result
    }

    /// The same for a symlink, which has an owner and no permissions.
    func dress(
        symlink: [UInt8], for path: [UInt8], isReplacing: Bool
    ) throws(PlatformError) {
        let place = try tree.target.openParent(symlink)
        let name = Array(PathBytes.name(symlink))
        let present = try FileStatus.of(name, at: place.raw)
        var (uid, gid) = (present.uid, present.gid)
        if isReplacing, let old = try tree.target.status(path) {
            (uid, gid) = (old.uid, old.gid)
        } else if let above = try tree.target.status(PathBytes.parent(path)),
            above.mode & Self.setGroupID != 0
        {
            gid = above.gid
        }
        guard (uid, gid) != (present.uid, present.gid) else { return }
        do throws(PlatformError) {
            try FileOperations.setOwner(name, uid: uid, gid: gid, at: place.raw)
        } catch {
            tree.note(TargetFailure(.owner, path, error))
        }
    }

    /// The access list that a directory gives to what is made in it; nil where it has none.
    private func defaultList(
        of directory: borrowing Descriptor, _ path: [UInt8]
    ) -> PosixACL? {
        guard let attributes = try? ExtendedAttributes.read(directory, path),
            let found = attributes.first(where: { $0.name == PosixACL.defaultName })
        else { return nil }
        return PosixACL(found.value)
    }
}
