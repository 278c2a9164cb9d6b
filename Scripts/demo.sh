#!/usr/bin/env bash
# The main job of varve on a small store, as a tutorial: snapshot, change, snapshot, list, diff,
# damage, restore, and a proof that every byte, mode, owner and time is back.
# Works in a fresh temporary directory and removes it. VARVE names another binary to show.
set -Eeuo pipefail
cd "$(dirname "$0")/.."

varve=${VARVE:-$(swift build -c release --show-bin-path)/varve}
varve=$(realpath -- "$varve")
fixtures=$PWD/fixtures
work=$(mktemp -d "${TMPDIR:-/tmp}/varve-demo.XXXXXX")
trap 'chmod -R u+rwX "$work"; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'fail "line $LINENO of $0"' ERR
cd "$work"
unset VARVE_REPO
export LC_ALL=C.UTF-8 TZ=UTC

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

say "Last, is the repository sound? This reads all of it and hashes it anew."
step check --read-data --repo repo

printf '\nDEMO PASSED: two snapshots, one disaster, nothing lost.\n'
