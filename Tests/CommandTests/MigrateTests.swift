import Foundation
import Platform
import Testing
import TestSupport

/// `varve migrate` from outside: its words, its exit statuses, and what a kill leaves.
@Suite(.serialized) struct MigrateTests {
    private static let makeStore = """
        mkdir -p store/sub
        for i in $(seq 200); do echo "file $i" >store/sub/$i; done
        for i in $(seq 12); do head -c 700000 /dev/urandom >store/large-$i; done
        ln store/large-1 store/sub/linked
        ln -s nowhere store/link
        printf 'id,name\\n1,a\\n2,b\\n' >rows.csv
        "$varve" table import -q store/table rows.csv
        """

    private static let rounds = Workshop.soakRounds

    @Test func `A store moves in steps, and each is told`() throws {
        let workshop = try Workshop()
        _ = try workshop.shell("\(Self.makeStore); \"$varve\" init -q -r repo")
        let plan = try workshop.varve("migrate", "store", "new", "--plan", "-r", "repo")
        #expect(plan.status == 0, "\(plan.errorText)")
        for word in ["plan: ", "table     table: version 1, 1 file, 2 rows", "strategy", "time"] {
            #expect(plan.text.contains(word), "\(word): \(plan.text)")
        }
        #expect(!FileManager.default.fileExists(atPath: workshop.path + "/new"))

        let run = try workshop.varve("migrate", "store", "new", "-r", "repo")
        #expect(run.status == 0, "\(run.errorText)")
        for word in [
            "backup: snapshot", "execute: 216 files", "digest of rows", "receipt ",
            "varve migrate store new --clean-source", "estimate   actual",
        ] { #expect(run.text.contains(word), "\(word): \(run.text)") }
        let same = try workshop.shell("diff -r --no-dereference store new && diff -r store new")
        #expect(same.text.isEmpty || same.text.contains("nowhere"), "\(same.text)")
        let saved = try workshop.shell(
            """
            $varve restore -q latest -r repo --target saved &&
                diff -r --no-dereference store saved
            """
        )
        #expect(saved.status == 0)

        let clean = try workshop.varve("migrate", "store", "new", "--clean-source")
        #expect(clean.status == 0, "\(clean.errorText)")
        #expect(
            try workshop.shell("find store -mindepth 1; diff -r --no-dereference saved new").text
                == "")
        let again = try workshop.varve("migrate", "store", "new", "--no-backup")
        #expect(again.status == 1)
        #expect(again.errorText.contains("finished"))
    }

    @Test func `Without a repository the command says what to do`() throws {
        let workshop = try Workshop()
        _ = try workshop.shell("mkdir store; echo 1 >store/file")
        let result = try workshop.varve("migrate", "store", "new")
        #expect(result.status == 2)
        #expect(result.errorText.contains("--repo"))
        #expect(result.errorText.contains("--no-backup"))
        _ = try workshop.shell("$varve init -q -r store/repo")
        let inside = try workshop.varve("migrate", "store", "new", "-r", "store/repo")
        #expect(inside.status == 2)
        #expect(try workshop.shell("ls").text == "store\n")
    }

    @Test(arguments: ["ssh://host/new", "host:new"])
    func `Another host is refused, and replicate is named`(target: String) throws {
        let workshop = try Workshop()
        _ = try workshop.shell("mkdir store")
        let result = try workshop.varve("migrate", "store", target, "--no-backup")
        #expect(result.status == 2)
        #expect(result.errorText.contains("varve replicate"))
    }

    @Test func `New files in the source stay, with exit status 3`() throws {
        let workshop = try Workshop()
        let script = """
            mkdir store; echo 1 >store/file; sleep 0.1
            "$varve" migrate store new --no-backup -q || exit 90
            echo 2 >store/new
            "$varve" migrate store new --clean-source -q 2>error
            [[ $? == 3 ]] || exit 91
            grep -q 'left in the source: new' error || exit 92
            [[ $(ls store) == new ]] || exit 93
            """
        let result = try workshop.shell(script)
        #expect(result.status == 0, "\(result.errorText)")
    }

