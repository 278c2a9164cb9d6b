import Platform
import Testing

@Suite struct SnapshotCommandTests {
    private func workshop() throws -> Workshop {
        let workshop = try Workshop()
        try workshop.write("store/a", "a")
        _ = try workshop.varve("init", "--repo", "repo")
        return workshop
    }

    @Test func `A source that does not exist fails and changes nothing`() throws {
        let workshop = try workshop()
        let before = try workshop.shell("find repo | sort").text
        let result = try workshop.varve("snapshot", "nowhere", "store", "-r", "repo")
        #expect(result.status == 1)
        #expect(
            result.errorText == """
                varve: cannot resolve nowhere: No such file or directory
                  No snapshot was made; those in the repository are as they were.
                  Make sure that the source exists and may be read, then run it again.

                """
        )
        #expect(try workshop.shell("find repo | sort").text == before)
    }

    @Test func `Several sources lie below their base names, each once`() throws {
        let workshop = try workshop()
        try workshop.write("more/b", "b")
        let result = try workshop.varve("snapshot", "store", "more", "./store/", "-r", "repo")
        #expect(result.status == 0)
        let names = try workshop.varve("ls", "latest", "-R", "-r", "repo").text
        #expect(names == "more\nmore/b\nstore\nstore/a\n")
    }

    @Test func `A repository in the source is left out`() throws {
        let workshop = try Workshop()
        try workshop.write("a[b/file", "x")
        _ = try workshop.varve("init", "--repo", "a[b/re*po")
        let result = try workshop.varve("snapshot", "a[b", "-r", "a[b/re*po")
        #expect(result.status == 0)
        #expect(result.errorText == "varve: left out the repository itself, re*po\n")
        #expect(try workshop.varve("ls", "latest", "-R", "-r", "a[b/re*po").text == "file\n")
        #expect(try workshop.varve("snapshot", "a[b/re*po", "-r", "a[b/re*po").status == 2)
        #expect(try workshop.varve("snapshot", "a[b/re*po/packs", "-r", "a[b/re*po").status == 2)
    }

    @Test func `What cannot be read is listed, the rest is stored, and the exit status is 3`()
        throws
    {
        let workshop = try workshop()
        // Not even root may read this one; for others a mode does it.
        let source = HostSystem.isRoot ? "/sys/bus/platform/drivers_probe" : "store"
        if !HostSystem.isRoot {
            try workshop.write("store/secret", "x")
            _ = try workshop.shell("chmod 0 store/secret")
        }
        let result = try workshop.varve("snapshot", "store", source, "-r", "repo")
        #expect(result.status == 3)
        #expect(result.errorText.hasPrefix("varve: unreadable: "))
        #expect(result.text.contains("0 unchanged, 1 unreadable"))
        #expect(try workshop.varve("ls", "latest", "-R", "-r", "repo").text.contains("a\n"))
        #expect(try workshop.varve("show", "latest", "-r", "repo").text.contains("\nproblems\n"))
        let quiet = try workshop.varve("snapshot", "store", source, "-r", "repo", "--quiet")
        #expect(quiet.status == 3)
        #expect(quiet.text == "")
    }

    @Test func `Exclusion follows patterns from options, files and standard input`() throws {
        let workshop = try workshop()
        for name in ["b.tmp", "c.tmp", "keep.tmp", "log"] {
            try workshop.write("store/\(name)", "")
        }
        try workshop.write("patterns", "# comment\n*.tmp\n")
        let result = try workshop.shell(
            """
            echo log | $varve snapshot store -r repo --exclude-from patterns --exclude-from - \
                --exclude '!keep.tmp'
            """
        )
        #expect(result.status == 0)
        #expect(try workshop.varve("ls", "latest", "-r", "repo").text == "a\nkeep.tmp\n")
        let missing = try workshop.varve("snapshot", "store", "-r", "repo", "--exclude-from", "no")
        #expect(missing.status == 1)
    }

    @Test func `The environment names the repository`() throws {
        let workshop = try workshop()
        #expect(try workshop.shell("VARVE_REPO=repo $varve snapshot store").status == 0)
        #expect(try workshop.shell("VARVE_REPO=nowhere $varve list -r repo").status == 0)
    }

    @Test func `A restore never harms the repository that it reads`() throws {
        let workshop = try workshop()
        _ = try workshop.varve("snapshot", "store", "-r", "repo")
        for target in [["repo"], ["repo/packs/new"], [".", "--delete"]] {
            let arguments = ["restore", "latest", "-r", "repo", "--target"] + target
            #expect(try workshop.start(Workshop.program, arguments).finish().status == 2)
        }
        #expect(try workshop.varve("check", "-r", "repo").status == 0)
    }

    @Test(arguments: [
        ("zz", Int32(2), "is no snapshot's name"),
        ("latest~x", 2, "is no snapshot's name"),
        ("@2026-13-01", 2, "is no snapshot's name"),
        ("00000000", 1, "no snapshot's id begins with 00000000"),
        ("latest~1", 1, "goes back beyond the first of 1 snapshot\n"),
        ("@2001-01-01", 1, "no snapshot is as old as 2001-01-01"),
        ("latest:nothing/here", 1, "the snapshot has nothing at nothing/here"),
    ])
    func `A name that leads nowhere is told with what leads on`(
        name: String,
        status: Int32,
        message: String
    ) throws {
        let workshop = try workshop()
        _ = try workshop.varve("snapshot", "store", "-r", "repo")
        let result = try workshop.varve("ls", name, "-r", "repo")
        #expect(result.status == status)
        #expect(result.errorText.contains(message))
        #expect(result.errorText.split(separator: "\n").count >= 2)
        #expect(result.text == "")
    }

    @Test func `An empty repository has no latest snapshot`() throws {
        let result = try workshop().varve("ls", "latest", "-r", "repo")
        #expect(result.status == 1)
        #expect(result.errorText.hasPrefix("varve: there is no snapshot in the repository\n"))
    }
}
