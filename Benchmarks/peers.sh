#!/usr/bin/env bash
# peers.sh DIR: runs the peers alone on the data below DIR (see data.sh), once, also on the sets
# `edits` and `night`; one line per figure. Sourced by run.sh for the functions.
#
# Every function is TOOL_WORK CASE SET, with the works first (into a new repository), again (no
# change), restore (into nothing), inplace (1 % of the target differs) and check.
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    data=$(realpath -- "${1:?usage: peers.sh DIR}")
    scratch=$(mktemp -d "$data/scratch.XXXXXX")
    figures=$scratch/figures
    trap 'rm -rf "$scratch"' EXIT
    # shellcheck source=Benchmarks/measure.sh
    source "$(dirname "$0")/measure.sh"
fi
declare -A archives # the number of the last archive of each borg repository

# restic: always encrypts; compresses with its default (zstd).
restic_first() {
    rm -rf "$scratch/restic-$2"
    measure - restic - restic -q -r "$scratch/restic-$2" init
    restic_snapshot "$1" "$2" "$data/$2"
}
restic_snapshot() {
    local repository=$scratch/restic-$2
    measure "$1" restic "$repository" restic -q -r "$repository" backup "$3"
}
restic_again() {
    if [[ ! -d $scratch/restic-$2 ]]; then restic_first - "$2"; fi
    restic_snapshot "$1" "$2" "$data/$2"
}
restic_restore() {
    local target=$scratch/restic-target
    if [[ ! -d $scratch/restic-$2 ]]; then restic_first - "$2"; fi
    measure "$1" restic "$target" \
        restic -q -r "$scratch/restic-$2" restore latest --target "$target"
    prove_same "$1" restic "$data/$2" "$target$data/$2"
    rm -rf "$target"
}
restic_inplace() {
    local target=$scratch/restic-target
    mkdir -p "$target$data"
    cp -a "$data/$2" "$target$data"
    scatter "$target$data/$2"
    restic_restore "$1" "$2"
}
restic_check() {
    if [[ ! -d $scratch/restic-$2 ]]; then restic_first - "$2"; fi
    measure "$1" restic - restic -q -r "$scratch/restic-$2" check --read-data
}

# borg: without encryption, zstd level 3.
borg_first() {
    rm -rf "$scratch/borg-$2"
    archives[$2]=0
    measure - borg - borg init -e none "$scratch/borg-$2"
    borg_snapshot "$1" "$2" "$data/$2"
}
borg_snapshot() {
    local repository=$scratch/borg-$2
    archives[$2]=$((${archives[$2]:-0} + 1))
    measure "$1" borg "$repository" borg create -C zstd,3 "$repository::${archives[$2]}" "$3"
}
borg_again() {
    if [[ ! -d $scratch/borg-$2 ]]; then borg_first - "$2"; fi
    borg_snapshot "$1" "$2" "$data/$2"
}
borg_restore() {
    local target=$scratch/borg-target
    if [[ ! -d $scratch/borg-$2 ]]; then borg_first - "$2"; fi
    mkdir "$target"
    measure "$1" borg "$target" \
        env -C "$target" borg extract "$scratch/borg-$2::${archives[$2]}"
    prove_same "$1" borg "$data/$2" "$target$data/$2"
    rm -rf "$target"
}
borg_check() {
    if [[ ! -d $scratch/borg-$2 ]]; then borg_first - "$2"; fi
    measure "$1" borg - borg check --verify-data "$scratch/borg-$2"
}

# rsync: a plain copy, no history.
rsync_first() {
    rm -rf "$scratch/rsync-$2"
    measure "$1" rsync "$scratch/rsync-$2" rsync -a "$data/$2/" "$scratch/rsync-$2/"
}
rsync_again() {
    if [[ ! -d $scratch/rsync-$2 ]]; then rsync_first - "$2"; fi
    measure "$1" rsync "$scratch/rsync-$2" rsync -a "$data/$2/" "$scratch/rsync-$2/"
}
rsync_inplace() {
    local target=$scratch/rsync-target
    cp -a "$data/$2" "$target"
    scatter "$target"
    measure "$1" rsync "$target" \
        rsync -a --inplace --no-whole-file --checksum --delete "$data/$2/" "$target/"
    prove_same "$1" rsync "$data/$2" "$target"
    rm -rf "$target"
}

