import Foundation
import Testing

/// Names with a line break, an escape sequence and bytes that are not UTF-8.
@Suite struct OddNamesTests {
    private static let name: [UInt8] = Array("two\nlines\u{1b}[31m".utf8) + [0xff]

    private func workshop() throws -> Workshop {
        let workshop = try Workshop()
        let made = try workshop.shell(
            #"""
            mkdir store; printf secret > store/$'two\nlines\e[31m\xff' && $varve init -r repo -q &&
            $varve snapshot store -r repo -q
            """#
        )
        #expect(made.status == 0)
        return workshop
    }

    @Test func `On a terminal nothing of the name is acted on`() throws {
        let workshop = try workshop()
        let escaped = #"two\x0alines\x1b[31m\xff"#
        #expect(try workshop.varve("ls", "latest", "-r", "repo").text == escaped + "\n")
        let found = try workshop.varve("find", "two*", "-r", "repo").text
        #expect(workshop.normalized(found) == "ID:\(escaped)\n")
        let missing = try workshop.shell(#"$varve cat latest:$'\e[2J\x80' -r repo"#)
        #expect(missing.errorText.hasPrefix(#"varve: the snapshot has nothing at \x1b[2J\x80"#))
    }

    @Test func `Raw names end in NUL`() throws {
        let workshop = try workshop()
        #expect(try workshop.varve("ls", "latest", "-0", "-r", "repo").output == Self.name + [0])
        let found = try workshop.varve("find", "two*", "--null", "-r", "repo").output
        #expect(Array(found.dropFirst(13)) == Self.name + [0])
    }

    @Test func `Arguments reach the snapshot byte for byte`() throws {
        let workshop = try workshop()
        let result = try workshop.shell(#"$varve cat latest:$'two\nlines\e[31m\xff' -r repo"#)
        #expect(result.text == "secret")
        #expect(result.status == 0)
    }

    @Test func `JSON has the name as text, and in base64 where that loses something`() throws {
        let workshop = try workshop()
        let output = try workshop.varve("ls", "latest", "--json", "-r", "repo").output
        let parsed = try JSONSerialization.jsonObject(with: Data(output)) as? [[String: Any]]
        let entry = try #require(parsed?.first)
        #expect(entry["path"] as? String == "two\nlines\u{1b}[31m\u{fffd}")
        let base64 = try #require(entry["path_base64"] as? String)
        #expect(Data(base64Encoded: base64) == Data(Self.name))
        #expect(!output.contains(0x1b))
    }
}
