"""`framestyle preview`: a contact sheet of pictures in presets, or a few moving seconds. As in cli.py, heavy imports
happen inside."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.doors.options import (
    add_flag,
    add_inputs,
    add_looks,
    add_mask,
    add_overrides,
    add_range,
    add_repeated,
    add_work_options,
    check_range,
)
from framestyle.doors.orders import chosen_presets, overrides_of
from framestyle.doors.parsing import FormerName
from framestyle.doors.pipe import refuse_standard_input
from framestyle.doors.text import plain
from framestyle.errors import (
    BatchError,
    Cancelled,
    OutputError,
    PresetError,
    UsageError,
)
from framestyle.kinds import MediaKind

if TYPE_CHECKING:
    from framestyle.doors.sweeps import Sweep
    from framestyle.events import Event
    from framestyle.jobs.plan.inputs import Inputs
    from framestyle.presets import Preset

EXAMPLES = """examples:
  framestyle preview photos/ clip.mp4 -o looks.png -p mosaic -p wave
  framestyle preview photo.jpg -o looks.png --all
  framestyle preview photo.jpg -o grid.png -p wave --sweep strength=0.3,0.7 --sweep style.scale=0.5,1,2
  framestyle preview clip.mp4 -o before-after.mp4 -p nightswirl --start 0:10 --end 0:12
without --start and --end, a clip shows moments of its longest shots, and a moving preview a few seconds of them
"""
SIDE_PX, LEAST_PX, MOST_PX = 256, 16, 2048
MOST_SWEEPS = 2


def add_preview(parser: argparse.ArgumentParser) -> None:
    """The `preview` command."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    add_inputs(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        type=Path,
        metavar="FILE",
        help="a sheet (.png, .jpg) or a clip (.mp4)",
    )
    add_looks(parser, "may be repeated")
    add_flag(parser, "--all", "every preset, built-in and your own")
    add_overrides(parser)
    add_mask(parser)
    help = "one picture for each value of a preset key; twice: rows by columns"
    add_repeated(parser, "--sweep", dest="sweeps", metavar="KEY=V,V,…", help=help)
    parser.add_argument(
        "--max-side",
        dest="side_px",  # of the pictures shown: the preset keeps its own size
        type=int,
        default=SIDE_PX,
        metavar="PX",
        help=f"longest side of each picture, about (default: {SIDE_PX})",
    )
    parser.add_argument("--size", dest="side_px", type=int, action=FormerName, now="--max-side")
    add_range(parser)
    parser.add_argument(
        "--live",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="write the sheet anew after each picture (default: on a terminal)",
    )
    add_flag(parser, "--overwrite", "replace an output that exists")
    add_work_options(parser)
    parser.set_defaults(run=run_preview)


def run_preview(args: argparse.Namespace) -> int:
    """`framestyle preview`: what is wanted is checked before anything is decoded."""
    refuse_standard_input(args.inputs, "a preview takes")
    from framestyle.doors.sweeps import parse_sweep

    sweeps = [parse_sweep(text) for text in args.sweeps]
    _check_usage(args, sweeps)
    presets, broken = _load_presets(args)
    looks = _sweep(args, sweeps) if sweeps else presets
    from framestyle.jobs.plan.inputs import gather
    from framestyle.jobs.plan.tasks import names_a_clip
    from framestyle.jobs.resume.claims import claim
    from framestyle.jobs.resume.scratch import Scratch

    moving = names_a_clip(args.output) and "%" not in args.output.name
    inputs = gather(args.inputs, one_clip=moving)
    if moving:
        _check_moving(args, sweeps, presets, inputs)
    _check_output(args.output, inputs, args.overwrite)
    with Scratch(args.output.parent) as scratch:
        claim(scratch, [args.output])
        # Another run may have made it since.
        _check_output(args.output, inputs, args.overwrite)
        if moving:
            return _run_moving(args, inputs.found[0].path, presets[0][1])
        return _run_sheet(args, inputs, sweeps, looks, broken)


# -- what is wanted ----------------------------------------------------------------------------------------


