"""Where the time of a whole clip goes: python -m benchmarks.throughput [CLIP] [--max-side 256] [-o FOLDER]

Renders a clip as a user would (decode, flow, optimise, encode, with the sound), in a process of its own, and reads its
events. Of the warm frames, the time between one and the next is held against the time that the frame itself took:
what is left is what decoding, flow and encoding kept the optimiser waiting for. Beside it in which share of the clip's
time each part was at work (see parts.py: they overlap), in which of it the device had nothing of the optimiser's to do,
and how busy the processor was: its time, encoders' included, over the time by the clock and the cores. Further options
of `framestyle stylize` are passed on, written as --name=value. Writes JSON, a table, and with --plot a picture.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.parts import PARTS
from benchmarks.plots import shares_of_time
from benchmarks.processes import told_by
from benchmarks.reports import write_report
from framestyle.doors.demo import samples_dir


@dataclass(frozen=True)
class Row:
    """`outside`: the share of the warm frames' time in which none was worked at. `shares`: of the whole clip's time, by
    part; `idle`: that in which the optimiser was not at work."""

    clip: str
    preset: str
    max_side_px: int
    warm_frames: int
    seconds_a_frame: float
    steps_a_frame: float
    outside: float
    shares: dict[str, float]
    idle: float
    processor_busy: float
    peak_bytes: int


def shares(events: Sequence[Mapping[str, Any]]) -> tuple[int, float, float, float]:
    """Of the warm frames: how many, seconds by the clock for each, steps for each, and the share outside."""
    frames = [event for event in events if event["event"] == "frame_done"]
    warm = [(before, one) for before, one in pairwise(frames) if one["warm"]]
    if not warm:
        raise ValueError("the clip has no warm frames")
    by_clock = sum(one["time_s"] - before["time_s"] for before, one in warm)
    worked = sum(one["seconds"] for _, one in warm)
    steps = sum(one["steps"] for _, one in warm)
    return len(warm), by_clock / len(warm), steps / len(warm), max(0.0, 1 - worked / by_clock)


def render(clip: Path, preset: str, max_side_px: int, options: Sequence[str]) -> Row:
    """In a process of its own, so that its memory and time are its own."""
    with tempfile.TemporaryDirectory() as name:
        told = Path(name) / "parts.json"
        command = [sys.executable, "-m", "benchmarks.parts", str(told)]
        command += ["stylize", str(clip), "-o", str(Path(name) / "o.mp4")]
        command += ["-p", preset, "--max-side", str(max_side_px), "--progress", "json", *options]
        events, used = told_by(command, f"the render of {clip}")
        seconds_at_work = json.loads(told.read_text(encoding="utf-8"))
    count, seconds, steps, outside = shares(events)
    times = {event["event"]: event["time_s"] for event in events}
    span_s = times["task_done"] - times["task_started"]
    parts = {part: seconds_at_work[part] / span_s for part in PARTS}
    idle = max(0.0, 1 - parts["optimise"])
    busy = used.processor_s / events[-1]["time_s"] / (os.cpu_count() or 1)
    return Row(
        clip.name, preset, max_side_px, count, seconds, steps, outside, parts, idle, busy, used.peak_bytes
    )


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    heads = ["px", "warm frames", "s a frame", "steps", "outside", *PARTS, "idle", "processor", "peak MiB"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for row in rows:
        shares_told = " | ".join(f"{row.shares[part]:.1%}" for part in PARTS)
        lines.append(
            f"| {row.max_side_px} | {row.warm_frames} | {row.seconds_a_frame:.2f} | {row.steps_a_frame:.1f} "
            f"| {row.outside:.1%} | {shares_told} | {row.idle:.1%} | {row.processor_busy:.0%} "
            f"| {row.peak_bytes / 2**20:.0f} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a line, writes the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path, nargs="?", default=samples_dir() / "clip.mp4")
    parser.add_argument("-p", "--preset", default="nightswirl")
    parser.add_argument("--max-side", type=int, nargs="+", default=[256])
    parser.add_argument("--weights", default="learned")
    parser.add_argument("--plot", action="store_true", help="draw the shares too (needs matplotlib)")
    parser.add_argument("-o", "--output", type=Path, default=None, metavar="FOLDER")
    args, options = parser.parse_known_args(argv)
    options = ["--weights", args.weights, *options]
    rows = [render(args.clip, args.preset, side, options) for side in args.max_side]
    print(f"{args.clip.name}, {args.preset}\n\n{table(rows)}")
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        write_report(args.output / "throughput.json", rows, args)
        if args.plot:
            shares_of_time(rows, args.output / "throughput.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
