# shellcheck shell=bash
# Sourced by run.sh behind measure.sh: the cases of the Table Store, with pyarrow and DuckDB as the
# peers. All are held to two processors. Both peers come from PyPI, into the environment of data.sh.
#
#   VARVE_BENCH_PYTHON   another Python that has pyarrow and duckdb
: "${data:?}" "${scratch:?}" "${figures:?}" "${varve:?}" "${here:?}"

lineitem_schema='l_orderkey long, l_partkey long, l_suppkey long, l_linenumber integer,
    l_quantity decimal(15,2), l_extendedprice decimal(15,2), l_discount decimal(15,2),
    l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date,
    l_commitdate date, l_receiptdate date, l_shipinstruct string, l_shipmode string,
    l_comment string'
two_processors=(taskset --cpu-list "0,1")

# peer CASE TOOL FILLED ARGUMENT...: measures tables.py, which prints the seconds of its work: the
# start of Python does not count.
peer() {
    local python=${VARVE_BENCH_PYTHON:-$data/venv/bin/python} printed
    "$python" -c 'import duckdb, pyarrow' 2>/dev/null ||
        "$data/venv/bin/pip" install -q --disable-pip-version-check pyarrow==26.0.1 duckdb==2.0.1
    measure "$1" "$2" "$3" "${two_processors[@]}" "$python" "$here/tables.py" "${@:4}"
    if [[ $(tail -n 1 "$figures" | cut -f 3) == failed ]]; then return; fi
    printed=$(tail -n 1 "$scratch/output")
    sed -i "\$s/\t[0-9.]*\t/\t$printed\t/" "$figures"
    echo "                 of that without the start of Python: $printed s"
}
own() { measure "${@:1:3}" "${two_processors[@]}" "$varve" table "${@:4}"; }

# import: text of lineitem, 6 million rows, into a new table; CSV to Parquet with zstd.
varve_import() {
    rm -rf "$scratch/imported"
    own "$1" varve "$scratch/imported" import "$scratch/imported" \
        "$data/$2/text/lineitem.tbl" --no-header --schema "$lineitem_schema"
}
pyarrow_import() {
    rm -f "$scratch/imported.parquet"
    peer "$1" pyarrow "$scratch/imported.parquet" \
        convert "$data/$2/text/lineitem.tbl" "$scratch/imported.parquet"
}

# scan: two columns of 12 million rows, where a third one has certain values, written as CSV. Both
# read the same data files.
need_large() {
    if [[ -d $scratch/large ]]; then return; fi
    own - varve - import "$scratch/large" "$data/$1/parquet/lineitem.parquet"
}
scan_filter="l_shipdate >= DATE '1998-09-01'"
varve_scan() {
    need_large "$2"
    rm -f "$scratch/scanned"
    # shellcheck disable=SC2016 # the inner shell expands it
    measure "$1" varve "$scratch/scanned" "${two_processors[@]}" \
        sh -c '"$1" table scan "$2" --columns l_orderkey,l_extendedprice --where "$3" \
            --format csv >"$4"' \
        sh "$varve" "$scratch/large" "${scan_filter/DATE /}" "$scratch/scanned"
}
duckdb_scan() {
    need_large "$2"
    rm -f "$scratch/theirs"
    peer "$1" duckdb "$scratch/theirs" \
        scan "$scratch/large/*.parquet" "$scratch/theirs" "$scan_filter"
    sort -o "$scratch/theirs" "$scratch/theirs"
    sort -o "$scratch/scanned" "$scratch/scanned"
    prove_same "$1" duckdb "$scratch/scanned" "$scratch/theirs"
}

# compact: 60 data files into one; what it costs to copy their bytes and wait for the disk.
need_small() {
    local part first=1
    if [[ -d $scratch/small ]]; then return; fi
    split -n l/60 "$data/$1/text/lineitem.tbl" "$scratch/part."
    for part in "$scratch"/part.*; do
        own - varve - import "$scratch/small" "$part" --input-format csv --delimiter '|' \
            --no-header ${first:+--schema "$lineitem_schema"}
        first=
    done
    rm -f "$scratch"/part.*
}
varve_compact() {
    need_small "$2"
    rm -rf "$scratch/compacted"
    cp -r "$scratch/small" "$scratch/compacted"
    own "$1" varve "$scratch/compacted" compact "$scratch/compacted" --target-size 1GiB
}
cat_compact() {
    need_small "$2"
    rm -f "$scratch/joined"
    # shellcheck disable=SC2016
    measure "$1" 'cat, sync' "$scratch/joined" \
        sh -c 'cat "$1"/*.parquet >"$2" && sync "$2"' sh "$scratch/small" "$scratch/joined"
}

# delete: one row in a hundred, in every row group; for the memory it takes.
varve_delete() {
    need_large "$2"
    rm -rf "$scratch/thinned"
    cp -r "$scratch/large" "$scratch/thinned"
    own "$1" varve "$scratch/thinned" delete "$scratch/thinned" --where "l_quantity = 7 AND l_tax < 0.05"
}
