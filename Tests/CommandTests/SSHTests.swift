import Testing
import TestSupport

/// Repositories on another host, through a real ssh and sshd.
@Suite(.serialized, .needsSSHServer) struct SSHTests {
    private static let makeStore = """
        mkdir -p store/sub
        RANDOM=${VARVE_SEED:-5}
        head -c 3000000 /dev/urandom >store/large
        for i in $(seq 60); do head -c $((RANDOM * 2)) /dev/urandom | base64 >store/sub/$i; done

        """

    /// Runs a script beside an sshd; it must end with 0.
    @discardableResult
    private static func run(_ script: String, options: String = "") throws -> Finished {
        let workshop = try Workshop()
        let server = try SSHServer(workshop, options: options)
        let finished = try workshop.shell("set -u\n" + server.setup + script)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        return finished
    }

    @Test func `Every command works on a repository of another host`() throws {
        try Self.run(
            """
            \(Self.makeStore)
            export VARVE_REPO=$remote/repo
            "$varve" init -q || exit 80
            "$varve" snapshot -q store || exit 81
            echo more >store/sub/1
            "$varve" snapshot -q store || exit 82
            for command in list 'show latest' 'ls latest' 'cat latest:sub/1' 'find large' stats \\
                'check --read-data' 'diff latest~1 latest' 'stats latest' 'list --json'; do
                "$varve" $command >over || exit 83
                "$varve" $command --repo repo >here || exit 84
                diff <(grep -v time over) <(grep -v time here) || exit 85
            done
            "$varve" restore -q latest --target out && diff -r store out || exit 86
            "$varve" restore -q latest~1 --target out --delete --verify || exit 87
            # Without a cache it is the same.
            XDG_CACHE_HOME=/dev/null "$varve" restore -q latest --target again || exit 88
            diff -r store again || exit 89
            [[ $(ls cache/varve/*/index | wc -l) == 2 ]] || exit 90
            "$varve" init; [[ $? == 1 ]] || exit 91
            "$varve" list -r $remote/nowhere; [[ $? == 10 ]] || exit 92
            "$varve" list -r $remote/store; [[ $? == 10 ]] || exit 93
            """
        )
    }

    @Test func `A short name reaches the home directory and the user's configuration`() throws {
        try Self.run(
            """
            \(Self.makeStore)
            printf 'Host nas\\n    HostName 127.0.0.1\\n    HostKeyAlias there\\n' >>ssh_config
            echo "there $(cut -d' ' -f1,2 host.pub)" >>known_hosts
            "$varve" init -q -r nas:$PWD/repo || exit 80
            "$varve" snapshot -q -r "$(id -un)@nas:$PWD/repo" store || exit 81
            "$varve" check -q -r repo --read-data || exit 82
            """
        )
    }

    @Test func `A path means what it says and is never seen by a shell`() throws {
        try Self.run(
            """
            mkdir store "d \\$(touch pwned) 'q' \\"r\\";touch pwned"
            cd d*
            "$varve" init -q -r "$remote/d \\$(touch pwned) 'q' \\"r\\";touch pwned/a:b" || exit 80
            [[ -f a:b/config ]] || exit 81
            cd ..
            [[ ! -e pwned ]] || exit 82
            "$varve" list -r 'ssh://-oProxyCommand=touch%20pwned/x'; [[ $? == 2 ]] || exit 83
            "$varve" list '--repo=-oProxyCommand=touch pwned:x'; [[ $? == 2 ]] || exit 84
            [[ ! -e pwned ]] || exit 85
            """
        )
    }

