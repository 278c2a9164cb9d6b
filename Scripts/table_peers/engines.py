"""How each of the engines reads a table, and `varve`."""
import decimal
import glob
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet

from model import Rows, from_arrow, from_json

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(HERE, "../../.build-python")
# A DuckDB of its own: that for which the extension for Delta tables comes from PyPI.
sys.path.insert(0, os.path.join(BUILD, "duckdb-delta"))
import duckdb  # noqa: E402
import polars  # noqa: E402
from deltalake import DeltaTable, QueryBuilder  # noqa: E402

VARVE = os.environ.get("varve", "varve")


class Different(AssertionError):
    """Two readers do not see the same."""


# MARK: varve

def run(*arguments, status=0):
    """Runs varve; returns what it printed. Fails when the exit status is another one."""
    done = subprocess.run([VARVE, *map(str, arguments)], capture_output=True)
    if done.returncode != status:
        raise Different(
            f"varve {' '.join(map(str, arguments))[:300]}: exit status {done.returncode}, "
            f"not {status}\n{done.stdout.decode()}{done.stderr.decode()}")
    return done.stdout.decode() if status == 0 else done.stderr.decode()


def version_flags(version):
    return [] if version is None else ["--at-version", version]


def read_varve(table, shape, version=None, flags=()):
    text = run("table", "scan", table, "--format", "ndjson", *version_flags(version), *flags)
    columns = [[] for _ in shape.names]
    for line in text.split("\n")[:-1]:
        row = json.loads(line, parse_float=decimal.Decimal, parse_int=decimal.Decimal)
        assert list(row) == shape.names, f"{list(row)} instead of {shape.names}"
        for place, (name, kind) in enumerate(zip(shape.names, shape.kinds)):
            columns[place].append(from_json(kind, row[name]))
    return shape.with_columns(columns)


# MARK: The others

def from_table(found, shape):
    """Arrow in whatever order of columns as rows."""
    assert set(found.column_names) == set(shape.names), found.column_names
    return shape.with_columns(
        [from_arrow(kind, found.column(name)) for name, kind in zip(shape.names, shape.kinds)])


def read_pyarrow(table, shape, version=None):
    return from_table(DeltaTable(table, version=version).to_pyarrow_table(), shape)


def read_delta_rs(table, shape, version=None):
    found = QueryBuilder().register("t", DeltaTable(table, version=version)).execute(
        "select * from t").read_all()
    return from_table(pa.table(found), shape)


CONNECTION = None


def duck():
    global CONNECTION
    if CONNECTION is None:
        CONNECTION = duckdb.connect(config={"allow_unsigned_extensions": "true", "threads": "1"})
        places = glob.glob(os.path.join(
            BUILD, "duckdb-delta/duckdb_ext/extensions/*/*/delta.duckdb_extension"))
        CONNECTION.execute(f"LOAD '{places[0]}'")
        CONNECTION.execute("SET TimeZone = 'UTC'")
    return CONNECTION


def read_duckdb(table, shape, version=None):
    place = table.replace("'", "''")
    if version is None:
        return from_table(arrow_of(duck().sql(f"select * from delta_scan('{place}')")), shape)
    duck().execute(f"ATTACH '{place}' AS attached (TYPE delta, VERSION {version})")
    try:
        return from_table(arrow_of(duck().sql("select * from attached")), shape)
    finally:
        duck().execute("DETACH attached")


def arrow_of(relation):
    found = relation.arrow()
    return found.read_all() if isinstance(found, pa.RecordBatchReader) else found


def read_polars(table, shape, version=None):
    return from_table(polars.read_delta(table, version=version).to_arrow(), shape)


ENGINES = {
    "pyarrow": read_pyarrow, "delta-rs": read_delta_rs, "duckdb": read_duckdb,
    "polars": read_polars,
}


# MARK: Comparing

def compare(who, found, expected):
    """Fails unless the rows are the same, in whatever order."""
    ours, theirs = expected.tuples(), found.tuples()
    if ours == theirs:
        return
    if len(ours) != len(theirs):
        raise Different(f"{who}: {len(theirs)} rows, not {len(ours)}")
    for one, other in zip(ours, theirs):
        for name, wanted, value in zip(expected.names, one, other):
            if wanted != value:
                raise Different(f"{who}: column {name}: {value!r} instead of {wanted!r}")


def all_read(table, expected, version=None, engines=tuple(ENGINES), ours=True):
    """Fails unless varve and the engines read these rows."""
    if ours:
        compare("varve", read_varve(table, expected, version), expected)
    for name in engines:
        try:
            found = ENGINES[name](table, expected, version)
        except Exception as error:
            what = str(error).split("\n\nStack Trace")[0]
            raise Different(f"{name} cannot read it: {type(error).__name__} {what}") from None
        compare(name, found, expected)


def versions(table):
    """How many there are, by the names in the log."""
    return len(glob.glob(os.path.join(glob.escape(table), "_delta_log", "*.json")))


def latest(table):
    names = glob.glob(os.path.join(glob.escape(table), "_delta_log", "*.json"))
    return max(int(os.path.basename(name)[:20]) for name in names)


def parquet_files(table):
    """Data files as pyarrow opens them."""
    return [pyarrow.parquet.ParquetFile(uri) for uri in DeltaTable(table).file_uris()]
