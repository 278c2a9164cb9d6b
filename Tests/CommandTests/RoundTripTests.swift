import Testing

@Suite struct RoundTripTests {
    /// A repository "repo" and a store with two snapshots, between which a night went by.
    private func twoNights() throws -> Workshop {
        let workshop = try Workshop()
        try workshop.write("store/a.txt", "one\n")
        try workshop.write("store/deep/b.txt", "two\n")
        try workshop.write("store/deep/old.txt", "old\n")
        #expect(try workshop.varve("init", "--repo", "repo").status == 0)
        let first = try workshop.shell(
            "$varve snapshot store -r repo --host db1 --time 2026-11-20T03:00Z --tag nightly"
        )
        #expect(first.status == 0)
        _ = try workshop.shell(
            """
            printf more >> store/a.txt; rm store/deep/old.txt; chmod 600 store/deep/b.txt
            ln -s a.txt store/link; printf new > store/new
            """
        )
        let second = try workshop.shell(
            "$varve snapshot store -r repo --host db1 --time 2026-11-21T03:00Z"
        )
        #expect(second.status == 0)
        return workshop
    }

    @Test func `A first snapshot tells what it did`() throws {
        let workshop = try Workshop()
        try workshop.write("store/a", "12345")
        let made = try workshop.varve("init", "--repo", "repo")
        #expect(workshop.normalized(made.text) == "made repository ID in repo\n")
        let result = try workshop.varve("snapshot", "store", "--repo", "repo")
        let lines = workshop.normalized(result.text).split(separator: "\n")
        #expect(lines[0] == "snapshot ID of ~/store")
        #expect(lines[1] == "  files  1 new, 0 changed, 0 unchanged, 0 unreadable")
        #expect(lines[2].hasPrefix("  bytes  5 B read, "))
        #expect(lines[3] == "  time   …")
        #expect(result.errors == [])
    }

    @Test func `An empty repository lists nothing and says so`() throws {
        let workshop = try Workshop()
        _ = try workshop.varve("init", "--repo", "repo")
        let result = try workshop.varve("list", "--repo", "repo")
        #expect(result.status == 0)
        #expect(result.text == "")
        #expect(result.errorText == "varve: there are no snapshots\n")
        #expect(try workshop.varve("list", "--repo", "repo", "--json").text == "[]\n")
    }

