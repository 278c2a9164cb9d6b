#!/usr/bin/env bash
# peers.sh DIR: runs the peers alone on the data below DIR (see data.sh), once, also on the set
# `night`; one line per figure. Sourced by run.sh for the functions.
#
# Every function is TOOL_WORK CASE SET, with the works first (into a new repository), again (no
# change), restore (into nothing), inplace (1 % of the target differs), check, growth (a second
# snapshot, of the later state of the set), delta (what turns the earlier state into the later),
# push (to another host that has nothing yet, over SSH) and idle (nothing to push).
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    set -euo pipefail
    data=$(realpath -- "${1:?usage: peers.sh DIR}")
    scratch=$(mktemp -d "$data/scratch.XXXXXX")
    figures=$scratch/figures
    trap 'stop_sshd; rm -rf "$scratch"' EXIT
    # shellcheck source=Benchmarks/measure.sh
    source "$(dirname "$0")/measure.sh"
    # shellcheck source=Benchmarks/sshd.sh
    source "$(dirname "$0")/sshd.sh"
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
restic_growth() {
    rm -rf "$scratch/restic-growth"
    measure - restic - restic -q -r "$scratch/restic-growth" init
    put "$2" "${earlier[$2]:-before}"
    restic_snapshot - growth "$scratch/work"
    put_later "$2"
    restic_snapshot "$1" growth "$scratch/work"
}
restic_push() {
    local repository=sftp:standby:$scratch/there/restic
    local carrier=(-o "sftp.command=ssh -F $scratch/ssh/config standby -s sftp")
    rm -rf "$scratch/there/restic"
    measure - restic - restic -q "${carrier[@]}" -r "$repository" init
    measure "$1" restic "$scratch/there/restic" \
        restic -q "${carrier[@]}" -r "$repository" backup "$data/$2"
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
borg_growth() {
    rm -rf "$scratch/borg-growth"
    archives[growth]=0
    measure - borg - borg init -e none "$scratch/borg-growth"
    put "$2" "${earlier[$2]:-before}"
    borg_snapshot - growth "$scratch/work"
    put_later "$2"
    borg_snapshot "$1" growth "$scratch/work"
}
borg_push() {
    local repository=ssh://standby$scratch/there/borg
    rm -rf "$scratch/there/borg"
    measure - borg - borg init -e none --make-parent-dirs "$repository"
    measure "$1" borg "$scratch/there/borg" borg create -C zstd,3 "$repository::1" "$data/$2"
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
# rsync_sent: the bytes that the last rsync sent in both directions: the receiver's checksums too.
rsync_sent() {
    awk -F ': ' '/^Total bytes (sent|received)/ { gsub(",", "", $2); sum += $2 } END { print sum }' \
        "$scratch/output"
}
rsync_delta() {
    local target=$scratch/rsync-target
    mkdir "$target"
    cp "$data/$2/${earlier[$2]}" "$target/file"
    measure "$1" 'rsync -z' @rsync_sent \
        rsync -az --no-whole-file --ignore-times --stats "$data/$2/${later[$2]}" "$target/file"
    prove_same "$1" 'rsync -z' "$data/$2/${later[$2]}" "$target/file"
    rm -rf "$target"
}
rsync_push() {
    rm -rf "$scratch/there/rsync"
    mkdir -p "$scratch/there/rsync"
    measure "$1" rsync "$scratch/there/rsync" rsync -a "$data/$2/" "standby:$scratch/there/rsync/"
    prove_same "$1" rsync "$data/$2" "$scratch/there/rsync"
}

# Patches of one file against another.
xdelta3_delta() {
    measure "$1" xdelta3 "$scratch/x" \
        xdelta3 -e -f -s "$data/$2/${earlier[$2]}" "$data/$2/${later[$2]}" "$scratch/x"
    rm -f "$scratch/x"
}
zstd_delta() {
    measure "$1" 'zstd --patch-from' "$scratch/z" \
        zstd -q -3 "--patch-from=$data/$2/${earlier[$2]}" "$data/$2/${later[$2]}" -o "$scratch/z"
    rm -f "$scratch/z"
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
ssh_idle() { measure "$1" 'ssh true' - ssh -F "$scratch/ssh/config" standby true; }

peers_main() {
    local tool
    for tool in restic borg rsync cat tar; do "${tool}_first" first-mixed mixed; done
    for tool in restic borg rsync find; do "${tool}_again" again-mixed mixed; done
    for tool in restic borg cp; do "${tool}_restore" restore-mixed mixed; done
    for tool in restic rsync; do "${tool}_inplace" inplace-mixed mixed; done
    for tool in restic borg; do "${tool}_check" check-mixed mixed; done
    for tool in restic borg rsync cat tar; do "${tool}_first" first-many many; done
    for tool in restic borg rsync find; do "${tool}_again" again-many many; done
    for tool in restic borg; do "${tool}_growth" growth-edits edits; done
    for tool in rsync xdelta3 zstd; do "${tool}_delta" delta-edits edits; done
    for tool in rsync xdelta3; do "${tool}_delta" delta-row row; done
    for tool in restic borg; do "${tool}_growth" growth-night night; done
    start_sshd
    for tool in restic borg rsync; do "${tool}_push" push-mixed mixed; done
    ssh_idle idle-mixed mixed
    return $((failures > 0))
}
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then peers_main; fi
