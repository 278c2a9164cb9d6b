internal import Snapshots
internal import Bytes
internal import Platform

/// A manifest entry as text and as JSON.
enum EntryText {
    /// As `ls -l` shows it, with numeric owners: names may differ between hosts.
    static func long(_ entry: ManifestEntry) -> String {
        let cells = [
            mode(entry), TerminalText.padded("\(entry.uid)", to: 5, trailing: true),
            TerminalText.padded("\(entry.gid)", to: 5, trailing: true),
            TerminalText.padded(size(entry), to: 12, trailing: true),
            "\(CivilTime(local: entry.mtime))", name(entry),
        ]
        return cells.joined(separator: "  ")
    }

    private static func name(_ entry: ManifestEntry) -> String {
        let path = entry.path.isEmpty ? "." : PathBytes.printable(entry.path)
        guard case .symlink(let target) = entry.payload else { return path }
        return path + " -> " + PathBytes.printable(target)
    }

    private static func size(_ entry: ManifestEntry) -> String {
        switch entry.payload {
        case .characterDevice(let number), .blockDevice(let number): "device \(number)"
        case .file: "\(entry.size)"
        default: "-"
        }
    }

    /// "drwxr-x--T".
    static func mode(_ entry: ManifestEntry) -> String {
        var text = String(typeLetter(entry))
        let special: [(bit: UInt32, on: Character, off: Character)] = [
            (0o4000, "s", "S"), (0o2000, "s", "S"), (0o1000, "t", "T"),
        ]
        for (index, extra) in special.enumerated() {
            let bits = entry.mode >> (6 - 3 * UInt32(index))
            let isExecutable = bits & 1 != 0
            text.append(bits & 4 != 0 ? "r" : "-")
            text.append(bits & 2 != 0 ? "w" : "-")
            if entry.mode & extra.bit != 0 {
                text.append(isExecutable ? extra.on : extra.off)
            } else {
                text.append(isExecutable ? "x" : "-")
            }
        }
        return text
    }

    private static func typeLetter(_ entry: ManifestEntry) -> Character {
        switch entry.payload {
        case .file: "-"
        case .directory: "d"
        case .symlink: "l"
        case .fifo: "p"
        case .characterDevice: "c"
        case .blockDevice: "b"
        }
    }

    static func typeName(_ entry: ManifestEntry) -> String {
        switch entry.payload {
        case .file: "file"
        case .directory: "directory"
        case .symlink: "symlink"
        case .fifo: "fifo"
        case .characterDevice: "character_device"
        case .blockDevice: "block_device"
        }
    }
}

extension ManifestEntry {
    var json: JSONObject {
        var object = JSONObject()
        object.setBytes("path", path)
        object["type"] = .string(EntryText.typeName(self))
        object["mode"] = .string(Self.octal(mode))
        object["uid"] = .count(UInt64(uid))
        object["gid"] = .count(UInt64(gid))
        object["mtime"] = .time(mtime)
        object["mtime_unix"] = .integer(mtime.seconds)
        object["mtime_nanoseconds"] = .count(UInt64(mtime.nanoseconds))
        switch payload {
        case .file(let size, _): object["size"] = .count(size)
        case .symlink(let target): object.setBytes("target", target)
        case .characterDevice(let number), .blockDevice(let number):
            object["device"] = .count(number)
        case .directory, .fifo: break
        }
        if isIncomplete { object["incomplete"] = .bool(true) }
        if !attributes.isEmpty { object["attributes"] = .array(attributes.map { .text($0.name) }) }
        return object
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