    @Test func `Snapshots are listed oldest first and found by tag, host and source`() throws {
        let workshop = try twoNights()
        let list = workshop.normalized(try workshop.varve("list", "--repo", "repo").text)
        let lines = list.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix("ID  2026-11-20 03:00:00  db1   12 B      3  ~/store"))
        #expect(lines[1].hasSuffix("  nightly"))
        #expect(lines[2] == "ID  2026-11-21 03:00:00  db1   15 B      3  ~/store")
        for filter in [["--tag", "nightly"], ["--source", "store", "--tag", "nightly"]] {
            let arguments = ["list", "-r", "repo"] + filter
            let found = try workshop.start(Workshop.program, arguments).finish()
            #expect(found.text.split(separator: "\n").count == 2)
        }
        let none = try workshop.varve("list", "--repo", "repo", "--host", "db2")
        #expect(none.errorText == "varve: there are no such snapshots\n")
    }

    @Test func `A snapshot shows its parent and its numbers`() throws {
        let workshop = try twoNights()
        let text = workshop.normalized(
            try workshop.varve("show", "latest", "--repo", "repo").text
        )
        #expect(text.hasPrefix("snapshot     ID\ntime         2026-11-21 03:00:00\n"))
        #expect(text.contains("\nhost         db1\nsources      ~/store\ntags         none\n"))
        #expect(text.contains("\nparent       ID\nsequence     1\n"))
        #expect(text.contains("\ncomplete     yes\nentries      6\n"))
    }

    @Test func `Listing a directory shows what lies in it, recursively if wanted`() throws {
        let workshop = try twoNights()
        func ls(_ arguments: String...) throws -> String {
            try workshop.start(Workshop.program, ["ls", "--repo", "repo"] + arguments).finish()
                .text
        }
        #expect(try ls("latest") == "a.txt\ndeep\nlink\nnew\n")
        #expect(try ls("latest", "-R") == "a.txt\ndeep\ndeep/b.txt\nlink\nnew\n")
        #expect(try ls("latest~1:/deep/") == "deep/b.txt\ndeep/old.txt\n")
        #expect(try ls("latest:new") == "new\n")
        let long = try ls("latest", "--long").split(separator: "\n")
        #expect(long[0].hasPrefix("-rw") && long[0].hasSuffix("  a.txt"))
        #expect(long[1].hasPrefix("drwx"))
        #expect(long[2].hasPrefix("lrwx") && long[2].hasSuffix("  link -> a.txt"))
    }

    @Test func `A file is printed as it was`() throws {
        let workshop = try twoNights()
        #expect(try workshop.varve("cat", "latest~1:a.txt", "-r", "repo").text == "one\n")
        #expect(try workshop.varve("cat", "latest:a.txt", "-r", "repo").text == "one\nmore")
        let link = try workshop.varve("cat", "latest:link", "-r", "repo")
        #expect(link.status == 1)
        #expect(link.errorText.hasPrefix("varve: link is a symlink to a.txt\n"))
    }

    @Test func `Differences are told by kind, in path order`() throws {
        let workshop = try twoNights()
        let plain = try workshop.varve("diff", "latest~1", "latest", "-r", "repo")
        #expect(plain.text == "M a.txt\nU deep/b.txt\n- deep/old.txt\n+ link\n+ new\n")
        #expect(plain.status == 0)
        let part = try workshop.varve("diff", "latest~1:deep", "latest", "-r", "repo", "--stat")
        #expect(part.text == "U deep/b.txt\n- deep/old.txt\n1 removed, 4 B\n1 metadata\n")
    }

    @Test func `A restore makes the target equal, and a second one finds nothing to do`() throws {
        let workshop = try twoNights()
        let first = try workshop.varve("restore", "latest", "-r", "repo", "--target", "out")
        #expect(first.status == 0)
        let lines = workshop.normalized(first.text).split(separator: "\n")
        #expect(lines[0] == "restored ID to out")
        #expect(lines[1] == "  files  3 written, 0 unchanged, 0 skipped, 0 failed")
        let compared = try workshop.shell(
            """
            diff -r --no-dereference store out && \
            diff <(cd store; find . -printf '%p %y %m %U:%G %s %T@\\n' | sort) \
                <(cd out; find . -printf '%p %y %m %U:%G %s %T@\\n' | sort)
            """
        )
        #expect(compared.status == 0)
        #expect(compared.text == "")
        let second = try workshop.varve("restore", "latest", "-r", "repo", "--target", "out")
        #expect(second.text.contains("  files  0 written, 3 unchanged, 0 skipped, 0 failed\n"))
    }

    @Test func `A dry run says what it would do and writes nothing`() throws {
        let workshop = try twoNights()
        let restored = try workshop.varve("restore", "latest", "-r", "repo", "-t", "out", "-n")
        #expect(restored.status == 0)
        #expect(restored.text.contains("write a.txt\n"))
        let before = try workshop.shell("find repo | sort; ls").text
        let captured = try workshop.varve("snapshot", ".", "-r", "repo", "--dry-run")
        #expect(captured.status == 0)
        #expect(captured.text.hasPrefix("dry run of a snapshot of "))
        #expect(try workshop.shell("find repo | sort; ls").text == before)
    }

    @Test func `Files are found in all snapshots or in one`() throws {
        let workshop = try twoNights()
        let all = try workshop.varve("find", "*.txt", "-r", "repo")
        #expect(
            workshop.normalized(all.text)
                == "ID:a.txt\nID:deep/b.txt\nID:deep/old.txt\nID:a.txt\nID:deep/b.txt\n"
        )
        let one = try workshop.varve("find", "deep/*", "-r", "repo", "--snapshot", "latest")
        #expect(workshop.normalized(one.text) == "ID:deep/b.txt\n")
    }

    @Test func `A sound repository passes its check, a damaged one names the files`() throws {
        let workshop = try twoNights()
        let sound = try workshop.varve("check", "--read-data", "-r", "repo")
        #expect(sound.status == 0)
        #expect(sound.text.hasSuffix("no damage found\n"))
        _ = try workshop.shell(
            """
            pack=$(ls -S repo/packs/*/* | head -1); chmod u+w $pack
            printf '\\377\\377\\377\\377' | dd of=$pack bs=1 seek=40 conv=notrunc
            """
        )
        let damaged = try workshop.varve("check", "--read-data", "-r", "repo")
        #expect(damaged.status == 1)
        #expect(damaged.errorText.contains("varve: damage: packs/"))
        #expect(damaged.errorText.contains("\n  affects "))
    }

    @Test func `Statistics count the repository and a snapshot`() throws {
        let workshop = try twoNights()
        let all = try workshop.varve("stats", "-r", "repo").text
        #expect(all.hasPrefix("snapshots               2\n"))
        let one = try workshop.varve("stats", "latest", "-r", "repo").text
        #expect(one.hasPrefix("files                3\ndirectories          2\n"))
    }
}