    @Test func `Every line of JSON output is a document, and the last is the summary`() throws {
        let workshop = try Workshop()
        _ = try workshop.shell("mkdir store; echo 1 >store/file")
        let result = try workshop.varve("migrate", "store", "new", "--no-backup", "--json")
        #expect(result.status == 0, "\(result.errorText)")
        let types = try result.text.split(separator: "\n").map { line -> String in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
            return (object as? [String: Any])?["type"] as? String ?? ""
        }
        #expect(types.filter { $0 != "status" } == ["plan", "copied", "verified", "summary"])
    }

    @Test func `SIGUSR1 holds a migration up, and SIGUSR2 lets it go on`() throws {
        let workshop = try Workshop()
        let script = """
            mkdir store; head -c 20000000 /dev/urandom >store/file
            "$varve" migrate store new --no-backup -q --limit-rate 8M & child=$!
            for i in $(seq 100); do
                [[ -e new/.varve-migration/1 ]] && break
                sleep 0.05
            done
            trap 'kill -9 $child 2>/dev/null' EXIT
            kill -USR1 $child; sleep 0.5
            one=$(stat -c %b new/.varve-migration/1)
            sleep 1
            [[ $one == $(stat -c %b new/.varve-migration/1) ]] || exit 90
            kill -USR2 $child
            wait $child || exit 91
            cmp store/file new/file || exit 92
            """
        let result = try workshop.shell(script)
        #expect(result.status == 0, "\(result.text) \(result.errorText)")
    }

    @Test func `An interrupted migration goes on where it was`() throws {
        let workshop = try Workshop()
        let script = """
            mkdir store
            for i in $(seq 8); do head -c 3000000 /dev/urandom >store/$i; done
            "$varve" migrate store new --no-backup -q --limit-rate 10M 2>error & child=$!
            sleep 1.2; kill -TERM $child; wait $child
            [[ $? == 143 ]] || exit 90
            grep -q 'goes on from there' error || exit 91
            "$varve" migrate store new --no-backup -q || exit 92
            diff -r store new || exit 93
            [[ ! -e new/.varve-migration ]] || exit 94
            """
        let result = try workshop.shell(script)
        #expect(result.status == 0, "\(result.text) \(result.errorText)")
    }

    @Test func `Kills at random moments lose nothing and end in the same target`() throws {
        let workshop = try Workshop()
        let script = """
            set -u
            RANDOM=${VARVE_SEED:-21}
            \(Self.makeStore)
            \(Workshop.randomNaps)
            struck() { [[ $? == 137 ]] && hits=$((hits + 1)); }
            hits=0
            begin; "$varve" migrate store trial --no-backup -q --pause 0 || exit 89; end
            rm -r trial trial.varve-migration
            for round in $(seq \(Self.rounds)); do
                # Every fourth begins from nothing.
                if ((round % 4 == 0)); then rm -rf new new.varve-migration; fi
                "$varve" migrate store new --no-backup -q --pause 0 2>>errors & child=$!
                nap
                kill -9 $child 2>/dev/null
                wait $child 2>/dev/null; struck
                echo "$round" >store/sub/$((RANDOM % 200))
                rm -f store/sub/$((RANDOM % 200))
                if ((round % 5 == 0)); then "$varve" table append -q store/table rows.csv; fi
            done
            "$varve" migrate store new --no-backup -q --pause 0 || exit 90
            diff -r --no-dereference store new || exit 91
            [[ $(stat -c %h new/large-1) == 2 ]] || exit 92
            [[ ! -e new/.varve-migration ]] || exit 93
            echo "$hits of \(Self.rounds) kills hit the migration"
            [[ $hits -ge $((\(Self.rounds) / 3)) ]] || exit 88
            cp -a store pristine
            took=0.1
            hits=0
            for round in $(seq \(Self.rounds)); do
                "$varve" migrate store new --clean-source -q 2>>errors & child=$!
                nap
                kill -9 $child 2>/dev/null
                wait $child 2>/dev/null; struck
                diff -r --no-dereference pristine new || exit 94
                # What is gone from the source is in the target, and what is there is whole.
                diff -r --no-dereference store pristine | grep -v '^Only in pristine' && exit 95
            done
            "$varve" migrate store new --clean-source -q 2>last
            status=$?
            [[ $status == 0 ]] || exit 96
            [[ -z $(ls -A store) ]] || exit 97
            diff -r --no-dereference pristine new || exit 98
            echo "$hits kills hit the clean-up"
            grep -v '^varve: \\|^  ' errors && exit 99
            exit 0
            """
        let result = try workshop.shell(script)
        #expect(result.status == 0, "\(result.text) \(result.errorText)")
        print(result.text, terminator: "")
    }

