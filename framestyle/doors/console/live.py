"""Progress in a terminal."""

from __future__ import annotations

import threading
from typing import Self

from rich.console import Console as RichConsole
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from framestyle.doors.colors import AT_WORK, BAD, DOUBTFUL, GOOD, LEFT, QUIET
from framestyle.doors.console.words import (
    curve,
    describe,
    duration,
    left_text,
    middle,
    of_total,
    pace_text,
    shot_text,
    unit,
    watched_text,
)
from framestyle.doors.progress import Progress
from framestyle.doors.remaining import Clock
from framestyle.doors.text import counted, plain
from framestyle.events import Event, JobDone, Note, StepDone, TaskDone, TaskFailed, TaskResumed

SHOWN_OUTPUTS = 10


def _style_of(event: Event) -> str:
    if isinstance(event, TaskFailed):
        return BAD
    if isinstance(event, TaskDone):
        return GOOD
    return DOUBTFUL if isinstance(event, Note) and event.level == "warning" else QUIET


def _frames_row(done: JobDone) -> tuple[str, str]:
    if done.frames == 1:
        return "frame", f"1, {counted(done.steps, 'step')}"
    steps = f"{done.steps / done.frames:.1f}".removesuffix(".0")
    return "frames", f"{done.frames}, {steps} steps and {done.seconds / done.frames:.2f} s each"


class LiveDisplay:
    """Bars, times and losses that are drawn anew; notes and failures stand above them."""

    def __init__(self, console: RichConsole, clock: Clock) -> None:
        self._console, self._lock, self._progress = console, threading.Lock(), Progress(clock)
        self._live = Live(
            console=console,
            refresh_per_second=8,
            transient=True,
            get_renderable=self._picture,
            redirect_stdout=False,
        )
        self._sizes: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._progress(event)
        if isinstance(event, TaskDone):
            self._sizes[event.output] = event.size_bytes
        # Never printed under our lock: the refreshing thread holds rich's while it waits for ours.
        if isinstance(event, Note | TaskFailed | TaskResumed) or (
            isinstance(event, TaskDone) and self._is_one_of_many()
        ):
            self._console.print(Text(describe(event), style=_style_of(event)))
        elif isinstance(event, JobDone):
            self._console.print(self._summary(event))

    def _is_one_of_many(self) -> bool:
        """Then a result is told as soon as it is there; that of a single task stands in the summary at once."""
        job = self._progress.job
        return job is not None and job.tasks > 1

    def _picture(self) -> Table:
        with self._lock:
            return self._drawn()

    def _drawn(self) -> Table:
        progress, width = self._progress, self._console.width
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True)
        if progress.job is not None:
            job, task = progress.job, progress.task
            at_once = f" · {job.at_once} at once" if job.at_once > 1 else ""
            name = middle(plain(task.path if task else job.output), max(16, width - 44 - len(at_once)))
            preset = plain(task.preset if task and task.preset else job.preset)
            grid.add_row(Text(f"{name}  {preset} · {job.weights} · {job.device}{at_once}", style="bold"))
        if progress.preparing is not None:
            grid.add_row(self._bar(progress.preparing.fraction, f"preparing {progress.preparing.what}"))
        elif progress.total or progress.task is not None:
            where = f"{shot_text(progress)}  {unit(progress)} {progress.done}{of_total(progress)}".lstrip()
            grid.add_row(self._bar(progress.done / progress.total, where) if progress.total else Text(where))
            grid.add_row(
                Text(
                    f"{pace_text(progress)}elapsed {duration(progress.elapsed_s)}  {left_text(progress)}".rstrip()
                )
            )
        if progress.watched is not None:
            grid.add_row(Text(watched_text(progress.watched), style=QUIET))
        if progress.step is not None and progress.preparing is None:
            grid.add_row(Text(self._step_text(progress.step), style=AT_WORK, overflow="ellipsis"))
        return grid

    def _step_text(self, step: StepDone) -> str:
        parts = " ".join(f"{name} {value:.3g}" for name, value in step.parts)
        memory = f"  {step.device_memory_bytes / 2**30:.1f} GB" if step.device_memory_bytes else ""
        size = f"size {step.scale_index + 1}/{step.scales}, " if step.scales > 1 else ""
        text = (
            f"painting at {step.width}x{step.height}: {size}step {step.step}/{step.steps}{memory}  "
            f"loss {curve(list(self._progress.losses))} {step.losses[-1]:.4g}"
        )
        longer = f"{text}  ({parts})"
        return longer if len(longer) < self._console.width else text[: self._console.width - 1]

    def _bar(self, fraction: float, text: str) -> Table:
        row = Table.grid(padding=(0, 1))
        width = max(10, min(50, self._console.width - len(text) - 8))
        bar = ProgressBar(
            total=1.0,
            completed=fraction,
            width=width,
            style=LEFT,
            complete_style=GOOD,
            finished_style=GOOD,
        )
        row.add_row(bar, Text(f"{fraction:4.0%}"), Text(text))
        return row

    def _summary(self, done: JobDone) -> Table:
        job = self._progress.job
        title = "FrameStyle" if job is None else f"FrameStyle · {job.preset}"
        table = Table(title=Text(plain(title)), show_header=False, title_justify="left")
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for output in done.outputs[:SHOWN_OUTPUTS]:
            size = f"  {self._sizes[output] / 1e6:.2f} MB" if output in self._sizes else ""
            table.add_row("wrote", Text(plain(output) + size))
        if len(done.outputs) > SHOWN_OUTPUTS:
            table.add_row("", f"and {len(done.outputs) - SHOWN_OUTPUTS} more")
        if done.skipped:
            table.add_row("skipped", f"{done.skipped} done before")
        if done.frames:
            table.add_row(*_frames_row(done))
        table.add_row("time", duration(done.seconds))
        if done.failed:
            table.add_row("failed", Text(f"{len(done.failed)}, each with its reason", style=BAD))
        return table
