#!/usr/bin/env python3
"""Turns the figures of run.sh into RESULTS.md, on standard output."""

import argparse
import os
import pathlib
import platform
import re
import statistics
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

PEAK_LIMIT_MB = 200
FLOORS = ["cat", "tar | zstd -1", "find -newer", "cp -a", "cp -a, sync", "ssh true", "cat, sync"]
# Sizes that a growth is measured by; no tools.
REFERENCES = ["written anew", "the column"]
# In these, the bytes beside the seconds are of interest: stored by the tool, or sent.
SIZED = ("first-", "growth-", "delta-", "push-", "import-", "compact-")
# The cases of the Table Store, which have a limit of their own for memory.
TABLE_CASES = ("import-lineitem", "scan-lineitem", "compact-lineitem", "delete-lineitem")
TABLE_PEAK_LIMIT_MB = 300
# What a value takes in memory of the three columns that the scan reads, in 11,997,996 rows.
SCANNED_BYTES = 11_997_996 * (8 + 8 + 4)
SCAN_THREADS = 2


@dataclass
class Figure:
    """The rounds of one tool in one case."""

    rounds: list[float]
    stored: int
    peak: int  # bytes

    @property
    def seconds(self) -> float:
        return statistics.median(self.rounds)


class Goal(NamedTuple):
    """One condition: its text, the measured side of it, and whether it holds; None: not known."""

    text: str
    measured: str
    met: bool | None


class Figures:
    """All figures by case and tool. A tool that failed in any round of a case has none there."""

    def __init__(self, lines: list[str]):
        rows = defaultdict(list)
        self.failed = set()
        for line in lines:
            case, tool, *numbers = line.split("\t")
            if numbers == ["failed"]:
                self.failed.add((case, tool))
            else:
                rows[case, tool].append(numbers)
        self.of = {
            key: Figure(
                rounds=[float(row[0]) for row in found],
                stored=int(statistics.median_high(int(row[1]) for row in found)),
                peak=1024 * max(int(row[2]) for row in found),
            )
            for key, found in rows.items()
            if key not in self.failed
        }

    def seconds(self, case: str, tool: str = "varve") -> float | None:
        figure = self.of.get((case, tool))
        return figure.seconds if figure else None

    def tools(self, case: str) -> list[str]:
        """Returns the tools in the order in which they were run."""
        return [tool for found, tool in self.of if found == case]

    def within(self, case: str, share: Fraction, name: str, other: float | None) -> Goal:
        """Returns the goal that varve takes no more than a share of another time."""
        text = f"≤ {share} × {name}" if share != 1 else f"≤ {name}"
        own = self.seconds(case)
        if own is None or other is None:
            return Goal(text, f"{name}: –", None)
        return Goal(text, f"{own / other:.3g} × {name}", own <= share * other)

    def against(self, case: str, share: Fraction, peer: str) -> Goal:
        return self.within(case, share, peer, self.seconds(case, peer))

    def at_most(self, case: str, limit: float) -> Goal:
        own = self.seconds(case)
        measured = "–" if own is None else f"{own:.3f} s"
        return Goal(f"≤ {limit:g} s", measured, None if own is None else own <= limit)

    def bytes_at_most(self, case: str, limit_mb: float, peer: str) -> Goal:
        """Returns the goal that varve writes or sends no more than so much."""
        own, other = self.of.get((case, "varve")), self.of.get((case, peer))
        text = f"≤ {limit_mb:g} MB"
        if own is None:
            return Goal(text, "–", None)
        ratio = f", {own.stored / other.stored:.3g} × {peer}" if other and other.stored else ""
        return Goal(text, megabytes(own.stored) + ratio, own.stored <= limit_mb * 1e6)

    def share_at_most(self, case: str, share: float, reference: str) -> Goal:
        """Returns the goal that varve writes no more than a share of a reference."""
        own, whole = self.of.get((case, "varve")), self.of.get((case, reference))
        percent = f"{100 * share:g} %"
        text = f"≤ {percent} of what was {reference}" if share < 1 else f"≤ {percent} of {reference}"
        if own is None or whole is None:
            return Goal(text, "–", None)
        found = own.stored / whole.stored
        measured = f"{100 * found:.3g} % of {megabytes(whole.stored)}"
        return Goal(text, measured, found <= share)

    def no_more_than(self, case: str, other: str) -> Goal:
        """Returns the goal that varve writes no more than another way of doing it."""
        own, peer = self.of.get((case, "varve")), self.of.get((case, other))
        text = f"≤ {other}"
        if own is None or peer is None:
            return Goal(text, "–", None)
        ratio = f"{own.stored / peer.stored:.3g} × {other}"
        return Goal(text, ratio, own.stored <= peer.stored)

    def stored_no_more(self, case: str, peers: list[str]) -> Goal:
        """Returns the goal that varve stores no more than the most frugal of the peers."""
        text = "stored ≤ the smaller of " + ", ".join(peers)
        found = [self.of.get((case, tool)) for tool in ["varve", *peers]]
        if None in found:
            return Goal(text, "stored: –", None)
        own, *others = (figure.stored for figure in found)
        return Goal(text, f"stored {own / min(others):.3g} ×", own <= min(others))

    def size_against(self, case: str, share: float, peer: str) -> Goal:
        """Returns the goal that what varve writes is no larger than a share of the peer's."""
        own, other = self.of.get((case, "varve")), self.of.get((case, peer))
        text = f"size ≤ {share:g} × {peer}"
        if own is None or other is None:
            return Goal(text, "size: –", None)
        ratio = own.stored / other.stored
        return Goal(text, f"size {ratio:.3g} × {peer}", ratio <= share)

    def rate_at_least(self, case: str, count: float | None, unit: str, least: float) -> Goal:
        """Returns the goal of so many bytes a second; nil bytes stand for those written."""
        own = self.of.get((case, "varve"))
        scale = {"MB/s a core": 1e6, "GB/s": 1e9}[unit]
        text = f"≥ {least:g} {unit}"
        if own is None:
            return Goal(text, "–", None)
        rate = (own.stored if count is None else count) / own.seconds / scale
        return Goal(text, f"{rate:.3g} {unit}", rate >= least)


