"""Tables that varve and the others change one after the other."""
import os

import polars
from deltalake import DeltaTable, write_deltalake

from engines import all_read, latest, run
from model import Rows, numbered, some
from written_by_us import place, write_rows

SCHEMA = [("id", "long!"), ("day", "date"), ("name", "string"), ("price", "decimal(12,2)"),
          ("at", "timestamp")]


class Both:
    """A table and what it should hold."""

    def __init__(self, directory, random, table):
        self.directory, self.random, self.table = directory, random, table
        self.count = 0
        self.rows = self.some(0)
        self.known = []

    def some(self, count):
        """New rows in two partitions."""
        found = numbered(SCHEMA, count, lambda kind, _: some(kind, self.random))
        found.columns[0] = list(range(self.count, self.count + count))
        found.columns[1] = [20_000 + number % 2 for number in range(count)]
        self.count += count
        return found

    def changed(self, rows):
        """Notes what a new version holds, and lets everybody read it."""
        self.rows = rows
        self.known.append((latest(self.table), rows))
        all_read(self.table, rows)

    def we_append(self, count=20):
        more = self.some(count)
        run("table", "append", self.table, write_rows(self.directory, "more", more, "ndjson"))
        self.changed(self.rows + more)

    def we_delete(self, first, last):
        run("table", "delete", self.table, "--where", f"id BETWEEN {first} AND {last}")
        self.changed(self.rows.where("id", lambda number: not first <= number <= last))

    def we_compact(self):
        run("table", "compact", self.table)
        self.changed(self.rows)

    def we_restore(self, version):
        run("table", "restore", self.table, "--version", version)
        self.changed(dict(self.known)[version])

    def we_vacuum(self):
        run("table", "vacuum", self.table, "--retention", "0s", "--force")
        all_read(self.table, self.rows)
        run("table", "verify", self.table)

    def they_append(self, count=20):
        more = self.some(count)
        write_deltalake(self.table, more.arrow(), mode="append")
        self.changed(self.rows + more)

    def polars_appends(self, count=20):
        more = self.some(count)
        polars.from_arrow(more.arrow()).write_delta(self.table, mode="append")
        self.changed(self.rows + more)

    def they_delete(self, first, last):
        DeltaTable(self.table).delete(f"id >= {first} and id <= {last}")
        self.changed(self.rows.where("id", lambda number: not first <= number <= last))

    def they_optimize(self):
        DeltaTable(self.table).optimize.compact()
        self.changed(self.rows)

    def they_restore(self, version):
        DeltaTable(self.table).restore(version)
        self.changed(dict(self.known)[version])

    def they_vacuum(self):
        DeltaTable(self.table).vacuum(
            retention_hours=0, enforce_retention_duration=False, dry_run=False)
        all_read(self.table, self.rows)
        run("table", "verify", self.table)

    def they_checkpoint(self):
        DeltaTable(self.table).create_checkpoint()
        all_read(self.table, self.rows)


def go_on(both):
    """Each changes what the other left, and the other goes on."""
    both.we_append()
    both.they_append()
    both.they_optimize()
    both.we_append()
    both.we_delete(5, 25)
    both.they_delete(30, 41)
    both.we_compact()
    both.they_append()
    version = both.known[-1][0]
    both.they_checkpoint()
    both.we_delete(0, 60)
    both.they_restore(version)
    both.we_append()
    both.we_restore(version)
    both.they_append()
    both.we_vacuum()
    both.we_append()
    both.they_delete(60, 70)
    both.they_vacuum()
    both.they_append()
    both.we_compact()
    both.they_vacuum()
    both.we_append()


def ours(directory, random):
    table = place(directory, "ours")
    both = Both(directory, random, table)
    run("table", "create", table, "--schema", both.rows.schema_text, "--partition-by", "day")
    go_on(both)
    both.polars_appends()
    both.we_append()


def theirs(directory, random):
    table = place(directory, "theirs")
    both = Both(directory, random, table)
    write_deltalake(
        table, both.rows.arrow(), partition_by=["day"],
        configuration={"delta.checkpointInterval": "7"})
    go_on(both)


def small_commits(directory, random):
    """Past several checkpoints of both, each reading those of the other."""
    table = place(directory, "small")
    shape = Rows([("id", "long"), ("name", "string")], [[], []])
    run("table", "create", table, "--schema", shape.schema_text)
    expected = shape
    for number in range(1, 36):
        one = Rows([("id", "long"), ("name", "string")], [[number], [f"row {number}"]])
        expected = expected + one
        if number % 3:
            write_deltalake(table, one.arrow(), mode="append")
        else:
            run("table", "append", table, write_rows(directory, "one", one, "csv"))
    all_read(table, expected)
    assert os.path.exists(place(table, "_delta_log/00000000000000000030.checkpoint.parquet"))
    for version in [5, 10, 25, 31]:
        all_read(table, expected.taking(range(version)), version)


CASES = [ours, theirs, small_commits]
