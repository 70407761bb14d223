"""Memory does not grow with a clip: python -m benchmarks.clip_length [--frames 200 2000] [--passes 1] [-o FOLDER]

Renders two clips of one scene, of which one is longer, each in a process of its own, in few steps at low resolution,
and compares the most memory that each held (resident, of the process alone; encoders are others). Writes JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import waited_for
from benchmarks.shallow import SHALLOW
from framestyle.media.ffmpeg import ffmpeg_exe

PRESET = (
    SHALLOW
    + """\
scales: {min_px: 16, max_side_px: 64, first_steps: 4, steps: 4}
video: {steps: 1, min_steps: 1, passes: PASSES}
"""
)


def peak_bytes(folder: Path, frames: int) -> int:
    """Of one render, from start to end."""
    clip, target = folder / f"{frames}.mp4", folder / f"{frames}-painted.mp4"
    picture = ["-f", "lavfi", "-i", "mandelbrot=size=64x48:rate=25", "-frames:v", str(frames)]
    subprocess.run([ffmpeg_exe(), "-v", "error", "-y", *picture, str(clip)], check=True)
    command = [sys.executable, "-m", "framestyle", "stylize", str(clip), "-o", str(target)]
    options = [
        "-p",
        str(folder / "quick.yaml"),
        "--weights",
        "untrained",
        "--device",
        "cpu",
        "--progress",
        "none",
    ]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([*command, *options], env=one_thread, text=True)
    return waited_for(process, f"the render of {frames} frames").peak_bytes


def main(argv: Sequence[str] | None = None) -> int:
    """Prints a line for each clip and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, nargs=2, default=(200, 2000), metavar=("SHORT", "LONG"))
    parser.add_argument("--passes", type=int, default=1, choices=(1, 2))
    parser.add_argument("-o", "--output", type=Path, default=None, metavar="FOLDER")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "quick.yaml").write_text(PRESET.replace("PASSES", str(args.passes)))
        peaks = {frames: peak_bytes(folder, frames) for frames in args.frames}
    short, long = (peaks[frames] for frames in args.frames)
    for frames, peak in peaks.items():
        print(f"{frames:6d} frames: {peak / 2**20:.0f} MiB")
    print(f"ratio {long / short:.3f}")
    if args.output is not None:
        args.output.mkdir(parents=True, exist_ok=True)
        told = {"passes": args.passes, "peak_bytes": peaks, "ratio": long / short}
        (args.output / "clip-length.json").write_text(json.dumps(told, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
