"""Pictures of what was measured (matplotlib, from the `bench` extra)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.known_clips import KnownClip
from framestyle.motion.flow import warp

MARKS = "osDv^<>Ph*Xd"


def _pyplot() -> Any:
    """Without a screen; loaded when there is something to draw."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    return pyplot


class Measured(Protocol):
    """What a point of the plot needs of a row."""

    clip: str
    variant: str
    warping_error: dict[int, float]
    steps: float


def error_against_steps(rows: Sequence[Measured], path: Path, gaps: Sequence[int] = (1, 10)) -> None:
    """Warping error against steps a frame, both logarithmic: a panel a clip and gap, a mark a variant."""
    from matplotlib import ticker

    pyplot = _pyplot()
    clips = list(dict.fromkeys(row.clip for row in rows))
    variants = list(dict.fromkeys(row.variant for row in rows))
    figure, panels = pyplot.subplots(
        len(gaps), len(clips), figsize=(1.2 + 3.4 * len(clips), 0.8 + 2.9 * len(gaps)), squeeze=False
    )
    for line, gap in zip(panels, gaps, strict=True):
        for panel, clip in zip(line, clips, strict=True):
            for number, variant in enumerate(variants):
                found = [row for row in rows if (row.clip, row.variant) == (clip, variant)]
                for row in (row for row in found if gap in row.warping_error):
                    panel.loglog(
                        max(row.steps, 0.1),
                        row.warping_error[gap] * 1e4,
                        MARKS[number % len(MARKS)],
                        color=f"C{number % 10}",  # by variant: one may be missing of a clip
                        label=variant,
                    )
            panel.set_title(f"{clip}, gap {gap}", fontsize=9)
            panel.grid(True, which="both", alpha=0.2)
            panel.tick_params(labelsize=8)
            for axis in (panel.xaxis, panel.yaxis):
                axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
                axis.set_major_formatter(ticker.FormatStrFormatter("%g"))
                axis.set_minor_formatter(ticker.NullFormatter())
        line[0].set_ylabel("warping error, 1e-4", fontsize=8)
    for panel in panels[-1]:
        panel.set_xlabel("steps a frame", fontsize=8)
    known = dict(zip(*reversed(panels[0][0].get_legend_handles_labels()), strict=True))
    figure.legend(known.values(), known.keys(), loc="lower center", ncols=5, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


class Reached(Protocol):
    """What a point of the curves needs of a row."""

    schedule: str
    seconds: float
    loss: float


def loss_against_time(rows: Sequence[Reached], path: Path) -> None:
    """A curve a schedule, both axes logarithmic."""
    pyplot = _pyplot()
    figure, panel = pyplot.subplots(figsize=(9, 5.2))
    for number, name in enumerate(dict.fromkeys(row.schedule for row in rows)):
        points = sorted((row.seconds, row.loss) for row in rows if row.schedule == name)
        panel.loglog(*zip(*points, strict=True), MARKS[number % len(MARKS)] + "-", ms=4, lw=1, label=name)
    panel.set_xlabel("seconds of the processor", fontsize=8)
    panel.set_ylabel("loss at full size", fontsize=8)
    panel.grid(True, which="both", alpha=0.2)
    panel.legend(fontsize=7, frameon=False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def side_by_side(
    clip: KnownClip, runs: Mapping[str, npt.NDArray[np.uint8]], path: Path, gain: float = 6.0
) -> None:
    """A line a variant (pictures THWC by its name): the first, the middle and the last frame, and `gain` times what
    changed in the last one along the true flow. Grey is no change, and what was hidden.
    """
    pyplot = _pyplot()
    last = len(clip.frames) - 1
    backward, visible = clip.flow(last, last - 1)
    shown = {"(content)": np.stack([frame.pixels for frame in clip.frames]), **runs}
    height, width = clip.frames[0].pixels.shape[:2]
    figure, panels = pyplot.subplots(
        len(shown), 4, figsize=(11, 0.4 + 11 / 4 * height / width * 1.08 * len(shown)), squeeze=False
    )
    for number, (name, pictures) in enumerate(shown.items()):
        before = warp(pictures[last - 1].astype(np.float32), backward)
        change = np.clip(128 + gain * (pictures[last] - before), 0, 255)
        change[~visible] = 128
        columns = [pictures[0], pictures[last // 2], pictures[last], change.astype(np.uint8)]
        titles = ["frame 0", f"frame {last // 2}", f"frame {last}", f"change along the flow, × {gain:g}"]
        for panel, picture, title in zip(panels[number], columns, titles, strict=True):
            panel.imshow(picture, interpolation="bicubic")
            panel.set_xticks([])
            panel.set_yticks([])
            if number == 0:
                panel.set_title(title, fontsize=8)
        panels[number][0].set_ylabel(name, fontsize=8)
    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


class Step(Protocol):
    """What the plot of speeds needs of a row."""

    side_px: int
    way: str
    part: float
    share_of_peak: float


def speed_by_size(rows: Sequence[Step], path: Path) -> None:
    """By size, a line a way: its time as a part of the plain loop's, and its share of the machine's peak."""
    pyplot = _pyplot()
    figure, panels = pyplot.subplots(1, 2, figsize=(9, 3.6))
    for way in dict.fromkeys(row.way for row in rows):
        found = [row for row in rows if row.way == way]
        sides = [row.side_px for row in found]
        panels[0].plot(sides, [row.part for row in found], marker="o", label=way)
        panels[1].plot(sides, [100 * row.share_of_peak for row in found], marker="o", label=way)
    for panel, title in zip(panels, ("time, of the plain loop's", "% of the peak"), strict=True):
        panel.set_xscale("log", base=2)
        panel.set_xticks(sorted({row.side_px for row in rows}), sorted({row.side_px for row in rows}))
        panel.set(title=title, xlabel="px", ylim=(0, 1.1 * panel.dataLim.ymax))
        panel.grid(True, alpha=0.2)
    panels[0].legend(fontsize=8, loc="lower left")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


class Shares(Protocol):
    """What the plot of a clip's time needs of a row."""

    max_side_px: int
    shares: dict[str, float]
    idle: float


def shares_of_time(rows: Sequence[Shares], path: Path) -> None:
    """Of each render a group of bars: the share of its time that each part was at work, and the idle share."""
    pyplot = _pyplot()
    figure, panel = pyplot.subplots(figsize=(2.5 + 2.0 * len(rows), 3.4))
    names = [*rows[0].shares, "idle"]
    for place, name in enumerate(names):
        values = [100 * (row.idle if name == "idle" else row.shares[name]) for row in rows]
        at = [number + (place + 0.5) * 0.8 / len(names) - 0.4 for number in range(len(rows))]
        panel.bar_label(panel.bar(at, values, 0.8 / len(names), label=name), fmt="%.1f", fontsize=7)
    panel.set_xticks(range(len(rows)), [f"{row.max_side_px} px" for row in rows])
    panel.set(ylabel="% of the clip's time", ylim=(0, 110))
    panel.legend(fontsize=8, ncols=len(names), loc="lower center", bbox_to_anchor=(0.5, 1))
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
