internal import Bytes
internal import Platform
internal import Trees

// Nothing goes that was not named. Even with --delete stay: what is mounted in the target; sockets,
// which no snapshot has; the directory of a replica; what patterns leave out; what the snapshot
// could not read; and the content of a directory that was left out as a cache.

extension RestoreExecution {
    /// Deletes what a directory has besides the names that the snapshot has in it.
    func deleteOthers(in path: [UInt8], keeping names: Set<[UInt8]>) {
        guard plan.mayDelete, let tree = target.tree else { return }
        attempt(path) { () throws(RestoreFault) in
            let found = try onTarget { () throws(PlatformError) in
                try others(in: path, besides: names, tree.value)
            }
            for name in found { delete(PathBytes.join(path, name)) }
        }
    }

    /// Names that may go; none where the directory is no part of what the snapshot is of.
    private func others(
        in path: [UInt8], besides names: Set<[UInt8]>, _ tree: borrowing LiveTree
    ) throws(PlatformError) -> [[UInt8]] {
        guard let status = try tree.status(path), status.type == .directory else { return [] }
        let directory =
            plan.options.isDryRun
            ? try tree.root.open(path, [.readOnly, .directory]) : try tree.openForChange(path)
        let others = try directory.names(path).filter { !names.contains($0) }
        guard !others.isEmpty else { return [] }
        if try tree.root.descriptor.status([]).device != status.device {
            note(.kept(path, .mount))
            return []
        }
        if names == [CacheDirectory.tagName] {
            note(.cacheKept(path))
            return []
        }
        return others
    }

    private func delete(_ path: [UInt8]) {
        attempt(path) { () throws(RestoreFault) in
            let removal = try target.remove(path, isDryRun: plan.options.isDryRun, plan)
            outcome.withState { $0.deleted &+= removal.removed }
            if removal.removed > 0 {
                if plan.options.isDryRun {
                    act(.delete, path)
                } else {
                    progress.tell(.removed, path)
                }
            }
            for (kept, reason) in removal.kept {
                if reason != .chosen {
                    note(.kept(kept, reason))
                } else if plan.isUnread(kept) {
                    note(.unreadKept(kept))
                }
            }
        }
    }
}
