"""Tables that the other engines write, as varve reads them."""
import decimal
import json
import os

import polars
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

import hand_made
from engines import compare, from_table, latest, read_delta_rs, read_duckdb, read_varve, run
from model import Rows, edge_rows, number, numbered, plain_text, some
from written_by_us import ALL_KINDS, ALL_TYPES, place, with_ids


def seen(table, rows, version=None):
    compare("varve", read_varve(table, rows, version), rows)
    run("table", "verify", table, *([] if version is None else ["--at-version", version]))


def every_type(directory, random):
    """Edges of all types, from delta-rs and from Polars, which both write Parquet of their own."""
    rows = with_ids(edge_rows(ALL_TYPES, random))
    table = place(directory, "delta-rs")
    write_deltalake(table, rows.arrow())
    seen(table, rows)
    write_deltalake(table, rows.arrow(), mode="append")
    seen(table, rows + rows)
    table = place(directory, "polars")
    polars.from_arrow(rows.arrow()).write_delta(table)
    seen(table, rows)


def every_width(directory, random):
    schema = [(f"d{p}_{s}", f"decimal({p},{s})")
              for p in range(1, 39) for s in sorted({0, p // 2, p})]
    rows = edge_rows(schema, random, null_every=4)
    table = place(directory, "widths")
    write_deltalake(table, rows.arrow())
    seen(table, rows)


def rounded_bounds(directory, random):
    """Delta-rs rounds the bounds of decimals, up or down, and cuts whole ones off at 64 bits."""
    schema = [(f"d{p}_{s}", f"decimal({p},{s})")
              for p in (16, 18, 19, 27, 38) for s in (0, 3, p - 1)]
    rows = edge_rows(schema, random, null_every=4)
    table = place(directory, "bounds")
    for row in range(len(rows)):
        write_deltalake(table, rows.taking([row]).arrow(), mode="append")
    for name, kind, column in zip(rows.names, rows.kinds, rows.columns):
        for value in set(column) - {None}:
            wanted = rows.where(name, lambda other: other == value)
            text = plain_text(kind, value)
            found = read_varve(table, rows, flags=["--where", f"{name} = {text}"])
            compare(f"{name} = {text}", found, wanted)
    run("table", "verify", table)


def odd_partitions(directory, random):
    """One table for each type to be partitioned by; what stands for null comes back as null."""
    for kind in ALL_KINDS:
        schema = [("id", "long"), ("p", kind), ("note", "string")]
        rows = with_ids(edge_rows(schema, random))
        if kind.startswith("decimal"):
            # Negative ones it cannot read itself: -1.-50.
            rows = rows.where("p", lambda value: value is None or value >= 0)
        # Names of directories have their limits.
        if kind == "string":
            rows = rows.where("p", lambda value: value is None or len(value) < 200)
        if kind == "double":
            rows = rows.where("p", lambda value: value is None or len(
                f"{number('double', value):f}") < 200 and value != 1)
        if kind == "binary":
            # Delta-rs writes letters as \\u0061, which nobody reads as letters, itself among them.
            rows = rows.where("p", lambda value: value in (None, b""))
        table = place(directory, "by-" + kind.replace("(", "-").replace(",", "-").rstrip(")"))
        write_deltalake(table, rows.arrow(), partition_by=["p"])
        nothing = ("", b"", "__HIVE_DEFAULT_PARTITION__")
        known = [None if value in nothing else value for value in rows.columns[1]]
        seen(table, rows.with_columns([rows.columns[0], known, rows.columns[2]]))


def two_hundred_commits(directory, random):
    schema = [("id", "long"), ("name", "string")]
    table = place(directory, "commits")

    def rows(first, last):
        numbers = list(range(first, last))
        return Rows(schema, [numbers, [f"row {one}" for one in numbers]])

    for count in range(200):
        write_deltalake(table, rows(count, count + 1).arrow(), mode="append")
    for version in [0, 1, 98, 99, 100, 198, 199]:
        seen(table, rows(0, version + 1), version)
    DeltaTable(table).create_checkpoint()
    for version in range(150, 199):
        os.remove(place(table, f"_delta_log/{version:020}.json"))
    seen(table, rows(0, 200))
    run("table", "scan", table, "--at-version", "160", status=1)
    run("table", "scan", table, "--at-version", "200", status=1)


def changes(directory, random):
    """Whatever delta-rs does to a table."""
    schema = [("id", "long"), ("day", "date"), ("name", "string"), ("x", "double")]

    def rows(first, count):
        found = numbered(schema, count, lambda kind, _: some(kind, random))
        found.columns[0] = list(range(first, first + count))
        found.columns[1] = [20_000 + number % 2 for number in range(count)]
        return found

    def same(table):
        expected = from_table(DeltaTable(table).to_pyarrow_table(), known[0])
        seen(table, expected)
        return expected

    table, known = place(directory, "changes"), [rows(0, 100)]
    write_deltalake(table, known[0].arrow(), partition_by=["day"])
    write_deltalake(table, rows(100, 100).arrow(), mode="append")
    DeltaTable(table).delete("id >= 20 and id < 130")
    assert len(same(table)) == 90
    DeltaTable(table).update(updates={"name": "'new'"}, predicate="id < 5")
    assert same(table).columns[2].count("new") == 5
    source = rows(10, 20)
    DeltaTable(table).merge(
        source.arrow(), "s.id = t.id and s.day = t.day", source_alias="s", target_alias="t"
    ).when_matched_update_all().when_not_matched_insert_all().execute()
    same(table)
    DeltaTable(table).optimize.compact()
    same(table)
    DeltaTable(table).optimize.z_order(["id"])
    same(table)
    write_deltalake(table, rows(500, 40).where("day", lambda day: day == 20_000).arrow(),
                    mode="overwrite", predicate="day = '2024-10-04'")
    same(table)
    DeltaTable(table).restore(1)
    assert len(same(table)) == 200
    DeltaTable(table).vacuum(
        retention_hours=0, enforce_retention_duration=False, dry_run=False)
    same(table)
    for version in range(latest(table)):
        try:
            before = from_table(
                DeltaTable(table, version=version).to_pyarrow_table(), known[0])
        except Exception:
            errors = run("table", "scan", table, "--at-version", version, status=1)
            assert "gone" in errors, errors
        else:
            compare(f"version {version}", read_varve(table, before, version), before)


def columns_come_later(directory, random):
    """Files from before a column was added have nulls there."""
    table = place(directory, "later")
    write_deltalake(table, pa.table({"a": [1, 2]}))
    write_deltalake(table, pa.table({"b": ["x"], "a": [3]}), mode="append", schema_mode="merge")
    shape = Rows([("a", "long"), ("b", "string")], [[1, 2, 3], [None, None, "x"]])
    seen(table, shape)
    found = read_varve(table, shape, flags=["--where", "b IS NULL AND a > 1"])
    compare("varve", found, shape.taking([1]))


def many_parts(directory, random):
    """Structures, lists and maps, which varve reads and does not write."""
    table = place(directory, "parts")
    kind = pa.struct([("s", pa.struct([("x", pa.int64()), ("y", pa.list_(pa.string()))])),
                      ("m", pa.map_(pa.string(), pa.decimal128(10, 2)))])
    value = {"s": {"x": 2**62, "y": ["a", None, ""]}, "m": [("k", decimal.Decimal("-1.50"))]}
    column = pa.array([value, None, {"s": None, "m": []}], kind)
    write_deltalake(table, pa.table({"id": [1, 2, 3], "c": column}))
    lines = run("table", "scan", table, "--format", "ndjson").split("\n")
    assert lines[:3] == [
        '{"id":1,"c":{"s":{"x":4611686018427387904,"y":["a",null,""]},"m":{"k":-1.50}}}',
        '{"id":2,"c":null}', '{"id":3,"c":{"s":null,"m":{}}}'], lines
    run("table", "verify", table)


def numbers_to(count):
    return pa.table({"id": pa.array(range(count), pa.int64())})


def deletion_vectors(directory, random):
    """Rows that are gone without their files being written anew: inline, and several in a file."""
    table = place(directory, "vectors")
    features = ["deletionVectors"]
    files = [hand_made.add(table, f"f{i}.parquet", numbers_to(10_000), row_group_size=3_000)
             for i in range(3)]
    hand_made.commit(table, 0, [
        hand_made.protocol(3, 7, features, features),
        hand_made.metadata([hand_made.field("id", "long")]), *files])
    gone = [sorted(random.sample(range(10_000), 50)), list(range(2_000, 9_500)),
            sorted(random.sample(range(10_000), 6_000))]
    vectors = [hand_made.inline_vector(gone[0]), *hand_made.stored_vectors(table, gone[1:])]
    actions = []
    for action, vector in zip(files, vectors):
        old = action["add"]
        stats = json.dumps({"numRecords": 10_000, "tightBounds": False})
        actions.append({"remove": {
            "path": old["path"], "deletionTimestamp": 1, "dataChange": True,
            "extendedFileMetadata": True, "partitionValues": {}, "size": old["size"]}})
        actions.append({"add": {**old, "stats": stats, "deletionVector": vector}})
    hand_made.commit(table, 1, actions)
    left = [row for rows in gone for row in range(10_000) if row not in set(rows)]
    rows = Rows([("id", "long")], [left])
    seen(table, rows)
    seen(table, Rows([("id", "long")], [list(range(10_000)) * 3]), 0)
    compare("duckdb", read_duckdb(table, rows), rows)
    wanted = rows.where("id", lambda number: number >= 9_000)
    compare("varve", read_varve(table, rows, flags=["--where", "id >= 9000"]), wanted)
    # What is written afterwards has the rows gone for good.
    run("table", "delete", table, "--where", "id < 100")
    rows = rows.where("id", lambda number: number >= 100)
    seen(table, rows)
    compare("duckdb", read_duckdb(table, rows), rows)
    run("table", "compact", table)
    seen(table, rows)
    compare("duckdb", read_duckdb(table, rows), rows)


def mapped_columns(directory, random):
    """Names that the files do not have, partitions and statistics among them."""
    table = place(directory, "mapped")

    def mapped(name, kind, number):
        return hand_made.field(name, kind, notes={
            "delta.columnMapping.id": number, "delta.columnMapping.physicalName": f"col-{number}"})

    found = pa.table({"col-1": pa.array([1, 2], pa.int64()), "col-2": ["x", None]})
    action = hand_made.add(table, "f.parquet", found, {"col-3": "2026-01-01"})
    action["add"]["stats"] = json.dumps({
        "numRecords": 2, "minValues": {"col-1": 1}, "maxValues": {"col-1": 2},
        "nullCount": {"col-1": 0, "col-2": 1}})
    hand_made.commit(table, 0, [
        hand_made.protocol(2, 5),
        hand_made.metadata(
            [mapped("a b", "long", 1), mapped("name", "string", 2), mapped("day", "date", 3)],
            ["day"], {"delta.columnMapping.mode": "name", "delta.columnMapping.maxColumnId": "3"}),
        action])
    rows = Rows([("a b", "long"), ("name", "string"), ("day", "date")],
                [[1, 2], ["x", None], [20454, 20454]])
    seen(table, rows)
    compare("delta-rs", read_delta_rs(table, rows), rows)
    found = read_varve(table, rows, flags=["--where", "`a b` = 2 AND day = '2026-01-01'"])
    compare("varve", found, rows.taking([1]))
    # What we write has the names of the files, and others read it.
    run("table", "delete", table, "--where", "name = 'x'")
    seen(table, rows.taking([1]))
    compare("delta-rs", read_delta_rs(table, rows), rows.taking([1]))


def old_forms(directory, random):
    """Times in 96 bits, milliseconds and nanoseconds, narrow numbers, names in another case."""
    table = place(directory, "forms")
    moments = [0, -1_000, 1_763_600_000_123_000, -2_208_988_800_000_000]
    micros = pa.array(moments, pa.timestamp("us", tz="UTC"))
    parts = [pa.table({"At": micros, "n": pa.array([1, 2, 3, None], pa.int32())})]
    for unit in ["ms", "ns"]:
        parts.append(pa.table({"n": pa.array([4, 5, 6, 7], pa.int64()),
                               "at": micros.cast(pa.timestamp(unit, tz="UTC"))}))
    actions = [hand_made.add(table, "int96.parquet", parts[0],
                             use_deprecated_int96_timestamps=True),
               hand_made.add(table, "ms.parquet", parts[1]),
               hand_made.add(table, "ns.parquet", parts[2])]
    hand_made.commit(table, 0, [
        hand_made.protocol(),
        hand_made.metadata(
            [hand_made.field("at", "timestamp"), hand_made.field("n", "long")]), *actions])
    rows = Rows([("at", "timestamp"), ("n", "long")],
                [moments * 3, [1, 2, 3, None, 4, 5, 6, 7, 4, 5, 6, 7]])
    seen(table, rows)


CASES = [every_type, every_width, rounded_bounds, odd_partitions, two_hundred_commits, changes,
         columns_come_later, many_parts, deletion_vectors, mapped_columns, old_forms]
