"""Tables that several processes change at the same time."""
import os
import subprocess
import threading

from deltalake import DeltaTable, write_deltalake

from engines import VARVE, all_read, run
from model import Rows
from written_by_us import place, write_rows

SCHEMA = [("id", "long"), ("name", "string")]


def rows(numbers):
    numbers = list(numbers)
    return Rows(SCHEMA, [numbers, [f"row {number}" for number in numbers]])


def start(*arguments, delay=None):
    """Starts varve; with a delay it waits so many seconds before it gives a commit its name."""
    command = [VARVE, *map(str, arguments)]
    if delay:
        slow = f"--inject=renameat2:delay_enter={int(delay * 1e6)}:when=1"
        flags = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=renameat2", slow]
        command = ["strace", *flags, *command]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end(process, status=0):
    output, errors = process.communicate()
    assert process.returncode == status, f"{process.returncode} {errors.decode()}"
    return errors.decode()


def created(directory, numbers=()):
    table = place(directory, "table")
    run("table", "create", table, "--schema", "id long, name string")
    if numbers:
        run("table", "append", table, write_rows(directory, "first", rows(numbers), "csv"))
    return table


def appends(directory, random):
    """Four writers at once, two of them delta-rs: no row is lost."""
    table = created(directory)
    rounds, expected = 4, []

    def they(first):
        for number in range(rounds):
            write_deltalake(table, rows([first + number]).arrow(), mode="append")

    def we(first):
        for number in range(rounds):
            file = write_rows(directory, f"file{first + number}", rows([first + number]), "csv")
            end(start("table", "append", table, file))

    threads = [threading.Thread(target=they, args=(first,)) for first in (1000, 2000)]
    problems = []

    def guarded(first):
        try:
            we(first)
        except AssertionError as error:
            problems.append(error)

    threads += [threading.Thread(target=guarded, args=(first,)) for first in (3000, 4000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems, problems
    for first in (1000, 2000, 3000, 4000):
        expected += range(first, first + rounds)
    all_read(table, rows(expected))
    run("table", "verify", table)


def append_meets_append(directory, random):
    """Both prepared the same version: the slower one takes the next."""
    table = created(directory)
    slow = start("table", "append", table, write_rows(directory, "a", rows([1]), "csv"), delay=1)
    wait_for_segment(table, 1)
    run("table", "append", table, write_rows(directory, "b", rows([2]), "csv"))
    write_deltalake(table, rows([3]).arrow(), mode="append")
    end(slow)
    all_read(table, rows([1, 2, 3]))


def segments(table):
    return [name for name in os.listdir(table) if name.endswith(".parquet")]


def wait_for_segment(table, count):
    """Until so many data files are there: the commit of the last waits."""
    for _ in range(2000):
        if len(segments(table)) >= count and [
                name for name in os.listdir(place(table, "_delta_log")) if name.startswith(".")]:
            return
        threading.Event().wait(0.005)
    raise AssertionError("no writer came as far as its commit")


def delete_meets_delete(directory, random):
    """Both rewrite one file: the slower one loses and says so, and its file goes."""
    table = created(directory, range(10))
    slow = start("table", "delete", table, "--where", "id = 1", delay=1)
    wait_for_segment(table, 2)
    run("table", "delete", table, "--where", "id = 2")
    errors = end(slow, status=1)
    assert "another writer was first" in errors and "Run the command again" in errors, errors
    all_read(table, rows([0, 1, 3, 4, 5, 6, 7, 8, 9]))
    assert len(segments(table)) == 2


def delete_meets_their_delete(directory, random):
    table = created(directory, range(10))
    slow = start("table", "delete", table, "--where", "id = 1", delay=1)
    wait_for_segment(table, 2)
    DeltaTable(table).delete("id = 2")
    errors = end(slow, status=1)
    assert "another writer was first" in errors, errors
    all_read(table, rows([0, 1, 3, 4, 5, 6, 7, 8, 9]))


def compact_meets_append(directory, random):
    """What is appended meanwhile stays beside what is compacted."""
    table = created(directory, range(10))
    run("table", "append", table, write_rows(directory, "b", rows([10]), "csv"))
    slow = start("table", "compact", table, delay=1)
    wait_for_segment(table, 3)
    run("table", "append", table, write_rows(directory, "c", rows([11]), "csv"))
    write_deltalake(table, rows([12]).arrow(), mode="append")
    end(slow)
    all_read(table, rows(range(13)))
    assert len(DeltaTable(table).file_uris()) == 3


def compact_meets_delete(directory, random):
    """The rows that were deleted do not come back."""
    table = created(directory, range(10))
    run("table", "append", table, write_rows(directory, "b", rows([10]), "csv"))
    slow = start("table", "compact", table, delay=1)
    wait_for_segment(table, 3)
    run("table", "delete", table, "--where", "id = 10")
    end(slow, status=1)
    all_read(table, rows(range(10)))


def delete_meets_append(directory, random):
    """Rows that come meanwhile stay, whether they match or not."""
    table = created(directory, range(10))
    slow = start("table", "delete", table, "--where", "id < 5", delay=1)
    wait_for_segment(table, 2)
    run("table", "append", table, write_rows(directory, "b", rows([3, 13]), "csv"))
    end(slow)
    all_read(table, rows([5, 6, 7, 8, 9, 3, 13]))


def restore_meets_append(directory, random):
    table = created(directory, range(10))
    slow = start("table", "restore", table, "--version", 0, delay=1)
    threading.Event().wait(0.1)
    wait_for_segment(table, 1)
    run("table", "append", table, write_rows(directory, "b", rows([10]), "csv"))
    end(slow, status=1)
    all_read(table, rows(range(11)))


def two_create(directory, random):
    """One makes the table, the other is told that it is there."""
    table = place(directory, "table")
    both = [start("table", "create", table, "--schema", "id long, name string") for _ in range(2)]
    results = []
    for process in both:
        process.communicate()
        results.append(process.returncode)
    assert sorted(results) == [0, 1], results
    all_read(table, rows([]))


CASES = [appends, append_meets_append, delete_meets_delete, delete_meets_their_delete,
         compact_meets_append, compact_meets_delete, delete_meets_append, restore_meets_append,
         two_create]
