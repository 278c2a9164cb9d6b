#!/usr/bin/env bash
# data.sh DIR [SET...]: makes the benchmark data below DIR. The same bytes each time; skips what is
# there. Sets (all of them when none is named):
#   mixed   1.84 GB   TPC-H as Parquet (scale 2) and as text (scale 1)
#   many    200,000 files of 8 to 48 bytes in 1,000 directories
#   edits   100 MB of text, before and after 10,000 scattered edits of 20 bytes
#   night   a Delta table of 60 small segments, and the same compacted into one
#   row     760 MB of text, before and after one row was inserted at the front
#   orders  TPC-H orders (scale 2) as Parquet: all rows, and all but 1 % of them
#   column  the same by pyarrow, DuckDB and delta-rs, before and after one column was updated
# The generators come from PyPI into a virtual environment in DIR.
set -euo pipefail
dir=${1:?usage: data.sh DIR [SET...]}
shift
sets=("$@")
if [[ ${#sets[@]} -eq 0 ]]; then sets=(mixed many edits night tables row orders column); fi
mkdir -p "$dir"
cd "$dir"

# install PACKAGE...: from PyPI, at fixed versions, so that the data stays the same.
install() {
    if [[ ! -x venv/bin/pip ]]; then python3 -m venv venv; fi
    venv/bin/pip install -q --disable-pip-version-check "$@"
}

make_mixed() {
    install tpchgen-cli==4.0.0
    mkdir -p mixed.part/parquet mixed.part/text
    venv/bin/tpchgen-cli parquet --scale-factor 2 --output-dir mixed.part/parquet --no-progress
    venv/bin/tpchgen-cli tbl --scale-factor 1 --output-dir mixed.part/text --no-progress
}

make_many() {
    python3 - <<'P'
import os

for directory in range(1000):
    path = f"many.part/d{directory:03d}"
    os.makedirs(path)
    for file in range(200):
        with open(f"{path}/f{file:03d}", "wb") as out:
            out.write(b"%d" % (directory * 1000 + file) * 8)
P
}

make_edits() {
    make_set mixed
    mkdir edits.part
    python3 - <<'P'
import random

random.seed(5)
with open("mixed/text/orders.tbl", "rb") as orders:
    data = bytearray(orders.read(100_000_000))
with open("edits.part/before", "wb") as out:
    out.write(data)
for _ in range(10_000):
    at = random.randrange(len(data) - 40)
    data[at : at + 20] = bytes(random.randrange(48, 58) for _ in range(20))
with open("edits.part/after", "wb") as out:
    out.write(data)
P
}

make_night() {
    make_set mixed
    install pyarrow==26.0.1 pandas==3.1.1 deltalake==1.6.6
    venv/bin/python - <<'P'
import shutil

import pyarrow.parquet as parquet
from deltalake import DeltaTable, write_deltalake

orders = parquet.read_table("mixed/parquet/orders.parquet")
rows = orders.num_rows // 60
for segment in range(60):
    part = orders.slice(segment * rows, rows)
    write_deltalake("night.part/work/orders", part, mode="append")
shutil.copytree("night.part/work", "night.part/small")
DeltaTable("night.part/work/orders").optimize.compact(target_size=128 << 20)
shutil.move("night.part/work", "night.part/compacted")
P
}

make_tables() {
    python3 - <<'P'
import json
import os

SCHEMA = {"type": "struct", "fields": [
    {"name": "id", "type": "long", "nullable": True, "metadata": {}}]}

def commit(path, version, actions):
    with open(f"{path}/_delta_log/{version:020}.json", "w") as out:
        out.writelines(json.dumps(action) + "\n" for action in actions)

for table in range(100):
    path = f"tables.part/t{table:03}"
    os.makedirs(f"{path}/_delta_log")
    commit(path, 0, [
        {"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}},
        {"metaData": {
            "id": f"00000000-0000-4000-8000-{table:012}",
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps(SCHEMA), "partitionColumns": [], "configuration": {}}}])
    for version in range(1, 11):
        actions = []
        for segment in range((version - 1) * 100, version * 100):
            name = f"part-{segment:05}-{table * 1000 + segment:032x}.parquet"
            content = b"PAR1" + b"%020d" % (table * 1000 + segment) + b"PAR1"
            with open(f"{path}/{name}", "wb") as out:
                out.write(content)
            actions.append({"add": {
                "path": name, "partitionValues": {}, "size": len(content),
                "modificationTime": 0, "dataChange": True,
                "stats": json.dumps({"numRecords": 1})}})
        commit(path, version, actions)
P
}

make_row() {
    make_set mixed
    mkdir row.part
    cp mixed/text/lineitem.tbl row.part/before
    {
        printf '0|155190|7706|1|17|21168.23|0.04|0.02|N|O|1996-03-13|1996-02-12|1996-03-22|'
        printf 'DELIVER IN PERSON|TRUCK|a row that was not there|\n'
        cat row.part/before
    } >row.part/after
}

# What run.sh makes tables of: where rows are missing in the middle, they are inserted when all come.
make_orders() {
    make_set mixed
    install pyarrow==26.0.1
    mkdir orders.part
    venv/bin/python - <<'P'
import pyarrow
import pyarrow.parquet as parquet

orders = parquet.read_table("mixed/parquet/orders.parquet")
count = orders.num_rows
share = count // 100


def write(name, first, second):
    rows = pyarrow.concat_tables([orders.slice(0, first), orders.slice(second)])
    parquet.write_table(rows, f"orders.part/{name}.parquet", compression="zstd")


write("all", count, count)
write("no-middle", count // 2, count // 2 + share)
write("no-third", count // 3, count // 3 + share)
write("no-end", count - share, count)
P
}

make_column() {
    make_set mixed
    install pyarrow==26.0.1 duckdb==2.0.1 deltalake==1.6.6
    mkdir column.part
    venv/bin/python - <<'P'
import os

import duckdb
import pyarrow
import pyarrow.compute as compute
import pyarrow.parquet as parquet
from deltalake import write_deltalake

orders = parquet.read_table("mixed/parquet/orders.parquet")
# delta-rs takes strings, and no views of them.
columns = [
    column.cast(pyarrow.string()) if pyarrow.types.is_string_view(column.type) else column
    for column in orders.columns
]
orders = pyarrow.table(dict(zip(orders.column_names, columns)))
price = orders.column_names.index("o_totalprice")
money = pyarrow.decimal128(15, 2)
one = pyarrow.scalar(1.0).cast(pyarrow.decimal128(3, 2))
dearer = compute.add(orders.column(price), one).cast(money)
updated = orders.set_column(price, "o_totalprice", dearer)
# Several threads cut row groups as they come, otherwise in each run.
duckdb.sql("SET threads = 1")
for state, rows in (("before", orders), ("after", updated)):
    for engine in ("pyarrow", "duckdb", "deltalake"):
        os.makedirs(f"column.part/{engine}/{state}")
    parquet.write_table(rows, f"column.part/pyarrow/{state}/orders.parquet")
    duckdb.sql(f"COPY rows TO 'column.part/duckdb/{state}/orders.parquet' (FORMAT parquet)")
    # One file and one array for each, or its pages differ from run to run.
    share = rows.num_rows // 8
    for number in range(8):
        part = rows.slice(number * share, share).combine_chunks()
        write_deltalake(f"column.part/deltalake/{state}", part, mode="append")
P
}

# make_set SET: makes it under another name first, so that half a set is never taken for one.
make_set() {
    if [[ -d $1 ]]; then return; fi
    echo "making $dir/$1" >&2
    rm -rf "$1.part"
    "make_$1" >&2
    mv "$1.part" "$1"
}

for set in "${sets[@]}"; do
    case $set in
    mixed | many | edits | night | tables | row | orders | column) make_set "$set" ;;
    *)
        echo "data.sh: there is no set '$set'; see the head of this script" >&2
        exit 2
        ;;
    esac
done
