"""One shot painted: its frames as they come, kept in its folder on the way, from where it was stopped before."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from framestyle.context import Context
from framestyle.errors import InputError
from framestyle.events import Event, FrameDone, StepDone
from framestyle.frames import Frame
from framestyle.jobs.plan.survey import clip_reader
from framestyle.jobs.plan.units import ShotTask
from framestyle.jobs.resume.shot_work import ShotWork
from framestyle.jobs.run.queues import read_ahead
from framestyle.mattes import with_masks
from framestyle.media.photos import with_hidden_filled
from framestyle.motion.sequence import FramePainter
from framestyle.nst.optimise.replay import Replays
from framestyle.nst.stylizer import Stylizer
from framestyle.presets.instants import Timeline
from framestyle.session import Session


@dataclass(frozen=True)
class ShotDone:
    """A shot is whole: its segments lie in the clip's work folder. `steps` of this time alone."""

    number: int
    steps: int
    seconds: float


def paint_shot(task: ShotTask, session: Session, context: Context) -> ShotDone:
    """Paint a shot into its folder, or what is left of it. One that is whole already is left as it is.

    A shot that is stopped keeps what is finished; InputError where its clip no longer holds its frames.
    """
    started, steps = time.perf_counter(), StepCount()
    with ShotWork(task, every_s=session.preset.output.save_every_s) as work:
        if not work.is_whole:
            with (
                clip_reader(task.source, task.span, session.preset) as reader,
                closing(read_ahead(reader)) as decoded,
                closing(with_masks(frames_of(decoded, task), session.preset, task.source)) as masked,
                closing(
                    painted_frames(
                        work,
                        masked,
                        session.stylizer_for(task.source),
                        session,
                        _named(context.also(steps), task.number),
                    )
                ) as frames,
            ):
                for _ in frames:
                    pass
    return ShotDone(task.number, steps.taken, time.perf_counter() - started)


def _named(context: Context, number: int) -> Context:
    """Each step says whose it is: other shots may be at work beside this one."""

    def listener(event: Event) -> None:
        context.on_event(replace(event, shot=number) if isinstance(event, StepDone) else event)

    return replace(context, on_event=listener)


def frames_of(decoded: Iterable[Frame], task: ShotTask) -> Iterator[Frame]:
    """Those of a clip's frames that are the shot's; what follows is left to be taken."""
    for frame in decoded:
        if frame.index >= task.shot.first:
            yield frame
        if frame.index + 1 >= task.shot.end:
            return


def painted_frames(
    work: ShotWork,
    frames: Iterable[Frame],
    stylizer: Stylizer,
    session: Session,
    context: Context,
    replays: Replays | None = None,
) -> Generator[Frame, None, None]:
    """The frames of a shot that were not finished before, each kept in `work`, which is closed at the end.

    `frames` are all of the shot's; alpha rides with them. `replays`: recorded steps, for shots that follow one another.
    """
    task, resume = work.task, work.bookmark(session.stylizer.device)
    count = _Painted(work.found.painted)
    read = _Counted(frames)
    with FramePainter(
        stylizer,
        shots=[task.shot],
        flow=session.flow,
        store=work.frames,
        on_bookmark=lambda bookmark: work.mark(bookmark, count.painted),
        resume=resume,
        first_number=task.number,
        replays=replays,
        timeline=Timeline.of(session.preset, task.timeline_s, 1 / task.frame_rate),
    ) as painter:
        context = context.also(count)
        for frame in read:
            yield from _kept(painter.push(_opaque(frame), context), work)
        yield from _kept(painter.finish(context), work)
    if read.count < task.shot.frames:
        # Before it is closed: a shot that lacks frames is not whole.
        raise InputError(
            f"{task.source} gave {task.shot.end} frames at first, and only {task.shot.first + read.count} when they"
            " were rendered",
            next_step="Check that the file is whole and its disk or network is well, then give the same command.",
        )
    work.close(count.painted)


def _kept(painted: Iterator[Frame], work: ShotWork) -> Iterator[Frame]:
    for frame in painted:
        work.write(frame)
        yield frame


def _opaque(frame: Frame) -> Frame:
    """What its transparency hides steers nothing."""
    if frame.alpha is None:
        return frame
    return replace(frame, pixels=with_hidden_filled(frame.pixels, frame.alpha))


class _Counted:
    """Frames, and how many there were."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames, self.count = frames, 0

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self.count += 1
            yield frame


class _Painted:
    """Hears how many frames are painted, each as often as it is."""

    def __init__(self, before: int) -> None:
        self.painted = before

    def __call__(self, event: Event) -> None:
        self.painted += isinstance(event, FrameDone)


class StepCount:
    """Hears how many steps are taken."""

    def __init__(self) -> None:
        self.taken = 0

    def __call__(self, event: Event) -> None:
        if isinstance(event, FrameDone):
            self.taken += event.steps
