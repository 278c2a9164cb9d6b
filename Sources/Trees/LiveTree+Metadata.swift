internal import Bytes
package import Platform

// The time comes last because everything else may change it, the owner before the mode because it
// clears bits of it, and the attributes before the mode because an access control list sets bits of
// it. What is right is left alone, or the next snapshot would take the path for changed.

extension LiveTree {
    /// Sets owner, attributes, mode and time of an open file or directory where they differ, and
    /// returns what could not be set; each part costs only itself.
    package func applyEach(
        _ wanted: FileMetadata, to file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError) -> [UnsetMetadata] {
        var unset = UnsetParts()
        let present = try file.status(path)
        if policy.setsOwner, !present.hasOwner(of: wanted) {
            unset.attempt(.owner) { () throws(PlatformError) in
                try file.setOwner(uid: wanted.uid, gid: wanted.gid, path)
            }
        }
        let attributes = policy.attributes(wanted.attributes)
        unset.add(ExtendedAttributes.writeEach(attributes, to: file, path))
        let changed = try file.status(path)
        let mode = unset.mode(wanted, policy)
        if changed.mode != mode {
            unset.attempt(.mode) { () throws(PlatformError) in try file.setMode(mode, path) }
        }
        guard changed.mtime != wanted.mtime else { return unset.parts }
        unset.attempt(.time) { () throws(PlatformError) in
            try file.setModificationTime(wanted.mtime, path)
        }
        if wanted.mayBeOutOfRange { unset.compare(try file.status(path), wanted) }
        return unset.parts
    }

    /// The same for what cannot be opened.
    package func applyEachByName(
        _ wanted: FileMetadata, at path: [UInt8]
    ) throws(PlatformError) -> [UnsetMetadata] {
        var unset = UnsetParts()
        let parent = try openParent(path)
        let name = Array(PathBytes.name(path))
        let present = try FileStatus.of(name, at: parent.raw)
        if policy.setsOwner, !present.hasOwner(of: wanted) {
            unset.attempt(.owner) { () throws(PlatformError) in
                try FileOperations.setOwner(name, uid: wanted.uid, gid: wanted.gid, at: parent.raw)
            }
        }
        let attributes = policy.attributes(wanted.attributes)
        unset.add(ExtendedAttributes.writeEach(attributes, to: name, at: parent.raw))
        let changed = try FileStatus.of(name, at: parent.raw)
        let mode = unset.mode(wanted, policy)
        if changed.type != .symlink, changed.mode != mode {
            unset.attempt(.mode) { () throws(PlatformError) in
                try FileOperations.setMode(name, mode, at: parent.raw)
            }
        }
        guard changed.mtime != wanted.mtime else { return unset.parts }
        unset.attempt(.time) { () throws(PlatformError) in
            try FileOperations.setModificationTime(name, wanted.mtime, at: parent.raw)
        }
        if wanted.mayBeOutOfRange {
            unset.compare(try FileStatus.of(name, at: parent.raw), wanted)
        }
        return unset.parts
    }

    /// Sets all that can be set, and throws the first refusal.
    package func apply(
        _ wanted: FileMetadata, to file: borrowing Descriptor, _ path: [UInt8]
    ) throws(PlatformError) {
        try Self.throwFirst(try applyEach(wanted, to: file, path))
    }

    /// The same for what cannot be opened.
    package func applyByName(_ wanted: FileMetadata, at path: [UInt8]) throws(PlatformError) {
        try Self.throwFirst(try applyEachByName(wanted, at: path))
    }

    private static func throwFirst(_ unset: [UnsetMetadata]) throws(PlatformError) {
        for part in unset {
            if case .refused(let error) = part.cause { throw error }
        }
    }
}

/// What could not be set so far.
private struct UnsetParts {
    private(set) var parts: [UnsetMetadata] = []

    mutating func attempt(
        _ part: UnsetMetadata.Part, _ body: () throws(PlatformError) -> Void
    ) {
        do throws(PlatformError) {
            try body()
        } catch {
            parts.append(UnsetMetadata(part, .refused(error)))
        }
    }

    mutating func add(_ failures: [ExtendedAttributes.Failure]) {
        for failure in failures {
            parts.append(UnsetMetadata(.attribute(failure.name), .refused(failure.error)))
        }
    }

    private func lacks(_ part: UnsetMetadata.Part) -> Bool { parts.contains { $0.part == part } }

    /// The mode to set: never wider than at the origin, whoever has the file now.
    func mode(_ wanted: FileMetadata, _ policy: AttributePolicy) -> UInt32 {
        var mode = policy.mode(wanted.mode)
        // Rights of an owner that the file does not have are nobody's.
        if lacks(.owner) { mode &= 0o1777 }
        if lacks(.attribute(PosixACL.accessName)) {
            let list = wanted.attributes.first { $0.name == PosixACL.accessName }
            mode = PosixACL.mode(mode, withoutList: list?.value ?? [])
        }
        return mode
    }

    /// Notes a time that the file system put to the end of its range.
    mutating func compare(_ status: FileStatus, _ wanted: FileMetadata) {
        let coarsest: Int64 = 2
        let (difference, overflow) = status.mtime.seconds.subtractingReportingOverflow(
            wanted.mtime.seconds)
        guard overflow || difference.magnitude > coarsest, !lacks(.time) else { return }
        parts.append(UnsetMetadata(.time, .outOfRange))
    }
}

extension FileStatus {
    fileprivate func hasOwner(of wanted: FileMetadata) -> Bool {
        uid == wanted.uid && gid == wanted.gid
    }
}

extension FileMetadata {
    /// Times from 1980 (FAT) to 2038 (old ext4 and XFS) are held by every file system.
    fileprivate var mayBeOutOfRange: Bool { !(315_619_200..<2_147_483_648).contains(mtime.seconds) }
}
