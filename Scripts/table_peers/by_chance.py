"""Schemas, rows and changes by chance, with a list of rows as the model."""
import os

from deltalake import DeltaTable, write_deltalake

from engines import all_read, compare, latest, read_varve, run
from model import KINDS, Rows, plain_text, random_rows
from written_by_us import SUFFIXES, place, write_rows

NAMES = ["a", "B", "camelCase", "größe", "with-dash", "with.dot", "$dollar", "日", "select", "_low"]


def random_kind(random):
    if random.random() < 0.3:
        precision = random.randrange(1, 39)
        return f"decimal({precision},{random.randrange(precision + 1)})"
    return random.choice(KINDS)


class Play:
    def __init__(self, directory, random):
        self.directory, self.random = directory, random
        names = random.sample(NAMES, random.randrange(1, 7))
        self.schema = [("id", "long!")] + [(name, random_kind(random)) for name in names]
        # Engines disagree on binary values and floats in partitions, and delta-rs writes negative
        # decimals in a way that it cannot read.
        good = [name for name, kind in self.schema[1:]
                if kind not in ("binary", "float", "double") and not kind.startswith("decimal")]
        self.partitions = random.sample(good, min(len(good), random.choice([0, 0, 1, 2])))
        self.table = place(directory, "table")
        self.next = 0
        self.expected = self.rows(0)
        flags = ["--partition-by", ",".join(self.partitions)] if self.partitions else []
        if random.random() < 0.3:
            flags += ["--sort-by", "id"]
        if random.random() < 0.7:
            run("table", "create", self.table, "--schema", self.expected.schema_text, *flags)
        else:
            write_deltalake(
                self.table, self.expected.arrow(), partition_by=self.partitions or None)
        self.versions = {0: self.expected}

    def rows(self, count):
        found = random_rows(self.schema, count, self.random)
        found.columns[0] = list(range(self.next, self.next + count))
        self.next += count
        for name in self.partitions:
            index = found.names.index(name)
            # Few partitions, none with what other engines take for null.
            odd = ("", "__HIVE_DEFAULT_PARTITION__")
            values = [v for v in found.columns[index][:6] if v not in odd] or [None]
            found.columns[index] = [self.random.choice(values) for _ in range(count)]
        return found

    def changed(self, rows):
        self.expected = rows
        self.versions[latest(self.table)] = rows

    def we_append(self):
        more = self.rows(self.random.choice([1, 30, 200]))
        file = write_rows(self.directory, "more", more, self.random.choice(list(SUFFIXES)))
        run("table", "append", self.table, file)
        self.changed(self.expected + more)

    def they_append(self):
        more = self.rows(self.random.choice([1, 30, 200]))
        write_deltalake(self.table, more.arrow(), mode="append")
        self.changed(self.expected + more)

    def span(self):
        first = self.random.randrange(self.next + 1)
        return first, first + self.random.randrange(40)

    def we_delete(self):
        first, last = self.span()
        run("table", "delete", self.table, "--where", f"id >= {first} AND id < {last}")
        self.changed(self.expected.where("id", lambda number: not first <= number < last))

    def they_delete(self):
        first, last = self.span()
        DeltaTable(self.table).delete(f"id >= {first} and id < {last}")
        self.changed(self.expected.where("id", lambda number: not first <= number < last))

    def we_compact(self):
        run("table", "compact", self.table)
        self.changed(self.expected)

    def they_optimize(self):
        DeltaTable(self.table).optimize.compact()
        self.changed(self.expected)

    def we_restore(self):
        version = self.random.choice(list(self.versions))
        run("table", "restore", self.table, "--version", version)
        self.changed(self.versions[version])

    def filtered(self):
        """One comparison, against a look at each row."""
        name, kind = self.random.choice(list(zip(self.expected.names, self.expected.kinds)))
        values = [v for v in self.expected.columns[self.expected.names.index(name)]
                  if v is not None]
        if not values or kind in ("float", "double"):
            return
        chosen = self.random.choice(values)
        text = plain_text(kind, chosen)
        if kind in ("string", "binary", "date", "timestamp", "timestamp_ntz"):
            text = "'" + text.replace("'", "''") + "'"
        wanted = self.expected.where(name, lambda value: value == chosen)
        found = read_varve(self.table, self.expected, flags=["--where", f"`{name}` = {text}"])
        compare(f"`{name}` = {text}", found, wanted)


def play(directory, random):
    table = Play(directory, random)
    moves = [Play.we_append, Play.they_append, Play.we_append, Play.they_append, Play.we_delete,
             Play.they_delete, Play.we_compact, Play.they_optimize, Play.we_restore]
    for _ in range(random.randrange(3, 8)):
        random.choice(moves)(table)
        table.filtered()
    all_read(table.table, table.expected)
    run("table", "verify", table.table)
    for version in random.sample(list(table.versions), min(2, len(table.versions))):
        all_read(table.table, table.versions[version], version)


def plays(directory, random):
    for number in range(5):
        inner = os.path.join(directory, str(number))
        os.mkdir(inner)
        seed = random.randrange(10**9)
        try:
            play(inner, type(random)(seed))
        except Exception as error:
            raise AssertionError(f"play {number}, inner seed {seed}: {error}") from error


CASES = [plays]
