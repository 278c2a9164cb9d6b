# shellcheck shell=bash
# Sourced by run.sh and peers.sh, which set `data` (where data.sh put it), `scratch` (removed at the
# end, on the same file system) and `figures` (the file that measurements are appended to).
: "${data:?}" "${scratch:?}" "${figures:?}"
export LC_ALL=C.UTF-8

# Caches and configuration of the tools go to the scratch directory, not to the user's home.
export XDG_CACHE_HOME=$scratch/cache XDG_CONFIG_HOME=$scratch/config
export RESTIC_CACHE_DIR=$scratch/cache/restic RESTIC_PASSWORD=benchmark
export BORG_BASE_DIR=$scratch/cache/borg BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
unset RESTIC_REPOSITORY BORG_REPO VARVE_REPO

# bytes_below PATH: the sizes of the files there, 0 when there is nothing.
bytes_below() {
    if [[ ! -e $1 ]]; then echo 0; else
        find "$1" -type f -printf '%s\n' | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
    fi
}

# settle: what earlier work left to write is written. With VARVE_BENCH_COLD=1 (needs root) the page
# cache is emptied as well, so that every tool reads from the disk.
settle() {
    sync
    if [[ ${VARVE_BENCH_COLD:-0} -eq 1 ]]; then echo 3 >/proc/sys/vm/drop_caches; fi
}

# record CASE TOOL SECONDS BYTES PEAK: appends one line to the figures, and prints it.
record() {
    printf '%s\t%s\t%s\t%s\t%s\n' "$@" >>"$figures"
    tail -n 1 "$figures" | awk -F '\t' \
        '{ printf "%-16s %-14s %9.3f s %11.3f MB %6.0f MB peak\n", $1, $2, $3, $4 / 1e6, $5 / 1024 }'
}

# measure CASE TOOL FILLED COMMAND...: runs the command and records
#   case, tool, seconds, bytes by which the path FILLED grew, peak memory in KiB
# or "failed" instead of the numbers. With FILLED @NAME the bytes are what the function NAME prints
# afterwards. CASE - is preparation: run, neither measured nor recorded.
failures=0
measure() {
    local case=$1 tool=$2 filled=$3 before=0 bytes start seconds
    shift 3
    if [[ $case == - ]]; then
        "$@" >"$scratch/output" 2>&1 && return
        cat "$scratch/output" >&2
        echo "preparation failed: $*" >&2
        return 1
    fi
    if [[ $filled != @* ]]; then before=$(bytes_below "$filled"); fi
    settle
    start=$EPOCHREALTIME
    if ! /usr/bin/time -q -o "$scratch/peak" -f %M "$@" >"$scratch/output" 2>&1; then
        failures=$((failures + 1))
        printf '%s\t%s\tfailed\n' "$case" "$tool" >>"$figures"
        printf '%-16s %-14s FAILED: %s\n' "$case" "$tool" "$*" >&2
        cat "$scratch/output" >&2
        return
    fi
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f", b - a }')
    if [[ $filled == @* ]]; then bytes=$("${filled#@}"); else bytes=$(bytes_below "$filled"); fi
    record "$case" "$tool" "$seconds" "$((bytes - before))" "$(tail -n 1 "$scratch/peak")"
}

# prove_same CASE TOOL BEFORE AFTER: a restore that is not the original counts as failed.
prove_same() {
    diff -rq --no-dereference "$3" "$4" >"$scratch/output" 2>&1 && return
    if [[ $1 == - ]]; then return 1; fi
    failures=$((failures + 1))
    printf '%s\t%s\tfailed\n' "$1" "$2" >>"$figures"
    printf '%-16s %-14s RESTORED WRONGLY:\n' "$1" "$2" >&2
    head "$scratch/output" >&2
}

# Sets with two states, of which the second follows the first.
# shellcheck disable=SC2034 # used by those who source this
declare -A earlier=([edits]=before [night]=small [row]=before) \
    later=([edits]=after [night]=compacted [row]=after)

# state_of SET STATE: where that state of the set lies. Some are made by varve, see growth.sh.
state_of() {
    if [[ -d $scratch/tables/$1 ]]; then
        echo "$scratch/tables/$1/$2"
    elif [[ -d $data/column/$1 ]]; then
        echo "$data/column/$1/$2"
    else
        echo "$data/$1/$2"
    fi
}
# put SET STATE: makes $scratch/work/store that state of the set.
put() {
    rm -rf "$scratch/work"
    mkdir "$scratch/work"
    cp -r "$(state_of "$1" "$2")" "$scratch/work/store"
}
# put_later SET: what a change within the second of the first snapshot could hide, does not happen.
put_later() {
    sleep 1.1
    put "$1" "${later[$1]:-after}"
}

# scatter DIRECTORY: overwrites about 1 % of the bytes of every file, in runs of up to 64 KiB at
# places that are the same each time.
scatter() {
    python3 - "$1" <<'P'
import pathlib
import random
import sys

generator = random.Random(100)
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
    if not path.is_file() or path.stat().st_size == 0:
        continue
    size = path.stat().st_size
    run = min(65536, max(1, size // 100))
    with path.open("r+b") as file:
        for _ in range(max(1, size // 100 // run)):
            file.seek(generator.randrange(size - run + 1))
            file.write(generator.randbytes(run))
P
}
