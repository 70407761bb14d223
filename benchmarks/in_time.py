"""Styles that move with the film: python -m benchmarks.in_time [regions strength fade cost] [--side 96] …

A clip whose motion and foreground are known exactly, painted with its foreground in a style of its own; and clips whose
style changes in time. Prints a table of figures, each with its bar; writes JSON.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from benchmarks.known_clips import Floats, KnownClip, Mask, camera_clip, foreground_clip
from benchmarks.reports import write_report
from framestyle.context import Context
from framestyle.doors.demo import samples_dir
from framestyle.events import FrameDone
from framestyle.frames import Frame, Pixels
from framestyle.media.photos import read_photo
from framestyle.motion.flow import warp
from framestyle.motion.sequence import FramePainter
from framestyle.motion.shots import Shot
from framestyle.nst.image import to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import Preset, load_preset
from framestyle.presets.instants import Timeline
from framestyle.session import Session

ONE, OTHER = "nightswirl", "mosaic"
BAND_PX, AWAY_PX = 4, 5
STEADY = 6
"""Frames before a change."""


@dataclass(frozen=True)
class Figure:
    """One measured figure, and the bar that it should not be above."""

    name: str
    value: float
    bar: float

    def line(self) -> str:
        verdict = "holds" if self.value <= self.bar else "does not"
        return f"| {self.name} | {self.value:.3f} | {self.bar:g} | {verdict} |"


class Bench:
    """What all measurements share: weights, the side, and what every preset is set to."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.width, self.height = args.side, args.side * 2 // 3
        self.rate = Fraction(args.rate)
        self.change = int(2 * self.rate)
        """Frames in a change of two seconds."""
        self._backbone: Any = None

    def preset(self, name: str, *settings: str) -> Preset:
        return load_preset(name, ["scales.max_side_px=0", *self.args.set, *settings])

    def stylizer(self, preset: Preset) -> Stylizer:
        """On the CPU, or whichever device was asked for."""
        session = Session.open(
            preset, weights=self.args.weights, device=self.args.device, backbone=self._backbone
        )
        self._backbone = session.backbone
        return session.stylizer

    def two_styles(self) -> Preset:
        """The foreground in one style, the rest in another."""
        images = [
            f"{{path: {self.preset(name).style.images[0].path}, region: {region}}}"
            for name, region in ((OTHER, 255), (ONE, 0))
        ]
        return self.preset(ONE, f"style.images=[{', '.join(images)}]")

    def clip(self, frames: int) -> KnownClip:
        photo, front = (
            read_photo(samples_dir() / "photos" / f"{n}.jpg").pixels for n in ("canyon", "stilllife")
        )
        return foreground_clip(photo, front, frames, self.height, self.width)

    def camera(self, kind: str, frames: int, name: str = "canyon") -> KnownClip:
        photo = read_photo(samples_dir() / "photos" / f"{name}.jpg").pixels
        clip = camera_clip(kind, photo, frames, self.height, self.width)
        return replace(clip, frames=[replace(one, pts=one.index / self.rate) for one in clip.frames])

    def paint(
        self, frames: Sequence[Frame], stylizer: Stylizer, timeline: Timeline | None = None
    ) -> tuple[list[Floats], list[float]]:
        """Pictures, and CPU seconds of each frame."""
        seconds, last = list[float](), time.process_time()

        def heard(event: object) -> None:
            nonlocal last
            if isinstance(event, FrameDone):
                now = time.process_time()
                seconds.append(now - last)
                last = now
                print(
                    f"frame {event.index}: {event.steps} steps, {seconds[-1]:.1f} s",
                    file=sys.stderr,
                    flush=True,
                )

        with FramePainter(stylizer, shots=[Shot(0, len(frames))], timeline=timeline) as painter:
            done = [one for frame in frames for one in painter.push(frame, Context(heard))]
            done += painter.finish(Context(heard))
        return [one.pixels.astype(np.float32) / 255 for one in done], seconds


def _mask(front: Mask) -> Pixels:
    pixels: Pixels = np.repeat(front[..., None], 3, 2).astype(np.uint8) * 255
    return pixels


def _tensor(picture: Floats) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None]


# -- regions -----------------------------------------------------------------------------------------------


def style_distances(stylizer: Stylizer, picture: Tensor, content: Tensor) -> list[float]:
    """Of each region to its own style, as if it were the whole picture."""
    objective = stylizer.objective(content, ())
    return [
        float(stylizer.parts(picture, replace(objective, style=(replace(one, share=1.0),)))["style"])
        for one in objective.style
    ]


