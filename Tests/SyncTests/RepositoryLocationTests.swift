import Bytes
import Remote
import Testing

private func parse(_ text: String) throws -> RepositoryLocation {
    try RepositoryLocation(parsing: Array(text.utf8))
}

struct RepositoryLocationTests {
    @Test(arguments: [
        "/backup/repo", "repo", "./a:b", "../a:b", "a/b:c", "/a:b", "~/repo", ".", "-repo",
    ])
    func `A name without a colon before its first slash is a directory`(text: String) throws {
        #expect(try parse(text) == .directory(Array(text.utf8)))
    }

    // User, host, port, path.
    @Test(arguments: [
        ("ssh://host/srv/repo", "", "host", 0, "/srv/repo"),
        ("ssh://me@host:2222/srv/repo/", "me", "host", 2222, "/srv/repo"),
        ("ssh://[2001:db8::1]:22/r", "", "2001:db8::1", 22, "/r"),
        ("ssh://[::1]/r", "", "::1", 0, "/r"), ("ssh://host/~/r", "", "host", 0, "r"),
        ("ssh://host/", "", "host", 0, "/"), ("ssh://host/a@b:c/d", "", "host", 0, "/a@b:c/d"),
        ("host:repo", "", "host", 0, "repo"), ("host:/srv/repo", "", "host", 0, "/srv/repo"),
        ("me@host:~/repo", "me", "host", 0, "repo"), ("host:a:b", "", "host", 0, "a:b"),
        ("[::1]:repo", "", "::1", 0, "repo"), ("me@[::1]:/r", "me", "::1", 0, "/r"),
        ("dom\\me@host:r", "dom\\me", "host", 0, "r"), ("a@b@host:r", "a@b", "host", 0, "r"),
        ("host:a@b", "", "host", 0, "a@b"), ("host:-r", "", "host", 0, "-r"),
        ("host:a b;c$(d)", "", "host", 0, "a b;c$(d)"),
    ])
    func `A place on another host is read as scp and git read it`(
        text: String, user: String, host: String, port: UInt16, path: String
    ) throws {
        guard case .remote(let remote) = try parse(text) else {
            Issue.record("\(text) is a directory")
            return
        }
        #expect(remote.user ?? [] == Array(user.utf8))
        #expect(remote.host == Array(host.utf8))
        #expect(remote.port == (port == 0 ? nil : port))
        #expect(remote.path == Array(path.utf8))
        // What messages call it leads to the same place.
        #expect(try parse("\(remote)") == .remote(remote) || text.contains("\\"))
    }

    @Test(arguments: [
        "", ":repo", "@host:repo", "host:", "host:~", "host:~/", "-host:repo", "-u@host:repo",
        "ssh://", "ssh:///repo", "ssh://host", "ssh://-oProxyCommand=x/repo", "ssh://host:/repo",
        "ssh://host:0/repo", "ssh://host:65536/repo", "ssh://host:-1/repo", "ssh://host:+1/repo",
        "ssh://host:22x/repo", "ssh://-u@host/repo", "ssh://@host/repo", "ssh://[::1/repo",
        "ssh://[::1]x/repo", "ssh://[]/repo", "ho st:repo", "ssh://h;x/repo", "h$(x):repo",
        "h`x`:repo", "ssh://h\n/repo", "host:a\nb", "host:a\u{1b}b", "host:\0", "http://host/repo",
        "sftp://host/repo", "rsync://host/repo",
    ])
    func `What names no place is refused`(text: String) {
        #expect(throws: LocationError.self) { try parse(text) }
    }

    @Test func `Hosts and paths of any length are read or refused`() {
        for count in [254, 255, 256, 4095, 4096, 4097, 100_000] {
            let long = String(repeating: "x", count: count)
            #expect(((try? parse("\(long):r")) != nil) == (count <= 255))
            #expect(((try? parse("host:\(long)")) != nil) == (count <= 4096))
        }
    }

    @Test func `A command is split into words and nothing in it is run`() throws {
        func words(_ text: String) throws -> [String] {
            try CommandWords.split(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try words("ssh") == ["ssh"])
        #expect(try words("  ssh   -i  key ") == ["ssh", "-i", "key"])
        #expect(
            try words(#"ssh -o 'A=b c' "d \" e" f\ g '' "#) == [
                "ssh", "-o", "A=b c", "d \" e", "f g", "",
            ])
        #expect(try words("ssh $(x) `y` ~ *;z") == ["ssh", "$(x)", "`y`", "~", "*;z"])
        for text in ["", "  ", "ssh 'x", "ssh \"x", "ssh \\", "''"] {
            #expect(throws: LocationError.self) { try words(text) }
        }
    }

    private static let switchedOff =
        "|-o|PermitLocalCommand=no|-o|ClearAllForwardings=yes"

    private static func arguments(
        _ ssh: SSHCommand, _ text: String, _ ciphers: String?
    ) throws
        -> String
    {
        guard case .remote(let remote) = try parse(text) else { return "" }
        return ssh.arguments(for: remote, SSHCommand.Plan(ciphers: ciphers))
            .map { String(decoding: $0, as: UTF8.self) }.joined(separator: "|")
    }

    @Test func `The words of the remote command are quoted and the path is none of them`() throws {
        var ssh = SSHCommand.standard
        #expect(
            try Self.arguments(ssh, "ssh://me@host:22/a;b", "x,y")
                == "ssh|-T|-o|Compression=no\(Self.switchedOff)|-c|x,y|-p|22|--|me@host|varve|serve"
                + "|--stdio")
        #expect(
            try Self.arguments(ssh, "host:/a", nil)
                == "ssh|-T|-o|Compression=no\(Self.switchedOff)|--|host|varve|serve|--stdio")
        ssh.remoteVarve = ["sudo", "/opt/my varve", "it's", "$x", ""].map { Array($0.utf8) }
        #expect(
            try Self.arguments(ssh, "host:/a", nil).hasSuffix(
                #"|host|sudo|'/opt/my varve'|'it'\''s'|'$x'|''|serve|--stdio"#))
        ssh.words = ["dbclient", "-i", "k"].map { Array($0.utf8) }
        #expect(
            try Self.arguments(ssh, "ssh://host:22/a", "x").hasPrefix("dbclient|-i|k|-p|22|host|"))
    }
}
