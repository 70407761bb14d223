"""The command line: turns a call into a job, and errors into one sentence and an exit code. See `framestyle --help`.

Heavy imports (torch, OpenCV) happen inside the commands that need them, so that `--help` is immediate.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import framestyle
from framestyle.doors.advice import next_step, note_text
from framestyle.doors.options import (
    add_engine,
    add_flag,
    add_inputs,
    add_live_picture,
    add_replacing,
    add_work_options,
)
from framestyle.doors.orders import add_doing, add_look, job_order
from framestyle.doors.parsing import Parser, add_commands
from framestyle.doors.pipe import add_pipe_options, is_piped, refuse_pipe_options, run_piped
from framestyle.doors.signals import hear_signals, ignore_signals
from framestyle.doors.streams import StandardStreams
from framestyle.doors.text import plain
from framestyle.doors.threads import wait_briefly
from framestyle.errors import BatchError, Cancelled, FramestyleError, PresetError, StorageError, UsageError

if TYPE_CHECKING:
    from framestyle.context import OnPicture

EXAMPLES = """examples:
  framestyle demo
  framestyle presets list
  framestyle preview photo.jpg -o looks.png -p mosaic -p wave
  framestyle stylize photo.jpg -o painted.jpg --style my-painting.jpg
  framestyle stylize clip.mp4 -o painted.mp4 -p nightswirl --max-side 512
  framestyle stylize photos/ -o painted/ -p watercolor --set strength=0.7
  framestyle stylize photos/ -o painted/ -p wave -p inkwash --dry-run
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Once it was told to stop, this process hears no further signal to stop.

    Whoever listens may go away: the code is that of the work, see `streams`.
    """
    with StandardStreams() as streams:
        code = _main(argv)
        lost = streams.lost()
        return _fail(lost, argparse.Namespace(debug=False)) if lost is not None and code == 0 else code


def _main(argv: Sequence[str] | None) -> int:
    parser = build_parser()
    try:
        args = parser.parse_args(argv)
    except FramestyleError as error:
        return _fail(error, argparse.Namespace(debug=False))
    args.began_s = time.perf_counter()
    if not hasattr(args, "run"):
        parser.print_help()
        return UsageError.exit_code
    hear_signals()
    wait_briefly()
    try:
        return _run(args)
    except KeyboardInterrupt:
        return _stopped(_interrupted(), args)
    except Cancelled as stop:
        return _stopped(stop, args)
    finally:
        _end_decoders()


def _end_decoders() -> None:
    """Those that wait for a next clip, where any were started."""
    if (opencv := sys.modules.get("framestyle.media.video.opencv")) is not None:
        opencv.end_waiting()


def _run(args: argparse.Namespace) -> int:
    """The command; KeyboardInterrupt where a signal came, even while an error was being told."""
    try:
        _refuse_nowhere()
        code: int = args.run(args)
        return code
    except FramestyleError as error:
        return _fail(error, args)
    except Exception as error:
        if args.debug:
            raise
        print(
            f"framestyle: unexpected {type(error).__name__}: {plain(str(error), lines=True)}", file=sys.stderr
        )
        print("  This is a bug. Run the same command with --debug for the whole story.", file=sys.stderr)
        return 1


def _refuse_nowhere() -> None:
    """StorageError where the current folder was removed: relative paths lead nowhere, and libraries end the process."""
    try:
        Path.cwd()
    except OSError as error:
        raise StorageError(
            f"the current folder cannot be reached: {error.strerror}",
            next_step="Change to a folder that is there (cd), then give the same command again.",
        ) from error


def _stopped(stop: Cancelled, args: argparse.Namespace) -> int:
    ignore_signals()
    return _fail(stop, args)


def _interrupted() -> Cancelled:
    return Cancelled(
        "stopped; no half-written file was left",
        next_step="Finished files are kept. The same command resumes with the others.",
    )


def _fail(error: FramestyleError | Cancelled, args: argparse.Namespace) -> int:
    if args.debug:
        traceback.print_exception(error)
    if getattr(args, "progress", None) == "json" and not isinstance(error, BatchError):
        from framestyle.doors.console.json_lines import failed_line

        print(failed_line(error, time.perf_counter() - args.began_s), file=sys.stderr)
    elif getattr(args, "progress", None) == "openjd":
        from framestyle.doors.console.openjd import failed_text

        print(failed_text(error), flush=True)
    # A preset's faults stand in a line each; elsewhere a line's end can only be part of a name.
    print(f"framestyle: {plain(error.message, lines=isinstance(error, PresetError))}", file=sys.stderr)
    if step := next_step(error):
        print(f"  {plain(step)}", file=sys.stderr)
    return error.exit_code


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="framestyle",
        description="Paints video clips and photo folders in named styles.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"framestyle {framestyle.__version__}")
    add_flag(parser, "--debug", "show the traceback of an error")
    add_commands(parser)
    return parser


def add_stylize(parser: argparse.ArgumentParser) -> None:
    """`framestyle stylize`."""
    add_inputs(parser)
    parser.add_argument("-o", "--output", required=True, help="a file, or a folder for several results")
    add_look(parser)
    add_replacing(parser)
    add_flag(parser, "--dry-run", "say what would be done, and do nothing: sizes, time and disk by estimate")
    add_work_options(parser)
    add_live_picture(parser)
    add_engine(parser)
    add_pipe_options(parser)
    parser.set_defaults(run=run_stylize)


def add_demo(parser: argparse.ArgumentParser) -> None:
    """`framestyle demo`."""
    parser.add_argument("-o", "--output", type=Path, default=Path("framestyle-demo"), metavar="DIR")
    add_doing(parser)
    parser.set_defaults(run=run_demo)


def run_stylize(args: argparse.Namespace) -> int:
    """`framestyle stylize`."""
    from framestyle.doors.hidden_presets import hidden_presets
    from framestyle.jobs.run.batch import prepare

    order = job_order(args, args.output)
    if is_piped(args):
        return run_piped(args, order)
    refuse_pipe_options(args)
    jobs = prepare(order)
    if args.dry_run:
        from framestyle.doors.dry_run import dry_run

        for line in chain(map(note_text, hidden_presets(args.presets)), dry_run(jobs, order, args.workers)):
            print(plain(line))
        return 0
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.doors.console.failures import FailureCollector
    from framestyle.doors.timeline_chart import chart_notes
    from framestyle.jobs.run.batch import paint

    failures = FailureCollector()
    charts = chart_notes((job.preset for job in jobs if job.to_do), args.progress)
    with open_console(args.progress) as console:
        for note in chain(hidden_presets(args.presets), charts):
            console(note)
        paint(jobs, order, Context(console, on_picture=_on_picture(args.live_picture)).also(failures.collect))
    failures.refuse_any(sum(job.tasks for job in jobs), args.progress)
    return 0


def _on_picture(path: Path | None) -> OnPicture | None:
    from framestyle.doors.live_picture import LivePicture

    return None if path is None else LivePicture(path)


def run_demo(args: argparse.Namespace) -> int:
    """`framestyle demo`."""
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.doors.demo import demo

    with open_console(args.progress) as console:
        made = demo(
            args.output,
            weights=args.weights,
            device=args.device,
            seed=args.seed,
            context=Context(console),
            overwrite=args.overwrite,
            fresh=args.fresh,
        )
    for line in made.lines():
        print(line)
    return 0
