internal import Bytes
package import JSON
package import Platform
package import Snapshots

/// A manifest entry as text and as JSON.
package enum EntryText {
    /// As `ls -l` shows it, with numeric owners: names may differ between hosts.
    package static func long(_ entry: ManifestEntry) -> String {
        let cells = [
            mode(entry), TerminalText.padded("\(entry.uid)", to: 5, trailing: true),
            TerminalText.padded("\(entry.gid)", to: 5, trailing: true),
            TerminalText.padded(size(entry), to: 12, trailing: true),
            "\(CivilTime(local: entry.mtime))", name(entry),
        ]
        return cells.joined(separator: "  ")
    }

    /// What became of an entry, in a line.
    package static func line(_ fate: EntryFate, _ path: [UInt8]) -> String {
        TerminalText.padded(fate.rawValue, to: 10) + "  " + Wording.path(path)
    }

    /// The same as an object of the type "action".
    package static func document(_ fate: EntryFate, _ path: [UInt8]) -> JSONValue {
        var object: JSONObject = ["type": "action", "action": .string(fate.rawValue)]
        object.setBytes("path", path)
        return object.value
    }

    private static func name(_ entry: ManifestEntry) -> String {
        let path = Wording.path(entry.path)
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

    /// What an entry is, in one word.
    package static func typeName(_ entry: ManifestEntry) -> String {
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
    /// All that a listing says of the entry.
    package var json: JSONObject {
        var object = JSONObject(path: path)
        object["type"] = .string(EntryText.typeName(self))
        object["mode"] = .string(Self.octal(mode))
        object["uid"] = .number(uid)
        object["gid"] = .number(gid)
        object["mtime"] = .time(mtime)
        object["mtime_unix"] = .number(mtime.seconds)
        object["mtime_nanoseconds"] = .number(mtime.nanoseconds)
        switch payload {
        case .file(let size, _): object["size"] = .number(size)
        case .symlink(let target): object.setBytes("link_target", target)
        case .characterDevice(let number), .blockDevice(let number):
            object["device"] = .number(number)
        case .directory, .fifo: break
        }
        if isIncomplete { object["complete"] = false }
        if !attributes.isEmpty {
            object.setBytes("attributes", list: attributes.map(\.name))
        }
        return object
    }

    private static func octal(_ mode: UInt32) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
