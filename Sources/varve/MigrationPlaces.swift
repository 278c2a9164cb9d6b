internal import Remote
internal import Bytes
internal import Migration
internal import Platform

/// What can be said of the places of a migration before it begins.
enum MigrationPlaces {
    /// Refuses places on other hosts.
    static func check(_ source: ByteArgument, _ target: ByteArgument) throws {
        for place in [source, target] {
            guard let location = try? RepositoryLocation(parsing: place.bytes),
                case .remote = location
            else { continue }
            throw UsageError(
                "\(place.printable) is on another host, and a migration stays on this one",
                "`varve replicate` keeps a live copy of a store on another host. A directory here "
                    + "whose name has a colon is written as ./name.")
        }
    }

    /// Refuses a repository in the source, whose backup would hold it, and one in the target, which
    /// would be no backup.
    static func checkRepository(_ path: [UInt8], _ run: MigrationRun) throws {
        guard let repository = try? HostSystem.resolve(path) else { return }
        for (name, place) in [("source", run.sourcePath), ("target", run.targetPath)]
        where PathBytes.isInside(repository, place) {
            throw UsageError(
                "the repository lies in the \(name) of the migration",
                "Name a repository outside of source and target.")
        }
    }

    /// A word as a shell takes it.
    static func quoted(_ word: [UInt8]) -> String {
        let text = String(decoding: word, as: UTF8.self)
        let isPlain = word.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
                || (0x61...0x7a).contains(byte) || "/._-=:,@%+".utf8.contains(byte)
        }
        guard !isPlain || word.isEmpty else { return text }
        return "'"
            + text.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: #"'\''"#) + "'"
    }
}
