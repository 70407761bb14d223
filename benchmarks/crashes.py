"""Killed at any moment, the work goes on: python -m benchmarks.crashes [--trials N] [--seed N] [--threads N]

Renders a short clip of two shots once in peace; then again and again, each time killed (SIGKILL, which no program
hears) at a random moment after its start, and resumed by the same command. Every result must be the first one's,
pixel for pixel and packet for packet; of each killed run no more may be painted again than what had not been
checkpointed, at most one segment; and nothing may be left beside the result. With two threads both shots are at work at
once. Writes JSON, and a line for each trial.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.shallow import SHALLOW
from framestyle.media.ffmpeg import ffmpeg_exe

PRESET = (
    SHALLOW
    + """\
scales: {min_px: 16, max_side_px: 64, first_steps: 8, steps: 8}
video: {steps: 4, min_steps: 4, passes: PASSES}
output: {save_every_s: EVERY}
"""
)
SHOT_FRAMES = 12
SOURCES = ("testsrc2=size=64x48:rate=25", "mandelbrot=size=64x48:rate=25")
GIVE_UP_S = 300
News = list[dict[str, Any]]


@dataclass(frozen=True)
class Trial:
    """One clip, killed `after_s` (from the first frame's start on) and resumed. Frames as often as painted."""

    after_s: float
    painted_before: int
    kept: int
    painted_after: int
    repeated_s: float
    """How much time lay between the first and the last but one of the frames that were painted again: the last one's
    turn to be checkpointed had not come."""
    same: bool
    left_over: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """All trials; `total`: frames to paint; `every_s`: between two times that work is checkpointed."""

    total: int
    seconds: float
    every_s: float
    trials: tuple[Trial, ...]

    def is_good(self, trial: Trial) -> bool:
        """The same result, nothing beside it, and no more than a segment painted twice."""
        whole = trial.kept + trial.painted_after == self.total
        return trial.same and whole and not trial.left_over and trial.repeated_s <= self.every_s

    @property
    def good(self) -> int:
        return sum(map(self.is_good, self.trials))


def make_clip(path: Path) -> None:
    """Two shots with a tone."""
    inputs = [part for source in SOURCES for part in ("-f", "lavfi", "-i", source)]
    trimmed = "".join(f"[{n}:v]trim=end_frame={SHOT_FRAMES},setpts=N/25/TB[v{n}];" for n in range(2))
    graph = f"{trimmed}[v0][v1]concat=n=2[v]"
    tone = ["-f", "lavfi", "-i", f"sine=frequency=440:duration={2 * SHOT_FRAMES / 25}"]
    maps = ["-filter_complex", graph, "-map", "[v]", "-map", "2:a"]
    subprocess.run([ffmpeg_exe(), "-v", "error", "-y", *inputs, *tone, *maps, str(path)], check=True)


class Bench:
    """A folder with a clip and a preset, in which the command is run."""

    def __init__(self, folder: Path, *, every_s: float, passes: int, threads: int = 1) -> None:
        self.folder, self.passes, self.threads = folder, passes, threads
        make_clip(folder / "in.mp4")
        text = PRESET.replace("EVERY", str(every_s)).replace("PASSES", str(passes))
        (folder / "quick.yaml").write_text(text)
        self.total = 2 * SHOT_FRAMES * passes

    def start(self, output: str) -> subprocess.Popen[str]:
        """The command, its news on stderr as JSON."""
        command = ["stylize", "in.mp4", "-o", output, "-p", "quick.yaml", "--weights", "untrained"]
        return subprocess.Popen(
            [sys.executable, "-m", "framestyle", *command, "--device", "cpu", "--progress", "json"],
            cwd=self.folder,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": str(self.threads)},
        )

    def to_end(self, output: str) -> tuple[News, float]:
        """All its news, and the seconds of the work on the clip; RuntimeError where it fails."""
        news = list(_events(process := self.start(output)))
        if process.wait(GIVE_UP_S) != 0:
            raise RuntimeError(f"the command ended with code {process.returncode}: {news[-1:]}")
        begun = next(event["time_s"] for event in news if event["event"] == "task_started")
        return news, news[-1]["time_s"] - begun

    def killed(self, output: str, after_s: float) -> News:
        """The news until it was killed, so long after the work on the clip began."""
        process, begun = self.start(output), threading.Event()
        news: News = []

        def listen() -> None:
            for event in _events(process):
                news.append(event)
                if event["event"] == "task_started":
                    begun.set()
            begun.set()

        listener = threading.Thread(target=listen)
        listener.start()
        begun.wait(GIVE_UP_S)
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        listener.join()
        return news

    def contents(self, output: str) -> str:
        """A hash of every packet's data and time, as ffmpeg copies them, and of every decoded picture."""
        path = str(self.folder / output)
        told = ""
        for how in (["-c", "copy"], ["-map", "0:v"]):
            command = [ffmpeg_exe(), "-v", "error", "-i", path, *how, "-f", "framemd5", "-"]
            told += subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return told

    def left_over(self, known: set[str]) -> tuple[str, ...]:
        """What lies in the folder that should not."""
        return tuple(sorted(path.name for path in self.folder.iterdir() if path.name not in known))


def _events(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stderr is not None
    with process.stderr as lines:
        for line in lines:
            if line.startswith("{") and line.endswith("}\n"):  # one may be cut short
                yield json.loads(line)


def _painted_at(news: News) -> list[float]:
    return [event["time_s"] for event in news if event["event"] == "frame_done"]


def _kept(news: News, total: int) -> int:
    """How many need not be painted again: all, where the killed run had finished and was about to end."""
    if any(event["event"] == "task_skipped" for event in news):
        return total
    return next((event["painted"] for event in news if event["event"] == "task_resumed"), 0)


def try_once(bench: Bench, wanted: str, known: set[str], after_s: float) -> Trial:
    """Kill it, go on, compare."""
    before = _painted_at(bench.killed("out.mp4", after_s))
    kept, after = bench.total, 0
    if bench.left_over(known) or not (bench.folder / "out.mp4").exists():
        again, _ = bench.to_end("out.mp4")
        kept, after = _kept(again, bench.total), len(_painted_at(again))
    repeated = before[kept:]
    repeated_s = repeated[-2] - repeated[0] if len(repeated) > 1 else 0.0
    same = bench.contents("out.mp4") == wanted
    (bench.folder / "out.mp4").unlink()
    return Trial(after_s, len(before), kept, after, repeated_s, same, bench.left_over(known))


def run(
    folder: Path,
    trials: int,
    *,
    seed: int = 0,
    every_s: float = 0.3,
    passes: int = 1,
    threads: int = 1,
    on_trial: Callable[[int, Trial], None] = lambda number, trial: None,
) -> Report:
    """All trials, in `folder`."""
    bench = Bench(folder, every_s=every_s, passes=passes, threads=threads)
    chance = random.Random(seed)
    _, seconds = bench.to_end("whole.mp4")
    wanted = bench.contents("whole.mp4")
    known = {path.name for path in folder.iterdir()} | {"out.mp4"}
    done: list[Trial] = []
    for number in range(trials):
        done.append(try_once(bench, wanted, known, chance.uniform(0, seconds)))
        on_trial(number, done[-1])
    return Report(bench.total, seconds, every_s, tuple(done))


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a line for each trial, and the verdict; 1 where one of them failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--passes", type=int, default=1, choices=(1, 2))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=None, metavar="FOLDER")
    args = parser.parse_args(argv)

    def told(number: int, trial: Trial) -> None:
        frames = (
            f"{trial.painted_before:3d} painted, {trial.kept:3d} kept, {trial.painted_after:3d} painted then"
        )
        verdict = " ".join(["same" if trial.same else "DIFFERENT", *trial.left_over])
        print(f"{number + 1:4d}  killed after {trial.after_s:6.2f} s: {frames}; {verdict}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        report = run(
            Path(folder),
            args.trials,
            seed=args.seed,
            passes=args.passes,
            threads=args.threads,
            on_trial=told,
        )
    print(f"{report.good} of {len(report.trials)} good; a run in peace takes {report.seconds:.1f} s")
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        (args.output / "crashes.json").write_text(
            json.dumps({"good": report.good, **asdict(report)}, indent=1)
        )
    return 0 if report.good == len(report.trials) else 1


if __name__ == "__main__":
    sys.exit(main())
