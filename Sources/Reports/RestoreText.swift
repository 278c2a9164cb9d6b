internal import Bytes
internal import Platform
internal import Restoring
internal import Trees

// What happened in a restore, in words.

extension RestoreFailure {
    var reason: String {
        switch fault {
        case .system(let error): "\(error)"
        case .repository(let error): "\(error)"
        case .interrupted: "interrupted"
        case .noSuchPath: "the snapshot does not have it"
        case .differs: "what was read back is not what the snapshot has"
        case .otherName(let first):
            "its other name, \(PathBytes.printable(first)), was not restored"
        case .inTheWay(let obstacle): obstacle.text
        }
    }
}

extension RestoreFault.Obstacle {
    fileprivate var text: String {
        switch self {
        case .directory: "a directory that is not empty has its name; --delete would remove it"
        case .file: "a file has its name; --delete would remove it"
        case .mount: "something is mounted there, and stays"
        case .socket: "a socket has its name, and stays"
        case .kept: "a directory has its name, with something in it that stays"
        }
    }
}

extension RestoreShortfall {
    var reason: String {
        switch part {
        case .link(let first):
            "it is a file of its own, and no second name of \(PathBytes.printable(first))"
        case .metadata(let unset): unset.text
        }
    }
}

extension UnsetMetadata {
    var text: String {
        let name =
            switch part {
            case .owner: "its owner"
            case .mode: "its mode"
            case .time: "its time"
            case .attribute(let name) where name.isEmpty: "its attributes"
            case .attribute(let name): "its attribute \(PathBytes.printable(name))"
            }
        switch cause {
        case .refused(let error): return "\(name) could not be set: \(error.errno)"
        case .outOfRange:
            return "\(name) is beyond the range of the file system, and is the nearest in it"
        }
    }
}

extension RestoreAction {
    var text: String {
        switch self {
        case .makeDirectory: "make directory"
        case .make: "make"
        case .write: "write"
        case .update: "update"
        case .link: "link"
        case .replace: "replace"
        case .delete: "delete"
        }
    }
}

extension RestoreNote {
    var text: String {
        switch self {
        case .space(let needed, let free):
            "the snapshot holds \(ByteCount(needed)), the target has \(ByteCount(free)) free"
        case .nothingDeleted:
            "nothing is deleted: the snapshot does not list all that it could not read"
        case .unreadKept(let path):
            "\(PathBytes.printable(path)): not deleted, the snapshot could not read it"
        case .kept(let path, let reason):
            "\(PathBytes.printable(path)): not deleted, \(reason.text)"
        case .cacheKept(let path):
            "\(PathBytes.printable(path)): nothing in it is deleted, the snapshot left it out as "
                + "a cache"
        case .deviceLeftOut(let path):
            "\(PathBytes.printable(path)): device not restored without --devices"
        }
    }
}

extension KeptReason {
    fileprivate var text: String {
        switch self {
        case .mount: "something is mounted there"
        case .socket: "snapshots have no sockets"
        case .replicaDirectory: "it belongs to a replica or synced store"
        case .chosen: "it was left out"
        }
    }
}
