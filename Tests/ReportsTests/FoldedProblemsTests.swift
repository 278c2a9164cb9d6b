import Testing

@testable import Reports

@Suite struct FoldedProblemsTests {
    private func messages(_ paths: [String], _ kinds: [String] = []) -> [String] {
        FoldedProblems.messages(
            paths.enumerated().map { index, path in
                FoldedProblems.Item(
                    Array(path.utf8), kind: kinds.isEmpty ? "" : kinds[index], text: path)
            }
        ).map(\.text)
    }

    @Test(arguments: 0...5)
    func `A few equal problems are named one by one`(count: Int) {
        let paths = (0..<count).map { "sub/\($0)" }
        #expect(messages(paths) == paths)
    }

    @Test func `Of many equal problems three are named and the others counted`() {
        let paths = (1...3004).map { "sub/deep/\($0)" }
        let named = ["sub/deep/1", "sub/deep/2", "sub/deep/3"]
        #expect(messages(paths) == named + ["and 3,001 more of these below sub/deep/"])
    }

    @Test func `What is common to the paths is told, and nothing where nothing is`() {
        let near = (1...9).map { "sub/\($0)/file" }
        #expect(messages(near).last == "and 6 more of these below sub/")
        let far = (1...9).map { "\($0)/file" }
        #expect(messages(far).last == "and 6 more of these")
        let alike = ["sub/x", "submarine/x"] + (1...5).map { "sub/\($0)" }
        #expect(messages(alike).last == "and 4 more of these")
    }

    @Test func `Problems of another kind begin anew`() {
        let paths = (1...14).map { "\($0)" }
        let kinds = (1...14).map { $0 <= 7 ? "one" : "two" }
        #expect(
            messages(paths, kinds) == [
                "1", "2", "3", "and 4 more of these", "8", "9", "10", "and 4 more of these",
            ])
    }
}
