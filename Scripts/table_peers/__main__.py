"""Tables in the hands of varve, pyarrow, delta-rs, DuckDB and Polars, for the tests of tables.

python3 Scripts/table_peers SUITE [CASE...] [--seed N]

Runs the cases of a suite in a directory of its own; `varve` in the environment names the program.
Prints what went wrong, one case a line, and exits with 1 then.
"""
import importlib
import os
import random
import shutil
import sys
import tempfile
import traceback

# Where syncing takes no time, when there is such a place.
QUICK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
SUITES = ["written_by_us", "written_by_others", "in_turns", "by_chance", "at_once", "synced",
          "with_spark"]


def main(arguments):
    seed = 1
    if "--seed" in arguments:
        place = arguments.index("--seed")
        seed = int(arguments[place + 1])
        del arguments[place:place + 2]
    suite, wanted = arguments[0], arguments[1:]
    if suite not in SUITES:
        sys.exit(f"there is no suite {suite}")
    failures = 0
    for case in importlib.import_module(suite).CASES:
        if wanted and case.__name__ not in wanted:
            continue
        directory = tempfile.mkdtemp(prefix="varve-peers-", dir=QUICK)
        try:
            case(directory, random.Random(seed))
        except Exception:
            failures += 1
            print(f"{case.__name__} with seed {seed}: {traceback.format_exc()}", flush=True)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
    return 1 if failures else 0


status = main(sys.argv[1:])
sys.stdout.flush()
# The threads of the libraries sometimes abort while the interpreter takes itself down.
os._exit(status)