    @Test func `A verification that is cut goes on, and a change after the cut is found`() throws {
        let workshop = try Workshop()
        let script = """
            set -u
            mkdir store
            for i in $(seq 5000); do echo "file $i" >store/$i; done
            # More than one batch, so that the journal tells of the first before the end.
            "$varve" migrate store new --no-backup -q & child=$!
            for i in $(seq 2000); do
                grep -q '"type":"compared"' new.varve-migration/journal 2>/dev/null && break
                sleep 0.005
            done
            kill -9 $child; wait $child 2>/dev/null
            [[ $? == 137 ]] || exit 90
            # As old and as long as it was, and another content.
            touch -r new/17 time; echo "FILE 17" >new/17; touch -r time new/17
            "$varve" migrate store new --no-backup >out || exit 91
            grep -q 'known .* an earlier run compared' out || exit 92
            diff -r store new || exit 93
            """
        let result = try workshop.shell(script)
        #expect(result.status == 0, "\(result.text) \(result.errorText)")
    }

    @Test(
        .enabled(
            if: HostSystem.isRoot && ExternalTool("mount").isPresentOrRequired,
            "needs root and mount"))
    func `A full target stops the migration, which goes on once there is room`() throws {
        let workshop = try Workshop()
        let script = """
            set -u
            mkdir -p disk store
            mount -t tmpfs -o size=12m tmpfs disk || exit 90
            trap 'kill -9 ${child:-} 2>/dev/null; umount disk' EXIT
            for i in $(seq 30); do head -c 900000 /dev/urandom >store/$i; done
            "$varve" migrate store disk/new --journal journal --no-backup -q 2>error && exit 91
            grep -q 'are needed' error || exit 92
            rm store/1? store/2? store/30
            "$varve" migrate store disk/new --journal journal --no-backup -q \\
                --limit-rate 4M 2>error & child=$!
            for i in $(seq 200); do
                [[ -e disk/new/.varve-migration ]] && break
                sleep 0.02
            done
            head -c 6500000 /dev/urandom >disk/filler
            wait $child && exit 93
            grep -q 'space' error || exit 94
            rm disk/filler
            "$varve" migrate store disk/new --journal journal --no-backup -q || exit 95
            diff -r store disk/new || exit 96
            """
        let result = try workshop.shell(script)
        #expect(result.status == 0, "\(result.text) \(result.errorText)")
    }

    @Test(
        .enabled(if: ExternalTool("strace").isPresentOrRequired, "needs strace"),
        arguments: ["fsync", "renameat2", "syncfs"], [1, 2, 3, 5])
    func `A call that fails with EIO never makes a receipt that is wrong`(
        call: String, number: Int
    ) throws {
        let workshop = try Workshop()
        let script = """
            set -u
            mkdir store; for i in 1 2 3; do echo $i >store/$i; done
            strace -f -qq -o trace --inject=\(call):error=EIO:when=\(number) \\
                "$varve" migrate store new --no-backup -q 2>error
            status=$?
            grep -q INJECTED trace && [[ $status == 0 ]] && exit 90
            "$varve" migrate store new --no-backup -q || exit 91
            diff -r store new || exit 92
            """
        let result = try workshop.shell(script)
        #expect(result.status == 0, "\(result.text) \(result.errorText)")
    }
}