def changes(pictures: Sequence[Floats], clip: KnownClip, where: Callable[[int], Mask]) -> float:
    """Mean squared difference along the true flow, of what is visible in both frames and lies in `where`."""
    found = []
    for t in range(1, len(pictures)):
        backward, visible = clip.flow(t, t - 1)
        inner = cv2.erode(visible.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & where(t)
        if inner.any():
            found.append(float(np.square(pictures[t] - warp(pictures[t - 1], backward))[inner].mean()))
    return float(np.mean(found))


def changes_inside(
    pictures: Sequence[Floats], clip: KnownClip, inside: Callable[[int], Mask], where: Callable[[int], Mask]
) -> float:
    """As `changes`, of pixels warped from their own region alone, beside an edge too, that were visible two frames ago
    as well: what has just come out is painted for the first time, and must change."""
    found = []
    for t in range(2, len(pictures)):
        backward, visible = clip.flow(t, t - 1)
        _, before = clip.flow(t, t - 2)
        moved = warp(inside(t - 1).astype(np.float32), backward, interpolation=cv2.INTER_LINEAR)
        kept = visible & before & where(t) & (moved > 0.99)
        was = warp(pictures[t - 1], backward, interpolation=cv2.INTER_LINEAR)
        found.append((float(np.square(pictures[t] - was)[kept].mean(1).sum()), int(kept.sum())))
    return sum(total for total, _ in found) / sum(count for _, count in found)


def regions(bench: Bench) -> list[Figure]:
    """A disc in a style of its own before another one: each region against itself alone, and against one style."""
    clip = bench.clip(bench.args.frames)
    assert clip.front is not None
    front = clip.front
    stylizer = bench.stylizer(bench.two_styles())
    frames = [replace(one, mask=_mask(front(one.index))) for one in clip.frames]
    both, _ = bench.paint(frames, stylizer)
    figures = []
    last = len(frames) - 1
    content, masked = to_tensor(frames[last].pixels), stylizer.with_mask(to_tensor(_mask(front(last))))
    distances = style_distances(masked, _tensor(both[last]), content)
    for number, name in enumerate(("disc", "rest")):
        preset = stylizer.preset
        only = preset.model_copy(
            update={"style": preset.style.model_copy(update={"images": (preset.style.images[number],)})}
        )
        alone = bench.stylizer(only).with_mask(to_tensor(_mask(front(last))))
        still = alone.stylize(content).image
        own = style_distances(alone, still, content)[0]
        figures.append(Figure(f"style distance of {name} / painted alone", distances[number] / own, 1.2))
        together = style_distances(masked, masked.stylize(content).image, content)[number]
        print(f"{name}: of a still of both / painted alone {together / own:.2f}", file=sys.stderr)
    for number, (name, style) in enumerate((("disc", OTHER), ("rest", ONE))):
        image = stylizer.preset.style.images[number].path
        one_style, _ = bench.paint(clip.frames, bench.stylizer(bench.preset(ONE, f"style.images={image}")))
        inside = (lambda t: front(t)) if number == 0 else (lambda t: ~front(t))
        inner = lambda t, inside=inside: _shrunk(inside(t), AWAY_PX)  # noqa: E731
        ratio = changes(both, clip, inside) / changes(one_style, clip, inside)
        figures.append(Figure(f"E_warp of {name} / whole clip in {style}", ratio, 1.15))
        band = lambda t, inside=inside: inside(t) & ~_shrunk(inside(t), BAND_PX)  # noqa: E731
        source = [frame.pixels.astype(np.float32) / 255 for frame in clip.frames]
        flicker, floor, without = (
            changes_inside(of, clip, inside, band) / changes_inside(of, clip, inside, inner)
            for of in (both, source, one_style)
        )
        print(f"edge of {name}: {flicker:.2f}; source {floor:.2f}; one style {without:.2f}", file=sys.stderr)
        figures.append(
            Figure(
                f"flicker at the edge of {name} / inside, over the source's", flicker / max(1.0, floor), 1.5
            )
        )
    return figures


def _shrunk(mask: Mask, by_px: int) -> Mask:
    return cv2.erode(mask.astype(np.uint8), np.ones((2 * by_px + 1,) * 2, np.uint8)).astype(bool)


# -- time --------------------------------------------------------------------------------------------------


def _in_time(
    bench: Bench, name: str, before: str, after: str, camera: str = "pan", photo: str = "canyon"
) -> tuple[list[Floats], KnownClip, Stylizer, Timeline]:
    """A clip of a preset whose timeline goes from one value to another in two seconds."""
    points = f"[{{at: frame {STEADY}, {before}}}, {{at: frame {STEADY + bench.change}, {after}}}]"
    preset = bench.preset(name, f"timeline={points}")
    stylizer = bench.stylizer(preset)
    clip = bench.camera(camera, STEADY + bench.change + 4, photo)
    timeline = Timeline(
        preset, [point.when.number / bench.rate for point in preset.timeline], 1 / bench.rate
    )
    pictures, _ = bench.paint(clip.frames, stylizer, timeline)
    return pictures, clip, stylizer, timeline


def _largest_step(values: Sequence[float]) -> float:
    """Of the mean step, over a change that goes one way."""
    steps = np.diff(np.asarray(values))
    return float(np.abs(steps).max() / abs(steps.mean()))


def strength(bench: Bench) -> list[Figure]:
    """`strength` from 0 to 1 in two seconds, before a camera that stands still: what a pan brings in has distances of
    its own."""
    figures = []
    for name, photo in product((ONE, OTHER), bench.args.photos):
        pictures, clip, stylizer, _ = _in_time(bench, name, "strength: 0", "strength: 1", "still", photo)
        kept: dict[str, list[float]] = {"style": [], "content": []}
        weights = stylizer.weights
        for frame, picture in zip(clip.frames, pictures, strict=True):
            losses = stylizer.losses_of(_tensor(picture), to_tensor(frame.pixels))
            kept["style"].append(losses["style"] / weights.style)
            kept["content"].append(losses["content"] / weights.content)
        for part, values in kept.items():
            print(part, " ".join(f"{value:.4f}" for value in values), file=sys.stderr)
            largest = _largest_step(values[STEADY : STEADY + bench.change + 1])
            figures.append(Figure(f"{part} distance of {photo} in {name}: largest step / mean", largest, 1.5))
    return figures


def fade(bench: Bench) -> list[Figure]:
    """Two presets cross-faded in two seconds: the middle, and steadiness."""
    pictures, clip, stylizer, timeline = _in_time(bench, ONE, "preset: this", f"preset: {OTHER}")
    middle = STEADY + bench.change // 2
    content = to_tensor(clip.frames[middle].pixels)
    still = stylizer.at(timeline.at(clip.frames[middle].pts)).stylize(content).image
    figures = []
    for name in (ONE, OTHER):
        own = bench.stylizer(bench.preset(name))
        moved, at_rest = (own.losses_of(one, content)["style"] for one in (_tensor(pictures[middle]), still))
        figures.append(Figure(f"middle of a fade: distance to {name} / still blend", moved / at_rest, 1.3))
    steady = range(2, STEADY + 1)
    before, during = (
        float(np.mean([_change_at(pictures, clip, t) for t in span]))
        for span in (steady, range(STEADY + 1, STEADY + bench.change + 1))
    )
    return [*figures, Figure("E_warp during the fade / before it", during / before, 1.5)]


def _change_at(pictures: Sequence[Floats], clip: KnownClip, t: int) -> float:
    backward, visible = clip.flow(t, t - 1)
    inner = _shrunk(visible, 3)
    return float(np.square(pictures[t] - warp(pictures[t - 1], backward))[inner].mean())


# -- cost --------------------------------------------------------------------------------------------------


def cost(bench: Bench) -> list[Figure]:
    """CPU seconds of a warm frame and peak memory with a moving mask of three regions, against none."""
    clip = bench.clip(bench.args.frames)
    assert clip.front is not None
    preset = bench.preset(ONE)
    path = preset.style.images[0].path
    none, of_none = bench.paint(clip.frames, bench.stylizer(preset))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    images = ", ".join(f"{{path: {path}, region: {region}}}" for region in (255, 128, "rest"))
    three = bench.stylizer(bench.preset(ONE, f"style.images=[{images}]"))
    frames = []
    for one in clip.frames:
        mask = _mask(clip.front(one.index))
        mask[: bench.height // 3][mask[: bench.height // 3] == 0] = 128
        frames.append(replace(one, mask=mask))
    again, of_three = bench.paint(frames, three)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(none) == len(again)
    slower = float(np.median(of_three[1:]) / np.median(of_none[1:]))
    return [
        Figure("CPU time a warm frame, three moving regions / none", slower, 1.25),
        Figure("peak memory, three moving regions / none", grown / peak, 1.2),
    ]


PARTS: dict[str, Callable[[Bench], list[Figure]]] = {
    "regions": regions,
    "strength": strength,
    "fade": fade,
    "cost": cost,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure masks that move and styles that change.")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--side", type=int, default=96, help="longer side in pixels")
    parser.add_argument("--frames", type=int, default=8, help="of clips with regions")
    parser.add_argument("--photos", nargs="+", default=["canyon"], help="samples in which strength changes")
    parser.add_argument("--rate", default="10", help="frames a second of clips whose style changes")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="for every preset")
    parser.add_argument("--weights", default="original")
    parser.add_argument("--device", default="auto")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/in_time.json"))
    args = parser.parse_args()
    bench, figures = Bench(args), []
    print("| figure | measured | bar | |\n| --- | --- | --- | --- |", flush=True)
    for part in args.parts:
        for figure in PARTS[part](bench):
            print(figure.line(), flush=True)
            figures.append(figure)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    write_report(args.output, figures, args)


if __name__ == "__main__":
    main()