def _check_usage(args: argparse.Namespace, sweeps: Sequence[Sweep]) -> None:
    check_range(args)
    if args.all and args.styles:
        raise UsageError(
            "--all shows presets, each in its own style",
            next_step="Leave out --style, or name presets with -p.",
        )
    if not args.all:
        chosen_presets(args)
    if not LEAST_PX <= args.side_px <= MOST_PX:
        raise UsageError(
            f"--max-side {args.side_px} is not between {LEAST_PX} and {MOST_PX}",
            next_step="A larger one: stylize.",
        )
    if len(sweeps) > MOST_SWEEPS:
        raise UsageError(
            f"{len(sweeps)} sweeps do not fit on a sheet", next_step="One gives columns, two rows by columns."
        )
    if len({_canonical(sweep.key) for sweep in sweeps}) < len(sweeps):
        raise UsageError(f"both sweeps change {sweeps[0].key}", next_step="Sweep two keys, or one.")
    if sweeps and (args.all or len(args.presets) > 1):
        raise UsageError("a sweep is of one preset", next_step="Name it with one -p.")


def _canonical(key: str) -> str:
    from framestyle.presets import SHORTHANDS

    return SHORTHANDS.get(key, key)


def _load_presets(
    args: argparse.Namespace,
) -> tuple[list[tuple[str, Preset]], list[tuple[Path, PresetError]]]:
    """Titles and presets: those named, then all, each once; two of one name are told apart by what was written. With
    `--all`, also the presets that do not load: one of those does not stop the others."""
    from framestyle.presets import list_presets, load_preset
    from framestyle.resolve import refuse_styleless

    rows = list_presets() if args.all else []
    broken = [
        (
            row.path,
            PresetError(
                f"preset {row.name!r} {row.description}",
                next_step=f"framestyle presets validate {row.name} tells all that is wrong.",
            ),
        )
        for row in rows
        if row.is_broken and row.name not in args.presets
    ]
    named = args.presets if args.all else chosen_presets(args)
    wanted = dict.fromkeys([*named, *(row.name for row in rows if not row.is_broken)])
    loaded = [(text, load_preset(text, overrides_of(args), origin="--set")) for text in wanted]
    for _, preset in loaded:
        refuse_styleless(preset)
    names = [preset.name for _, preset in loaded]
    titled = [(preset.name if names.count(preset.name) == 1 else text, preset) for text, preset in loaded]
    if args.styles and not args.presets:
        titled = [(" + ".join(Path(style).stem for style in args.styles), loaded[0][1])]
    return titled, broken


def _sweep(args: argparse.Namespace, sweeps: Sequence[Sweep]) -> list[tuple[str, Preset]]:
    """A look for each combination of values, the first sweep's outermost."""
    from framestyle.presets import load_preset

    looks = []
    for chosen in product(*(sweep.overrides() for sweep in sweeps)):
        # Without the sweep it loaded: what is wrong now is about the sweep, and is said in its name.
        preset = load_preset(chosen_presets(args)[0], [*overrides_of(args), *chosen], origin="--sweep")
        looks.append((" ".join(chosen), preset))
    return looks


def _check_moving(
    args: argparse.Namespace,
    sweeps: Sequence[Sweep],
    presets: Sequence[tuple[str, Preset]],
    inputs: Inputs,
) -> None:
    to_do = f"For more, name a sheet: -o {args.output.stem}.png"
    if not inputs.alone:
        raise UsageError(f"{args.output} shows one clip, and several inputs are named", next_step=to_do)
    if inputs.found[0].kind is MediaKind.PHOTO:
        raise UsageError(
            f"{inputs.found[0].path} is no clip, and {args.output} is to be one",
            next_step="Name a clip, or a sheet to be written, such as -o sheet.png.",
        )
    if sweeps or len(presets) > 1:
        raise UsageError(f"{args.output} shows one preset, and several are named", next_step=to_do)
    if args.live:
        raise UsageError("--live is for sheets; a clip is whole or not at all", next_step=to_do)


