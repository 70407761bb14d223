"""The contact sheet of a preview: pictures and looks in, one file out, drawn anew after each cell where that is asked
for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.doors.preview_words import picture_name, words_of_sheet
from framestyle.doors.sheet import Cell, Row, layout, sheet
from framestyle.errors import Cancelled, FramestyleError, OutputError
from framestyle.events import JobDone, JobStarted, TaskFailed
from framestyle.jobs.plan.inputs import Inputs, Unusable
from framestyle.jobs.preview.cells import (
    Bench,
    Look,
    LookDone,
    cell_plans,
    open_bench,
    sizes_for,
    stylize_cells,
)
from framestyle.jobs.preview.pictures import Picture, Shown, pictures_of
from framestyle.jobs.run.provenance import provenance
from framestyle.kinds import TimeRange
from framestyle.media.photos import write_photo

ORIGINAL = "original"
SIDE_LIMITS_PX = {".png": 100_000, ".tif": 100_000, ".tiff": 100_000, ".webp": 16_383}
OTHER_LIMIT_PX = 65_500
"""JPEG's, in either direction."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """What the sheet shows: `looks` line by line, under `labels`.

    `lines` are what each line of a picture is called: one of an empty name where there is no second sweep. `preset` is
    that of a sweep, for the titles. `unusable`: what is known beforehand to be missing.
    """

    inputs: Inputs
    output: Path
    looks: tuple[Look, ...]
    labels: tuple[str, ...]
    lines: tuple[str, ...]
    preset: str
    side_px: int
    span: TimeRange
    live: bool
    unusable: tuple[Unusable, ...] = ()


@dataclass(frozen=True, eq=False)
class Made:
    """A sheet that was written."""

    wanted: Wanted
    width: int
    height: int
    pictures: Sequence[Picture]
    looks: Sequence[LookDone]

    def words(self) -> list[str]:
        """The closing words."""
        head = f"wrote {self.wanted.output}: {self.width}x{self.height} px"
        titles = [look.title for look in self.wanted.looks]
        return [head, *words_of_sheet(titles, self.looks, self.pictures)]


@dataclass(eq=False)
class _State:
    """How far it is."""

    wanted: Wanted
    found: list[Picture | Unusable] = field(default_factory=list)
    outcomes: dict[tuple[int, int], Shown | FramestyleError] = field(default_factory=dict)
    """By the numbers of the look and of the usable picture."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    written: bool = False

    def rows(self) -> list[Row]:
        """The sheet's, as far as they are known."""
        rows: list[Row] = []
        number = 0
        for one in self.found:
            if isinstance(one, Unusable):
                rows.append(Row(str(one.path), message=one.error.message))
                continue
            rows += self._rows_of(one, number)
            number += 1
        return rows

    def _rows_of(self, picture: Picture, number: int) -> Iterator[Row]:
        wanted, columns = self.wanted, len(self.wanted.labels)
        width, height = picture.shown_size(wanted.side_px)
        original = Cell(ORIGINAL, picture.original(wanted.side_px))
        for place, line in enumerate(wanted.lines):
            outcomes = [self.outcomes.get((place * columns + n, number)) for n in range(columns)]
            contents = [one.message if isinstance(one, FramestyleError) else one for one in outcomes]
            cells = [Cell(label, content) for label, content in zip(wanted.labels, contents, strict=True)]
            parts = (picture_name(picture), wanted.preset, line)
            yield Row("  ·  ".join(part for part in parts if part), [original, *cells], width, height)

    def write(self) -> None:
        write_photo(self.wanted.output, sheet(self.rows()), None, self.metadata)
        self.written = True


def make_sheet(
    wanted: Wanted, *, weights: str, device: str, seed: int, context: Context = SILENT
) -> Made | None:
    """The sheet, with what failed named in its place; None where nothing at all could be done.

    What fails is told as TaskFailed; the error of a single thing is raised. Where it is ended, Cancelled says whether
    there is a sheet.
    """
    state = _State(wanted)
    try:
        return _make(state, weights, device, seed, context)
    except (KeyboardInterrupt, Cancelled):
        raise _stopped(state) from None


