import Repository
import Testing
import TestSupport

/// A conformer of `Storage`, empty.
enum StorageKind: String, CaseIterable, Sendable {
    case directory, simulated

    struct Place {
        let storage: any Storage
        /// Lives as long as the storage is used.
        let directory: TemporaryDirectory?
    }

    func make() throws -> Place {
        guard self == .directory else { return Place(storage: SimulatedStorage(), directory: nil) }
        let directory = try TemporaryDirectory()
        let storage = try DirectoryStorage.create(directory.path("repository"))
        return Place(storage: storage, directory: directory)
    }
}

/// The contract of `Storage`, for the conformers that are here.
struct StorageConformanceTests {
    @Test(arguments: StorageKind.allCases, StorageRule.allCases)
    func `A storage keeps the contract`(kind: StorageKind, rule: StorageRule) throws {
        let place = try kind.make()
        try rule.check(place.storage, directory: place.directory?.path("repository"))
    }
}