def table_rows(figures: Figures) -> list[list[str]]:
    """Returns the rows of the Table Store."""
    cases = {
        "import-lineitem": (
            "`table import` of `lineitem` as text, 6 M rows; CSV to Parquet with zstd",
            [
                figures.against("import-lineitem", Fraction(1), "pyarrow"),
                figures.size_against("import-lineitem", 1.03, "pyarrow"),
            ],
        ),
        "scan-lineitem": (
            "`table scan` of `lineitem`, 12 M rows: two columns, filtered by a third",
            [
                figures.against("scan-lineitem", Fraction(3, 2), "duckdb"),
                figures.rate_at_least(
                    "scan-lineitem", SCANNED_BYTES / SCAN_THREADS, "MB/s a core", 500
                ),
            ],
        ),
        "compact-lineitem": (
            "`table compact` of 60 segments into one",
            [figures.rate_at_least("compact-lineitem", None, "GB/s", 1)],
        ),
    }
    rows = [case_row(figures, case, *row) for case, row in cases.items()]
    peak = peak_goal(figures, TABLE_PEAK_LIMIT_MB, True)
    work = "peak memory: import, scan, compact, delete"
    rows.append([work, peak.text, peak.measured, "", "", verdict([peak]), ""])
    return rows


def rate_goal(figures: Figures, case: str, size: int, least: float) -> Goal:
    text = f"≥ {least:g} GB/s of plain bytes"
    own, peer = figures.seconds(case), figures.seconds(case, "restic")
    if own is None:
        return Goal(text, "–", None)
    rate = size / own / 1e9
    ratio = f", {own / peer:.3g} × restic" if peer else ""
    return Goal(text, f"{rate:.2f} GB/s{ratio}", rate >= least)


