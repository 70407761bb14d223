"""`framestyle task plan | paint | join`: work that other machines, or a farm, do task by task."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.doors.options import add_flag, add_inputs, add_paths, add_progress
from framestyle.doors.orders import add_doing, add_look, job_order
from framestyle.doors.parsing import Parser
from framestyle.doors.text import plain
from framestyle.errors import BatchError, FramestyleError, UsageError
from framestyle.events import TaskFailed, TaskPainted, TasksBegun

if TYPE_CHECKING:
    from framestyle.doors.console import Console
    from framestyle.events import JobDone
    from framestyle.jobs.handout.folder import Handout
    from framestyle.jobs.handout.painting import Painter


def add_task(parser: argparse.ArgumentParser) -> None:
    """The `task` command."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=Parser)
    plan = actions.add_parser("plan", help="write the tasks of a job, a shot or a photo each, into a folder")
    add_inputs(plan)
    plan.add_argument("-o", "--output", required=True, help="as for stylize: written to by join alone")
    add_look(plan)
    plan.add_argument(
        "--work", type=Path, required=True, metavar="DIR", help="the folder for tasks and what is painted"
    )
    add_doing(plan)
    plan.set_defaults(run=run_plan)
    paint = actions.add_parser("paint", help="paint tasks: done twice it is the same, stopped it is resumed")
    add_paths(paint, "tasks", "TASK", "a file of DIR/tasks, or DIR for all that is left")
    paint.add_argument(
        "--only", metavar="N-M", help="of DIR, the tasks of these numbers alone, as in 0-4 or 3,7,12-20"
    )
    add_flag(
        paint,
        "--keep-going",
        "a task that cannot be painted on any machine is left to join to report, and is no failure here",
    )
    paint.add_argument(
        "--device", metavar="DEV", help="which device of the plan's kind, as in cuda:1 (default: the first)"
    )
    add_progress(paint, "openjd")
    paint.set_defaults(run=run_paint)
    join = actions.add_parser("join", help="when all is painted: encode, check, and publish the results")
    join.add_argument("work", type=Path, metavar="DIR", help="the folder that plan has written")
    add_progress(join, "openjd")
    join.set_defaults(run=run_join)


def run_plan(args: argparse.Namespace) -> int:
    """`framestyle task plan`. Each task's file is a line on stdout."""
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.jobs.handout.folder import task_path
    from framestyle.jobs.handout.planning import plan

    with open_console(args.progress) as console:
        planned = plan(job_order(args, args.output), args.work, Context(console))
    for one in planned.units:
        print(plain(str(task_path(args.work, one.number))))
    if planned.handout is None:
        print(f"nothing to do: {planned.done} done before")
    return 0


def run_paint(args: argparse.Namespace) -> int:
    """`framestyle task paint`."""
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.jobs.handout.painting import Painter

    handout, numbers = _asked(args)
    with open_console(args.progress) as console, Painter(handout, Context(console), device=args.device) as it:
        failed = _paint_all(it, numbers, args, console)
    if not failed or args.keep_going:
        return 0
    if len(numbers) == 1:
        raise failed[0]
    raise BatchError(
        f"{len(failed)} of {len(numbers)} tasks failed; the rest is painted",
        next_step="Each was told above, with its cause; join reports them and publishes the others.",
    )


def _paint_all(
    painter: Painter, numbers: Sequence[int], args: argparse.Namespace, console: Console
) -> list[FramestyleError]:
    """The errors of those that cannot be painted on any machine; trouble of this machine is raised."""
    from framestyle.jobs.handout.outcomes import FINAL, is_recorded

    failed: list[FramestyleError] = []
    console(TasksBegun(len(numbers)))
    for number in numbers:
        try:
            painted = painter.paint(number)
        except FINAL as error:
            if not is_recorded(painter.handout, number) or (len(numbers) == 1 and not args.keep_going):
                raise
            failed.append(error)
            source = str(painter.handout.handed(number).unit.source)
            console(TaskFailed.of(source, error))
        else:
            unit, done = painted.handed.unit, painted.made.done
            console(TaskPainted(str(unit.source), number, done.seconds, done.steps, not painted.is_new))
    return failed


def _asked(args: argparse.Namespace) -> tuple[Handout, list[int]]:
    """The work folder, and the numbers of the tasks that are named."""
    from framestyle.jobs.handout.folder import Handout, number_of
    from framestyle.jobs.handout.painting import unfinished

    paths: list[Path] = args.tasks
    if len(paths) == 1 and paths[0].is_dir():
        handout = Handout.read(paths[0])
        if args.only is None:
            return handout, unfinished(handout)
        return handout, numbers_in(args.only, handout.count)
    if args.only is not None:
        raise UsageError("--only is for a work folder", next_step="Name the folder, or the tasks' files.")
    folders = {path.absolute().parent.parent for path in paths}
    if len(folders) > 1:
        raise UsageError("the tasks are of several work folders", next_step="Name those of one at a time.")
    numbers = [number_of(path) for path in paths]
    return Handout.read(paths[0].parent.parent), numbers


def numbers_in(text: str, count: int) -> list[int]:
    """`0-4`, `3,7,12-20`, `0-20:5` -> numbers. UsageError where it is none, or there are no such tasks."""
    numbers: list[int] = []
    try:
        for part in text.split(","):
            ends, _, step = part.strip().partition(":")
            first, _, last = ends.partition("-")
            numbers += range(int(first), int(last or first) + 1, int(step or 1))
    except ValueError:
        raise UsageError(f"{text!r} names no tasks", next_step="Write them as in 0-4 or 3,7,12-20.") from None
    if not numbers or not all(0 <= number < count for number in numbers):
        raise UsageError(f"{text!r} is not among the tasks", next_step=f"They are 0-{count - 1}.")
    return numbers


def run_join(args: argparse.Namespace) -> int:
    """`framestyle task join`."""
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.doors.console.failures import FailureCollector
    from framestyle.jobs.handout.joining import join

    failures = FailureCollector()
    with open_console(args.progress) as console:
        done: list[JobDone] = join(args.work, Context(console).also(failures.collect))
    if not done:
        print(f"{plain(str(args.work))} was joined before")
    tasks = sum(len(one.outputs) + len(one.failed) + one.skipped for one in done)
    failures.refuse_any(tasks, args.progress)
    return 0
