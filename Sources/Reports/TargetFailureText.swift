internal import Bytes
internal import JSON
internal import Targets

extension TargetFailure {
    /// What a target could not do, in a line.
    var line: String {
        let name = PathBytes.printable(path)
        let what =
            switch kind {
            case .owner: "\(name): its owner could not be set"
            case .attribute:
                "\(name): its attribute \(PathBytes.printable(attribute)) could not be set"
            case .mode: "\(name): its permissions could not be set"
            case .time: "\(name): its time could not be set"
            case .notMade: "\(name) could not be made"
            case .notRemoved: "\(name) could not be removed, and is tried again by the next run"
            }
        return "\(what): \(reason)"
    }

    /// The same for programs.
    var object: JSONObject {
        var object = JSONObject()
        object.setBytes("path", path)
        object["kind"] = .string("\(kind)")
        if !attribute.isEmpty { object.setBytes("attribute", attribute) }
        object["reason"] = .string(reason)
        return object
    }

    var json: JSONValue { object.value }
}
