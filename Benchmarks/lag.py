#!/usr/bin/env python3
"""How long after a commit a replica that is kept by `varve watch` has it, durably.

    lag.py VARVE DIRECTORY TARGET SECONDS    TARGET is DIRECTORY/replica, as another host names it

Commits to a table, one or two a second, and prints the median and the 99th percentile in seconds,
and how many commits there were. A commit counts from the change time of its file in the log to the
line in which the watch tells that the replica is equal.
"""

import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import threading
import time


def newest(table: pathlib.Path) -> int:
    names = os.listdir(table / "_delta_log")
    return max(int(name[:20]) for name in names if name.endswith(".json"))


class Rounds(threading.Thread):
    """Notes when the replica has which version."""

    def __init__(self, lines, store: pathlib.Path, replica: pathlib.Path):
        super().__init__(daemon=True)
        self.lines = lines
        self.store = store
        self.replica = replica
        self.last = -1
        self.lags: list[float] = []

    def run(self) -> None:
        for line in self.lines:
            now = time.time()
            if json.loads(line)["type"] != "round":
                continue
            version = newest(self.replica)
            for number in range(max(1, self.last + 1), version + 1):
                commit = self.store / "_delta_log" / f"{number:020}.json"
                self.lags.append(now - commit.stat().st_ctime)
            self.last = version


def wait_for(rounds: Rounds, version: int) -> None:
    end = time.monotonic() + 60
    while rounds.last < version:
        if time.monotonic() > end or not rounds.is_alive():
            sys.exit(f"lag.py: the replica never had version {version}")
        time.sleep(0.01)


def main() -> None:
    varve, directory, target, seconds = sys.argv[1:]
    work = pathlib.Path(directory)
    work.mkdir()
    table = work / "store" / "table"
    rows = work / "rows.csv"
    rows.write_text("id,text\n" + "".join(f"{n},row {n}\n" for n in range(1000)))
    repository = ["--repo", str(work / "repository")]
    table.parent.mkdir()
    for command in [
        ["init", *repository], ["table", "create", table, "--schema", "id long, text string"],
    ]:
        subprocess.run([varve, *command], check=True, stdout=subprocess.DEVNULL)
    watch = subprocess.Popen(
        [varve, "watch", table.parent, *repository, "--replicate", target, "--json"],
        stdout=subprocess.PIPE, text=True)
    try:
        rounds = Rounds(watch.stdout, table, work / "replica" / "table")
        rounds.start()
        wait_for(rounds, 0)
        generator = random.Random(1)
        end = time.monotonic() + float(seconds)
        while time.monotonic() < end:
            subprocess.run([varve, "table", "append", "-q", table, rows], check=True)
            time.sleep(generator.uniform(0.1, 1.2))
        wait_for(rounds, newest(table))
    finally:
        watch.terminate()
        watch.wait()
    lags = sorted(rounds.lags)
    last = lags[min(len(lags) - 1, -(-99 * len(lags) // 100) - 1)]
    print(f"{statistics.median(lags):.4f} {last:.4f} {len(lags)}")


if __name__ == "__main__":
    main()
