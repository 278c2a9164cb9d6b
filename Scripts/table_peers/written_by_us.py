"""Tables that varve writes, as the other engines read them."""
import os
import shutil

import pyarrow.parquet as parquet

from engines import ENGINES, all_read, compare, latest, read_polars, read_varve, run
from model import DAY, KINDS, Rows, edge_rows, numbered, plain_text, some

SUFFIXES = {"ndjson": ".ndjson", "csv": ".csv", "parquet": ".parquet"}


def place(directory, name):
    return os.path.join(directory, name)


def write_rows(directory, name, rows, form):
    """A file to import."""
    path = place(directory, name + SUFFIXES[form])
    if form == "parquet":
        parquet.write_table(rows.arrow(), path)
    else:
        with open(path, "wb") as file:
            file.write(rows.ndjson() if form == "ndjson" else rows.csv())
    return path


def imported(directory, name, rows, form="ndjson", flags=()):
    """A new table with the rows."""
    table = place(directory, name)
    file = write_rows(directory, name, rows, form)
    run("table", "import", table, file, "--schema", rows.schema_text, *flags)
    return table


ALL_KINDS = KINDS + ["decimal(9,2)", "decimal(18,0)", "decimal(19,5)", "decimal(38,38)"]
ALL_TYPES = [("id", "long!")] + [
    (f"c_{kind.replace('(', '_').replace(',', '_').rstrip(')')}", kind) for kind in ALL_KINDS]


def with_ids(rows):
    """Numbers rows in the first column."""
    return rows.with_columns([list(range(len(rows)))] + rows.columns[1:])


def every_type(directory, random):
    """Edges of all types, from all formats."""
    rows = with_ids(edge_rows(ALL_TYPES, random))
    for form in SUFFIXES:
        table = imported(directory, f"types-{form}", rows, form)
        all_read(table, rows)
        run("table", "verify", table)