def _stopped(state: _State) -> Cancelled:
    if not state.written:
        return Cancelled(
            "stopped; nothing was written",
            next_step="The same command starts again; with --live the sheet shows what is done.",
        )
    return Cancelled(
        f"stopped; {state.wanted.output} shows what was finished",
        next_step="The same command with --overwrite starts again.",
    )


def _make(state: _State, weights: str, device: str, seed: int, context: Context) -> Made | None:
    wanted, started = state.wanted, time.perf_counter()
    sizes, preset = sizes_for(wanted.looks, wanted.side_px), wanted.looks[0].preset
    in_time = any(look.preset.timeline for look in wanted.looks)
    found = pictures_of(wanted.inputs, wanted.span, sizes, preset, context, in_time=in_time)
    state.found = [*found, *wanted.unusable]
    pictures = [one for one in state.found if isinstance(one, Picture)]
    unusable = [one for one in state.found if isinstance(one, Unusable)]
    if not pictures and len(unusable) == 1:
        raise unusable[0].error
    place = layout(state.rows())
    _check_size(wanted.output, place.width, place.height)
    if not pictures:
        _report_unusable(unusable, context)
        return None
    bench = open_bench(wanted.side_px, weights, device, seed, context)
    total = len(pictures) * len(wanted.looks)
    job = _started(wanted, bench, total)
    for event in (job, *cell_plans(wanted.looks, pictures, wanted.side_px)):
        context.on_event(event)
    state.metadata = provenance(job.preset, job.weights, bench.seed, job.device)
    _report_unusable(unusable, context)
    done = _fill(state, pictures, bench, context)
    failed = [number for (_, number), one in state.outcomes.items() if isinstance(one, FramestyleError)]
    if len(failed) == total:
        if total == 1 and not unusable:
            raise next(one for one in state.outcomes.values() if isinstance(one, FramestyleError))
        return None
    state.write()
    paths = dict.fromkeys(
        str(path) for path in (*(one.path for one in unusable), *(pictures[n].path for n in failed))
    )
    seconds, steps = time.perf_counter() - started, sum(one.steps for one in done)
    context.on_event(JobDone((str(wanted.output),), tuple(paths), total - len(failed), seconds, steps))
    return Made(wanted, place.width, place.height, pictures, done)


def _started(wanted: Wanted, bench: Bench, total: int) -> JobStarted:
    names = ", ".join(look.title for look in wanted.looks)
    preset = f"{wanted.preset} {names}" if wanted.preset else names
    paths = [one.path for one in wanted.inputs.found] + [one.path for one in wanted.inputs.unusable]
    return JobStarted(
        tuple(map(str, paths)), str(wanted.output), preset, bench.weights, bench.device, total, total
    )


def _report_unusable(unusable: Sequence[Unusable], context: Context) -> None:
    for one in unusable:
        context.on_event(TaskFailed.of(str(one.path), one.error))


def _fill(state: _State, pictures: Sequence[Picture], bench: Bench, context: Context) -> list[LookDone]:
    """Every cell in its place."""
    if state.wanted.live:
        state.write()
    done = []
    for one in stylize_cells(state.wanted.looks, pictures, bench, context):
        if isinstance(one, LookDone):
            done.append(one)
            continue
        state.outcomes[one.look, one.picture] = one.outcome
        if state.wanted.live:
            state.write()
    return done


def _check_size(output: Path, width: int, height: int) -> None:
    most = SIDE_LIMITS_PX.get(output.suffix.lower(), OTHER_LIMIT_PX)
    if max(width, height) > most:
        raise OutputError(
            f"{output} would be {width}x{height} px, and its format holds {most} a side",
            next_step="Name fewer inputs, lower --max-side, or name a .png.",
        )
