"""Tables in two stores that varve syncs, each changed by us and by the others."""
import os

from deltalake import DeltaTable, write_deltalake

from engines import all_read, latest, run
from model import Rows
from written_by_us import place, write_rows

SCHEMA = [("id", "long"), ("name", "string")]


class Sides:
    """One table in two stores, and what it should hold."""

    def __init__(self, directory):
        self.directory = directory
        self.stores = [place(directory, "one"), place(directory, "two")]
        self.tables = [place(store, "t") for store in self.stores]
        for store in self.stores:
            os.mkdir(store)
        self.rows = Rows(SCHEMA, [[], []])
        self.count = 0

    def some(self, count):
        numbers = list(range(self.count, self.count + count))
        self.count += count
        return Rows(SCHEMA, [numbers, [f"row {number}" for number in numbers]])

    def we_append(self, side, count=5):
        more = self.some(count)
        run("table", "append", self.tables[side], write_rows(self.directory, "more", more, "csv"))
        self.rows = self.rows + more

    def they_append(self, side, count=5):
        more = self.some(count)
        write_deltalake(self.tables[side], more.arrow(), mode="append")
        self.rows = self.rows + more

    def sync(self):
        run("sync", *self.stores)
        for table in self.tables:
            all_read(table, self.rows)
            run("table", "verify", table)
        text = run("sync", *self.stores)
        assert "are equal" in text, text


def go_on(sides):
    sides.sync()
    for side in (0, 1):
        sides.we_append(side)
        sides.they_append(side)
        sides.they_append(side)
    sides.sync()
    # Numbers differ from here on.
    sides.we_append(0)
    sides.they_append(1)
    sides.they_append(1)
    sides.sync()
    DeltaTable(sides.tables[1]).optimize.compact()
    sides.we_append(0)
    sides.sync()
    DeltaTable(sides.tables[0]).delete("id < 7")
    sides.rows = sides.rows.where("id", lambda number: not number < 7)
    sides.sync()
    run("table", "compact", sides.tables[1])
    DeltaTable(sides.tables[1]).create_checkpoint()
    sides.sync()
    for _ in range(12):
        sides.they_append(0, 1)
        sides.we_append(1, 1)
    sides.sync()
    assert latest(sides.tables[0]) > 30


def ours(directory, random):
    sides = Sides(directory)
    run("table", "create", sides.tables[0], "--schema", sides.rows.schema_text)
    sides.they_append(0)
    go_on(sides)


def theirs(directory, random):
    sides = Sides(directory)
    sides.rows = sides.some(10)
    write_deltalake(sides.tables[1], sides.rows.arrow())
    go_on(sides)


def partitioned(directory, random):
    """Partitions whose names are encoded in paths, and once more in the log."""
    sides = Sides(directory)
    names = ["a b", "50%", "a/b", "x:y", "ä", None]
    shape = Rows([("id", "long"), ("name", "string")], [[], []])

    def some(count):
        numbers = list(range(sides.count, sides.count + count))
        sides.count += count
        return shape.with_columns([numbers, [names[number % len(names)] for number in numbers]])

    sides.some = some
    sides.rows = some(14)
    write_deltalake(sides.tables[0], sides.rows.arrow(), partition_by=["name"])
    sides.sync()
    for side in (0, 1):
        more = some(9)
        write_deltalake(sides.tables[side], more.arrow(), mode="append")
        sides.rows = sides.rows + more
    sides.sync()
    DeltaTable(sides.tables[1]).optimize.compact()
    sides.sync()


CASES = [ours, theirs, partitioned]
