#!/usr/bin/env python3
"""Tables under fire: snapshots while writers and vacuums work, and restores that are killed.

    table-soak.py soak VARVE SECONDS [SEED]   a snapshot a second; each is restored and compared
    table-soak.py replicas VARVE SECONDS [SEED]
                                              a replica that is written and read all the time
    table-soak.py kill VARVE ROUNDS [SEED]    in-place restores, each killed at a random moment

What a version must hold is found without varve: commits are replayed from their JSON, and the rows
of a data file are noted when it is written. Exit status 1 with the reason when something differs.
"""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import duckdb
import pyarrow
from deltalake import DeltaTable, write_deltalake

TABLES = ["plain", "split"]


def fail(text):
    print(f"table-soak: {text}", file=sys.stderr)
    sys.exit(1)


class Varve:
    def __init__(self, program, repository):
        self.program = program
        self.repository = str(repository)

    def command(self, *arguments, repository=True):
        tail = ["--repo", self.repository] if repository else []
        return [self.program, *map(str, arguments), *tail]

    def run(self, *arguments, repository=True):
        done = subprocess.run(
            self.command(*arguments, repository=repository), capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"{' '.join(map(str, arguments))}: {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout


def rows(paths):
    """Count and sum of ids in data files, by DuckDB."""
    if not paths:
        return (0, 0)
    names = [str(path) for path in paths]
    with duckdb.connect() as connection:
        found = connection.execute(
            "select count(*), coalesce(sum(id), 0)::bigint from read_parquet(?, "
            "hive_partitioning = false)", [names]).fetchone()
    return tuple(found)


class Writer(threading.Thread):
    """Appends, deletes and compacts, with delta-rs and varve in turn."""

    def __init__(self, store, varve, generator):
        super().__init__(daemon=True)
        self.store = store
        self.varve = varve
        self.random = generator
        self.next_id = 0
        self.files = {}
        self.operations = 0
        self.failure = None
        self.stopped = threading.Event()

    def path(self, name):
        return self.store / name

    def data(self, count):
        ids = list(range(self.next_id, self.next_id + count))
        self.next_id += count
        return {"id": ids, "name": [f"row {number}" for number in ids],
                "part": [f"p{number % 3}" for number in ids]}

    def make(self):
        for name in TABLES:
            write_deltalake(
                self.path(name), pyarrow.table(self.data(300)),
                partition_by=["part"] if name == "split" else None)
            self.note(name)

    def note(self, name):
        """Notes the rows of data files that are new; nothing live is ever vacuumed."""
        for uri in DeltaTable(self.path(name)).file_uris():
            key = (name, str(pathlib.Path(uri).relative_to(self.path(name))))
            if key not in self.files:
                self.files[key] = rows([uri])

    def append(self, name, ours):
        data = self.data(self.random.randrange(1, 200))
        if not ours:
            return write_deltalake(self.path(name), pyarrow.table(data), mode="append")
        lines = ["id,name,part"]
        lines += [",".join(map(str, row)) for row in zip(*data.values())]
        text = self.store.parent / "rows.csv"
        text.write_text("\n".join(lines) + "\n")
        self.varve.run("table", "append", self.path(name), text, repository=False)

    def delete(self, name, ours):
        low = self.random.randrange(max(1, self.next_id))
        predicate = f"id >= {low} and id < {low + 40}"
        if ours:
            self.varve.run(
                "table", "delete", self.path(name), "--where", predicate, repository=False)
        else:
            DeltaTable(self.path(name)).delete(predicate)

    def compact(self, name, ours):
        if ours:
            self.varve.run("table", "compact", self.path(name), repository=False)
        else:
            DeltaTable(self.path(name)).optimize.compact()

    def run(self):
        try:
            while not self.stopped.is_set():
                name = self.random.choice(TABLES)
                operation = self.random.choice(
                    [self.append, self.append, self.append, self.delete, self.compact])
                operation(name, ours=self.operations % 2 == 0)
                self.note(name)
                self.operations += 1
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = f"writer: {operation.__name__} {name}: {error!r}"


class Vacuum(threading.Thread):
    """Removes what no newest version needs, all the time."""

    def __init__(self, store):
        super().__init__(daemon=True)
        self.store = store
        self.removed = 0
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.15):
            for name in TABLES:
                table = self.store / name
                version, live, dead = replay(table)
                for path in sorted(dead):
                    try:
                        (table / path).unlink()
                        self.removed += 1
                    except FileNotFoundError:
                        pass


