import Bytes
import Testing
import Trees

struct RelativePathTests {
    @Test(arguments: ["", "a", "a/b", "...", "a/.b", "..a/b..", ". ", "a b/\u{e9}"])
    func `A path in canonical form is taken`(text: String) throws {
        let path = try #require(RelativePath(Array(text.utf8)))
        #expect(path.bytes == Array(text.utf8))
    }

    @Test(arguments: [
        "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/..", "a/../b", "../a", "a\0b", "\0",
    ])
    func `A path that could lead elsewhere or has two spellings is refused`(text: String) {
        #expect(RelativePath(Array(text.utf8)) == nil)
    }

    @Test(arguments: [(1, true), (254, true), (255, true), (256, false)])
    func `A part has at most 255 bytes`(count: Int, isValid: Bool) {
        let name = [UInt8](repeating: 0x61, count: count)
        #expect((RelativePath(name) != nil) == isValid)
        #expect((RelativePath(Array("a/".utf8) + name + Array("/b".utf8)) != nil) == isValid)
    }

    @Test(arguments: [-1, 0, 1])
    func `A path has at most 128 KiB`(more: Int) {
        let size = RelativePath.sizeLimit + more
        let path = (0..<size).map { $0 % 2 == 0 ? UInt8(ascii: "a") : UInt8(ascii: "/") }
        let ended = path.last == UInt8(ascii: "/") ? Array(path.dropLast()) + [0x62] : path
        // An even size would end in a slash: then its last part has two letters.
        let whole = size % 2 == 0 ? Array(ended.dropLast(2)) + [0x62, 0x62] : ended
        #expect((RelativePath(whole) != nil) == (more <= 0))
    }

    @Test func `Parents, names and children fit together`() throws {
        let path = try #require(RelativePath(Array("a/b/c".utf8)))
        #expect(path.name == Array("c".utf8))
        #expect(path.parent.bytes == Array("a/b".utf8))
        #expect(path.parent.appending(path.name) == path)
        #expect(path.parent.parent.parent.isRoot)
        #expect(RelativePath.root.parent.isRoot)
        #expect(RelativePath.root.appending(Array("a".utf8))?.bytes == Array("a".utf8))
        for name in ["", ".", "..", "a/b", "a\0"] {
            #expect(path.appending(Array(name.utf8)) == nil)
        }
        #expect(path.isInside(path.parent) && path.isInside(path) && path.isInside(.root))
        #expect(!path.parent.isInside(path))
    }

    @Test func `Paths are ordered as a walk comes to them`() throws {
        let walk = ["", "a", "a/b", "a/b/c", "a/c", "a!", "a.b", "ab"]
        let paths = try walk.map { try #require(RelativePath(Array($0.utf8))) }
        #expect(paths.reversed().sorted() == paths)
    }
}
