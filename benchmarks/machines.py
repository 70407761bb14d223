"""Many machines: python -m benchmarks.machines [--only simulation|speed] [--shots 8] [--frames 24] [--workers 0 1 2]
[-o FOLDER]

Two questions. How much sooner are eight equal shots done by two workers of one thread than by one, and what does the
engine add to the local one's time with one worker: a clip is painted as a user would, in processes of their own, in
turn. And how near a whole film's schedule comes to the bound (all work shared out, or the longest shot if that is
more): a simulation of 1,000 shots over 1 to 256 workers, some of which fail, by the engine's own order.

The lengths of the simulated shots are log-normal, the usual description of films' (a median of 2.7 s and a sigma of
0.85 are assumed, which make a mean of 3.9 s). A shot that fails does so at any moment of its work, is given to the next
free worker at once, and repeats what was not kept: up to a minute of work. Further options of `framestyle stylize` are
passed on, written as --name=value.
Writes JSON and a table.
"""

from __future__ import annotations

import argparse
import heapq
import os
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.reports import write_report
from framestyle.context import Context
from framestyle.jobs.plan.schedule import bound_s, longest_first
from framestyle.jobs.plan.survey import survey
from framestyle.kinds import TimeRange
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.presets import load_preset

MEDIAN_S, SIGMA = 2.7, 0.85
WORK_S_A_SECOND = 25 * 10.0
"""Seconds of work for a second of film: 25 frames at 10 s."""
KEPT_EVERY_S = 60.0
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LOOKS = ("testsrc2=size={0}x{1}:rate=25", "smptebars=size={0}x{1}:rate=25", "rgbtestsrc=size={0}x{1}:rate=25")
CHILD = """
import os, sys
workers = int(sys.argv.pop(1))
if workers:
    from framestyle.jobs.engines.cluster.starting import LOOPBACK, SETTINGS
    os.environ.update({**SETTINGS, **LOOPBACK})
    import ray
    ray.init(address="local", num_cpus=workers, include_dashboard=False, object_store_memory=100 * 2**20,
             log_to_driver=False, logging_level="ERROR")
from framestyle.doors.cli import main
sys.exit(main())
"""


# -- the schedule ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Simulated:
    """`seconds`: until all is done; `bound`: no order is sooner; `failures`: how many goes failed."""

    workers: int
    seconds: float
    bound: float
    failures: int

    @property
    def ratio(self) -> float:
        """Of the bound."""
        return self.seconds / self.bound


def lengths(shots: int, seed: int = 0) -> list[float]:
    """Seconds of work of each shot of a film."""
    found = np.random.default_rng(seed).lognormal(np.log(MEDIAN_S), SIGMA, shots)
    return [float(one) * WORK_S_A_SECOND for one in found]


def simulated(seconds: Sequence[float], workers: int, failing: float, seed: int = 0) -> Simulated:
    """The engine's order: the longest first, each to who is free first; `failing`: the share of goes that fail."""
    random = np.random.default_rng(seed)
    waiting = deque(seconds[number] for number in longest_first(seconds))
    running: list[tuple[float, int, float]] = []  # when it ends, a number, what is to be done again
    now = last = 0.0
    failures = count = 0
    while waiting or running:
        while waiting and len(running) < workers:
            work, again, count = waiting.popleft(), 0.0, count + 1
            takes = work
            if random.random() < failing:
                takes = work * float(random.random())
                kept = takes - takes % KEPT_EVERY_S
                again, failures = work - kept, failures + 1
            heapq.heappush(running, (now + takes, count, again))
        now, _, again = heapq.heappop(running)
        last = max(last, now)
        if again:
            waiting.appendleft(again)
    return Simulated(workers, last, bound_s(seconds, workers), failures)


def table(rows: Sequence[Simulated]) -> str:
    """Markdown."""
    head = "| workers | hours | bound | times the bound | failed |\n|---|---|---|---|---|\n"
    return head + "\n".join(
        f"| {row.workers} | {row.seconds / 3600:.2f} | {row.bound / 3600:.2f} | {row.ratio:.3f} | {row.failures} |"
        for row in rows
    )


# -- the engine --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timed:
    """`painting_s`: from the first shot's start to the last frame; `seconds`: of the command, Ray's start with it."""

    engine: str
    workers: int
    painting_s: float
    seconds: float


