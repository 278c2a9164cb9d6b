#!/usr/bin/env bash
# The main job of varve on a small store, as a tutorial: snapshot, change, snapshot, list, diff,
# damage, restore, and a proof that every byte, mode, owner and time is back. Then the snapshots are
# shipped: by a directory, as on a disk, and over SSH to an sshd of the demo's own, with keys and a
# port of its own, if sshd is installed. Then text becomes a table: nights of appends and a
# compaction, a replica that is queried while it is updated, a bad night, the table restored, and the
# store moved to another disk.
# Works in a fresh temporary directory and removes it. VARVE names another binary to show.
set -Eeuo pipefail
cd "$(dirname "$0")/.."

varve=${VARVE:-$(swift build -c release --show-bin-path)/varve}
varve=$(realpath -- "$varve")
fixtures=$PWD/fixtures
work=$(mktemp -d "${TMPDIR:-/tmp}/varve-demo.XXXXXX")
sshd_pid=
made_run_sshd=false
clean_up() {
    if [[ -n $sshd_pid ]]; then
        kill "$sshd_pid" 2>/dev/null || true
        wait "$sshd_pid" 2>/dev/null || true
    fi
    if $made_run_sshd; then rmdir /run/sshd || true; fi
    chmod -R u+rwX "$work"
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'fail "line $LINENO of $0"' ERR
cd "$work"
unset VARVE_REPO VARVE_SSH_COMMAND VARVE_REMOTE_VARVE
export LC_ALL=C.UTF-8 TZ=UTC XDG_CACHE_HOME=$work/cache

say() {
    echo
    printf '# %s\n' "$@"
}
fail() {
    trap - ERR
    printf '\nDEMO FAILED: %s\n' "$*" >&2
    exit 1
}
# step ARGUMENT...: prints a varve command, runs it, and stops the demo when it fails.
step() {
    local status=0 word
    printf '\n$ varve'
    for word in "$@"; do
        if [[ $word == *[[:space:]]* ]]; then word="'$word'"; fi
        printf ' %s' "$word"
    done
    printf '\n'
    "$varve" "$@" | tee output || status=$?
    [[ $status -eq 0 ]] || fail "varve $1 exited with status $status"
}

# manifest DIRECTORY: everything that has to come back, one line each, in one order: type, mode,
# owner, link count, size, mtime in ns, path, link target; contents; extended attributes and ACLs.
manifest() (
    cd "$1"
    find . \( -type d -printf '%y %m %U:%G - - %T@ %p\0' \) \
        -o -printf '%y %m %U:%G %n %s %T@ %p -> %l\0' | sort -z | tr '\0' '\n'
    find . -type f -print0 | sort -z | xargs -0 sha256sum
    if command -v getfattr >/dev/null; then
        find . -print0 | sort -z | xargs -0 getfattr -h -d -m - -e hex --
    fi
)
# prove_equal DIRECTORY MANIFEST WHAT: fails unless the directory has exactly this manifest.
prove_equal() {
    manifest "$1" >found
    diff "$2" found >differences || fail "$3 differs:
$(cat differences)"
    echo
    echo "  proved: $3: $(grep -c '^. [0-7]* ' "$2") entries," \
        "each byte, mode, owner, time and attribute"
}
# prove_named PATH...: fails unless the last command's output names these paths.
prove_named() {
    local path
    for path in "$@"; do
        grep -qF -- "$path" output || fail "the output above does not name $path"
    done
}
kilobytes_on_disk() { du -k "$1" | cut -f1; }

# make_store: the fixture, and what git cannot hold.
make_store() {
    cp -R "$fixtures/store" store
    chmod -R u=rwX,go=rX store
    seq -f 'reading %07.0f of the archive' 1 100000 >store/archive.log
    mkdir store/incoming
    chmod 711 store/incoming
    chmod 604 store/stations.csv
    ln -s ../readings/2026/01.csv store/lookup/current
    ln store/archive.log store/lookup/archive-again.log
    printf 'a name with a line break\n' >$'store/notes/two\nlines'
    truncate -s 64M store/sparse.img
    printf 'an island of data' | dd of=store/sparse.img bs=1M seek=40 conv=notrunc status=none
    touch -d '1999-12-31 23:59:58.123456789' store/notes/Troms*
    touch -d '2011-03-11 05:46:23.987654321' store/readings/2025
    touch -h -d '2001-02-03 04:05:06.000000007' store/lookup/current
    if [[ $(id -u) -eq 0 ]]; then chown 4711:1848 store/readings/2026/01.csv; fi
    if command -v setfattr >/dev/null && setfattr -n user.gauge -v 7 store/stations.csv; then
        echo "  (with an extended attribute)"
    fi
    if command -v setfacl >/dev/null && setfacl -m u:4711:r store/notes/*.txt; then
        echo "  (with ACLs)"
    fi
}

# change_store: what a day does to a store.
change_store() {
    printf '2026-02-01T00:00:00Z,1,188,ok\n' >>store/readings/2026/01.csv
    seq -f '2026-02-%02.0fT00:00:00Z,2,201,ok' 1 28 >store/readings/2026/02.csv
    printf 'CORRECTED' | dd of=store/archive.log bs=1 seek=1500000 conv=notrunc status=none
    chmod 640 store/lookup/quality.csv
    rm 'store/notes/field notes.txt'
}

# readings YEAR: 400,000 lines as those of the fixture, from another year, with other levels.
readings() {
    awk -F , -v OFS=, -v year="$1" '
        FNR == 1 { print; next }
        { station[++count] = $2; level[count] = $3; quality[count] = $4 }
        END {
            seed = year
            for (line = 0; line < 400000; line++) {
                seed = (seed * 16807) % 2147483647
                minute = int(line / 5)
                time = sprintf("%d-%02d-%02dT%02d:%02d:00Z", year, 1 + int(minute / 40320),
                    1 + int(minute / 1440) % 28, int(minute / 60) % 24, minute % 60)
                from = line % count + 1
                print time, station[from], level[from] + seed % 40, quality[from]
            }
        }' "$fixtures/store/readings/2025/12.csv"
}
# bytes_below DIRECTORY: the sizes of all files there.
bytes_below() { find "$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%d\n", sum }'; }

# table_rows TABLE: how many there are.
table_rows() { "$varve" table info "$1" --json | grep -o '"rows": *[0-9]*' | head -n 1 | tr -cd 0-9; echo; }
# count_rows TABLE: reads the table again and again and prints how many rows there were, until the
# file seen-enough is there.
count_rows() {
    while [[ ! -e seen-enough ]]; do
        "$varve" table scan "$1" --columns level_cm --format ndjson | wc -l || return
    done
}

# damage_store: a bad day, with one wound that size and time do not show.
damage_store() {
    rm -r store/readings/2025 store/incoming $'store/notes/two\nlines'
    touch -r store/stations.csv stamp
    printf 'X' | dd of=store/stations.csv bs=1 seek=20 conv=notrunc status=none
    touch -r stamp store/stations.csv
    printf 'garbage' | dd of=store/archive.log bs=1 seek=700000 conv=notrunc status=none
    : >store/sparse.img
    chmod 777 store/lookup store/lookup/quality.csv
    ln -sfn /nowhere store/lookup/current
    rm store/lookup/archive-again.log
    mkdir store/lookup/archive-again.log
    touch store/readings/2026/02.csv store/lookup/archive-again.log/stray 'store/ransom note'
    if command -v setfattr >/dev/null; then setfattr -x user.gauge store/stations.csv || true; fi
    if [[ $(id -u) -eq 0 ]]; then chown 0:0 store/readings/2026/01.csv; fi
}

# start_sshd: an sshd on 127.0.0.1 that lets one new key add to repositories below the directory
# standby, and another keep replicas below the directory replica; and an ssh configuration in which
# these are the hosts standby and live. Fails where it cannot be.
start_sshd() {
    local sshd port tries
    sshd=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) && command -v ssh >/dev/null || return
    mkdir ssh standby replica
    ssh-keygen -q -t ed25519 -N '' -f ssh/host_key
    may_run standby --append-only
    may_run replica --replica
    if [[ $(id -u) -eq 0 && ! -d /run/sshd ]]; then
        mkdir -m 755 /run/sshd
        made_run_sshd=true
    fi
    for ((tries = 0; tries < 20; tries++)); do
        port=$((20000 + RANDOM))
        write_ssh_configuration "$port"
        "$sshd" -f "$work/ssh/sshd_config" -D -e 2>ssh/log &
        sshd_pid=$!
        if waits_for "$port"; then break; fi
    done
    # 255 is ssh's own: it could not log in, as into an account that is locked.
    [[ -n $sshd_pid ]] || return
    ssh -F ssh/config standby </dev/null >/dev/null 2>>ssh/log || [[ $? -ne 255 ]]
}
# may_run DIRECTORY OPTION: a new key that serves this directory, and nothing else.
may_run() {
    ssh-keygen -q -t ed25519 -N '' -f "ssh/$1.key"
    printf "command=\"'%s' serve --stdio --path '%s' %s\",restrict %s\n" \
        "$varve" "$work/$1" "$2" "$(cat "ssh/$1.key.pub")" >>ssh/authorized_keys
}
write_ssh_configuration() {
    cat >ssh/sshd_config <<E
Port $1
ListenAddress 127.0.0.1
HostKey "$work/ssh/host_key"
AuthorizedKeysFile "$work/ssh/authorized_keys"
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
E
    cat >ssh/config <<E
Host standby
    IdentityFile "$work/ssh/standby.key"
Host live
    IdentityFile "$work/ssh/replica.key"
Host *
    HostName 127.0.0.1
    Port $1
    IdentitiesOnly yes
    UserKnownHostsFile "$work/ssh/known_hosts"
    GlobalKnownHostsFile none
    BatchMode yes
E
    echo "[127.0.0.1]:$1 $(cat ssh/host_key.pub)" >ssh/known_hosts
}
# waits_for PORT: until the sshd just started listens there; fails when it has ended.
waits_for() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        if ! kill -0 "$sshd_pid" 2>/dev/null; then break; fi
        if grep -q "Server listening on 127.0.0.1 port $1" ssh/log; then return; fi
        sleep 0.05
    done
    kill "$sshd_pid" 2>/dev/null || true
    wait "$sshd_pid" 2>/dev/null || true
    sshd_pid=
    return 1
}

say "A store: tables as text, notes, a log, links, a sparse file, an odd mode here and there."
make_store
holes=false
if [[ $(kilobytes_on_disk store/sparse.img) -lt 1024 ]]; then holes=true; fi
find store -not -type d -printf '  %M %9s  %p\0' | sort -zk3 | tr '\n\0' '?\n'

say "A repository is where snapshots go. It is made once."
step init --repo repo

say "The first snapshot reads everything."
manifest store >monday
step snapshot store --repo repo

say "A day passes: a table grows, one is new, nine bytes change in the log, a mode, a note goes." \
    "The second snapshot reads what changed and stores the chunks that are new."
change_store
manifest store >tuesday
step snapshot store --repo repo

say "The snapshots of the repository."
step list --repo repo

say "What the day changed."
step diff latest~1 latest --repo repo
prove_named readings/2026/01.csv readings/2026/02.csv archive.log lookup/quality.csv \
    'field notes.txt'

say "A file as it was a snapshot ago, without restoring anything."
step cat 'latest~1:notes/field notes.txt' --repo repo
cmp output "$fixtures/store/notes/field notes.txt" || fail "the old note came back different"

say "Now the damage: a directory deleted, files overwritten (one of them with its old size and" \
    "time, so that only its content tells), modes and links changed, strangers moved in."
damage_store
manifest store >damaged
if cmp -s tuesday damaged; then fail "the damage does not show in the manifest"; fi
echo "  $(comm -13 <(sort tuesday) <(sort damaged) | wc -l) lines of the manifest are wrong"

say "Restore it in place. What still matches stays as it is; --delete removes what is not in the" \
    "snapshot."
step restore latest --repo repo --target store --delete
prove_equal store tuesday "the store is as it was at the second snapshot"
if $holes && [[ $(kilobytes_on_disk store/sparse.img) -ge 1024 ]]; then
    fail "the sparse file came back without its holes"
fi

say "Any snapshot can be restored anywhere."
step restore latest~1 --repo repo --target monday-again
prove_equal monday-again monday "the copy is as the store was at the first snapshot"

say "The same snapshots elsewhere. First by a disk that is carried there: a stream that holds a" \
    "whole snapshot, and one that holds what the day changed."
mkdir disk
step send latest~1 --repo repo --output disk
step send --from latest~1 latest --repo repo --output disk
find disk -type f -printf '  %9s  %p\n' | sort -k2
whole=$(stat -c %s disk/start-*.varve)
changes=$(find disk -type f ! -name 'start-*' -printf '%s')
[[ $((changes * 10)) -lt $whole ]] || fail "the stream of the changes is not small"

say "There, a repository takes all that fit, in the order that they need, and checks every byte."
step init --repo far
step receive disk --repo far
step restore latest --repo far --target far-store
prove_equal far-store tuesday "the copy from the disk is as the store was at the second snapshot"

if start_sshd; then
    say "Then over SSH: this host plays the other one too, with an sshd, a port and keys of the" \
        "demo's own. The key may add to the repositories of the host standby and remove nothing."
    export VARVE_SSH_COMMAND="ssh -F '$work/ssh/config'"
    step init --repo standby:repo
    step push --repo repo --to standby:repo

    say "One more night, and only what is new goes over the line. Without news, nothing does."
    printf 'AGAIN' | dd of=store/archive.log bs=1 seek=2500000 conv=notrunc status=none
    manifest store >wednesday
    step snapshot store --repo repo
    step push --repo repo --to standby:repo
    step push --repo repo --to standby:repo
    prove_named '0 snapshots' '3 there already'

    say "Every command takes a repository on another host."
    step diff latest~1 latest --repo standby:repo
    prove_named archive.log
    step restore latest --repo standby:repo --target from-standby
    prove_equal from-standby wednesday "the copy from standby is as the store is now"
else
    say "Pushing over SSH is not shown: no sshd is installed here, or it lets nobody in."
    if [[ -s ssh/log ]]; then sed 's/^/  /' ssh/log; fi
fi

say "Rows belong into a table. Its columns are found in a CSV file; here each station gets a" \
    "directory. Delta Lake engines read it too."
mkdir warehouse
cp -R "$fixtures/store/notes" warehouse/notes
step table import warehouse/gauges "$fixtures/store/readings/2025/11.csv" --partition-by station

say "Three nights: each appends an archive of 400,000 readings, made of the fixture's, and ends with" \
    "a snapshot. All tables of a store are pinned at one moment, whoever writes to them meanwhile."
for year in 2022 2023 2024; do
    readings "$year" >"$year.csv"
    step table append warehouse/gauges "$year.csv"
    step snapshot warehouse --repo repo --tag nightly
done
step tables --repo repo
step diff latest~1 latest --tables --repo repo
step table scan warehouse/gauges --where 'station = 2 AND level_cm > 330' --limit 3

say "Compaction makes one file of many, and copies most of their contents byte for byte. A snapshot" \
    "finds what it has already, though all files are new: it adds footers and what was too small to" \
    "copy."
before=$(bytes_below repo)
find warehouse -name '*.parquet' | sort >small-files
step table compact warehouse/gauges
find warehouse -name '*.parquet' | sort >all-files
step snapshot warehouse --repo repo --tag nightly
compacted=$(comm -13 small-files all-files | tr '\n' '\0' | xargs -0 cat | wc -c)
cost=$(($(bytes_below repo) - before))
echo
echo "  the compacted files: $compacted bytes; what the repository grew by: $cost bytes"
[[ $compacted -gt 1000000 ]] || fail "the compaction wrote no files"
[[ $((cost * 10)) -lt $compacted ]] || fail "the snapshot after the compaction is not small"
step table verify warehouse/gauges
step restore latest --repo repo --target warehouse-again
diff -r warehouse warehouse-again >differences || fail "the store came back different"

if [[ -n $sshd_pid ]]; then
    say "A replica on the other host holds the files themselves, to be queried there. Its key may" \
        "keep one directory equal to the store, and nothing else."
    step replicate warehouse live:live --repo repo

    say "Somebody over there counts rows without a pause, while two more archives are appended, the" \
        "table is compacted and rows are deleted, each brought over at once."
    count_rows replica/live/gauges >seen &
    reader=$!
    table_rows warehouse/gauges >complete
    for year in 2019 2020; do
        readings "$year" >"$year.csv"
        step table append warehouse/gauges "$year.csv"
        table_rows warehouse/gauges >>complete
        step replicate warehouse live:live --repo repo
    done
    step table compact warehouse/gauges
    step replicate warehouse live:live --repo repo
    step table delete warehouse/gauges --where 'quality = "suspect"'
    table_rows warehouse/gauges >>complete
    step replicate warehouse live:live --repo repo
    sleep 0.5
    touch seen-enough
    wait "$reader" || fail "the table could not be read over there"
    sort -u seen >seen-rows
    sort -u complete >complete-rows
    [[ -z $(comm -23 seen-rows complete-rows) ]] || fail "over there half a version was seen: $(
        comm -23 seen-rows complete-rows | tr '\n' ' ')"
    echo
    echo "  read $(wc -l <seen) times, and never half a version; rows seen:" \
        "$(sort -n seen-rows | tr '\n' ' ')"
    diff -r --exclude=.varve-replica warehouse replica/live >differences ||
        fail "the replica differs: $(cat differences)"
    echo "  proved: the replica holds the same files"
fi

say "A bad night: rows are deleted in the wrong table, and somebody vacuums away what held them."
step snapshot warehouse --repo repo --tag before-the-bad-night
rows=$(table_rows warehouse/gauges)
"$varve" table scan warehouse/gauges --format csv | LC_ALL=C sort >rows-before
step table delete warehouse/gauges --where 'level_cm > 100'
step table vacuum warehouse/gauges --retention 0h --force
echo
echo "  rows left: $(table_rows warehouse/gauges) of $rows"

say "One table comes back, in place: what would be fetched; then the files, and one commit that" \
    "makes the table what it was. Readers go on meanwhile, and the restore can be undone as well."
step restore latest --table gauges --in-place --repo repo --dry-run
step restore latest --table gauges --in-place --repo repo
step table history warehouse/gauges --limit 3
step table verify warehouse/gauges
"$varve" table scan warehouse/gauges --format csv | LC_ALL=C sort >rows-after
cmp -s rows-before rows-after || fail "the rows are not what they were"
echo
echo "  proved: all $(table_rows warehouse/gauges) rows are what they were before that night"

say "Last the store moves to another disk: a plan with its cost, a backup, the copy, a verification" \
    "of every file and every row, and only then the source is removed."
step migrate warehouse new-disk --repo repo --clean-source
step table verify new-disk/gauges
"$varve" table scan new-disk/gauges --format csv | LC_ALL=C sort >rows-after
cmp -s rows-before rows-after || fail "the rows that were moved are not what they were"
[[ -z $(find warehouse -type f 2>/dev/null) ]] || fail "the source was to be removed"

say "Is the repository still sound? This reads all of it and hashes it anew."
step check --read-data --repo repo

printf '\nDEMO PASSED: one disaster, nothing lost.\n'
