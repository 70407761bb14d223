"""`framestyle stylize - -o -`: frames through pipes. Nothing but frames leaves by standard output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.errors import Cancelled, Code, UsageError

if TYPE_CHECKING:
    from framestyle.jobs.run.batch import Order
    from framestyle.jobs.run.stream_order import Pipes
    from framestyle.media.pipes.stream import ColorTags

DASH = "-"
STDIN, STDOUT, STDERR = 0, 1, 2
CARRIERS = ("matroska", "y4m")
ALIASES: Mapping[str, Mapping[str, str]] = {
    "colorspace": {"bt601": "smpte170m", "bt2020": "bt2020nc"},
    "color_primaries": {"bt601": "smpte170m"},
    "color_trc": {"bt601": "smpte170m", "pq": "smpte2084", "hlg": "arib-std-b67"},
    "color_range": {"limited": "tv", "full": "pc"},
}
"""What ffmpeg calls by other names."""


def add_pipe_options(parser: argparse.ArgumentParser) -> None:
    """`--pipe-format`, and what is known of the colours of standard input."""
    group = parser.add_argument_group(
        "pipes", "INPUT - is standard input (y4m or Matroska), -o - standard output"
    )
    group.add_argument(
        "--pipe-format",
        choices=CARRIERS,
        help="what goes to standard output: matroska (FFV1, loses nothing), or y4m (default: matroska)",
    )
    for option, what in (
        ("--colorspace", "matrix, such as bt709, bt601 or bt2020"),
        ("--color-primaries", "primaries"),
        ("--color-trc", "transfer"),
        ("--color-range", "tv or pc"),
    ):
        group.add_argument(option, metavar="NAME", help=f"of standard input, where it does not say: {what}")


def is_piped(args: argparse.Namespace) -> bool:
    """Whether frames come or go through a pipe."""
    return Path(DASH) in args.inputs or args.output == DASH


def refuse_pipe_options(args: argparse.Namespace) -> None:
    """UsageError where what is said of pipes has none to be said of."""
    given = [f"--{name.replace('_', '-')}" for name in _PIPE_ONLY if getattr(args, name) is not None]
    if given:
        raise UsageError(
            f"{given[0]} is for frames by pipe, and there is no pipe", next_step="Use - for INPUT or for -o."
        )


_PIPE_ONLY = ("pipe_format", "colorspace", "color_primaries", "color_trc", "color_range")


def refuse_standard_input(inputs: Sequence[Path], why: str) -> None:
    """UsageError where an input is `-`. `why`: what needs more than that."""
    if Path(DASH) in inputs:
        raise UsageError(
            f"standard input passes once, and {why} more than one look",
            code=Code.STREAM_ONCE,
            next_step="Save it to a file, and name that.",
        )


@contextmanager
def _said_of_streams() -> Iterator[None]:
    """A stop, in words that hold for what passes once: from the first module that is loaded for it to the end."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Cancelled(
            "stopped; of a stream nothing is kept to resume", next_step="The same command begins anew."
        ) from stop


@_said_of_streams()
def run_piped(args: argparse.Namespace, order: Order) -> int:
    """`framestyle stylize` with a pipe on one side or both."""
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.jobs.run.stream import paint_stream
    from framestyle.jobs.run.stream_order import stream_order

    if args.dry_run:
        raise UsageError(
            "a dry run sends no frames, and would use up those that come",
            code=Code.STREAM_ONCE,
            next_step="Give the command without --dry-run; it refuses before it reads.",
        )
    with _frames_only_on_stdout(args.output == DASH) as stdout:
        stream = stream_order(order, _pipes(args, stdout))
        with open_console(args.progress) as console:
            paint_stream(stream, Context(console))
    return 0


@contextmanager
def _frames_only_on_stdout(is_target: bool) -> Iterator[int]:
    """The descriptor for frames. Whatever else is printed meanwhile, by whomever, goes to standard error."""
    if not is_target:
        yield STDOUT
        return
    if sys.__stdout__ is None:
        raise UsageError(
            "standard output is closed, and frames were to go there", next_step="Pipe it to a program."
        )
    if os.isatty(STDOUT):
        raise UsageError(
            "frames would go to the terminal",
            next_step="Pipe them to a program: framestyle … -o - | ffmpeg -i - …",
        )
    sys.stdout.flush()
    frames = os.dup(STDOUT)
    os.dup2(STDERR, STDOUT)
    try:
        yield frames
    finally:
        sys.stdout.flush()
        os.dup2(frames, STDOUT)
        os.close(frames)


def _pipes(args: argparse.Namespace, stdout: int) -> Pipes:
    from framestyle.jobs.run.stream_order import Pipes

    if (from_stdin := Path(DASH) in args.inputs) and os.isatty(STDIN):
        raise UsageError(
            "standard input is the terminal",
            next_step="Pipe a clip to it: ffmpeg … -f matroska - | framestyle …",
        )
    return Pipes(
        STDIN if from_stdin else None,
        stdout if args.output == DASH else None,
        args.pipe_format or CARRIERS[0],
        _tags(args),
    )


def _tags(args: argparse.Namespace) -> ColorTags:
    """UsageError where a name is none."""
    from framestyle.media.pipes.stream import ColorTags
    from framestyle.media.video.colors import MATRICES, PRIMARIES, RANGES, TRANSFERS

    def named(option: str, known: Collection[str]) -> str | None:
        given: str | None = getattr(args, option)
        name = None if given is None else ALIASES[option].get(given, given)
        if name is not None and name not in known:
            raise UsageError(
                f"--{option.replace('_', '-')}: {given!r} is not known",
                next_step=f"Known: {', '.join(sorted(known))}.",
            )
        return name

    return ColorTags(
        named("colorspace", MATRICES),
        named("color_primaries", PRIMARIES),
        named("color_trc", TRANSFERS),
        named("color_range", RANGES),
    )
