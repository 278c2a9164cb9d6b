internal import Replicas
internal import TwoWay

extension Failure {
    init(_ error: ReplicaError) {
        let unchanged = "Nothing was changed at the target."
        switch error {
        case .changedThere(let count, let changes, let location):
            let listed = changes.prefix(20).map { "  " + ReplicaReport.text($0) }
            let rest = count - UInt64(listed.count)
            self.init(
                message: "\(location) was changed by others in "
                    + Wording.count(count, "place") + " since the last replication",
                details: listed + (rest > 0 ? ["  and \(Wording.grouped(rest)) more"] : []),
                meaning: unchanged,
                advice: "Save what is worth it and run it again with --overwrite, which puts the "
                    + "store's paths right; other paths stay."
            )
        case .foreign(let location):
            self.init(
                message: "\(location) holds files that no replication left there",
                meaning: unchanged,
                advice: "Name an empty directory, or use --overwrite: files of the store replace "
                    + "those of the same name, others stay."
            )
        case .emptyStore(let location):
            self.init(
                message: "the store is empty, and its replica \(location) is not",
                meaning: unchanged,
                advice: "Make sure that the store is mounted; --overwrite empties the replica."
            )
        case .otherStore(let location):
            self.init(
                message: "\(location) is the replica of another store",
                meaning: unchanged,
                advice: "Name another directory, or use --overwrite to make it a replica of this "
                    + "store: what the other one left there goes."
            )
        }
    }
}

extension Failure {
    init(_ error: StoreSyncError) {
        switch error {
        case .emptied(let location):
            self.init(
                message: "\(location) is empty, and was not at the last sync",
                meaning: "Nothing was changed on either side.",
                advice: "Make sure that it is mounted. If it was emptied on purpose, remove its "
                    + ".varve-replica: then it is filled anew from the other side."
            )
        }
    }
}
