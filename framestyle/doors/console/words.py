"""What the displays show, in words: times, paths, losses, events, where the work stands."""

from __future__ import annotations

import math

from rich.cells import cell_len

from framestyle.doors.advice import note_text
from framestyle.doors.progress import Progress
from framestyle.doors.text import counted, plain
from framestyle.events import (
    CellDone,
    Event,
    FolderWatched,
    JobDone,
    MachinesAtWork,
    Note,
    TaskDone,
    TaskFailed,
    TaskPainted,
    TaskResumed,
    TaskStarted,
)
from framestyle.kinds import MediaKind

BLOCKS = "▁▂▃▄▅▆▇█"


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


def describe(event: Event) -> str:
    """One line for the events that are worth one, else nothing."""
    if isinstance(event, TaskStarted):
        what = f"{_extent(event)}, " if event.kind is MediaKind.VIDEO else ""
        look = f" in {plain(event.preset)}" if event.preset else ""
        return f"{plain(event.path)}{look}: {what}{event.width}x{event.height}"
    if isinstance(event, TaskResumed):
        return f"{plain(event.path)}: goes on after frame {event.frames}"
    if isinstance(event, Note):
        return f"{'warning: ' if event.level == 'warning' else ''}{plain(note_text(event))}"
    if isinstance(event, CellDone):
        return f"{plain(event.path)} in {plain(event.preset)}: {event.seconds:.1f} s"
    if isinstance(event, TaskFailed):
        return f"FAILED {plain(event.path)}: {cause_of(event)}"
    if isinstance(event, TaskDone):
        size = f"{event.size_bytes / 1e6:.1f} MB"
        return (
            f"wrote {plain(event.output)} ({size}, {counted(event.frames, 'frame')}, {event.seconds:.1f} s)"
        )
    if isinstance(event, TaskPainted):
        how = "was painted before" if event.before else f"painted ({event.seconds:.1f} s)"
        return f"task {event.task} of {plain(event.path)}: {how}"
    if isinstance(event, FolderWatched):
        return watched_text(event)
    if isinstance(event, JobDone):
        tally = f"{len(event.outputs)} written, {len(event.failed)} failed"
        tally += f", {event.skipped} done before" if event.skipped else ""
        return f"done: {tally}, {counted(event.frames, 'frame')}, {event.seconds:.1f} s"
    return ""


def watched_text(event: FolderWatched) -> str:
    """How a watched folder stands."""
    return f"watching {plain(event.path)}: {event.waiting} waiting, {event.done} done, {event.failed} failed"


def _extent(clip: TaskStarted) -> str:
    """How much of it there is, as far as that is known."""
    frames = counted(clip.frames, "frame") if clip.frames else "frames as they come"
    return f"{frames}, {counted(clip.shots, 'shot')}" if clip.shots else frames


def cause_of(failed: TaskFailed) -> str:
    """Without the path, which stands before it anyway."""
    return plain(failed.message.removeprefix(failed.path).lstrip(" :"))


def shot_text(progress: Progress) -> str:
    """Which shot, and which pass over it, or which several; empty before the first one."""
    if progress.machines is not None:
        return machines_text(progress.machines)
    shots, task = progress.shots, progress.task
    if not shots or task is None:
        return ""
    of = f" of {task.shots}" if task.shots else ""
    if len(shots) > 1:
        return f"shots {', '.join(str(shot.index + 1) for shot in shots)}{of}"
    again = f", pass {shots[0].pass_number}/{task.passes}" if task.passes > 1 else ""
    return f"shot {shots[0].index + 1}{f'/{task.shots}' if task.shots else ''}{again}"


def machines_text(event: MachinesAtWork) -> str:
    """`12 shots at work on 5 machines`."""
    counts = ((event.shots, "shot"), (event.photos, "photo"))
    what = " and ".join(counted(count, word) for count, word in counts if count)
    return f"{what} at work on {counted(event.machines, 'machine')}"


def of_total(progress: Progress) -> str:
    """`/24`; empty where a pipe does not say."""
    return f"/{progress.total}" if progress.total else ""


def unit(progress: Progress) -> str:
    """What is counted: `photo` or `frame`; of a job of both, as what is at work."""
    task = progress.task
    return "photo" if task is not None and task.kind is MediaKind.PHOTO else "frame"


def pace_text(progress: Progress) -> str:
    """`2.66 s/frame`, and blanks before what comes next; empty until it is known."""
    each = progress.seconds_per_frame()
    return f"{each:.2f} s/{unit(progress)}  " if each is not None else ""


def left_text(progress: Progress) -> str:
    """`about 00:49 left`; empty until steps were measured."""
    left_s = progress.eta_s()
    return f"about {duration(left_s)} left" if left_s is not None else ""


def status_line(progress: Progress) -> str:
    """Where the work stands, in one line."""
    parts = [f"{unit(progress)} {progress.current}{of_total(progress)}"]
    if shot := shot_text(progress):
        parts.insert(0, shot)
    if progress.step is not None:
        step = progress.step
        parts.append(
            f"step {step.step}/{step.steps} at {step.width}x{step.height}  loss {step.losses[-1]:.4g}"
        )
    if left := left_text(progress):
        parts.append(f"{pace_text(progress)}{left}")
    return "  ".join(parts)
