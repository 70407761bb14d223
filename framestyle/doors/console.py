"""Progress for people and programs: a live display in a terminal, plain lines elsewhere, JSON lines on request.

Everything goes to stderr. See docs/progress.md for the JSON schema.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import sys
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.cells import cell_len
from rich.console import Console as RichConsole
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from framestyle.doors.advice import next_step, note_text
from framestyle.doors.progress import Progress
from framestyle.doors.remaining import Clock
from framestyle.doors.text import counted, plain
from framestyle.errors import Cancelled, FramestyleError
from framestyle.events import (
    CellDone,
    Event,
    FrameDone,
    JobDone,
    Note,
    Preparing,
    StepDone,
    TaskDone,
    TaskFailed,
    TaskResumed,
    TaskStarted,
)
from framestyle.kinds import MediaKind

LINE_EVERY_S = 5.0
BLOCKS = "▁▂▃▄▅▆▇█"
SHOWN_OUTPUTS = 10


class Console(Protocol):
    """A context manager that is called with every event, from any thread."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __call__(self, event: Event) -> None: ...


def open_console(mode: str, *, stream: TextIO | None = None, clock: Clock = time.perf_counter) -> Console:
    """`auto` (live in a terminal, else plain lines), `rich`, `json`, or `none`."""
    out = stream or sys.stderr
    if mode == "none":
        return _Silent()
    if mode == "json":
        return _Json(out, clock)
    if mode == "rich":
        return _Rich(RichConsole(file=out, force_terminal=True), clock)
    console = RichConsole(file=out)
    live = console.is_terminal and not console.is_dumb_terminal
    return _Rich(console, clock) if live else _Plain(out, clock)


def middle(text: str, width: int) -> str:
    """At most `width` columns, the middle left out: both ends of a path tell most."""
    if cell_len(text) <= width:
        return text
    head = _beginning(text, (width - 1) // 2)
    tail = _beginning(text[::-1], width - 1 - cell_len(head))[::-1]
    return f"{head}…{tail}"


def _beginning(text: str, width: int) -> str:
    """As many characters as fit; some of them are two columns wide."""
    columns = 0
    for number, character in enumerate(text):
        columns += cell_len(character)
        if columns > width:
            return text[:number]
    return text


def duration(seconds: float | None) -> str:
    """61 -> 01:01."""
    if seconds is None:
        return "--:--"
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes:02d}:{left:02d}"


def curve(losses: list[float]) -> str:
    """The losses' logarithms as a row of blocks."""
    logs = [math.log(max(loss, 1e-12)) for loss in losses if math.isfinite(loss)]
    if not logs:
        return ""
    low, high = min(logs), max(logs)
    span = (high - low) or 1.0
    return "".join(BLOCKS[round((value - low) / span * (len(BLOCKS) - 1))] for value in logs)


class _Silent:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __call__(self, event: Event) -> None:
        return None


class _Json(_Silent):
    """One object a line."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._clock, self._started = clock, clock()

    def __call__(self, event: Event) -> None:
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
        fields = {
            "event": name,
            "time_s": round(self._clock() - self._started, 3),
            **dataclasses.asdict(event),
            **_advice(event),
        }
        with self._lock:
            self._stream.write(json.dumps(_finite(fields), ensure_ascii=True) + "\n")
            self._stream.flush()


def _advice(event: Event) -> dict[str, str | None]:
    """The fields that this door words."""
    if isinstance(event, TaskFailed):
        return {"next_step": next_step(event)}
    return {"message": note_text(event)} if isinstance(event, Note) else {}


def failed_line(error: FramestyleError | Cancelled, time_s: float) -> str:
    """What ends a command, as JSON: the last event where there is no `job_done`."""
    fields = {
        "event": "failed",
        "time_s": round(time_s, 3),
        "code": error.code,
        "facts": dict(error.facts),
        "message": error.message,
        "next_step": next_step(error),
        "exit_code": error.exit_code,
    }
    return json.dumps(_finite(fields), ensure_ascii=True)


def _finite(value: object) -> object:
    """JSON has no NaN: null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