def replay(table, last=None):
    """The newest version, or `last`, with the data files that are live and those that were."""
    live, dead = set(), set()
    version = -1
    while last is None or version < last:
        commit = table / "_delta_log" / f"{version + 1:020}.json"
        if not commit.exists():
            break
        version += 1
        actions = [json.loads(line) for line in commit.read_text().splitlines() if line]
        for action in actions:
            if "remove" in action:
                live.discard(action["remove"]["path"])
                dead.add(action["remove"]["path"])
        for action in actions:
            if "add" in action:
                live.add(action["add"]["path"])
                dead.discard(action["add"]["path"])
    if last is not None and version != last:
        fail(f"{table.name}: version {last} is not in its log")
    return version, live, dead


def check_table(table, version, wanted, what):
    """A restored table must open at its version, and hold its rows, for delta-rs and DuckDB."""
    opened = DeltaTable(table)
    if opened.version() != version:
        fail(f"{what}: delta-rs opens version {opened.version()}, not {version}")
    ids = opened.to_pyarrow_table(columns=["id"]).column("id").to_pylist()
    if (len(ids), sum(ids)) != wanted:
        fail(f"{what}: delta-rs reads {len(ids)}, {sum(ids)}, not {wanted}")
    if rows(opened.file_uris()) != wanted:
        fail(f"{what}: DuckDB reads {rows(opened.file_uris())}, not {wanted}")


def soak(program, seconds, seed):
    with tempfile.TemporaryDirectory(prefix="varve-soak-") as place:
        work = pathlib.Path(place)
        store = work / "store"
        store.mkdir()
        varve = Varve(program, work / "repo")
        varve.run("init")
        writer = Writer(store, varve, random.Random(seed))
        writer.make()
        vacuum = Vacuum(store)
        writer.start()
        vacuum.start()
        snapshots = []
        end = time.monotonic() + seconds
        while time.monotonic() < end and writer.failure is None:
            next_time = time.monotonic() + 1
            lines = varve.run("snapshot", store, "--json").splitlines()
            snapshots.append(json.loads(lines[-1]))
            time.sleep(max(0, next_time - time.monotonic()))
        writer.stopped.set()
        vacuum.stopped.set()
        writer.join()
        vacuum.join()
        if writer.failure:
            fail(writer.failure)
        verify_snapshots(work, varve, writer, snapshots)
        print(f"{len(snapshots)} snapshots, {writer.operations} commits, "
              f"{vacuum.removed} files vacuumed, seed {seed}")


def verify_snapshots(work, varve, writer, snapshots):
    for snapshot in snapshots:
        identifier = snapshot["snapshot_id"]
        target = work / "restored"
        varve.run("restore", identifier, "--target", target)
        tables = {table["path"]: table for table in snapshot["tables"]}
        if sorted(tables) != TABLES:
            fail(f"{identifier} has the tables {sorted(tables)}")
        for name, table in tables.items():
            what = f"snapshot {identifier[:12]} {name}"
            if table["state"] != "pinned":
                fail(f"{what} is {table['state']}: {table.get('reason')}")
            _, live, _ = replay(writer.path(name), table["version"])
            counts = [writer.files[(name, path)] for path in live]
            wanted = (sum(count for count, _ in counts), sum(total for _, total in counts))
            check_table(target / name, table["version"], wanted, what)
        shutil.rmtree(target)


class Reader(threading.Thread):
    """Reads the tables of a replica all the time; each version must have its rows."""

    def __init__(self, replica, writer, engine):
        super().__init__(daemon=True)
        self.replica = replica
        self.writer = writer
        self.engine = engine
        # Old versions may lose their files while they are read, once somebody vacuums.
        self.forgives = False
        self.reads = 0
        self.overtaken = 0
        self.versions = set()
        self.failure = None
        self.stopped = threading.Event()

    def wanted(self, name, version):
        _, live, _ = replay(self.writer.path(name), version)
        keys = [(name, path) for path in live]
        while any(key not in self.writer.files for key in keys):
            time.sleep(0.01)
        counts = [self.writer.files[key] for key in keys]
        return (sum(count for count, _ in counts), sum(total for _, total in counts))

    def read(self, opened):
        if self.engine == "duckdb":
            return rows(opened.file_uris())
        ids = opened.to_pyarrow_table(columns=["id"]).column("id").to_pylist()
        return (len(ids), sum(ids))

    def look(self, name):
        opened = DeltaTable(self.replica / name)
        version = opened.version()
        try:
            found = self.read(opened)
        except Exception:
            # Only where the version is no longer the newest, for it may go on without its files.
            if self.forgives and DeltaTable(self.replica / name).version() > version:
                self.overtaken += 1
                return
            raise
        wanted = self.wanted(name, version)
        if found != wanted:
            raise ValueError(f"version {version} has {found}, not {wanted}")
        self.reads += 1
        self.versions.add((name, version))

    def run(self):
        try:
            while not self.stopped.is_set():
                for name in TABLES:
                    self.look(name)
        except BaseException as error:  # pylint: disable=broad-except
            self.failure = f"{self.engine} reads {name}: {error!r}"


