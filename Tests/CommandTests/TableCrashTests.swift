import Testing
import TestSupport

/// What a table is like after the program was killed, or the system refused, at any moment.
@Suite(.serialized) struct TableCrashTests {
    private static let deltaPeer =
        String(decoding: Fixtures.project, as: UTF8.self) + "/Scripts/delta-peer.py"

    /// `rows FIRST COUNT`: lines of CSV in four partitions; `ids`: what is in the table, sorted.
    private static let functions = """
        set -u
        rows() {
            echo id,day,text
            for ((i = $1; i < $1 + $2; i++)); do echo "$i,2026-01-0$((i % 4 + 1)),row $i"; done
        }
        ids() { "$varve" table scan "$1" --columns id --format csv | tail -n +2 | sort -n; }
        create() {
            "$varve" table create -q "$1" --schema 'id long, day date, text string' \\
                --partition-by day
        }
        """

    /// Each round begins a change, kills it after up to 80 ms, and takes what is there then: the
    /// rows before, or those after.
    @Test func `A hundred kills at random moments leave the old version or the new one`() throws {
        let workshop = try Workshop()
        let finished = try workshop.shell(
            """
            \(Self.functions)
            RANDOM=${VARVE_SEED:-5}
            create table || exit 90
            : >before
            for round in $(seq 100); do
                first=$((round * 1000))
                case $((round % 5)) in
                0 | 1)
                    rows $first $((RANDOM % 60 + 1)) >more.csv
                    set -- append table more.csv
                    (cat before; tail -n +2 more.csv | cut -d, -f1) >after
                    ;;
                2)
                    low=$((RANDOM % first)) && high=$((low + 700))
                    set -- delete table --where "id BETWEEN $low AND $high"
                    awk -v l=$low -v h=$high '$1 < l || $1 > h' before >after
                    ;;
                3) set -- compact table && cp before after ;;
                4) set -- vacuum table --retention 0s --force && cp before after ;;
                esac
                "$varve" table "$@" >/dev/null 2>&1 & child=$!
                sleep 0.0$((RANDOM % 8))$((RANDOM % 10))
                kill -9 $child 2>/dev/null
                wait $child 2>/dev/null
                ids table >now || exit 91
                if cmp -s now after; then cp after before
                elif ! cmp -s now before; then echo "round $round: $*"; exit 92
                fi
                if ((round % 20 == 0)); then
                    "$varve" table verify -q table || exit 93
                    cp -r table "sample-$round" && wc -l <now >"sample-$round.count"
                fi
            done
            "$varve" table vacuum -q table --retention 0s --force || exit 94
            [[ -z $(find table/_delta_log -name '*.tmp') ]] || exit 95
            live=$("$varve" table info --json table | grep -o '"files": *[0-9]*' | grep -o '[0-9]*')
            [[ $(find table -name 'seg-*' | wc -l) == "$live" ]] || exit 96
            "$varve" table verify -q table || exit 97
            ids table | cmp - before || exit 98
            wc -l <before
            """)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
        guard ExternalTool.python.isPresentOrRequired else { return }
        let samples = stride(from: 20, through: 100, by: 20).map { "sample-\($0)" }
        let counts = try ExternalTool.python.text(
            [Self.deltaPeer, "count"] + samples.map { workshop.path + "/" + $0 })
        let expected = try samples.flatMap {
            try Fixtures.read(Array("\(workshop.path)/\($0).count".utf8))
        }
        #expect(Array(counts.utf8) == expected)
    }

    /// Lets the first, second, … call of a kind fail until none is left to fail.
    @Test(
        .enabled(if: ExternalTool("strace").isPresentOrRequired, "needs strace"),
        arguments: ["append table more.csv", "delete table --where 'id < 30'", "compact table"],
        ["fsync", "pwrite64", "renameat2"]
    )
    func `A call that fails commits nothing, or the whole`(
        change: String, call: String
    ) throws {
        let workshop = try Workshop()
        let finished = try workshop.shell(
            """
            \(Self.functions)
            create origin || exit 90
            for first in 0 20 40; do
                rows $first 20 >more.csv && "$varve" table append -q origin more.csv || exit 91
            done
            rows 100 9 >more.csv
            ids origin >before
            cp -r origin table && "$varve" table \(change) -q || exit 92
            ids table >after
            for number in $(seq 60); do
                rm -rf table && cp -r origin table
                error=EIO && ((number % 2)) && error=ENOSPC
                strace -f -qq -o trace --inject=\(call):error=$error:when=$number \\
                    "$varve" table \(change) -q 2>error
                status=$?
                injected=$(grep -c INJECTED trace)
                ids table >now || exit 93
                if [[ $injected == 0 ]]; then
                    [[ $status == 0 ]] && cmp -s now after || exit 94
                    exit 0
                fi
                # Behind the commit only its checksum or a checkpoint is missing, and that is said.
                if [[ $status == 0 ]]; then
                    cmp -s now after && grep -q 'committed' error || exit 95
                else
                    [[ $status == 1 ]] && grep -q '^varve: .*\\(No space\\|utput error\\)' error ||
                        exit 96
                    # The system is to blame, not the table.
                    grep -q 'table verify' error && exit 88
                    cmp -s now before || cmp -s now after || exit 97
                fi
                [[ -z $(find table/_delta_log -name '*.tmp') ]] || exit 98
                "$varve" table append -q table more.csv || exit 89
                "$varve" table verify -q table || exit 87
            done
            exit 86
            """)
        #expect(finished.status == 0, "\(change) \(call) \(finished.text) \(finished.errorText)")
    }

    @Test(.enabled(if: ExternalTool("strace").isPresentOrRequired, "needs strace"))
    func `A checkpoint that cannot be written does not undo the commit`() throws {
        let workshop = try Workshop()
        let finished = try workshop.shell(
            """
            \(Self.functions)
            create origin || exit 90
            for first in 1 2 3 4 5 6 7 8 9; do
                rows $first 1 >more.csv && "$varve" table append -q origin more.csv || exit 91
            done
            rows 10 1 >more.csv
            for call in fsync pwrite64 renameat2; do
                failed=0
                for number in $(seq 20); do
                    rm -rf table && cp -r origin table
                    strace -f -qq -o trace --inject=$call:error=ENOSPC:when=$number \\
                        "$varve" table append -q table more.csv 2>error
                    status=$?
                    [[ $(grep -c INJECTED trace) == 0 ]] && break
                    count=$(ids table | wc -l)
                    [[ $status == 1 || $count == 10 ]] || exit 92
                    [[ $status == 0 ]] && grep -q 'no checkpoint was written' error && failed=1
                    "$varve" table append -q table more.csv || exit 93
                    [[ $(ids table | wc -l) == $((count + 1)) ]] || exit 94
                done
                [[ $failed == 1 ]] || exit 95
            done
            """)
        #expect(finished.status == 0, "\(finished.text) \(finished.errorText)")
    }
}