def make_clip(path: Path, shots: int, frames: int, side_px: int) -> None:
    """Shots of one length, each another picture than the one before, all with noise: no frame is as the last."""
    inputs: list[str] = []
    for number in range(shots):
        look = LOOKS[number % len(LOOKS)].format(side_px, side_px * 3 // 4)
        inputs += ["-f", "lavfi", "-i", f"{look},hue=h={number * 40},trim=end_frame={frames},setpts=N/FR/TB"]
    joined = "".join(f"[{number}:v]" for number in range(shots))
    graph = f"{joined}concat=n={shots}:v=1:a=0,noise=alls=8:allf=t[v]"
    command = [
        ffmpeg_exe(),
        "-v",
        "error",
        "-y",
        *inputs,
        "-filter_complex",
        graph,
        "-map",
        "[v]",
        "-qp",
        "4",
    ]
    subprocess.run([*command, str(path)], check=True)


def refuse_other_cuts(clip: Path, shots: int) -> None:
    """ValueError where the program finds other shots in it than were made: before any time is spent."""
    found = survey(clip, TimeRange(), load_preset("nightswirl"), Context()).shots
    if len(found) != shots:
        raise ValueError(
            f"the clip has {len(found)} shots for the program, and not {shots}: take more --frames"
        )


def timed(clip: Path, workers: int, options: Sequence[str]) -> Timed:
    """Workers 0: the local engine, which streams with one thread."""
    import json

    engine = "ray" if workers else "local"
    with tempfile.TemporaryDirectory(prefix="framestyle-machines-") as folder:
        command = [
            sys.executable, "-c", CHILD, str(workers), "stylize", str(clip), "-o", str(Path(folder) / "out.mkv"),
            "-p", "nightswirl", "--engine", engine, "--device", "cpu", "--progress", "json",
            # Else each command decides by a timing of its own, and one may work in bfloat16, the other not.
            "--set", "optimizer.precision=float32", *options,
        ]  # fmt: skip
        started = time.perf_counter()
        ran = subprocess.run(
            command, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        seconds = time.perf_counter() - started
    events = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith("{")]
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2000:])
    begun = [one["time_s"] for one in events if one["event"] == "shot_started"]
    ended = [one["time_s"] for one in events if one["event"] == "frame_done"]
    return Timed(engine, workers, max(ended) - min(begun), seconds)


def speed_text(timings: Sequence[Timed], shots: int) -> str:
    """What the bars ask for. An engine's own time for a shot is the same however long the shot is."""
    by_workers = {one.workers: one for one in timings}
    lines = [
        f"{one.engine}, {max(1, one.workers)} at once: {one.painting_s:.1f} s, {one.painting_s / shots:.1f} s a shot "
        f"({one.seconds:.1f} s with all)"
        for one in timings
    ]
    one_worker = by_workers.get(1)
    if one_worker is not None and 2 in by_workers:
        ratio = one_worker.painting_s / by_workers[2].painting_s
        lines.append(f"two workers are {ratio:.2f} times as quick as one")
    if one_worker is not None and 0 in by_workers:
        local_s = by_workers[0].painting_s
        added_s = one_worker.painting_s - local_s
        share = f"{added_s / local_s:.1%}; of 30 s {added_s / shots / 30:.1%}"
        lines.append(f"one worker adds {added_s / shots:.2f} s a shot, {share}")
    return "\n".join(lines)


def main() -> None:
    """Both, or one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("simulation", "speed"))
    parser.add_argument("--shots", type=int, default=8)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2], help="0: the local engine")
    parser.add_argument("--max-side", type=int, default=128)
    parser.add_argument("--weights", default="original")
    parser.add_argument("-o", "--output", type=Path, default=Path())
    args, passed_on = parser.parse_known_args()
    args.output.mkdir(parents=True, exist_ok=True)
    if args.only != "speed":
        rows = [simulated(lengths(1000), workers, 0.02) for workers in WORKERS]
        print(table(rows))
        write_report(args.output / "machines-simulation.json", rows, args)
    if args.only != "simulation":
        with tempfile.TemporaryDirectory() as folder:
            clip = Path(folder) / "clip.mp4"
            make_clip(clip, args.shots, args.frames, args.max_side)
            refuse_other_cuts(clip, args.shots)
            options = ["--weights", args.weights, "--max-side", str(args.max_side), *passed_on]
            timings = [timed(clip, workers, options) for workers in args.workers]
        print(speed_text(timings, args.shots))
        write_report(args.output / "machines-speed.json", timings, args)


if __name__ == "__main__":
    main()
