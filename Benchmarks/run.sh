#!/usr/bin/env bash
# run.sh [CASE...]: measures varve against its peers, all in one run, and writes RESULTS.md. In each
# case the tools take turns, one round each: whatever else the machine does meets all alike.
#
#   VARVE, FLOOR_BENCHMARK    the binaries to measure (default: built with SwiftPM)
#   VARVE_BENCH_DIR           data and scratch space, about 16 GB (default: Benchmarks/data)
#   VARVE_BENCH_ROUNDS        rounds per case, the median counts (default: 3)
#   VARVE_BENCH_COLD=1        empty the page cache before each measurement (needs root)
#   VARVE_BENCH_RESULTS       where the table goes (default: Benchmarks/RESULTS.md)
set -euo pipefail
here=$(realpath -- "$(dirname "$0")")
cd "$here/.."

all_cases=(first-mixed again-mixed restore-mixed inplace-mixed check-mixed first-many again-many
    again-tables growth-edits delta-edits delta-row growth-compact growth-insert growth-delete
    growth-append growth-pyarrow growth-duckdb growth-deltalake growth-night push-mixed idle-mixed
    lag-ssh chunker
    import-lineitem scan-lineitem compact-lineitem delete-lineitem)
cases=("$@")
if [[ $# -eq 0 ]]; then cases=("${all_cases[@]}"); fi
for case in "${cases[@]}"; do
    if [[ " ${all_cases[*]} " != *" $case "* ]]; then
        echo "run.sh: there is no case '$case'; there are: ${all_cases[*]}" >&2
        exit 2
    fi
done

rounds=${VARVE_BENCH_ROUNDS:-3}
results=$(realpath -m -- "${VARVE_BENCH_RESULTS:-$here/RESULTS.md}")
data=${VARVE_BENCH_DIR:-$here/data}
"$here/data.sh" "$data"
data=$(realpath -- "$data")
# product NAME: builds it and prints where it is.
product() {
    swift build -c release --product "$1" >&2
    echo "$(swift build -c release --show-bin-path)/$1"
}
varve=$(realpath -- "${VARVE:-$(product varve)}")
floor_benchmark=$(realpath -- "${FLOOR_BENCHMARK:-$(product FloorBenchmark)}")

scratch=$(mktemp -d "$data/scratch.XXXXXX")
trap 'stop_sshd; rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
figures=$scratch/figures
: >"$figures"
# shellcheck source=Benchmarks/measure.sh
source "$here/measure.sh"
# shellcheck source=Benchmarks/sshd.sh
source "$here/sshd.sh"
# shellcheck source=Benchmarks/peers.sh
source "$here/peers.sh"
# shellcheck source=Benchmarks/tables.sh
source "$here/tables.sh"
# shellcheck source=Benchmarks/growth.sh
source "$here/growth.sh"

varve_first() {
    local repository=$scratch/varve-$2
    rm -rf "$repository"
    measure - varve - "$varve" init --repo "$repository"
    measure "$1" varve "$repository" "$varve" snapshot "$data/$2" --repo "$repository"
}
varve_again() {
    local repository=$scratch/varve-$2
    if [[ ! -d $repository ]]; then varve_first - "$2"; fi
    measure "$1" varve "$repository" "$varve" snapshot "$data/$2" --repo "$repository"
}
# varve_restore CASE SET [OPTION...]: restores, proves the result equal, removes it.
varve_restore() {
    local case=$1 set=$2 target=$scratch/varve-target
    shift 2
    if [[ ! -d $scratch/varve-$set ]]; then varve_first - "$set"; fi
    measure "$case" varve "$target" \
        "$varve" restore latest --repo "$scratch/varve-$set" --target "$target" "$@"
    prove_same "$case" varve "$data/$set" "$target"
    rm -rf "$target"
}
varve_inplace() {
    cp -a "$data/$2" "$scratch/varve-target"
    scatter "$scratch/varve-target"
    varve_restore "$@" --delete
}
varve_check() {
    if [[ ! -d $scratch/varve-$2 ]]; then varve_first - "$2"; fi
    measure "$1" varve - "$varve" check --read-data --repo "$scratch/varve-$2"
}
varve_growth() {
    local repository=$scratch/varve-growth
    rm -rf "$repository"
    measure - varve - "$varve" init --repo "$repository"
    put "$2" "${earlier[$2]:-before}"
    measure - varve - "$varve" snapshot "$scratch/work" --repo "$repository"
    put_later "$2"
    measure "$1" varve "$repository" "$varve" snapshot "$scratch/work" --repo "$repository"
}
# varve_delta CASE SET: sends what turns the earlier state into the later, and proves that another
# repository makes it of that.
varve_delta() {
    local repository=$scratch/varve-pair-$2 stream=$scratch/stream there=$scratch/there/varve-pair
    if [[ ! -d $repository ]]; then
        varve_growth - "$2"
        mv "$scratch/varve-growth" "$repository"
    fi
    rm -rf "$stream" "$there"
    mkdir -p "$scratch/there"
    measure "$1" varve "$stream" \
        "$varve" send --from latest~1 latest --repo "$repository" --output "$stream"
    measure - varve - "$varve" init --repo "$there"
    measure - varve - "$varve" push latest~1 --repo "$repository" --to "$there"
    measure - varve - "$varve" receive "$stream" --repo "$there"
    measure - varve - "$varve" restore latest --repo "$there" --target "$scratch/varve-target"
    prove_same "$1" varve "$data/$2/${later[$2]}" "$scratch/varve-target/store"
    rm -rf "$scratch/varve-target" "$there"
}

# measure_both CASE TOOL FILLED COMMAND...: as measure, with another line for the varve that ssh runs
# on the other side: TOOL, there.
measure_both() {
    local case=$1 tool=$2 seconds
    cat >"$scratch/varve-there" <<S
#!/bin/sh
exec /usr/bin/time -q -o '$scratch/peak-there' -f %M '$varve' "\$@"
S
    chmod +x "$scratch/varve-there"
    rm -f "$scratch/peak-there"
    VARVE_REMOTE_VARVE=$scratch/varve-there measure "$@"
    if [[ $case == - ]]; then return; fi
    for _ in {1..100}; do
        if [[ -s $scratch/peak-there ]]; then break; fi
        sleep 0.05
    done
    seconds=$(tail -n 1 "$figures" | cut -f 3)
    if [[ $seconds == failed ]]; then return; fi
    record "$case" "$tool, there" "$seconds" 0 "$(tail -n 1 "$scratch/peak-there")"
}
# varve_there: a new repository on the other side.
varve_there() {
    rm -rf "$scratch/there/varve"
    mkdir -p "$scratch/there"
    measure_both - varve - "$varve" init --repo "standby:$scratch/there/varve"
}
varve_push() {
    local there=$scratch/there/varve target=$scratch/varve-target
    if [[ ! -d $scratch/varve-$2 ]]; then varve_first - "$2"; fi
    varve_there
    measure_both "$1" varve "$there" \
        "$varve" push --repo "$scratch/varve-$2" --to "standby:$there"
    if [[ $1 == - ]]; then return; fi
    measure - varve - "$varve" restore latest --repo "$there" --target "$target"
    prove_same "$1" varve "$data/$2" "$target"
    rm -rf "$target"
}
# A snapshot that goes to the other side at once.
snapshot_push() {
    varve_there
    measure_both "$1" 'varve snapshot' "$scratch/there/varve" \
        "$varve" snapshot "$data/$2" --repo "standby:$scratch/there/varve"
}
varve_idle() {
    if ! "$varve" list --repo "$scratch/there/varve" >/dev/null 2>&1; then varve_push - "$2"; fi
    measure_both "$1" varve - \
        "$varve" push --repo "$scratch/varve-$2" --to "standby:$scratch/there/varve"
}

# follow CASE: a minute of commits, and how long after each a replica on the other side has it. The
# 99th percentile stands for varve, for that is what the goal is of.
follow() {
    local median last commits
    rm -rf "$scratch/lag"
    settle
    if ! python3 "$here/lag.py" "$varve" "$scratch/lag" "standby:$scratch/lag/replica" 60 \
        >"$scratch/lags" 2>"$scratch/output"; then
        failures=$((failures + 1))
        printf '%s\tvarve\tfailed\n' "$1" >>"$figures"
        cat "$scratch/output" >&2
        return
    fi
    read -r median last commits <"$scratch/lags"
    record "$1" varve "$last" 0 0
    record "$1" "median of $commits" "$median" 0 0
}

# compare CASE SET TOOL...: the rounds of a case.
compare() {
    local case=$1 set=$2 round tool
    shift 2
    # The source is in the page cache for the first tool as for the last.
    if [[ -d $data/$set ]]; then cat_first - "$set"; fi
    for ((round = 1; round <= rounds; round++)); do
        for tool in "$@"; do "${tool}_${case%%-*}" "$case" "$set"; done
    done
}

run_case() {
    case $1 in
    first-mixed) compare "$1" mixed varve restic borg cat tar ;;
    again-mixed) compare "$1" mixed varve restic borg rsync find ;;
    restore-mixed) compare "$1" mixed varve restic borg cp ;;
    inplace-mixed) compare "$1" mixed varve restic rsync cat ;;
    check-mixed) compare "$1" mixed varve restic borg cat ;;
    first-many) compare "$1" many varve restic borg rsync cat tar ;;
    again-many) compare "$1" many varve restic borg rsync find ;;
    again-tables) compare "$1" tables varve restic borg rsync find ;;
    growth-edits) compare "$1" edits varve restic borg ;;
    growth-compact | growth-insert | growth-delete | growth-append)
        "make_${1#*-}"
        reference "$1" 'written anew' "$(bytes_new "${1#*-}")"
        compare "$1" "${1#*-}" varve bytes restic borg
        rm -rf "$scratch/tables"
        ;;
    growth-pyarrow | growth-duckdb | growth-deltalake)
        reference "$1" 'the column' "$(bytes_of_column "${1#*-}")"
        compare "$1" "${1#*-}" varve bytes restic borg
        ;;
    growth-night) compare "$1" night varve bytes restic borg ;;
    delta-edits) compare "$1" edits varve rsync xdelta3 zstd ;;
    delta-row) compare "$1" row varve rsync xdelta3 ;;
    push-mixed)
        start_sshd
        compare "$1" mixed snapshot varve rsync borg restic
        ;;
    idle-mixed)
        start_sshd
        compare "$1" mixed varve ssh
        ;;
    lag-ssh)
        start_sshd
        VARVE_REMOTE_VARVE=$varve follow "$1"
        ;;
    import-lineitem) compare "$1" mixed varve pyarrow ;;
    scan-lineitem) compare "$1" mixed varve duckdb ;;
    compact-lineitem) compare "$1" mixed varve cat ;;
    delete-lineitem) compare "$1" mixed varve ;;
    chunker)
        echo "chunker"
        (cd "$data" && "$floor_benchmark" mixed/text/lineitem.tbl) >"$scratch/chunker" || {
            failures=$((failures + 1))
            echo "chunker FAILED" >&2
        }
        ;;
    esac
}

# A virtual machine gets its memory from the host when it touches it first, which is slow: 8 s for
# 4 GiB where 2 s do later. Whoever came first would pay for it, so all that is free is touched now.
touch_memory() {
    python3 - <<'P'
import mmap
import os

free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") - (512 << 20)
if free > 0:
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
    mmap.mmap(-1, free, flags).close()
P
}
touch_memory

read -r load _ </proc/loadavg
if [[ ${load%.*} -ge 1 ]]; then
    echo "Something else runs on this machine (load $load): the figures will be noisy." >&2
fi
echo "case             tool             seconds       stored        memory"
for case in "${cases[@]}"; do run_case "$case"; done

python3 "$here/report.py" --figures "$figures" --chunker "$scratch/chunker" --data "$data" \
    --rounds "$rounds" --varve "$varve" >"$scratch/results"
mv "$scratch/results" "$results"
echo "written: $results"
if [[ $failures -gt 0 ]]; then
    echo "$failures measurements failed" >&2
    exit 1
fi
