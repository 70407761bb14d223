"""What a pipe costs beside a file: python -m benchmarks.pipes [--frames 100] [--rounds 3] [--size 1280x720]

One clip, no steps, FFV1 out of both: by file, and by `framestyle stylize - -o -` beside what sends and what takes it.
They take turns, and what is told is the best round of each: seconds of the processor of framestyle and of the
processes that it starts, and seconds by the clock; with the start (one of two frames) and a frame (the rest) apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.processes import waited_for
from framestyle.media.ffmpeg import ffmpeg_exe

BAR = 1.15
SHORT = 2
"""Frames: as much as the start takes."""
NO_STEPS = (
    "schema: 1\nextends: nightswirl\nscales: {max_side_px: 0, first_steps: 0, steps: 0}\nvideo: {steps: 0}\n"
)
WORK = ("--weights", "untrained", "--device", "cpu", "--progress", "none")


@dataclass(frozen=True)
class Cost:
    """Seconds: of the processor, and by the clock."""

    processor_s: float
    clock_s: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.processor_s - other.processor_s, self.clock_s - other.clock_s)


def clip_of(frames: int, size: str, folder: Path) -> Path:
    """Something that moves, as H.264 of 8 bits."""
    path = folder / f"{frames}.mkv"
    picture = f"testsrc2=size={size}:rate=25"
    made = ["-f", "lavfi", "-i", picture, "-frames:v", str(frames), "-c:v", "libx264", "-crf", "18"]
    subprocess.run([ffmpeg_exe(), "-v", "error", "-y", *made, str(path)], check=True)
    return path


def by_file(clip: Path, preset: Path, folder: Path) -> Cost:
    """From a file into a file."""
    target = ["-o", str(folder / "by_file.mkv"), "--overwrite", "--fresh", "--set", "output.video_codec=ffv1"]
    began_s = time.perf_counter()
    process = subprocess.Popen(_framestyle(str(clip), *target, "-p", str(preset)), text=True)
    used = waited_for(process, "the way by files")
    return Cost(used.processor_s, time.perf_counter() - began_s)


def by_pipe(clip: Path, preset: Path, folder: Path) -> Cost:
    """From a pipe into a pipe; who sends and who takes is not counted."""
    send = [ffmpeg_exe(), "-v", "error", "-i", str(clip), "-c", "copy", "-f", "matroska", "-"]
    began_s = time.perf_counter()
    with (folder / "by_pipe.mkv").open("wb") as taken:
        sender = subprocess.Popen(send, stdout=subprocess.PIPE)
        process = subprocess.Popen(
            _framestyle("-", "-o", "-", "-p", str(preset)),
            stdin=sender.stdout,
            stdout=subprocess.PIPE,
            text=True,
        )
        taker = subprocess.Popen(["cat"], stdin=process.stdout, stdout=taken)
        for pipe in (sender.stdout, process.stdout):
            assert pipe is not None
            pipe.close()
        used = waited_for(process, "the way by pipes")
        taker.wait()
        sender.wait()
    return Cost(used.processor_s, time.perf_counter() - began_s)


def _framestyle(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "framestyle", "stylize", *arguments, *WORK]


def best(costs: Sequence[Cost]) -> Cost:
    """What else ran only ever adds."""
    return Cost(min(one.processor_s for one in costs), min(one.clock_s for one in costs))


def measured(frames: int, rounds: int, size: str) -> dict[str, dict[str, Cost]]:
    """By `file` and `pipe`: `start` and `frame`, and the `whole`."""
    ways = {"file": by_file, "pipe": by_pipe}
    with TemporaryDirectory(prefix="framestyle-pipes-") as name:
        folder = Path(name)
        preset = folder / "no-steps.yaml"
        preset.write_text(NO_STEPS, encoding="utf-8")
        clips = [clip_of(count, size, folder) for count in (SHORT, frames)]
        os.environ["FRAMESTYLE_CACHE"] = str(folder / "cache")
        by_file(clips[0], preset, folder)  # what is made once is made
        taken: dict[tuple[str, Path], list[Cost]] = {(way, clip): [] for way in ways for clip in clips}
        for _ in range(rounds):
            for clip in clips:
                for way, paint in ways.items():
                    taken[way, clip].append(paint(clip, preset, folder))
    told = {}
    for way in ways:
        start, whole = (best(taken[way, clip]) for clip in clips)
        more, count = whole - start, frames - SHORT
        a_frame = Cost(more.processor_s / count, more.clock_s / count)
        told[way] = {"start": start, "frame": a_frame, "whole": whole}
    return told


def main() -> int:
    """The table; 1 where a whole clip takes more of the processor than the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="1280x720")
    args = parser.parse_args()
    told = measured(args.frames, args.rounds, args.size)
    print("| | file, s | pipe, s | pipe / file |\n| --- | --- | --- | --- |")
    for what in ("start", "frame", "whole"):
        for kind in ("processor_s", "clock_s"):
            file, pipe = (getattr(told[way][what], kind) for way in ("file", "pipe"))
            print(f"| {what}, {kind[:-2]} | {file:.3f} | {pipe:.3f} | {pipe / file:.2f} |")
    whole = {way: one["whole"].processor_s for way, one in told.items()}
    return int(whole["pipe"] > BAR * whole["file"])


if __name__ == "__main__":
    raise SystemExit(main())