    @Test func `Ciphers are asked for unless the user chose some`() throws {
        try Self.run(
            """
            mkdir bin
            printf '#!/bin/sh\\necho "$@" >>%s/calls\\nexec /usr/bin/ssh "$@"\\n' "$PWD" >bin/ssh
            chmod +x bin/ssh
            export VARVE_SSH_COMMAND="$PWD/bin/ssh -F $PWD/ssh_config"
            "$varve" init -q -r $remote/repo || exit 80
            if grep -q aes /proc/cpuinfo; then
                grep -q -- '-c aes128-gcm@openssh.com,' calls || exit 81
            fi
            grep -q -- '-o Compression=no .*-- 127.0.0.1 .* serve --stdio$' calls || exit 82
            rm calls
            echo '    Ciphers aes256-ctr' >>ssh_config
            "$varve" list -q -r $remote/repo || exit 83
            grep -q -- '-c ' calls && exit 84
            true
            """
        )
    }

    @Test func `What goes wrong is told with what to do`() throws {
        try Self.run(
            """
            # $1 a status, $2 what the message must hold, then arguments of list.
            expect() {
                local status=$1 text=$2
                shift 2
                "$varve" list "$@" >out 2>message </dev/null
                [[ $? == "$status" ]] || { cat message; exit 80; }
                grep -q -- "$text" message || { cat message; exit 81; }
                [[ $(wc -l <message) -ge 3 ]] || { cat message; exit 82; }
            }
            "$varve" init -q -r $remote/repo
            expect 1 'there is no varve on the host' -r $remote/repo --remote-varve /no/such/varve
            expect 1 'cannot be reached.*refused' -r ssh://127.0.0.1:1/repo
            expect 1 'cannot be reached' -r ssh://no-such-host.invalid/repo
            expect 1 'is not installed' -r $remote/repo --ssh-command /no/such/ssh
            sed "s,$PWD/key,$PWD/other," ssh_config >ssh_other
            expect 1 'refuses the login' -r $remote/repo --ssh-command "ssh -F $PWD/ssh_other"
            expect 1 'printed text.*Welcome to this host' -r $remote/repo \\
                --remote-varve "/bin/echo 'Welcome to this host!'"
            port=${remote#ssh://127.0.0.1:}
            echo "[127.0.0.1]:${port%%/*} $(cut -d' ' -f1,2 other.pub)" >known_hosts
            expect 1 "does not trust the host's key" -r $remote/repo
            """
        )
    }
}

/// What the options of `varve serve` in authorized_keys allow.
@Suite(.serialized, .needsSSHServer) struct ForcedCommandTests {
    private func forced(_ workshop: Workshop, _ options: String) -> String {
        #"command="\#(Workshop.program) serve --stdio --path \#(workshop.path)/srv \#(options)""#
            + ",restrict"
    }

    private func run(_ options: String, _ script: String) throws {
        let workshop = try Workshop()
        let server = try SSHServer(workshop)
        let begin = try workshop.shell(
            "set -eu\n" + server.setup
                + """
                mkdir -p srv elsewhere store
                echo one >store/file
                "$varve" init -q -r srv/repo
                "$varve" init -q -r elsewhere/repo
                "$varve" snapshot -q -r srv/repo store
                """
        )
        try #require(begin.status == 0, "\(begin.errorText)")
        try server.authorize(forced(workshop, options))
        let finished = try workshop.shell("set -u\n" + server.setup + script)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }

    @Test func `With --read-only a client reads and changes nothing`() throws {
        try run(
            "--read-only",
            """
            find srv -type f | sort | xargs sha256sum >before
            "$varve" restore -q latest -r $remote/srv/repo --target out || exit 80
            diff -r store out || exit 81
            "$varve" check -q -r $remote/srv/repo --read-data || exit 82
            echo two >store/file
            "$varve" snapshot -q -r $remote/srv/repo store 2>message; [[ $? == 1 ]] || exit 83
            grep -q -- --read-only message || exit 84
            "$varve" init -r $remote/srv/new 2>message; [[ $? == 1 ]] || exit 85
            grep -q -- --read-only message || exit 86
            find srv -type f | sort | xargs sha256sum | diff before - || exit 87
            [[ ! -e srv/new ]] || exit 88
            """
        )
    }

