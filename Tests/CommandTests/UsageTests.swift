import Platform
import Testing

@Suite struct UsageTests {
    @Test(arguments: [
        ["frobnicate"], ["list", "--frobnicate"], ["snapshot", "--repo", "repo"],
        ["snapshot", ".", "--repo", "repo", "--level", "20"],
        ["snapshot", ".", "--repo", "repo", "--limit-rate", "0"],
        ["snapshot", ".", "--repo", "repo", "--time", "yesterday"],
        ["check", "--repo", "repo", "--read-data=101"],
        ["check", "--repo", "repo", "--read-data=x"],
        ["init", "--repo", "repo", "--chunk-average", "48K"], ["restore", "latest", "-r", "repo"],
        ["list"], ["list", "--repo", ""], ["--repo", "repo", "list"],
        ["list", "--repo", "ssh://host"], ["list", "--repo", "ssh://host:0/repo"],
        ["list", "--repo", "http://host/repo"], ["list", "--repo", "-host:repo"],
        ["list", "--repo", "host:repo", "--ssh-command", "ssh 'open"],
        ["serve"], ["serve", "--stdio", "--path", ""],
    ])
    func `Wrong usage exits with 2 and explains itself on standard error`(
        arguments: [String]
    ) throws {
        let workshop = try Workshop()
        let result = try workshop.start(Workshop.program, arguments).finish()
        #expect(result.status == 2)
        #expect(result.output == [])
        #expect(result.errorText.hasPrefix("varve: "))
        #expect(result.errorText.split(separator: "\n").count >= 2)
    }

    @Test func `A command that there is not is told with the one that was meant`() throws {
        let result = try Workshop().varve("backup", "/data")
        #expect(
            result.errorText == """
                varve: there is no command backup
                  Did you mean `varve snapshot`? `varve --help` lists the commands.

                """
        )
    }

    @Test func `A directory whose name has a colon is named with a slash before it`() throws {
        let workshop = try Workshop()
        #expect(try workshop.varve("init", "--repo", "./a:b").status == 0)
        #expect(try workshop.varve("list", "--repo", "./a:b").status == 0)
        let result = try workshop.varve("list", "--repo=-a:b")
        #expect(
            result.errorText == """
                varve: a host cannot begin with '-'
                  Write /path, ssh://[user@]host[:port]/path or host:path; a directory whose name \
                has a colon as ./name.

                """
        )
    }

    @Test(arguments: ["list", "check", "stats"])
    func `A place without a repository exits with 10`(command: String) throws {
        let workshop = try Workshop()
        let result = try workshop.varve(command, "--repo", "nowhere")
        #expect(result.status == 10)
        #expect(
            result.errorText == """
                varve: nowhere: not a varve repository
                  Nothing was changed.
                  Check the path, and that its disk or share is mounted. A new repository is made \
                with `varve init`.

                """
        )
        try workshop.write("full/config", "something else")
        #expect(try workshop.varve(command, "--repo", "full").status == 1)
        try workshop.write("other/file", "")
        #expect(try workshop.varve(command, "--repo", "other").status == 10)
    }

    @Test func `Help names every command, and every command has examples`() throws {
        let workshop = try Workshop()
        let help = try workshop.varve("--help")
        #expect(help.status == 0)
        #expect(help.errors == [])
        let commands = [
            "init", "snapshot", "list", "show", "ls", "cat", "find", "diff", "restore", "check",
            "stats", "serve", "version",
        ]
        for command in commands {
            #expect(help.text.contains("\n  \(command) "))
            let own = try workshop.varve(command, "--help")
            #expect(own.status == 0)
            #expect(own.text.contains("Examples:\n  varve \(command)"))
        }
    }

    @Test func `The version is told in three ways`() throws {
        let workshop = try Workshop()
        let text = try workshop.varve("--version").text
        #expect(text.hasPrefix("varve "))
        #expect(try workshop.varve("version").text == text)
        #expect(try workshop.varve("version", "--json").text.hasPrefix(#"{"program_version":""#))
    }

    /// Without /proc a program cannot see its arguments; it printed help and exited with 0 before.
    @Test(.enabled(if: HostSystem.isRoot))
    func `A command line that cannot be read is an error`() throws {
        let result = try Workshop().shell(
            "unshare -m bash -c 'mount -t tmpfs none /proc && exec $varve list --repo repo'")
        #expect(result.status == 2 && result.output == [])
        #expect(result.errorText.contains("/proc is not mounted; nothing was done"))
    }

    @Test func `A standard output that fails is an error`() throws {
        let workshop = try Workshop()
        let result = try workshop.shell("$varve --help > /dev/full")
        #expect(result.status == 1)
        #expect(result.errorText.contains("cannot write to standard output"))
    }
}