def peak_goal(figures: Figures, limit_mb: int, of_tables: bool) -> Goal:
    peaks = [
        figure.peak
        for (case, tool), figure in figures.of.items()
        if is_own(tool) and (case in TABLE_CASES) == of_tables
    ]
    text = f"≤ {limit_mb} MB"
    if not peaks:
        return Goal(text, "–", None)
    return Goal(text, f"{max(peaks) / 1e6:.0f} MB", max(peaks) <= limit_mb * 1e6)


def chunker_goal(output: str) -> Goal:
    text = "≥ 3 GB/s on one core"
    found = re.search(r"^FastCDC\.cut: ([0-9.]+) GB/s", output, re.MULTILINE)
    plain = re.search(r"^FastCDC\.cutPlain: ([0-9.]+) GB/s", output, re.MULTILINE)
    if not found:
        return Goal(text, "–", None)
    rate = float(found[1])
    ratio = f", {rate / float(plain[1]):.3g} × the plain loop" if plain else ""
    return Goal(text, f"{rate:.2f} GB/s{ratio}", rate >= 3)


def machine(data: pathlib.Path) -> str:
    cpu = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    filesystem = first_line(["findmnt", "-no", "FSTYPE", "-T", str(data)])
    return (
        f"{cpu[1] if cpu else platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
        f"{memory:.0f} GiB of memory, Linux {platform.release()}, {filesystem}"
    )


def first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0].strip() if lines else "?"


def versions(varve: str) -> str:
    rsync = re.sub(r" +protocol.*", "", first_line(["rsync", "--version"]))
    zstd = re.search(r"v[0-9.]+", first_line(["zstd", "--version"]))
    restic = re.sub(r" compiled.*", "", first_line(["restic", "version"]))
    return "; ".join(
        [
            first_line([varve, "version"]),
            restic,
            first_line(["borg", "--version"]),
            re.sub(r" +", " ", rsync),
            f"zstd {zstd[0] if zstd else '?'}",
            re.sub(r",.*", "", first_line(["xdelta3", "-V"])),
            re.sub(r",.*", "", first_line(["ssh", "-V"])),
        ]
    )


def is_own(tool: str) -> bool:
    """Tells varve, also on the other side, from its peers."""
    return tool.startswith("varve")


def megabytes(count: int) -> str:
    return f"{count / 1e6:.3f} MB" if count < 10e6 else f"{count / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    return f"{seconds:.3f} s" if seconds < 1 else f"{seconds:.2f} s"


def cell(figures: Figures, case: str, tool: str) -> str:
    if (case, tool) in figures.failed:
        return "failed"
    figure = figures.of.get((case, tool))
    if figure is None:
        return "–"
    stored = f", {megabytes(figure.stored)}" if case.startswith(SIZED) else ""
    return duration(figure.seconds) + stored


def verdict(goals: list[Goal]) -> str:
    if any(goal.met is False for goal in goals):
        return "**no**"
    return "yes" if all(goal.met for goal in goals) else "not measured"