def replicas(program, seconds, seed):
    """Writers at the source, readers at the replica; in the second half vacuums at the source."""
    with tempfile.TemporaryDirectory(prefix="varve-replicas-") as place:
        work = pathlib.Path(place)
        store, replica = work / "store", work / "replica"
        store.mkdir()
        varve = Varve(program, work / "repo")
        varve.run("init")
        writer = Writer(store, varve, random.Random(seed))
        writer.make()
        varve.run("replicate", store, replica)
        readers = [Reader(replica, writer, engine) for engine in ("deltalake", "duckdb")]
        vacuum = Vacuum(store)
        for thread in [writer, *readers]:
            thread.start()
        replications = 0
        begun = time.monotonic()
        while time.monotonic() < begun + seconds and not failures(writer, *readers):
            if time.monotonic() > begun + seconds / 2 and not vacuum.is_alive():
                for reader in readers:
                    reader.forgives = True
                vacuum.start()
            varve.run("replicate", store, replica)
            replications += 1
        for thread in [writer, vacuum, *readers]:
            thread.stopped.set()
        for thread in [writer, vacuum, *readers]:
            if thread.is_alive():
                thread.join()
        for failure in failures(writer, *readers):
            fail(failure)
        varve.run("replicate", store, replica)
        for name in TABLES:
            version, _, _ = replay(writer.path(name))
            check_table(replica / name, version, readers[0].wanted(name, version), name)
        told = ", ".join(
            f"{reader.engine} {reader.reads} reads of {len(reader.versions)} versions, "
            f"{reader.overtaken} overtaken" for reader in readers)
        print(f"{replications} replications, {writer.operations} commits, "
              f"{vacuum.removed} files vacuumed; {told}; seed {seed}")


def failures(*threads):
    return [thread.failure for thread in threads if thread.failure]


def kill(program, rounds, seed):
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="varve-kill-") as place:
        work = pathlib.Path(place)
        table = work / "store" / "orders"
        varve = Varve(program, work / "repo")
        varve.run("init")
        for start in range(0, 2000, 100):
            data = {"id": list(range(start, start + 100)), "text": ["x" * 50] * 100}
            write_deltalake(table, pyarrow.table(data), mode="append")
        varve.run("snapshot", table.parent)
        good = (2000, sum(range(2000)))
        command = varve.command("restore", "latest", "--table", "orders", "--in-place")
        took, killed = 0.1, 0
        for number in range(rounds):
            before, bad = spoil(table, generator)
            running = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(generator.random() * took * 1.2)
            running.kill()
            killed += running.wait() == -9
            version = DeltaTable(table).version()
            if version == before + 1:
                check_table(table, version, good, f"round {number}, after the commit")
            elif version != before:
                fail(f"round {number}: version {version} after {before}")
            elif bad is not None:
                check_table(table, version, bad, f"round {number}, before the commit")
            begun = time.monotonic()
            varve.run(*command[1:-2])
            took = max(took * 0.8, time.monotonic() - begun)
            check_table(table, DeltaTable(table).version(), good, f"round {number}, at the end")
            # A commit that was killed leaves a temporary name in the log, which vacuum sweeps.
            left = list(table.rglob("*.varve-restore.tmp"))
            if left:
                fail(f"round {number}: left behind {left}")
        print(f"{rounds} rounds, {killed} killed before they ended, seed {seed}")


def spoil(table, generator):
    """A bad night; returns the version then and its rows, None where it cannot be read."""
    version, live, dead = replay(table)
    if generator.random() < 0.3:
        # Hollowed out: a vacuum took files that are live.
        for path in generator.sample(sorted(live), 3):
            (table / path).unlink()
        return version, None
    low = generator.randrange(1900)
    DeltaTable(table).delete(f"id >= {low} and id < {low + 100}")
    version, live, dead = replay(table)
    for path in dead:
        (table / path).unlink(missing_ok=True)
    return version, rows([table / path for path in live])


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in ("soak", "replicas", "kill"):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32)
    modes = {"soak": soak, "replicas": replicas, "kill": kill}
    modes[sys.argv[1]](sys.argv[2], int(sys.argv[3]), seed)


if __name__ == "__main__":
    main()