def _check_output(output: Path, inputs: Inputs, overwrite: bool) -> None:
    """All that can be refused before hours of work."""
    from framestyle.media.photos import FORMATS
    from framestyle.media.video.codecs import MUXERS
    from framestyle.media.writable import check_name, check_writable

    if output.suffix.lower() not in {*FORMATS, *MUXERS}:
        raise OutputError(
            f"{output}: neither a sheet nor a clip ends in {output.suffix!r}",
            next_step=f"Sheets: {', '.join(FORMATS)}. Clips: {', '.join(MUXERS)}.",
        )
    check_name(output)
    if output.is_file():
        if any(path.samefile(output) for path in inputs.paths()):
            raise OutputError(
                f"{output} is an input; sources are never written over", next_step="Choose another -o."
            )
        if not overwrite:
            raise OutputError(f"{output} exists already", next_step="Choose another -o, or add --overwrite.")
    check_writable(output)


# -- what is made ------------------------------------------------------------------------------------------


def _run_sheet(
    args: argparse.Namespace,
    inputs: Inputs,
    sweeps: Sequence[Sweep],
    looks: Sequence[tuple[str, Preset]],
    broken: Sequence[tuple[Path, PresetError]],
) -> int:
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.doors.console.failures import LISTED, list_failures
    from framestyle.doors.hidden_presets import hidden_presets
    from framestyle.doors.preview_sheet import Wanted, make_sheet
    from framestyle.events import TaskFailed
    from framestyle.jobs.plan.inputs import Unusable
    from framestyle.jobs.preview.cells import Look
    from framestyle.kinds import TimeRange

    failures: list[TaskFailed] = []
    wanted = Wanted(
        inputs,
        args.output,
        tuple(Look(title, preset) for title, preset in looks),
        labels=sweeps[-1].overrides() if sweeps else tuple(title for title, _ in looks),
        lines=sweeps[0].overrides() if len(sweeps) == MOST_SWEEPS else ("",),
        preset=looks[0][1].name if sweeps else "",
        unusable=tuple(Unusable(path, error) for path, error in broken),
        side_px=args.side_px,
        span=TimeRange(args.start, args.end),
        live=sys.stderr.isatty() if args.live is None else args.live,
    )
    with open_console(args.progress) as console:
        for note in hidden_presets(args.presets):
            console(note)

        def collect(event: Event) -> None:
            if isinstance(event, TaskFailed):
                failures.append(event)

        context = Context(console).also(collect)
        made = make_sheet(wanted, weights=args.weights, device=args.device, seed=args.seed, context=context)
    for line in made.words() if made is not None else ():
        print(plain(line))
    for title, preset in looks if made is not None else ():
        _print_chart(title, preset)
    if not failures:
        return 0
    list_failures([("", failure) for failure in failures], args.progress)
    if made is None:
        raise BatchError(f"all {len(failures)} failed", next_step=LISTED)
    raise BatchError(
        f"{len(failures)} failed; {args.output} has the rest, and says what is missing",
        next_step=LISTED,
    )


def _run_moving(args: argparse.Namespace, clip: Path, preset: Preset) -> int:
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.doors.hidden_presets import hidden_presets
    from framestyle.doors.preview_words import words_of_moving
    from framestyle.jobs.plan.tasks import Task
    from framestyle.jobs.preview.moving import preview_clip
    from framestyle.kinds import TimeRange

    with open_console(args.progress) as console:
        for note in hidden_presets(args.presets):
            console(note)
        try:
            made = preview_clip(
                Task(MediaKind.VIDEO, clip, args.output),
                TimeRange(args.start, args.end),
                preset,
                args.side_px,
                weights=args.weights,
                device=args.device,
                seed=args.seed,
                context=Context(console),
            )
        except (KeyboardInterrupt, Cancelled):
            raise Cancelled(
                "stopped; nothing was written", next_step="The same command starts again."
            ) from None
    for line in words_of_moving(made, preset):
        print(plain(line))
    _print_chart(preset.name, preset)
    return 0


def _print_chart(title: str, preset: Preset) -> None:
    """What changes in time, where something does."""
    from framestyle.doors.timeline_chart import chart_lines

    for line in chart_lines(preset):
        print(plain(f"{title}: {line}" if line.startswith("timeline") else line))
