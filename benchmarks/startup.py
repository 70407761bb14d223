"""How soon the program is there: python -m benchmarks.startup [--runs 9] [-o FOLDER]

Each command is a process of its own, called again and again; the figures are medians, in wall time and in time on the
processors, which other programs do not lengthen so much. The first step is timed from the call to the news of it, with
learned weights that lie in the cache. Writes JSON and a table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from framestyle.doors.demo import samples_dir

PHOTO = samples_dir() / "photos" / "canyon.jpg"
COMMANDS: dict[str, tuple[tuple[str, ...], float | None]] = {
    "python": (("-c", "pass"), None),
    "--help": (("-m", "framestyle", "--help"), 0.5),
    "presets list": (("-m", "framestyle", "presets", "list"), 0.5),
    "presets show": (("-m", "framestyle", "presets", "show", "nightswirl", "--resolved"), None),
    "dry run": (
        ("-m", "framestyle", "stylize", str(PHOTO), "-o", "o.png", "-p", "mosaic", "--dry-run"),
        None,
    ),
}
"""Arguments to Python, and the seconds that were promised."""
FIRST_STEP_S = 5.0


@dataclass(frozen=True)
class Row:
    """One command: seconds of each run, their medians on the wall and on the processors, and what was promised."""

    name: str
    median_s: float
    processor_s: float
    promised_s: float | None
    runs_s: tuple[float, ...]


class Clock:
    """Seconds since it was made: on the wall, and on the processors by child processes that have ended."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), _of_children()

    def wall(self) -> float:
        """Rounded to a tenth of a millisecond."""
        return round(time.perf_counter() - self._wall, 4)

    def processor(self) -> float:
        """Rounded to a tenth of a millisecond."""
        return round(_of_children() - self._processor, 4)


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed(arguments: Sequence[str]) -> tuple[float, float]:
    """Seconds that a Python process takes to end well: wall, processors."""
    clock = Clock()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return clock.wall(), clock.processor()


def first_step(preset: str, target: Path, weights: str = "learned") -> dict[str, float]:
    """Seconds from the call to each piece of news, up to a photo's first step; and on the processors until then."""
    command = [sys.executable, "-m", "framestyle", "stylize", str(PHOTO), "-o", str(target), "-p", preset]
    # One step a window: its news comes when it is done.
    command += ["--weights", weights, "--progress", "json", "--set", "scales.first_steps=1"]
    clock, heard, line = Clock(), dict[str, float](), ""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if not line.startswith("{"):
                    break  # an error's own words
                event = json.loads(line)["event"]
                heard.setdefault(event, clock.wall())
                if event == "step_done":
                    break
        finally:
            process.kill()
    if "step_done" not in heard:
        raise RuntimeError(f"no step was done: {line.strip()}")
    return heard | {"processors": clock.processor()}


def rows_of(runs: int, folder: Path) -> tuple[list[Row], dict[str, float]]:
    """Every command, and the medians of the stages of the first step."""
    rows = []
    for name, (arguments, promised) in COMMANDS.items():
        timed(arguments)  # what the disk holds is read once
        rows.append(_row(name, promised, [timed(arguments) for _ in range(runs)]))
    first_step("nightswirl", folder / "o.png")  # learns the weights where they are not kept
    heard = [first_step("nightswirl", folder / "o.png") for _ in range(runs)]
    rows.append(_row("first step", FIRST_STEP_S, [(one["step_done"], one["processors"]) for one in heard]))
    stages = {event: statistics.median(one[event] for one in heard) for event in heard[0]}
    del stages["processors"]
    return rows, stages


def _row(name: str, promised: float | None, runs: Sequence[tuple[float, float]]) -> Row:
    wall, processor = zip(*runs, strict=True)
    return Row(name, statistics.median(wall), statistics.median(processor), promised, wall)


def table(rows: Sequence[Row], stages: dict[str, float]) -> str:
    """Markdown."""
    lines = ["| Command | Wall s | Processor s | Slowest s | Promised s |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        promised = "" if row.promised_s is None else f"{row.promised_s:g}"
        figures = f"{row.median_s:.2f} | {row.processor_s:.2f} | {max(row.runs_s):.2f}"
        lines.append(f"| {row.name} | {figures} | {promised} |")
    lines += ["", "| News of the first step | s after the call |", "| --- | --- |"]
    lines += [f"| `{event}` | {seconds:.2f} |" for event, seconds in stages.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how soon the program is there.")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("-o", "--output", type=Path, default=Path("build/startup"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        rows, stages = rows_of(args.runs, Path(work))
    report = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "rows": [asdict(row) for row in rows],
        "first_step_s": stages,
    }
    args.output.mkdir(parents=True, exist_ok=True)
    (args.output / "startup.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (args.output / "startup.md").write_text(f"{table(rows, stages)}\n", encoding="utf-8")
    print(table(rows, stages))


if __name__ == "__main__":
    main()
