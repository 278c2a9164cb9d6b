import Foundation
import Testing

@Suite struct JSONOutputTests {
    private func workshop() throws -> Workshop {
        let workshop = try Workshop()
        try workshop.write("store/a", "a")
        try workshop.write("store/d/b", "b")
        _ = try workshop.varve("init", "-r", "repo")
        _ = try workshop.varve("snapshot", "store", "-r", "repo", "--tag", "t")
        try workshop.write("store/c", "c")
        _ = try workshop.varve("snapshot", "store", "-r", "repo")
        return workshop
    }

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        let parsed = try JSONSerialization.jsonObject(with: Data(bytes))
        return try #require(parsed as? [String: Any])
    }

    private func array(_ bytes: [UInt8]) throws -> [[String: Any]] {
        let parsed = try JSONSerialization.jsonObject(with: Data(bytes))
        return try #require(parsed as? [[String: Any]])
    }

    private func lines(_ bytes: [UInt8]) throws -> [[String: Any]] {
        try bytes.split(separator: UInt8(ascii: "\n")).map { try object(Array($0)) }
    }

    @Test func `Every reading command prints one document`() throws {
        let workshop = try workshop()
        let list = try array(try workshop.varve("list", "-r", "repo", "--json").output)
        #expect(list.count == 2)
        #expect(list[0]["tags"] as? [String] == ["t"])
        #expect(list[1]["parent_id"] as? String == list[0]["snapshot_id"] as? String)
        let show = try object(try workshop.varve("show", "latest", "-r", "repo", "--json").output)
        #expect(show["snapshot_id"] as? String == list[1]["snapshot_id"] as? String)
        #expect(show["complete"] as? Bool == true)
        let ls = try array(
            try workshop.varve("ls", "latest", "-R", "-r", "repo", "--json").output
        )
        #expect(ls.compactMap { $0["path"] as? String } == ["a", "c", "d", "d/b"])
        let found = try array(try workshop.varve("find", "a", "-r", "repo", "--json").output)
        #expect(found.count == 2)
        let diff = try object(
            try workshop.varve(
                "diff",
                "latest~1",
                "latest",
                "--stat",
                "-r",
                "repo",
                "--json"
            ).output
        )
        let changes = try #require(diff["changes"] as? [[String: Any]])
        #expect(changes.contains { $0["path"] as? String == "c" && $0["before"] is NSNull })
        #expect((diff["totals"] as? [String: Any])?.count == 5)
        #expect(try array(workshop.varve("find", "zz", "-r", "repo", "--json").output).isEmpty)
        #expect(
            try object(workshop.varve("stats", "-r", "repo", "--json").output)["snapshots"] as? Int
                == 2
        )
        #expect(try object(workshop.varve("version", "--json").output)["program_version"] != nil)
    }

    @Test func `Long work prints an object a line, a summary last`() throws {
        let workshop = try workshop()
        let commands = [
            ["snapshot", "store"], ["restore", "latest", "--target", "out"],
            ["restore", "latest", "--target", "out2", "--dry-run"], ["check", "--read-data"],
            ["snapshot", "store", "--dry-run"],
        ]
        for command in commands {
            let result = try workshop.start(
                Workshop.program,
                command + ["-r", "repo", "--json"]
            ).finish()
            #expect(result.status == 0)
            let last = try #require(try lines(result.output).last)
            #expect(last["type"] as? String == "summary")
            #expect(result.errors == [])
        }
        let made = try workshop.varve("init", "-r", "second", "--json", "--chunk-average", "64K")
        #expect(try object(made.output)["chunk_average"] as? Int == 65536)
    }

    @Test func `Long work tells how far it is about once a second`() throws {
        let workshop = try workshop()
        _ = try workshop.shell("head -c 60M /dev/zero | tr '\\0' x > store/large")
        let result = try workshop.varve(
            "snapshot",
            "store",
            "-r",
            "repo",
            "--json",
            "--limit-rate",
            "20M"
        )
        let status = try lines(result.output).filter { $0["type"] as? String == "status" }
        #expect((1...9).contains(status.count))
        #expect(status.allSatisfy { $0["bytes_done"] is Int && $0["total_known"] is Bool })
    }

    @Test(arguments: [(["list", "-r", "no"], 10), (["frob"], 2), (["ls", "zz", "-r", "repo"], 2)])
    func `Errors are an object on standard error`(arguments: [String], status: Int) throws {
        let workshop = try workshop()
        let result = try workshop.start(Workshop.program, arguments + ["--json"]).finish()
        #expect(result.status == Int32(status))
        #expect(result.output == [])
        let error = try object(result.errors)
        #expect(error["type"] as? String == "error")
        #expect(error["exit_code"] as? Int == status)
        #expect((error["message"] as? String)?.isEmpty == false)
    }
}
