"""How steady stylized clips are, and what it costs: python -m benchmarks.steadiness [--side 192] [--frames 22] …

Each part of the method is added in turn, on clips whose motion is known exactly; `ruder2016` is the peer. Every run
(one variant on one clip) is kept in the output folder and not made again, so that an hour's work can be added to.
Writes JSON, a table and a plot.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from benchmarks import measures
from benchmarks.known_clips import (
    Floats,
    KnownClip,
    camera_clip,
    cut_clip,
    foreground_clip,
    noisy_still_clip,
)
from benchmarks.plots import error_against_steps, side_by_side
from benchmarks.reports import write_report
from benchmarks.ruder import ruder_frames
from framestyle.context import Context
from framestyle.doors.demo import samples_dir
from framestyle.events import Event, FrameDone
from framestyle.frames import Pixels
from framestyle.media.photos import read_photo
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import find_shots
from framestyle.nst.image import to_pixels, to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import load_preset
from framestyle.session import Session

CLIPS = ("pan", "zoom", "rotation", "foreground", "still", "cut")
PLAIN = (
    "video.temporal_weight=0",
    "video.carry_moments=false",
    "video.carry_average=false",
    "video.anneal=false",
    "video.leash_weight=0",
    "video.tolerance=0",
)
VARIANTS: dict[str, tuple[str, ...]] = {
    "independent": ("video.warm_start=none",),
    "ruder2016": (),
    "previous": ("video.warm_start=previous", *PLAIN),
    "warped": ("video.warm_start=flow", *PLAIN),
    "+ temporal": PLAIN[1:],
    "+ moments": PLAIN[3:],
    "+ annealing": PLAIN[4:],
    "+ drift penalty": PLAIN[5:],
    "+ adaptive": (),
    "+ long term": ("video.long_term=[1, 2, 4]",),
    "two passes": ("video.passes=2",),
}
"""Each of FrameStyle's from `warped` to `+ long term` has all that those before it have."""
PEER = "ruder2016"
GAPS = (1, 5, 10, 20)


@dataclass(frozen=True, eq=False)
class Run:
    """One variant on one clip, as it came out: pictures THWC uint8, steps and seconds of each frame."""

    pictures: npt.NDArray[np.uint8]
    steps: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]

    def save(self, path: Path) -> None:
        np.savez_compressed(path, pictures=self.pictures, steps=self.steps, seconds=self.seconds)

    @classmethod
    def load(cls, path: Path) -> Run:
        with np.load(path) as kept:
            return cls(kept["pictures"], kept["steps"], kept["seconds"])


@dataclass(frozen=True)
class Row:
    """One variant on one clip. Losses, sharpness, steps and seconds are means over all frames but the first."""

    clip: str
    variant: str
    warping_error: dict[int, float]
    shower_door_px: float
    luma_drift_255: float
    style_loss: float
    content_loss: float
    laplacian_energy: float
    steps: float
    seconds: float


def make_clip(name: str, frames: int, height: int, width: int) -> KnownClip:
    """One of CLIPS, from the project's samples."""
    photo, front = _photo("canyon"), _photo("stilllife")
    if name == "foreground":
        return foreground_clip(photo, front, frames, height, width)
    if name == "still":
        return noisy_still_clip(photo, frames, height, width)
    if name == "cut":
        return cut_clip(photo, front, frames, height, width)
    return camera_clip(name, photo, frames, height, width)


def _photo(name: str) -> Pixels:
    return read_photo(samples_dir() / "photos" / f"{name}.jpg").pixels


class Clock:
    """Seconds of each frame: on the CPU those of this process, whatever else the machine does."""

    def __init__(self, stylizer: Stylizer) -> None:
        self._now = time.process_time if stylizer.device.type == "cpu" else time.perf_counter
        self._last = self._now()

    def tick(self) -> float:
        """A frame is done: what it took since the one before."""
        before, self._last = self._last, self._now()
        return self._last - before


def stylize(clip: KnownClip, stylizer: Stylizer) -> Run:
    """FrameStyle's own way with a clip: its cuts are found, not told."""
    steps, seconds = [0] * len(clip.frames), [0.0] * len(clip.frames)
    clock = Clock(stylizer)

    def heard(event: Event) -> None:
        # A frame that is painted twice costs both.
        if isinstance(event, FrameDone):
            steps[event.index] += event.steps
            seconds[event.index] += clock.tick()

    shots = find_shots(clip.frames, "adaptive", clip.frame_rate)
    results = list(stylize_frames(clip.frames, shots, stylizer, context=Context(heard)))
    return _run([one.pixels for one in results], steps, seconds)


def stylize_as_peer(clip: KnownClip, stylizer: Stylizer) -> Run:
    """The peer's way with it."""
    done, seconds, clock = [], [], Clock(stylizer)
    for one in ruder_frames(clip.frames, stylizer):
        done.append(one)
        seconds.append(clock.tick())
        print(f"{clip.name} {PEER} frame {len(done)}: {one.steps} steps", file=sys.stderr, flush=True)
    pictures = [to_pixels(torch.from_numpy(one.picture).permute(2, 0, 1)[None]) for one in done]
    return _run(pictures, [one.steps for one in done], seconds)


def _run(pictures: Sequence[Pixels], steps: Sequence[int], seconds: Sequence[float]) -> Run:
    return Run(np.stack(pictures).astype(np.uint8), np.asarray(steps), np.asarray(seconds))