    @Test func `With --append-only snapshots are added and index segments merged`() throws {
        try run(
            "--append-only",
            """
            for i in $(seq 12); do
                echo "text $i" >store/file$i
                "$varve" snapshot -q -r $remote/srv/repo store || exit 80
            done
            [[ $(ls srv/repo/index | wc -l) -le 9 ]] || exit 81
            "$varve" check -q -r srv/repo --read-data || exit 82
            [[ $("$varve" list --json -r srv/repo | grep -o '"snapshot_id"' | wc -l) == 13 ]] \\
                || exit 83
            "$varve" init -q -r $remote/srv/new || exit 84
            "$varve" check -q -r srv/new || exit 85
            """
        )
    }

    @Test func `A client cannot leave the directory that is served`() throws {
        try run(
            "",
            """
            ln -s ../elsewhere/repo srv/link
            for path in $PWD/elsewhere/repo $PWD/srv/../elsewhere/repo $PWD/srv/link \\
                /~/elsewhere/repo $PWD; do
                "$varve" list -r "${remote%%$PWD}$path" && exit 80
            done
            ln -s "$PWD/srv" alias
            "$varve" list -q -r ${remote%%$PWD}$PWD/srv/repo || exit 81
            "$varve" list -q -r ${remote%%$PWD}/~/repo || exit 82
            # What the client asks ssh to run is not looked at.
            "$varve" list -q -r $remote/elsewhere/repo --remote-varve 'varve --path /' && exit 83
            "$varve" list -q -r $remote/srv/repo --remote-varve 'rm -rf' || exit 84
            true
            """
        )
    }
}

/// What a repository is like after a connection broke.
@Suite(.serialized, .needsSSHServer) struct BrokenConnectionTests {
    @Test(arguments: ["ssh", "server", "client"])
    func `Kills at random moments lose nothing that was reported`(victim: String) throws {
        let workshop = try Workshop()
        let server = try SSHServer(workshop)
        let script = """
            set -u
            \(server.setup)
            RANDOM=${VARVE_SEED:-9}
            mkdir -p store/sub
            for i in $(seq 40); do head -c $((RANDOM * 6)) /dev/urandom >store/sub/$i; done
            printf '#!/bin/sh\\necho $$ >%s/server.pid\\nexec "%s" "$@"\\n' "$PWD" "$varve" >there
            chmod +x there
            export VARVE_REMOTE_VARVE="$PWD/there" VARVE_REPO=$remote/repo
            "$varve" init -q --chunk-average 64K || exit 80
            "$varve" snapshot -q store || exit 81
            reported=1
            for round in $(seq 12); do
                head -c $((RANDOM * 40)) /dev/urandom >store/sub/$((RANDOM % 40))
                rm -f server.pid
                "$varve" snapshot -q store 2>message & child=$!
                for i in $(seq 300); do [[ -s server.pid ]] && break; sleep 0.01; done
                sleep 0.0$((RANDOM % 9))
                case \(victim) in
                ssh) pid=$(pgrep -P $child -x ssh | head -n 1) ;;
                server) pid=$(cat server.pid) ;;
                client) pid=$child ;;
                esac
                [[ -z $pid ]] || kill -9 $pid 2>/dev/null
                wait $child
                status=$?
                ((status == 0)) && ((reported += 1))
                [[ \(victim) == client || $status == 0 || $status == 1 ]] || exit 82
            done
            "$varve" check -q -r repo --read-data || exit 83
            (($("$varve" list --json -r repo | grep -o '"snapshot_id"' | wc -l) >= reported)) \\
                || exit 84
            "$varve" snapshot -q store || exit 85
            "$varve" restore -q latest --target out --verify && diff -r store out || exit 86
            # Nothing of ours runs on, and the server left no temporary files when it could.
            sleep 0.5
            pgrep -P $$ -x ssh && exit 87
            true
            """
        let finished = try workshop.shell(script)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }
}
