# shellcheck shell=bash
# Sourced by run.sh: tables that varve makes in $scratch/tables, in two states each, and what their
# growth is compared with.
: "${data:?}" "${scratch:?}" "${varve:?}"

# table_of FILE DIRECTORY: a new table with the rows of a file of the set orders.
table_of() { measure - varve - "$varve" table import "$2" "$data/orders/$1.parquet"; }

# 60 small segments, and the table after their compaction.
make_compact() {
    local states=$scratch/tables/compact segment
    mkdir -p "$states"
    for segment in "$data"/night/small/orders/*.parquet; do
        measure - varve - "$varve" table import "$states/before" "$segment"
    done
    cp -a "$states/before" "$states/after"
    measure - varve - "$varve" table compact "$states/after"
}
# One segment each, written anew: 1 % of the rows were inserted in the middle, or appended.
make_insert() {
    mkdir -p "$scratch/tables/insert"
    table_of no-middle "$scratch/tables/insert/before"
    table_of all "$scratch/tables/insert/after"
}
make_append() {
    mkdir -p "$scratch/tables/append"
    table_of no-end "$scratch/tables/append/before"
    table_of all "$scratch/tables/append/after"
}
# 1 % of the rows, in one piece, deleted from a table of one segment.
make_delete() {
    local states=$scratch/tables/delete
    mkdir -p "$states"
    table_of all "$states/before"
    cp -a "$states/before" "$states/after"
    measure - varve - "$varve" table delete "$states/after" \
        --where 'o_orderkey >= 4000001 AND o_orderkey <= 4120000'
}

# bytes_new SET: the sizes of Parquet files of the later state that the earlier does not have.
bytes_new() {
    local states=$scratch/tables/$1 file sum=0
    for file in "$states"/after/*.parquet; do
        if [[ ! -e $states/before/${file##*/} ]]; then sum=$((sum + $(stat -c %s "$file"))); fi
    done
    echo "$sum"
}
# bytes_of_column ENGINE: what the column that was updated takes in the files of the later state.
bytes_of_column() {
    "$data/venv/bin/python" - "$data/column/$1/after" <<'P'
import pathlib
import sys

import pyarrow.parquet as parquet

total = 0
for path in pathlib.Path(sys.argv[1]).glob("*.parquet"):
    footer = parquet.read_metadata(path)
    column = footer.schema.names.index("o_totalprice")
    for group in range(footer.num_row_groups):
        total += footer.row_group(group).column(column).total_compressed_size
print(total)
P
}
# reference CASE NAME BYTES: a size that the case is measured by.
reference() { record "$1" "$2" 0 "$3" 0; }

# varve without its knowledge of Parquet: a byte behind the footer, and files are cut as any other.
# The log would tell that such files are damaged, so it gets another name.
bytes_growth() {
    local repository=$scratch/varve-bytes
    rm -rf "$repository"
    measure - varve - "$varve" init --repo "$repository"
    put "$2" "${earlier[$2]:-before}"
    add_byte
    measure - varve - "$varve" snapshot "$scratch/work" --repo "$repository"
    put_later "$2"
    add_byte
    measure "$1" 'varve, as bytes' "$repository" \
        "$varve" snapshot "$scratch/work" --repo "$repository"
}
add_byte() {
    find "$scratch/work" -depth -type d -name _delta_log -execdir mv {} log \;
    # shellcheck disable=SC2016 # the inner shell expands it
    find "$scratch/work" -name '*.parquet' -exec sh -c 'printf x >>"$1"' sh {} \;
}
