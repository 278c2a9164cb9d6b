@testable import Repository
import Platform
import Testing
import TestSupport

/// Repositories of the past stay readable, byte for byte.
struct GoldenRepositoryTests {
    @Test(arguments: GoldenRepository.versions)
    func `A golden repository holds what it held when it was written`(version: String) throws {
        if HostSystem.variable("VARVE_RECORD_FIXTURES") == Array("1".utf8) {
            try GoldenRepository.record()
        }
        let directory = try GoldenRepository.copy(version)
        let storage = try DirectoryStorage(directory.path("repository"))
        let listing = try GoldenRepository.listing(try Repository(storage))
        let expected = try Fixtures.bytes("\(version)/\(GoldenRepository.listingName)")
        #expect(listing == String(decoding: expected, as: UTF8.self))
    }

    @Test(arguments: GoldenRepository.versions)
    func `A golden repository is read without its index`(version: String) throws {
        let directory = try GoldenRepository.copy(version)
        let storage = try DirectoryStorage(directory.path("repository"))
        let complete = try GoldenRepository.listing(try Repository(storage))
        for digest in try storage.list(.index) {
            try storage.remove(.index(IndexID(digest)))
        }
        let rebuilt = try GoldenRepository.listing(try Repository(storage))
        let withoutIndex = complete.split(separator: "\n").filter { !$0.hasPrefix("index ") }
        #expect(rebuilt.split(separator: "\n") == withoutIndex)
    }
}
