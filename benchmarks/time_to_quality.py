"""Which schedule gets furthest in which time: python -m benchmarks.time_to_quality [--side 256] [-o FOLDER]

One photo, one preset, one loss (the preset's own, at full size, of the picture that is given out); what differs is how
it is approached: the scales, the steps at each, the optimiser, the start. Each schedule is run with several shares of
its steps, each from its beginning. Two peers stand beside ours, at the speed of the plain loop (benchmarks/speed.py),
measured at each of their sizes: the plain schedule of the 2015 paper (full size alone, L-BFGS), and the one that
crowsonkb's style-transfer-pytorch publishes (128 px to full in steps of √2; 1000 steps, then 500 each; Adam at 0.02).
The loss at half size is of the same picture, reduced: last steps that paint finer raise it, whatever the schedule.
Seconds are of the processor. Writes JSON, a table and a plot.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.plots import loss_against_time
from benchmarks.reports import write_report
from benchmarks.speed import PlainLoop, picture, timed
from framestyle.nst.image import Size, resize, size_of
from framestyle.nst.sizes import fit_within, steps_by_scale
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.nst.weights.catalog import load_backbone
from framestyle.presets import load_preset
from framestyle.presets.schema import Scales

PLAIN_ROUNDS = 3
FLOAT32 = "optimizer.precision=float32"
PEER = "crowsonkb's schedule"
STEPS = ("first_steps", "between_steps", "steps")
"""The keys of a schedule's steps."""
DEFAULT = (Scales().first_steps, Scales().between_steps, Scales().steps)


@dataclass(frozen=True)
class Schedule:
    """`steps` at the smallest scale, between, and at the largest; `keys` as for `--set`; `shares` of them to try."""

    name: str
    steps: tuple[int, int, int]
    keys: tuple[str, ...] = ()
    shares: tuple[float, ...] = (0.125, 0.25, 0.5, 1.0)
    at_plain_speed: bool = False


ONE_SCALE = "scales.min_px=4096"
SCHEDULES = (
    Schedule("default", DEFAULT, shares=(0.125, 0.25, 0.5, 1.0, 2.0)),
    Schedule("default, gray as init", DEFAULT, ("optimizer.init=gray",)),
    Schedule("default, style's colours as init", DEFAULT, ("optimizer.init=style_stats",)),
    Schedule("default, betas 0.9, 0.99", DEFAULT, ("optimizer.betas=[0.9, 0.99]",)),
    Schedule("default, rate 0.05", DEFAULT, ("optimizer.learning_rate=0.05",)),
    Schedule("default, rate 0.015", DEFAULT, ("optimizer.learning_rate=0.015",)),
    Schedule("from 64 px", DEFAULT, ("scales.min_px=64",)),
    Schedule("from 32 px", DEFAULT, ("scales.min_px=32",)),
    Schedule("as many between", (150, 80, 80)),
    Schedule("none between", (100, 0, 80)),
    Schedule("most steps below", (300, 40, 40)),
    Schedule("most steps last", (40, 20, 155), shares=(0.6, 0.75, 0.9, 1.0)),
    Schedule("full size alone", (150, 0, 0), (ONE_SCALE,)),
    Schedule("L-BFGS", (60, 30, 30), ("optimizer.name=lbfgs",), shares=(0.25, 0.5, 1.0)),
    Schedule(
        "the 2015 paper's schedule",
        (400, 0, 0),
        (ONE_SCALE, "optimizer.name=lbfgs", "optimizer.init=noise"),
        shares=(0.25, 1.0),
        at_plain_speed=True,
    ),
    Schedule(
        PEER,
        (1000, 500, 500),
        (
            "scales.min_px=128",
            "optimizer.init=content",
            "optimizer.learning_rate=0.02",
            "optimizer.betas=[0.9, 0.99]",
            "optimizer.average_decay=0.99",
        ),
        shares=(0.1, 1.0),
        at_plain_speed=True,
    ),
)


@dataclass(frozen=True)
class Row:
    """One run. `seconds`: its own, or what the plain loop would take for as many steps."""

    schedule: str
    share: float
    steps: int
    seconds: float
    loss: float
    style: float
    content: float
    loss_at_half: float
    """Of the picture at half its size, by the preset's loss there."""


