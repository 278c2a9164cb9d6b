#!/usr/bin/env bash
# run.sh [CASE...]: measures varve against its peers, all in one run, and writes RESULTS.md. In each
# case the tools take turns, one round each: whatever else the machine does meets all alike.
#
#   VARVE, FLOOR_BENCHMARK    the binaries to measure (default: built with SwiftPM)
#   VARVE_BENCH_DIR           data and scratch space, about 12 GB (default: Benchmarks/data)
#   VARVE_BENCH_ROUNDS        rounds per case, the median counts (default: 3)
#   VARVE_BENCH_COLD=1        empty the page cache before each measurement (needs root)
#   VARVE_BENCH_RESULTS       where the table goes (default: Benchmarks/RESULTS.md)
set -euo pipefail
here=$(realpath -- "$(dirname "$0")")
cd "$here/.."

all_cases=(first-mixed again-mixed restore-mixed inplace-mixed check-mixed first-many again-many
    chunker)
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
"$here/data.sh" "$data" mixed many
data=$(realpath -- "$data")
# product NAME: builds it and prints where it is.
product() {
    swift build -c release --product "$1" >&2
    echo "$(swift build -c release --show-bin-path)/$1"
}
varve=$(realpath -- "${VARVE:-$(product varve)}")
floor_benchmark=$(realpath -- "${FLOOR_BENCHMARK:-$(product FloorBenchmark)}")

scratch=$(mktemp -d "$data/scratch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
figures=$scratch/figures
: >"$figures"
# shellcheck source=Benchmarks/measure.sh
source "$here/measure.sh"
# shellcheck source=Benchmarks/peers.sh
source "$here/peers.sh"

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

# compare CASE SET TOOL...: the rounds of a case.
compare() {
    local case=$1 set=$2 round tool
    shift 2
    cat_first - "$set" # the source is in the page cache for the first tool as for the last
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
    chunker)
        echo "chunker"
        (cd "$data" && "$floor_benchmark" mixed/text/lineitem.tbl) >"$scratch/chunker" || {
            failures=$((failures + 1))
            echo "chunker FAILED" >&2
        }
        ;;
    esac
}

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
