internal import Bytes
internal import Capturing

extension CaptureNote {
    /// What a person is told.
    var text: String {
        switch self {
        case .incompleteRepository:
            return "the repository lacks packs or index; files are read again instead of trusted"
        case .damagedSnapshot(let error): return "\(error) (not used as parent)"
        case .damagedParent(let error):
            return "the parent snapshot is damaged, the rest was read anew: \(error)"
        case .plainTable(let path, let reason):
            let name = PathBytes.printable(path.isEmpty ? Array(".".utf8) : path)
            return "table \(name) is copied as plain files, unverified: "
                + String(decoding: reason, as: UTF8.self)
        }
    }
}
