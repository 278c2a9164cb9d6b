import Bytes
import Hashing
import Operations
import Platform
import Testing
import TestSupport

@testable import Remote
@testable import Repository

/// What a crash must not do to files that only help.
struct CacheLaws {
    private static let texts = (0..<4).map { Array(String(repeating: "\($0) ", count: 400).utf8) }

    private static func add(_ cache: RemoteCache) {
        for text in texts {
            cache.add(IndexID(SHA256Digest(of: text.span)), text)
            cache.nodes?.add(BlobID(of: text.span, .node), text.span)
        }
    }

    @Test func `A cache gives what it was given, or nothing, and can be used again`() throws {
        let id = RepositoryID(SHA256Digest(1, 2, 3, 4))
        try CrashLaw("caches", points: 1_500).holds { place in
            _ = RemoteCache(id, below: place.path("cache"))
        } run: { place, isDone in
            guard let cache = RemoteCache(id, below: place.path("cache")) else { return }
            Self.add(cache)
            isDone()
        } law: { scene in
            guard let cache = RemoteCache(id, below: scene.place.path("cache")) else {
                return scene.fail("the cache cannot be opened")
            }
            for isAgain in [false, true] {
                if isAgain { Self.add(cache) }
                for text in Self.texts {
                    let index = try cache.find(IndexID(SHA256Digest(of: text.span)))?
                        .read(text.count + 1, at: 0)
                    let node = cache.nodes?.find(BlobID(of: text.span, .node))
                    for found in [index, node] {
                        scene.expect(
                            found == text || found == nil && !isAgain, "something else is found")
                    }
                }
            }
        }
    }

    @Test func `A monitor reads a whole record of a watch, the old one or the new one`() throws {
        try CrashLaw("watch records", points: 1_500).holds { place in
            try place.write("{\"status\":\"starting\"}\n", "health")
        } run: { place, isDone in
            for number in 1...3 {
                try WatchRecord.publish("{\"status\":\(number)}\n", to: place.path("health"))
                isDone()
            }
        } law: { scene in
            let text = String(decoding: try scene.place.read("health"), as: UTF8.self)
            let whole = ["\"starting\"", "1", "2", "3"].map { "{\"status\":\($0)}\n" }
            scene.expect(whole.contains(text), "\(text.utf8.count) bytes of none")
            try WatchRecord.publish("next", to: scene.place.path("health"))
            scene.expect(try scene.place.read("health") == Array("next".utf8), "the next")
        }
    }
}