class _Plain(_Silent):
    """A line every few seconds, no control codes: for logs."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream, self._lock = stream, threading.Lock()
        self._progress, self._last = Progress(clock), -LINE_EVERY_S

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._progress(event)
            line = self._line(event)
            if line:
                self._stream.write(f"[{duration(self._progress.elapsed_s)}] {line}\n")
                self._stream.flush()

    def _line(self, event: Event) -> str:
        said = describe(event)
        if said:
            return said
        now = self._progress.elapsed_s
        if not isinstance(event, FrameDone | StepDone | Preparing) or now - self._last < LINE_EVERY_S:
            return ""
        self._last = now
        if isinstance(event, Preparing):
            return f"preparing {event.what}: {event.fraction:.0%} {plain(event.detail)}"
        return status_line(self._progress)


def describe(event: Event) -> str:
    """One line for the events that are worth one, else nothing."""
    if isinstance(event, TaskStarted):
        what = f"{event.frames} frames, {event.shots} shots, " if event.kind is MediaKind.VIDEO else ""
        look = f" in {plain(event.preset)}" if event.preset else ""
        return f"{plain(event.path)}{look}: {what}{event.width}x{event.height}"
    if isinstance(event, TaskResumed):
        return f"{plain(event.path)}: goes on after frame {event.frames}"
    if isinstance(event, Note):
        return f"{'warning: ' if event.level == 'warning' else ''}{plain(note_text(event))}"
    if isinstance(event, CellDone):
        return f"{plain(event.path)} in {plain(event.preset)}: {event.seconds:.1f} s"
    if isinstance(event, TaskFailed):
        return f"FAILED {plain(event.path)}: {_cause(event)}"
    if isinstance(event, TaskDone):
        size = f"{event.size_bytes / 1e6:.1f} MB"
        return f"wrote {plain(event.output)} ({size}, {event.frames} frames, {event.seconds:.1f} s)"
    if isinstance(event, JobDone):
        tally = f"{len(event.outputs)} written, {len(event.failed)} failed"
        tally += f", {event.skipped} done before" if event.skipped else ""
        return f"done: {tally}, {event.frames} frames, {event.seconds:.1f} s"
    return ""


def _cause(failed: TaskFailed) -> str:
    """Without the path, which stands before it anyway."""
    return plain(failed.message.removeprefix(failed.path).lstrip(" :"))


def _shot(progress: Progress) -> str:
    shot, task = progress.shot, progress.task
    if shot is None or task is None:
        return ""
    again = f", pass {shot.pass_number}/{task.passes}" if task.passes > 1 else ""
    return f"shot {shot.index + 1}/{task.shots}{again}"


def status_line(progress: Progress) -> str:
    """Where the work stands, in one line."""
    parts = [f"frame {progress.current}/{progress.total}"]
    if shot := _shot(progress):
        parts.insert(0, shot)
    if progress.step is not None:
        step = progress.step
        parts.append(
            f"step {step.step}/{step.steps} at {step.width}x{step.height}  loss {step.losses[-1]:.4g}"
        )
    each, left_s = progress.seconds_per_frame(), progress.eta_s()
    pace = f"{each:.2f} s/frame  " if each is not None else ""
    if left_s is not None:
        parts.append(f"{pace}eta {duration(left_s)}")
    return "  ".join(parts)


def _style_of(event: Note | TaskFailed | TaskResumed) -> str:
    if isinstance(event, TaskFailed):
        return "red"
    return "yellow" if isinstance(event, Note) and event.level == "warning" else "dim"


class _Rich:
    """The live display."""

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
        if isinstance(event, Note | TaskFailed | TaskResumed):
            self._console.print(Text(describe(event), style=_style_of(event)))
        elif isinstance(event, JobDone):
            self._console.print(self._summary(event))

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
        elif progress.total:
            each = progress.seconds_per_frame()
            pace = f"{each:.2f} s/frame  " if each is not None else ""
            where = f"{_shot(progress)}  frame {progress.done}/{progress.total}".lstrip()
            grid.add_row(self._bar(progress.done / progress.total, where))
            grid.add_row(
                Text(f"{pace}elapsed {duration(progress.elapsed_s)}  eta {duration(progress.eta_s())}")
            )
        if progress.step is not None and progress.preparing is None:
            grid.add_row(Text(self._step_text(progress.step), style="cyan", overflow="ellipsis"))
        return grid

    def _step_text(self, step: StepDone) -> str:
        parts = " ".join(f"{name} {value:.3g}" for name, value in step.parts)
        memory = f"  {step.device_memory_bytes / 2**30:.1f} GB" if step.device_memory_bytes else ""
        text = (
            f"step {step.step}/{step.steps} scale {step.scale_index + 1}/{step.scales} "
            f"{step.width}x{step.height}{memory}  "
            f"{curve(list(self._progress.losses))} {step.losses[-1]:.4g}"
        )
        longer = f"{text}  ({parts})"
        return longer if len(longer) < self._console.width else text[: self._console.width - 1]

    def _bar(self, fraction: float, text: str) -> Table:
        row = Table.grid(padding=(0, 1))
        width = max(10, min(50, self._console.width - len(text) - 8))
        row.add_row(
            ProgressBar(total=1.0, completed=fraction, width=width), Text(f"{fraction:4.0%}"), Text(text)
        )
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
            each = f"{done.steps / done.frames:.1f} steps and {done.seconds / done.frames:.2f} s each"
            table.add_row("frames", f"{done.frames}, {each}")
        table.add_row("time", duration(done.seconds))
        if done.failed:
            table.add_row("failed", Text(f"{len(done.failed)}, each with its reason", style="red"))
        return table


def failure_table(failures: Sequence[tuple[str, TaskFailed]], stream: TextIO | None = None) -> None:
    """What failed and why, one row an input, to stderr: (preset, failure). Off a terminal each is one line."""
    console = RichConsole(file=stream or sys.stderr)
    presets: dict[TaskFailed, list[str]] = {}
    for preset, failure in failures:
        presets.setdefault(failure, []).append(preset)
    several = len({preset for preset, _ in failures}) > 1
    rows = []
    for failure, names in presets.items():
        where = plain(f" ({', '.join(names)})") if several else ""
        rows.append((plain(failure.path), _cause(failure) + where))
    title = f"failed: {counted(len({path for path, _ in rows}), 'input')}"
    if not console.is_terminal:
        lines = [title, *(f"  {path}: {message}" for path, message in rows)]
        console.file.write("\n".join(lines) + "\n")
        return
    table = Table(title=title, title_justify="left", title_style="bold red")
    table.add_column("input", overflow="fold")
    table.add_column("why", overflow="fold", ratio=1)
    for path, message in rows:
        table.add_row(Text(path), Text(message))
    console.print(table)