def every_width(directory, random):
    """Decimals of each precision, with the scales 0, a half, and all."""
    schema = [(f"d{p}_{s}", f"decimal({p},{s})")
              for p in range(1, 39) for s in sorted({0, p // 2, p})]
    rows = edge_rows(schema, random, null_every=4)
    all_read(imported(directory, "widths", rows), rows)
    nulls = rows.with_columns([[None] * 3 for _ in schema])
    all_read(imported(directory, "nulls", nulls), nulls)


def fits(kind, value):
    """Whether a value can stand in a partition."""
    if kind == "binary":
        return value is None or value != b"" and len(value) < 200 and value.isascii()
    # Polars takes this one for null.
    return kind != "string" or value is None or (
        value not in ("", "__HIVE_DEFAULT_PARTITION__") and len(value) < 200)


def readers(kind):
    """Who reads partitions by a type: Polars knows no binary ones, and what delta-rs tells pyarrow
    of negative decimals has a second sign behind the point."""
    missing = {"binary": "polars"}.get(kind, "pyarrow" if kind.startswith("decimal") else "")
    return [name for name in ENGINES if name != missing]


def odd_partitions(directory, random):
    """One table for each type to be partitioned by, whose values are the edges."""
    for kind in ALL_KINDS:
        schema = [("id", "long!"), ("p", kind), ("note", "string")]
        rows = with_ids(edge_rows(schema, random))
        rows = rows.where("p", lambda value: fits(kind, value))
        name = "by-" + kind.replace("(", "-").replace(",", "-").rstrip(")")
        table = imported(directory, name, rows, flags=["--partition-by", "p"])
        engines = readers(kind)
        all_read(table, rows, engines=engines)
        run("table", "verify", table)
        run("table", "compact", table)
        all_read(table, rows, engines=engines)


def refused_partitions(directory, random):
    """Values that no engine would find again are refused, with their line."""
    for form in ["csv", "ndjson"]:
        for kind, value in [("string", ""), ("binary", b"\xff")]:
            rows = Rows([("id", "long"), ("p", kind)], [[1, 2, 3], [None, None, value]])
            file = write_rows(directory, "refused", rows, form)
            table = place(directory, "refused")
            flags = ["--schema", rows.schema_text, "--partition-by", "p"]
            line = f"line {4 if form == 'csv' else 3}, column p: expected"
            errors = run("table", "import", table, file, *flags, status=1)
            assert line in errors, errors
            assert not os.path.exists(table)
            run("table", "import", table, file, *flags, "--on-error=skip", status=3)
            all_read(table, rows.taking([0, 1]), engines=readers(kind))
            run("table", "import", table, write_rows(directory, "refused", rows, "parquet"),
                status=1)
            shutil.rmtree(table)


def long_partitions(directory, random):
    """Polars, which takes values from directories, fails where they do not fit; nobody is wrong."""
    long = "ä%" * 120
    rows = Rows([("id", "long"), ("p", "string")], [[1, 2, 3], [long, "a", long + "b"]])
    table = imported(directory, "long", rows, flags=["--partition-by", "p"])
    all_read(table, rows, engines=["pyarrow", "delta-rs", "duckdb"])
    try:
        read_polars(table, rows)
    except Exception as error:
        assert "p~" in str(error), error
    else:
        raise AssertionError("Polars knows better now")
    only = imported(directory, "only", rows.taking([0]), flags=["--partition-by", "p"])
    try:
        compare("polars", read_polars(only, rows), rows.taking([0]))
    except Exception as error:
        assert "p~" in str(error), error


def two_partitions(directory, random):
    schema = [("id", "long!"), ("day", "date"), ("region", "string"), ("x", "double")]
    rows = with_ids(edge_rows(schema, random)).where(
        "region", lambda value: fits("string", value))
    table = imported(directory, "two", rows, flags=["--partition-by", "day,region"])
    all_read(table, rows)
    wanted = rows.where("region", lambda value: value == "a/b")
    found = read_varve(table, rows, flags=["--where", "region = 'a/b'"])
    compare("varve", found, wanted)


def life(directory, random):
    """All that changes a table, every version read by all engines."""
    schema = [("id", "long!"), ("day", "date"), ("name", "string"), ("price", "decimal(12,2)"),
              ("at", "timestamp"), ("seen", "timestamp_ntz")]

    def rows(first, count):
        found = numbered(schema, count, lambda kind, _: some(kind, random))
        found.columns[0] = list(range(first, first + count))
        found.columns[1] = [20_000 + number % 3 for number in range(count)]
        return found

    table = place(directory, "life")
    text = rows(0, 1).schema_text
    run("table", "create", table, "--schema", text, "--partition-by", "day", "--sort-by", "id")
    known = [rows(0, 0)]

    def changed(expected, engines=None):
        known.append(expected)
        assert latest(table) == len(known) - 1, f"{latest(table)} is not {len(known) - 1}"
        all_read(table, expected)

    for number, form in enumerate(["csv", "ndjson", "parquet"]):
        more = rows(1000 * number, 300)
        run("table", "append", table, write_rows(directory, f"more{number}", more, form))
        changed(known[-1] + more)
    run("table", "delete", table, "--where", "id BETWEEN 100 AND 1150")
    changed(known[-1].where("id", lambda number: not 100 <= number <= 1150))
    run("table", "delete", table, "--where", "day = '2024-10-04'")
    changed(known[-1].where("day", lambda day: day != 20_000))
    run("table", "compact", table)
    changed(known[-1])
    run("table", "restore", table, "--version", 2)
    changed(known[2])
    run("table", "append", table, write_rows(directory, "last", rows(9000, 50), "csv"))
    known.append(read_varve(table, known[0]))
    assert len(known[-1]) == len(known[2]) + 50
    for version, expected in enumerate(known):
        all_read(table, expected, version)
    run("table", "vacuum", table, "--retention", "0s", "--force")
    all_read(table, known[-1])
    run("table", "verify", table)


def many_versions(directory, random):
    """Checkpoints, and versions on both sides of them."""
    schema = [("id", "long!"), ("name", "string")]
    table = place(directory, "versions")
    run("table", "create", table, "--schema", "id long not null, name string")
    for number in range(1, 24):
        rows = Rows(schema, [[number], [f"row {number}"]])
        run("table", "append", table, write_rows(directory, "row", rows, "csv"))
    for version in [0, 1, 9, 10, 11, 20, 23]:
        count = list(range(1, version + 1))
        expected = Rows(schema, [count, [f"row {number}" for number in count]])
        all_read(table, expected, version)
    assert os.path.exists(place(table, "_delta_log/00000000000000000020.checkpoint.parquet"))


def filters(directory, random):
    """Filters find the same rows as a look at each of them, in several files and pages."""
    schema = [("id", "long!")] + [(f"c{i}", kind) for i, kind in enumerate(ALL_KINDS)]
    parts = [with_ids(edge_rows(schema, random)) for _ in range(2)]
    table = imported(directory, "filters", parts[0])
    run("table", "append", table, write_rows(directory, "more", parts[1], "ndjson"))
    rows = parts[0] + parts[1]
    for place_, kind in enumerate(ALL_KINDS):
        name, column = f"c{place_}", rows.columns[place_ + 1]
        if kind in ("float", "double"):
            continue
        chosen = random.choice([value for value in column if value is not None])
        quoted = plain_text(kind, chosen)
        if kind in ("string", "binary", "date", "timestamp", "timestamp_ntz"):
            quoted = "'" + quoted.replace("'", "''") + "'"
        key = (lambda value: value.encode()) if kind == "string" else (lambda value: value)
        tests = {"=": lambda v: v == chosen, "<": lambda v: key(v) < key(chosen),
                 ">=": lambda v: key(v) >= key(chosen), "<>": lambda v: v != chosen}
        for sign, test in tests.items():
            wanted = rows.where(name, lambda value: value is not None and test(value))
            found = read_varve(table, rows, flags=["--where", f"{name} {sign} {quoted}"])
            compare(f"{name} {kind} {sign} {quoted}", found, wanted)


CASES = [every_type, every_width, odd_partitions, refused_partitions, long_partitions,
         two_partitions, life, many_versions, filters]
