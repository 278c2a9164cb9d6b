import Bytes
import JSON
import Testing

@testable import Reports

@Suite struct FailureTests {
    @Test(arguments: [
        ("plain, ø and 東京", "plain, ø and 東京"), ("\u{1b}[31m", "\\x1b[31m"),
        ("a\nvarve: forged", "a\\x0avarve: forged"), ("\u{9b}2J", "\\xc2\\x9b2J"),
        ("\u{202e}txt.exe", "\\xe2\\x80\\xaetxt.exe"), ("\\x1b", "\\x1b"),
    ])
    func `Nothing reaches a terminal that it would act on`(text: String, shown: String) {
        #expect(TerminalText.harmless(text) == shown)
        #expect(TerminalText.harmless(TerminalText.harmless(text)) == shown)
        let failure = Failure(message: text, details: [text], advice: "Do \u{1b}.")
        #expect(failure.text == "varve: \(shown)\n  \(shown)\n  Do \\x1b.\n")
    }

    @Test func `A failure is a line for what happened, what it means and what to do`() {
        let failure = Failure(
            message: "it broke", meaning: "Nothing was changed.", advice: "Mend it.\nThen again.",
            status: .held)
        #expect(
            failure.text
                == "varve: it broke\n  Nothing was changed.\n  Mend it.\n  Then again.\n")
        let json = failure.json
        #expect(json["type"]?.string == "error" && json["exit_code"]?.int64 == 11)
        #expect(json["details"] == nil)
    }

    @Test(arguments: [
        (["check", "--repo", "x"], false), (["list"], true), (["table", "verify", "t"], true),
    ])
    func `Whoever looks for damage in vain is not told to look for damage`(
        words: [String], isKept: Bool
    ) {
        var failure = Failure(message: "config: damaged", advice: "Run `varve check` to see.")
        failure.avoidAdvice(toRun: words)
        #expect((failure.advice == "Run `varve check` to see.") == isKept)
        #expect(!failure.advice.isEmpty)
    }

    @Test(arguments: [
        (1, "directory", "1 directory"), (2, "directory", "2 directories"), (0, "pass", "0 passes"),
        (1000, "file", "1,000 files"), (2, "damaged object", "2 damaged objects"),
    ])
    func `Plurals are right`(count: Int, noun: String, text: String) {
        #expect(Wording.count(count, noun) == text)
    }

    @Test func `Bytes that are no text stand beside the text in JSON`() {
        var object = JSONObject(path: [0x61, 0xff])
        object.setBytes("tags", list: [[0x62], [0xfe]])
        object.setBytes("host", [0x63])
        #expect(
            object.value.text
                == #"{"path":"a�","path_base64":"Yf8=","tags":["b","�"],"#
                + #""tags_base64":["Yg==","/g=="],"host":"c"}"#)
        #expect(Base64.decode(Array("Yf8=".utf8)[...]) == [0x61, 0xff])
    }
}