def measure(clip: KnownClip, variant: str, run: Run, stylizer: Stylizer) -> Row:
    """All the measures of one run."""
    pictures: list[Floats] = [picture.astype(np.float32) / 255 for picture in run.pictures]
    losses = [
        stylizer.losses_of(to_tensor(result), to_tensor(frame.pixels))
        for frame, result in list(zip(clip.frames, run.pictures, strict=True))[1:]
    ]
    return Row(
        clip.name,
        variant,
        {gap: measures.warping_error(pictures, clip, gap) for gap in GAPS if gap < len(pictures)},
        measures.shower_door(pictures, clip),
        measures.luma_drift(pictures),
        float(np.mean([one["style"] for one in losses])),
        float(np.mean([one["content"] for one in losses])),
        float(np.mean([measures.laplacian_energy(picture) for picture in pictures[1:]])),
        float(np.mean(run.steps[1:])),
        float(np.mean(run.seconds[1:])),
    )


HEAD = ("shower door px", "luma drift", "style", "content", "Laplacian", "steps", "CPU s/frame")


def table(rows: Sequence[Row]) -> str:
    """Markdown; warping errors in 1e-4."""
    gaps = sorted({gap for row in rows for gap in row.warping_error})
    head = ["clip", "variant", *(f"E_warp {gap}" for gap in gaps), *HEAD]
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    for row in rows:
        errors = [f"{row.warping_error[gap] * 1e4:.1f}" if gap in row.warping_error else "" for gap in gaps]
        figures = [f"{row.shower_door_px:.2f}", f"{row.luma_drift_255:.2f}", f"{row.style_loss:.3f}"]
        figures += [f"{row.content_loss:.3f}", f"{row.laplacian_energy:.3f}", f"{row.steps:.1f}"]
        figures.append(f"{row.seconds:.2f}")
        lines.append("| " + " | ".join([row.clip, row.variant, *errors, *figures]) + " |")
    return "\n".join(lines)


RATIOS = (
    ("E_warp 1 / independent", "independent", lambda row: row.warping_error.get(1)),
    ("E_warp 1 / previous", "previous", lambda row: row.warping_error.get(1)),
    ("E_warp 1 / peer", PEER, lambda row: row.warping_error.get(1)),
    ("E_warp 10 / peer", PEER, lambda row: row.warping_error.get(10)),
    ("steps / peer", PEER, lambda row: row.steps),
    ("style / independent", "independent", lambda row: row.style_loss),
    ("content / independent", "independent", lambda row: row.content_loss),
    ("Laplacian / independent", "independent", lambda row: row.laplacian_energy),
)
"""What is compared with which variant of the same clip."""


def ratios(rows: Sequence[Row]) -> str:
    """Markdown: each variant as a part of those that it is compared with; a gap where one was not run."""
    lines = ["| clip | variant | " + " | ".join(name for name, _, _ in RATIOS) + " |"]
    lines.append("|" + " --- |" * (2 + len(RATIOS)))
    of = {(row.clip, row.variant): row for row in rows}
    for row in rows:
        cells = [row.clip, row.variant]
        for _, other, figure in RATIOS:
            base = of.get((row.clip, other))
            over, under = figure(row), figure(base) if base is not None else None
            cells.append(f"{over / under:.3f}" if over is not None and under else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the steadiness of stylized clips.")
    parser.add_argument("--side", type=int, default=192, help="longer side in pixels")
    parser.add_argument("--frames", type=int, default=22)
    parser.add_argument("--clips", nargs="+", choices=CLIPS, default=["pan", "zoom", "foreground"])
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--preset", default="nightswirl")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="for every variant")
    parser.add_argument("--weights", default="original")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0, help="0 = as torch chooses")
    parser.add_argument("--again", action="store_true", help="make runs anew that are kept already")
    parser.add_argument("--only-kept", action="store_true", help="make no run; report those that are kept")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/steadiness"))
    return parser.parse_args()


def _kept(clip: str, variant: str, folder: Path) -> Path:
    return folder / f"{clip}-{variant.strip('+ ').replace(' ', '-')}.npz"


def _row(clip: KnownClip, variant: str, args: argparse.Namespace) -> Row:
    settings = ["scales.max_side_px=0", *VARIANTS[variant], *args.set]
    preset = load_preset(args.preset, settings)
    shop = Session.open(preset, weights=args.weights, device=args.device, clips=True)
    kept = _kept(clip.name, variant, args.output)
    if args.again or not kept.exists():
        make = stylize_as_peer if variant == PEER else stylize
        make(clip, shop.stylizer).save(kept)
    return measure(clip, variant, Run.load(kept), shop.stylizer)


def main() -> None:
    args = _arguments()
    args.output.mkdir(parents=True, exist_ok=True)
    if args.threads:
        torch.set_num_threads(args.threads)
    rows: list[Row] = []
    for name in args.clips:
        clip = make_clip(name, args.frames, args.side * 9 // 16, args.side)
        variants = [
            one for one in args.variants if not args.only_kept or _kept(name, one, args.output).exists()
        ]
        for variant in variants:
            rows.append(_row(clip, variant, args))
            print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
        runs = {one: Run.load(_kept(name, one, args.output)).pictures for one in variants}
        side_by_side(clip, runs, args.output / f"steadiness-{name}.png")
    write_report(args.output / "steadiness.json", rows, args)
    (args.output / "steadiness.md").write_text(f"{table(rows)}\n\n{ratios(rows)}\n", encoding="utf-8")
    error_against_steps(rows, args.output / "steadiness.png")
    print(table(rows))


if __name__ == "__main__":
    main()
