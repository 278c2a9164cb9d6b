internal import Bytes
internal import Chunking
internal import Hashing
internal import JSON
package import Remote
package import Repository

/// What there is to say of a repository as such.
package enum RepositoryText {
    /// A repository that was made.
    package static func made(_ config: RepositoryConfig, _ location: RepositoryLocation) -> Report {
        var object: JSONObject = ["type": "summary", "repository_id": .hex(config.id.digest)]
        switch location {
        case .directory(let path): object.setBytes("path", path)
        case .remote(let remote):
            object.setBytes("path", remote.path)
            object["location"] = .string(remote.description)
        }
        object["chunk_minimum"] = .number(config.chunking.minimum)
        object["chunk_average"] = .number(config.chunking.average)
        object["chunk_maximum"] = .number(config.chunking.maximum)
        let id = config.id.hex.prefix(12)
        return Report(object.value, summary: ["made repository \(id) in \(location.description)"])
    }

    /// The version of the program, and the format of repositories that it writes.
    package static func version(_ number: String, isDetailed: Bool) -> Report {
        let object: JSONObject = [
            "program_version": .string(number),
            "repository_format": .number(RepositoryConfig.version),
        ]
        let format = "repository format \(RepositoryConfig.version)"
        return Report(object.value, results: ["varve \(number)"] + (isDetailed ? [format] : []))
    }
}