class Subject:
    """What all schedules are tried on, and judged by."""

    def __init__(self, backbone: Backbone, content: Tensor, style: Tensor) -> None:
        self._backbone, self._content, self._style = backbone, content, style
        self._judge = Stylizer(load_preset("nightswirl", [FLOAT32]), backbone, [style])
        self._at_half = fit_within(size_of(content), size_of(content).longest_px // 2)
        self._objectives = {
            size: self._judge.objective(resize(content, size), ())
            for size in (size_of(content), self._at_half)
        }
        self._plain_s: dict[Size, float] = {}

    def run(self, schedule: Schedule, share: float) -> Row:
        """From the beginning, with a share of the schedule's steps at each scale."""
        counts = zip(STEPS, _scaled(schedule, share).steps, strict=True)
        steps = [f"scales.{name}={count}" for name, count in counts]
        preset = load_preset("nightswirl", [*schedule.keys, *steps, "scales.max_side_px=0", FLOAT32])
        stylizer = Stylizer(preset, self._backbone, [self._style])
        started = time.process_time()
        result = stylizer.stylize(self._content)
        seconds = time.process_time() - started
        if schedule.at_plain_speed:
            by_scale = steps_by_scale(size_of(self._content), preset.scales)
            seconds = sum(count * self.plain_s(size) for size, count in by_scale)
        parts = self._judged(result.image)
        at_half = sum(self._judged(resize(result.image, self._at_half)).values())
        total, style, content = sum(parts.values()), parts["style"], parts["content"]
        return Row(schedule.name, share, result.steps, seconds, total, style, content, at_half)

    def _judged(self, image: Tensor) -> dict[str, float]:
        found = self._judge.parts(image, self._objectives[size_of(image)])
        return {name: float(loss) for name, loss in found.items()}

    def plain_s(self, size: Size) -> float:
        """Seconds of a step of the plain loop, measured once at each size."""
        if size not in self._plain_s:
            loop = PlainLoop(self._backbone, resize(self._content, size), resize(self._style, size))
            loop.step()
            self._plain_s[size] = min(timed(loop.step) for _ in range(PLAIN_ROUNDS))
        return self._plain_s[size]


def run_all(subject: Subject, only: Sequence[str] | None, of_steps: float) -> Iterator[Row]:
    """Each schedule with each of its shares; `of_steps`: of all their steps."""
    for schedule in SCHEDULES:
        if only is None or schedule.name in only:
            for share in schedule.shares:
                yield subject.run(_scaled(schedule, of_steps), share)


def _scaled(schedule: Schedule, of_steps: float) -> Schedule:
    first, between, last = (round(of_steps * count) for count in schedule.steps)
    return replace(schedule, steps=(first, between, last))


def reached_after(rows: Sequence[Row], loss: float) -> float | None:
    """Seconds that the quickest of these runs took to a loss as low; None where none came so far."""
    return min((row.seconds for row in rows if row.loss <= loss), default=None)


def against_peer(rows: Sequence[Row]) -> dict[str, float | None]:
    """By schedule: the time to the loss that the peer ends at, as a part of the peer's; none where it was not run."""
    last = max((row for row in rows if row.schedule == PEER), key=lambda row: row.share, default=None)
    if last is None:
        return {}
    found: dict[str, float | None] = {}
    for name in dict.fromkeys(row.schedule for row in rows if row.schedule != PEER):
        seconds = reached_after([row for row in rows if row.schedule == name], last.loss)
        found[name] = None if seconds is None else seconds / last.seconds
    return found


def table(rows: Sequence[Row], parts: Mapping[str, float | None]) -> str:
    """In Markdown."""
    lines = [
        "| schedule | steps | s | loss | style | content | at half size | to the peer's end |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        part = parts.get(row.schedule)
        lines.append(
            f"| {row.schedule} × {row.share:g} | {row.steps} | {row.seconds:.0f} | {row.loss:.4f} |"
            f" {row.style:.4f} | {row.content:.4f} | {row.loss_at_half:.4f} | {'' if part is None else f'{part:.3f}'} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table as it grows, writes all of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=256, help="longer side of the picture")
    parser.add_argument("--photo", default="canyon")
    parser.add_argument("--style", default="stilllife")
    parser.add_argument("--weights", default="learned")
    parser.add_argument("--only", nargs="+", default=None, metavar="SCHEDULE")
    parser.add_argument("--steps", type=float, default=1.0, help="of all schedules' steps, to try it out")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, default=Path("time-to-quality"), metavar="FOLDER")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    content, style = (_fitted(picture(name), args.side) for name in (args.photo, args.style))
    subject = Subject(load_backbone(args.weights), content, style)
    args.output.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for row in run_all(subject, args.only, args.steps):
        rows.append(row)
        print(table([row], {}).splitlines()[-1], flush=True)
        write_report(args.output / "time-to-quality.json", rows, args)
    told = table(rows, against_peer(rows))
    (args.output / "time-to-quality.md").write_text(told + "\n", encoding="utf-8")
    loss_against_time(rows, args.output / "time-to-quality.png")
    print("\n" + told)
    return 0


def _fitted(image: Tensor, side_px: int) -> Tensor:
    return resize(image, fit_within(size_of(image), side_px))


if __name__ == "__main__":
    sys.exit(main())
