"""`framestyle watch IN -o OUT`: a folder served for ever."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from framestyle.doors.advice import next_step
from framestyle.doors.options import (
    add_engine,
    add_flag,
    add_memory_limit,
    add_presets,
    add_settings,
    add_work_options,
)
from framestyle.doors.orders import order_of, overrides_of
from framestyle.errors import Cancelled, Code, PresetError, UsageError
from framestyle.events import Event, FrameDone, JobDone, PhotoDone, TaskFailed

if TYPE_CHECKING:
    from framestyle.jobs.watch.watching import Watch
    from framestyle.presets import Preset


def add_watch(parser: argparse.ArgumentParser) -> None:
    """`framestyle watch`."""
    parser.add_argument(
        "folder", type=Path, metavar="IN", help="photos and clips arrive here, in any subfolders"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="OUT", help="results, in the same tree"
    )
    add_presets(parser, "with several -p, each gets a folder of its name")
    add_flag(
        parser,
        "--by-folder",
        "IN/NAME/… is painted in the preset NAME, into OUT/NAME/…; -p is then for files in IN itself",
    )
    add_flag(parser, "--sequences", "a subfolder of numbered photos, with no others in it, is one clip")
    parser.add_argument(
        "--settle",
        type=_seconds,
        default=5.0,
        metavar="S",
        help="a file is taken up when it has not changed for so many seconds, and opens whole (default: 5)",
    )
    parser.add_argument(
        "--rescan",
        type=_seconds,
        default=5.0,
        metavar="S",
        help="look again after so many seconds at the most (default: 5)",
    )
    add_flag(parser, "--once", "end when all that is there is dealt with: for cron")
    add_flag(parser, "--move-done", "move inputs into IN/done and IN/failed; without, they stay as they are")
    add_settings(parser)
    add_memory_limit(parser)
    add_flag(parser, "--overwrite", "replace files in OUT that are not from here")
    add_work_options(parser)
    add_engine(parser)
    parser.set_defaults(run=run_watch)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def run_watch(args: argparse.Namespace) -> int:
    """`framestyle watch`. SIGTERM ends it after the frame at hand: that is how a service is stopped, and no failure."""
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.doors.console.failures import refuse_any
    from framestyle.doors.hints import hints
    from framestyle.jobs.watch.watching import watch

    asked, stop = _asked(args), _Stop()
    try:
        with (
            _on_sigterm(stop),
            hints(asked.folder, asked.order.output) as rest,
            open_console(args.progress) as console,
        ):
            context = Context(console, stop.check).also(stop.on_event)
            tally = watch(asked, context, rest=stop.at_rest(rest))
    except Cancelled:
        if not stop.is_asked or args.once:
            raise
        return 0
    failures = [("", failure) for failure in tally.failures]
    refuse_any(failures, tally.done + len(failures), args.progress)
    return 0


def _asked(args: argparse.Namespace) -> Watch:
    from framestyle.jobs.watch.watching import Watch

    if not args.presets and not args.by_folder:
        raise UsageError("no preset is named", next_step="Name one with -p, or give --by-folder.")
    return Watch(
        args.folder,
        order_of(args, [], args.output, args.presets),
        _ByName(overrides_of(args)) if args.by_folder else None,
        settle_s=args.settle,
        rescan_s=args.rescan,
        once=args.once,
        move_done=args.move_done,
        sequences=args.sequences,
        worded=_reason,
    )


@dataclass
class _ByName:
    """Presets by the names of folders, each as it was when it was first asked for."""

    overrides: list[str]

    def __call__(self, name: str) -> Preset:
        """PresetError where no preset has that name: a folder's name is never taken for a path."""
        from framestyle.presets import is_plain_name, load_preset

        if not is_plain_name(name):
            raise PresetError(
                f"no preset is called {name!r}", code=Code.PRESET_UNKNOWN, facts={"name": name, "near": []}
            )
        return load_preset(name, self.overrides, origin="--set")


def _reason(failed: TaskFailed) -> str:
    """As it is written beside a file that could not be painted."""
    step = next_step(failed)
    return failed.message if step is None else f"{failed.message}\n{step}"


class _Stop:
    """Whether the end was asked for: at rest it is at once, at work after the frame or photo at hand."""

    def __init__(self) -> None:
        self.is_asked = False
        self._rests = self._is_in_frame = False

    def on_event(self, event: Event) -> None:
        """News of the work."""
        if isinstance(event, FrameDone | PhotoDone | TaskFailed | JobDone):
            self._is_in_frame = False

    def check(self) -> None:
        """Asked before each step: a frame that has begun is painted to its end."""
        if self.is_asked and not self._is_in_frame:
            raise Cancelled("stopped after the frame at hand")
        self._is_in_frame = True

    def at_rest(self, rest: Callable[[float], object]) -> Callable[[float], object]:
        """The same rest, which a signal breaks off."""

        def rested(seconds: float) -> None:
            self._rests = True
            try:
                if self.is_asked:
                    raise Cancelled
                rest(seconds)
            finally:
                self._rests = False

        return rested

    def asked(self, number: int, frame: FrameType | None) -> None:
        """A signal. The second one does not wait."""
        at_once = self._rests or self.is_asked
        self.is_asked = True
        if at_once:
            raise Cancelled


@contextmanager
def _on_sigterm(stop: _Stop) -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, stop.asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
