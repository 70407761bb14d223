"""Photos of a folder one by one and side by side: python -m benchmarks.side_by_side [FOLDER] [--max-side 128 256]

Each way paints the folder as a user would, in a process of its own, in turn: one by one with all threads for each, and
as the engine does it. Seconds are by the clock, from the first photo's start to the last one's end, since the question
is what idle or waiting threads cost; beside them the whole process's seconds of all processors, and its peak memory.
Further options of `framestyle stylize` are passed on, written as --name=value. Writes JSON and a table.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import told_by
from benchmarks.reports import write_report
from framestyle.doors.demo import samples_dir
from framestyle.jobs.engines.side_by_side import MOST_PICTURES

WAYS = {"one by one": 1, "side by side": MOST_PICTURES}
"""The most pictures at a time."""
CHILD = """
import sys
import framestyle.jobs.engines.side_by_side as engine
engine.MOST_PICTURES = int(sys.argv.pop(1))
from framestyle.doors.cli import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Row:
    """Medians over the rounds. `part`: of the time one by one."""

    max_side_px: int
    way: str
    photos: int
    seconds_a_photo: float
    part: float
    processor_s: float
    peak_bytes: int


@dataclass(frozen=True)
class Painted:
    """A folder, once."""

    photos: int
    seconds: float
    processor_s: float
    peak_bytes: int


def paint(folder: Path, most: int, options: Sequence[str]) -> Painted:
    """The folder, at most so many photos at a time."""
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", CHILD, str(most), "stylize", str(folder), "-o", name]
        events, used = told_by([*command, "--progress", "json", *options], f"painting {folder}")
    begun = [event["time_s"] for event in events if event["event"] == "task_started"]
    ended = [event["time_s"] for event in events if event["event"] == "task_done"]
    if not ended:
        raise RuntimeError(f"no photo in {folder}")
    return Painted(len(ended), ended[-1] - begun[0], used.processor_s, used.peak_bytes)


def measure(folder: Path, max_side_px: int, rounds: int, options: Sequence[str]) -> list[Row]:
    """Both ways at one size, in turn."""
    found: dict[str, list[Painted]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, most in WAYS.items():
            found[way].append(paint(folder, most, ["--max-side", str(max_side_px), *options]))
    seconds = {
        way: statistics.median(one.seconds / one.photos for one in all_) for way, all_ in found.items()
    }
    return [
        Row(
            max_side_px,
            way,
            all_[0].photos,
            seconds[way],
            seconds[way] / seconds["one by one"],
            statistics.median(one.processor_s for one in all_),
            max(one.peak_bytes for one in all_),
        )
        for way, all_ in found.items()
    ]


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = [
        "| px | way | seconds a photo | of one by one | processor s | peak MiB |",
        "|" + " --- |" * 6,
    ]
    for row in rows:
        lines.append(
            f"| {row.max_side_px} | {row.way} | {row.seconds_a_photo:.2f} | {row.part:.2f} | {row.processor_s:.0f} "
            f"| {row.peak_bytes / 2**20:.0f} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table, writes the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", default=samples_dir() / "photos")
    parser.add_argument("--max-side", type=int, nargs="+", default=[128, 256])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path, default=None, metavar="FOLDER")
    args, options = parser.parse_known_args(argv)
    rows = [row for side in args.max_side for row in measure(args.folder, side, args.rounds, options)]
    print(table(rows))
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        write_report(args.output / "side_by_side.json", rows, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
