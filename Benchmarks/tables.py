#!/usr/bin/env python3
"""What pyarrow and DuckDB do in the cases of tables.sh, on two threads.

Prints the seconds of the work; the start of Python and loading the libraries do not count.
"""

import sys
import time

THREADS = 2
# The columns of lineitem; its text ends each line with a delimiter.
TYPES = {
    "l_orderkey": "int64",
    "l_partkey": "int64",
    "l_suppkey": "int64",
    "l_linenumber": "int32",
    "l_quantity": "decimal",
    "l_extendedprice": "decimal",
    "l_discount": "decimal",
    "l_tax": "decimal",
    "l_returnflag": "string",
    "l_linestatus": "string",
    "l_shipdate": "date32",
    "l_commitdate": "date32",
    "l_receiptdate": "date32",
    "l_shipinstruct": "string",
    "l_shipmode": "string",
    "l_comment": "string",
}
# Rows of a row group: the default of pyarrow.
GROUP_ROWS = 1 << 20


def convert(source: str, target: str) -> float:
    """Writes CSV as Parquet with zstd, block by block, as a file larger than memory has to be."""
    import pyarrow
    from pyarrow import csv, parquet

    pyarrow.set_cpu_count(THREADS)
    decimal = pyarrow.decimal128(15, 2)
    types = {
        name: decimal if kind == "decimal" else getattr(pyarrow, kind)()
        for name, kind in TYPES.items()
    }
    start = time.perf_counter()
    reader = csv.open_csv(
        source,
        read_options=csv.ReadOptions(column_names=[*TYPES, "tail"], block_size=8 << 20),
        parse_options=csv.ParseOptions(delimiter="|"),
        convert_options=csv.ConvertOptions(column_types=types, include_columns=list(TYPES)),
    )
    with parquet.ParquetWriter(target, reader.schema, compression="zstd") as writer:
        batches, rows = [], 0
        for batch in reader:
            batches.append(batch)
            rows += batch.num_rows
            if rows >= GROUP_ROWS:
                writer.write_table(pyarrow.Table.from_batches(batches))
                batches, rows = [], 0
        if batches:
            writer.write_table(pyarrow.Table.from_batches(batches))
    return time.perf_counter() - start


def scan(files: str, target: str, condition: str) -> float:
    """Writes two columns of the rows that match as CSV."""
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS})
    start = time.perf_counter()
    connection.execute(
        f"COPY (SELECT l_orderkey, l_extendedprice FROM read_parquet('{files}') "
        f"WHERE {condition}) TO '{target}' (FORMAT csv)"
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    work = {"convert": convert, "scan": scan}[sys.argv[1]]
    print(f"{work(*sys.argv[2:]):.4f}")