# The floors: what the same data costs without any backup tool.
cat_first() {
    # shellcheck disable=SC2016 # the inner shell expands it
    measure "$1" cat - sh -c 'find "$1" -type f -print0 | xargs -0 cat >/dev/null' sh "$data/$2"
}
cat_check() { cat_first "$@"; }
tar_first() {
    # shellcheck disable=SC2016
    measure "$1" 'tar | zstd -1' "$scratch/$2.tar.zst" \
        sh -c 'tar -cf - "$1" | zstd -q -1 -T2 -o "$2"' sh "$data/$2" "$scratch/$2.tar.zst"
    rm -f "$scratch/$2.tar.zst"
}
find_again() {
    touch "$scratch/stamp"
    measure "$1" 'find -newer' - find "$data/$2" -type f -newer "$scratch/stamp"
}
cp_restore() {
    measure "$1" 'cp -a' "$scratch/cp-target" cp -a "$data/$2" "$scratch/cp-target"
    rm -rf "$scratch/cp-target"
    # shellcheck disable=SC2016
    measure "$1" 'cp -a, sync' "$scratch/cp-target" \
        sh -c 'cp -a "$1" "$2" && sync -f "$2"' sh "$data/$2" "$scratch/cp-target"
    rm -rf "$scratch/cp-target"
}
cat_inplace() { cat_first "$@"; }

# replace SET BEFORE AFTER: what the snapshot tools store when one becomes the other.
replace() {
    local set=$1 before=$2 after=$3 work=$scratch/work tool
    for tool in restic borg; do
        mkdir "$work"
        cp -rp "$data/$set/$before" "$work/store"
        if [[ $tool == restic ]]; then
            measure - restic - restic -q -r "$scratch/restic-$set" init
        else
            measure - borg - borg init -e none "$scratch/borg-$set"
        fi
        "${tool}_snapshot" - "$set" "$work"
        sleep 1.1 # a change within the second of the first snapshot must not hide
        rm -rf "$work/store"
        cp -r "$data/$set/$after" "$work/store"
        "${tool}_snapshot" "$set" "$set" "$work"
        rm -rf "$work"
    done
}
patch_edits() {
    local before=$data/edits/before after=$data/edits/after work=$scratch/work
    mkdir "$work" "$work/source" "$work/target"
    cp "$after" "$work/source/db"
    cp -p "$before" "$work/target/db"
    measure edits 'rsync -z' - rsync -az --no-W --stats "$work/source/" "$work/target/"
    sed -n 's/^Total bytes sent: /edits            rsync -z       bytes sent: /p' "$scratch/output"
    measure edits xdelta3 "$work/x" xdelta3 -e -f -s "$before" "$after" "$work/x"
    measure edits 'zstd --patch' "$work/z" zstd -q -3 "--patch-from=$before" "$after" -o "$work/z"
    rm -rf "$work"
}

peers_main() {
    local tool
    for tool in restic borg rsync cat tar; do "${tool}_first" first-mixed mixed; done
    for tool in restic borg rsync find; do "${tool}_again" again-mixed mixed; done
    for tool in restic borg cp; do "${tool}_restore" restore-mixed mixed; done
    for tool in restic rsync; do "${tool}_inplace" inplace-mixed mixed; done
    for tool in restic borg; do "${tool}_check" check-mixed mixed; done
    for tool in restic borg rsync cat tar; do "${tool}_first" first-many many; done
    for tool in restic borg rsync find; do "${tool}_again" again-many many; done
    if [[ -d $data/edits ]]; then
        replace edits before after
        patch_edits
    fi
    if [[ -d $data/night ]]; then replace night small compacted; fi
    return $((failures > 0))
}
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then peers_main; fi