def table(header: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"

    return "\n".join([line(header), "|" + "---|" * len(header), *map(line, rows)]) + "\n"


def case_row(figures: Figures, case: str, work: str, goals: list[Goal]) -> list[str]:
    own = figures.seconds(case)
    others = [tool for tool in figures.tools(case) if tool not in ["varve", *FLOORS, *REFERENCES]]
    # The other side of a push has its memory in the second table, and no time of its own.
    peers = [tool for tool in others if not tool.endswith(", there")]
    floors = [tool for tool in figures.tools(case) if tool in FLOORS]
    return [
        work,
        "; ".join(goal.text for goal in goals),
        cell(figures, case, "varve"),
        "; ".join(f"{tool} {cell(figures, case, tool)}" for tool in peers),
        "; ".join(goal.measured for goal in goals),
        verdict(goals),
        "; ".join(
            f"{tool} {duration(floor)}" + (f" (× {own / floor:.3g})" if own else "")
            for tool in floors
            if (floor := figures.seconds(case, tool))
        ),
    ]


def table_growth(figures: Figures) -> dict[str, tuple[str, list[Goal]]]:
    """Returns the cases of tables that were changed between two snapshots."""

    def anew(work: str, share: float) -> list[Goal]:
        return [figures.share_at_most(f"growth-{work}", share, "written anew")]

    def column(engine: str, name: str) -> tuple[str, list[Goal]]:
        case = f"growth-{engine}"
        goals = [
            figures.share_at_most(case, 1.2, "the column"),
            figures.no_more_than(case, "varve, as bytes"),
        ]
        return f"one column updated, Parquet of {name}: growth", goals

    return {
        "growth-compact": (
            "60 segments compacted into one: growth",
            [figures.bytes_at_most("growth-compact", 1, "restic")],
        ),
        "growth-insert": ("1 % of rows inserted in the middle: growth", anew("insert", 0.015)),
        "growth-delete": ("1 % of rows deleted in one piece: growth", anew("delete", 0.006)),
        "growth-append": ("1 % of rows appended, written anew: growth", anew("append", 0.012)),
        "growth-pyarrow": column("pyarrow", "pyarrow"),
        "growth-duckdb": column("duckdb", "DuckDB"),
        "growth-deltalake": column("deltalake", "delta-rs"),
    }


def goal_table(figures: Figures, mixed_bytes: int, chunker: str) -> str:
    full_restore = figures.seconds("restore-mixed")
    cases = {
        "first-mixed": (
            "first snapshot of `mixed`",
            [
                figures.against("first-mixed", Fraction(1, 4), "restic"),
                figures.against("first-mixed", Fraction(2, 5), "borg"),
                figures.stored_no_more("first-mixed", ["restic", "borg"]),
            ],
        ),
        "again-mixed": ("no change, `mixed`", [figures.at_most("again-mixed", 0.05)]),
        "first-many": (
            "first snapshot of `many`",
            [figures.against("first-many", Fraction(1, 3), "restic")],
        ),
        "again-many": ("no change, `many`", [figures.against("again-many", Fraction(1), "find -newer")]),
        "again-tables": (
            "no change, `tables`: 100 tables, 100,000 segments",
            [figures.at_most("again-tables", 0.05)],
        ),
        "restore-mixed": (
            "restore `mixed`",
            [figures.against("restore-mixed", Fraction(1, 3), "restic")],
        ),
        "check-mixed": (
            "`check --read-data` of `mixed`",
            [rate_goal(figures, "check-mixed", mixed_bytes, 1.5)],
        ),
        "inplace-mixed": (
            "restore `mixed` in place, 1 % differs",
            [figures.within("inplace-mixed", Fraction(1, 4), "full restore", full_restore)],
        ),
        "growth-edits": (
            "second snapshot of `edits`: growth",
            [figures.bytes_at_most("growth-edits", 0.3, "restic")],
        ),
        "delta-edits": (
            "delta of `edits`: `send`",
            [
                figures.bytes_at_most("delta-edits", 0.25, "rsync -z"),
                figures.at_most("delta-edits", 0.3),
            ],
        ),
        "delta-row": (
            "delta of `row`, one row more at the front: `send`",
            [figures.bytes_at_most("delta-row", 0.1, "rsync -z")],
        ),
        **table_growth(figures),
        "push-mixed": (
            "push of `mixed` to an empty repository, loopback SSH",
            [
                figures.against("push-mixed", Fraction(1, 2), "rsync"),
                figures.against("push-mixed", Fraction(1, 3), "borg"),
            ],
        ),
        "idle-mixed": (
            "push of `mixed` with nothing to do",
            [figures.against("idle-mixed", Fraction(6, 5), "ssh true")],
        ),
        "lag-ssh": (
            "`watch`: from a commit to the durable replica, loopback SSH, 99th percentile",
            [figures.at_most("lag-ssh", 1)],
        ),
    }
    rows = [case_row(figures, case, *row) for case, row in cases.items()]
    peak, chunks = peak_goal(figures, PEAK_LIMIT_MB, False), chunker_goal(chunker)
    peaks = defaultdict(int)
    for (_, tool), figure in figures.of.items():
        if tool in ("restic", "borg", "rsync"):
            peaks[tool] = max(peaks[tool], figure.peak)
    peers = "; ".join(f"{tool} {bytes / 1e6:.0f} MB" for tool, bytes in peaks.items())
    rows.append(
        ["peak memory, all of these, both sides", peak.text, peak.measured, peers, "", verdict([peak]), ""]
    )
    rows.append(["chunker", chunks.text, chunks.measured, "", "", verdict([chunks]), ""])
    rows += table_rows(figures)
    return table(["work", "goal", "varve", "peers", "ratio", "met?", "floor (varve ×)"], rows)


def all_figures(figures: Figures) -> str:
    rows = [
        [
            case,
            tool,
            f"{figure.seconds:.3f}",
            f"{min(figure.rounds):.3f} – {max(figure.rounds):.3f}",
            f"{figure.stored / 1e6:.3f}",
            f"{figure.peak / 1e6:.0f}",
        ]
        for (case, tool), figure in figures.of.items()
    ]
    rows += [[case, tool, "failed", "", "", ""] for case, tool in sorted(figures.failed)]
    return table(["case", "tool", "seconds", "from – to", "MB written or sent", "peak MB"], rows)


def count_and_size(directory: pathlib.Path) -> tuple[int, int]:
    """Returns how many files there are below a directory, and their bytes."""
    sizes = [path.stat().st_size for path in directory.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=pathlib.Path, required=True)
    parser.add_argument("--chunker", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--varve", required=True)
    arguments = parser.parse_args()
    figures = Figures(arguments.figures.read_text().splitlines())
    chunker = arguments.chunker.read_text() if arguments.chunker.exists() else ""
    mixed_count, mixed_bytes = count_and_size(arguments.data / "mixed")
    many_count, many_bytes = count_and_size(arguments.data / "many")
    cold = os.environ.get("VARVE_BENCH_COLD") == "1"
    cache = "emptied before each measurement" if cold else "warm for every tool"
    rounds = "from a single round" if arguments.rounds == 1 else f"the median of {arguments.rounds} rounds"

    print("# Results\n")
    print("Written by `make bench`; `README.md` beside this file says what is measured and how.")
    print("Compare the ratios: seconds differ from one machine to another.\n")
    print(f"- Machine: {machine(arguments.data)}.")
    print(f"- Tools: {versions(arguments.varve)}.")
    print(f"- Data: `mixed`, TPC-H tables as Parquet and as text, {mixed_bytes / 1e9:.2f} GB in")
    print(f"  {mixed_count} files; `many`, {many_bytes / 1e6:.1f} MB in {many_count:,} files;")
    print("  `edits`, 100 MB of text, before and after 10,000 scattered edits of 20 bytes; `row`,")
    print("  760 MB of text, before and after one row was inserted at the front; tables and Parquet")
    print("  files of the 3 M orders of `mixed` before and after a change.")
    print(f"- Seconds are {rounds}. The tools take turns. The page cache is")
    print(f"  {cache}, and dirty pages are written back before each measurement.")
    print("  Every restored tree was compared with the original. Peak memory is the largest of")
    print("  all rounds.")
    print("- restic always encrypts, and compresses with its default; borg runs with `-e none` and")
    print("  `-C zstd,3`; rsync keeps one plain copy and no history.")
    print("- `varve snapshot` in the row of a push is a snapshot taken straight into the")
    print("  repository of the other host.")
    print("- Floors: `cat` reads every byte of the data once, `find -newer` looks at every file,")
    print("  `tar | zstd -1` is one archive by `zstd -1 -T2`, `cp -a` copies the tree, `ssh true`")
    print("  logs in and does nothing.\n")
    print(goal_table(figures, mixed_bytes, chunker))
    print("## All figures\n")
    print(all_figures(figures))
    if chunker:
        print(f"## The chunker\n\n```\n{chunker.rstrip()}\n```")


if __name__ == "__main__":
    main()
