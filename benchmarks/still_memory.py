"""What a photo takes in memory, by what is asked of it: python -m benchmarks.still_memory [--ours NAME:SETTING,…]…

Each photo is painted by `framestyle stylize` in one step, whole, in a process of its own, at two sizes; what the larger
one took more, by what it is larger, is the extra memory of a megapixel, matches, targets and the step itself included.
Writes JSON and a table.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.looks import SETTINGS_END
from benchmarks.processes import Used, waited_for
from benchmarks.reports import write_report
from framestyle.doors.demo import samples_dir

PHOTO = "canyon"
ONE_STEP = ("scales.max_side_px=0", "scales.min_px=4096", "scales.first_steps=1", "scales.steps=1")
MATCHED = "neighbors:style.statistic=neighbors,content.statistic=self_similarity,content.weight=0.1"


@dataclass(frozen=True)
class Row:
    """One way to paint. `processor_s` are of the larger photo."""

    way: str
    smaller_px: int
    larger_px: int
    smaller_bytes: int
    larger_bytes: int
    processor_s: float

    @property
    def gb_a_megapixel(self) -> float:
        """Extra memory."""
        return 1e-3 * (self.larger_bytes - self.smaller_bytes) / (self.larger_px**2 - self.smaller_px**2)


def command(photo: Path, painted: Path, args: argparse.Namespace, settings: Sequence[str]) -> list[str]:
    """As a user would give it."""
    given = [part for one in (*ONE_STEP, *settings) for part in ("--set", one)]
    limit = ["--memory-limit", args.memory_limit] if args.memory_limit else []
    paint = [sys.executable, "-m", "framestyle", "stylize", str(photo), "-o", str(painted), "-p", args.preset]
    return [*paint, *given, *limit, "--weights", args.weights, "--device", "cpu", "--fresh", "--overwrite"]


def paint(side_px: int, settings: Sequence[str], args: argparse.Namespace) -> Used:
    """A square photo of that side."""
    photo = args.output / f"{PHOTO}-{side_px}.png"
    if not photo.exists():
        with Image.open(samples_dir() / "photos" / f"{PHOTO}.jpg") as sample:
            sample.convert("RGB").resize((side_px, side_px), Image.Resampling.LANCZOS).save(photo)
    asked = command(photo, args.output / f"painted-{side_px}.png", args, settings)
    process = subprocess.Popen([*asked, "--progress", "none"], stdout=subprocess.DEVNULL, text=True)
    return waited_for(process, shlex.join(asked))


def measure(spec: str, args: argparse.Namespace) -> Row:
    """`NAME` or `NAME:SETTING,SETTING…`."""
    name, _, listed = spec.partition(":")
    settings = SETTINGS_END.split(listed) if listed else []
    smaller, larger = (paint(side_px, settings, args) for side_px in args.sides)
    return Row(name, *args.sides, smaller.peak_bytes, larger.peak_bytes, larger.processor_s)


def table(rows: Sequence[Row]) -> str:
    """Markdown."""
    lines = ["| way | px | peak GB | extra GB/MP | CPU s |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        sides = f"{row.smaller_px}, {row.larger_px}"
        peaks = f"{row.smaller_bytes / 1e9:.2f}, {row.larger_bytes / 1e9:.2f}"
        lines.append(f"| {row.way} | {sides} | {peaks} | {row.gb_a_megapixel:.2f} | {row.processor_s:.0f} |")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """One way after another."""
    parser = argparse.ArgumentParser(description="Measure the memory of a photo by what is asked of it.")
    parser.add_argument("--ours", action="append", default=[], metavar="NAME[:SETTING,…]")
    parser.add_argument("--sides", type=int, nargs=2, default=(512, 1024), metavar="PX", help="of squares")
    parser.add_argument("--preset", default="nightswirl")
    parser.add_argument("--weights", default="original")
    parser.add_argument("--memory-limit", help="as for `framestyle stylize`")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/still-memory"))
    args = parser.parse_args(argv)
    args.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for spec in args.ours or ["gram", MATCHED]:
        rows.append(measure(spec, args))
        print(table(rows[-1:]).splitlines()[-1], flush=True)
    write_report(args.output / "still-memory.json", rows, args)
    (args.output / "still-memory.md").write_text(table(rows) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
