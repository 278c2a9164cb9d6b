import Testing

@testable import varve

@Suite struct LosslessTextTests {
    @Test(
        arguments: [
            [], Array("plain".utf8), Array("Tromsø 東京 🌊".utf8), [0xff], [0xc3], [0xc3, 0x28],
            [0x61, 0xff, 0x62], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
            Array("\u{10FF41}".utf8), Array("\u{10FFFF}".utf8) + [0x80],
        ] as [[UInt8]]
    )
    func `Bytes come back from text as they were`(bytes: [UInt8]) {
        #expect(LosslessText.decode(LosslessText.encode(bytes)) == bytes)
    }

    @Test func `Random bytes come back`() {
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        for _ in 0..<2000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int(state >> 60) {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes.append(UInt8(truncatingIfNeeded: state >> 56))
            }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            #expect(LosslessText.decode(LosslessText.encode(bytes)) == bytes, "seed \(seed)")
        }
    }

    @Test func `Text is carried as itself`() {
        #expect(LosslessText.encode(Array("Tromsø".utf8)) == "Tromsø")
    }
}

@Suite struct ShellWordTests {
    @Test(arguments: [
        ("/a/b-c.d", "/a/b-c.d"), ("", "''"), ("a b", "'a b'"), ("it's", #"'it'\''s'"#),
        ("ø$x", "'ø$x'"), ("a\nb", #"$'a\x0ab'"#),
    ])
    func `Words are quoted as a shell takes them`(word: String, quoted: String) {
        #expect(ShellWord.quoted(Array(word.utf8)) == quoted)
    }

    @Test func `Bytes that are no text are quoted by their numbers`() {
        #expect(ShellWord.quoted([0x61, 0xff, 0x27]) == #"$'a\xff\x27'"#)
    }
}
