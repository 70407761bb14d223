"""Options that several commands take."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from framestyle.errors import UsageError
from framestyle.quality import QUALITIES
from framestyle.registries import ENGINES, FLOW, WEIGHTS, engine_name, is_elsewhere


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """What `jobs.inputs.gather` takes."""
    help = "a clip, a photo, an image sequence (shot.%%04d.png), a folder, or a pattern ('photos/**/*.jpg')"
    add_paths(parser, "inputs", "INPUT", help)


def add_paths(parser: argparse.ArgumentParser, name: str, metavar: str, help: str) -> None:
    """One path or more, for `args.NAME`."""
    parser.add_argument(name, nargs="+", type=Path, metavar=metavar, help=help)


def add_repeated(parser: argparse.ArgumentParser, *names: str, **more: Any) -> None:
    """An option that may be given several times: a list of what was said, `more` as for `add_argument`."""
    parser.add_argument(*names, action="append", default=[], **more)


def add_flag(parser: argparse.ArgumentParser, name: str, help: str) -> None:
    """An option without a value: whether it was given."""
    parser.add_argument(name, action="store_true", help=help)


def add_looks(parser: argparse.ArgumentParser, several: str) -> None:
    """`--preset` and `--style`. `several`: what several presets are for."""
    add_presets(parser, several)
    help = "your own picture as the style, in place of the preset's; may be repeated; needs no -p"
    add_repeated(parser, "--style", dest="styles", metavar="IMAGE", help=help)


def add_presets(parser: argparse.ArgumentParser, several: str) -> None:
    """`--preset`. `several`: what several presets are for."""
    help = f"a preset's name, or the path of a YAML file; {several}"
    add_repeated(parser, "-p", "--preset", dest="presets", metavar="PRESET", help=help)


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """`--set`."""
    add_repeated(parser, "--set", dest="overrides", metavar="KEY=VALUE", help="change any preset key")


def add_mask(parser: argparse.ArgumentParser) -> None:
    """`--mask`."""
    parser.add_argument(
        "--mask",
        metavar="PATH",
        help="where the regions lie that style images are for: an image, a clip or sequence that moves with the input, "
        "a folder with one for each input, or alpha: the input's transparency",
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """`--quality`, `--set`, `--mask` and `--max-side`."""
    parser.add_argument(
        "--quality",
        choices=QUALITIES,
        help="how much work it is worth: sizes, steps and, of clips, whether all frames are optimised or key frames; "
        "in place of what the preset says, and below --set; --dry-run tells the time",
    )
    add_overrides(parser)
    add_mask(parser)
    parser.add_argument(
        "--max-side", type=int, metavar="PX", help="longest side of the result; 0 = the input's own"
    )


def add_range(parser: argparse.ArgumentParser) -> None:
    """`--start` and `--end`."""
    for option in ("--start", "--end"):
        parser.add_argument(option, type=parse_time, metavar="T", help="seconds, or [[HH:]MM:]SS[.fff]")


def add_replacing(parser: argparse.ArgumentParser) -> None:
    """`--overwrite` and `--fresh`."""
    add_flag(
        parser, "--overwrite", "replace whatever is in an output's place, but what this same command has done"
    )
    add_flag(
        parser, "--fresh", "paint that anew too; without --overwrite, replace only FrameStyle's own results"
    )


def add_work_options(parser: argparse.ArgumentParser) -> None:
    """Where and how the work is done, and how it is shown."""
    parser.add_argument(
        "--device",
        default="auto",
        metavar="DEV",
        help="auto | cpu | cuda[:N] | mps, or cuda:0,cuda:1,… (default: auto)",
    )
    parser.add_argument(
        "--weights",
        default="auto",
        metavar="W",
        help=f"{' | '.join((*_painting(), 'PATH'))}; auto = original where its package is installed, else learned",
    )
    parser.add_argument("--seed", type=int, default=0, help="same seed, same pixels (default: 0)")
    add_progress(parser)


def add_memory_limit(parser: argparse.ArgumentParser) -> None:
    """`--memory-limit`."""
    help = "most memory of the device to use, such as 4G or 600M; a large picture is then painted in parts"
    parser.add_argument("--memory-limit", type=parse_size, metavar="SIZE", help=help)


def add_progress(parser: argparse.ArgumentParser, *more: str) -> None:
    """`--progress`, with `more` ways that are the command's own."""
    parser.add_argument(
        "--progress",
        default="auto",
        choices=("auto", "rich", "json", *more, "none"),
        help="how to show progress",
    )
    add_debug(parser)


def add_debug(parser: argparse.ArgumentParser) -> None:
    """`--debug` behind the command's name too, where it is not told of again."""
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _painting() -> list[str]:
    """Weights that paint, of plugins too."""
    return [entry.name for entry in WEIGHTS.entries() if FLOW not in entry.plugin.traits]


def add_live_picture(parser: argparse.ArgumentParser) -> None:
    """`--live-picture`."""
    parser.add_argument(
        "--live-picture",
        type=Path,
        metavar="FILE.jpg",
        help="write the picture that is being painted, small, anew about once a second: for whoever shows the work",
    )


def add_engine(parser: argparse.ArgumentParser) -> None:
    """`--engine`."""
    parser.add_argument(
        "--engine",
        default="local",
        type=_engine,
        metavar="ENGINE",
        help=f"what does the work: {' | '.join(ENGINES.names())}, or ray://HOST:PORT for a cluster that stands "
        "(default: local)",
    )
    parser.add_argument(
        "--work",
        metavar="URL",
        help="of --engine ray: a folder or URL (s3://…) through which inputs, weights and results travel, where "
        "machines do not see the same folders",
    )
    parser.add_argument(
        "--workers",
        type=count_of("workers"),
        metavar="N",
        help="of --engine ray with --dry-run: what would go where, and how long it would take, on so many",
    )


def count_of(what: str) -> Callable[[str], int]:
    """For numbers of things, from 1 on."""

    def parsed(text: str) -> int:
        if not re.fullmatch("[0-9]{1,9}", text) or int(text) < 1:
            raise argparse.ArgumentTypeError(f"{text!r} is no number of {what}")
        return int(text)

    return parsed


def _engine(text: str) -> str:
    name = engine_name(text)
    if name not in ENGINES:
        raise argparse.ArgumentTypeError(f"{text!r} is no engine: choose from {', '.join(ENGINES.names())}")
    if text != name and not is_elsewhere(name):
        raise argparse.ArgumentTypeError(f"the engine {name} has no address")
    return text


def parse_time(text: str) -> Fraction:
    """`90`, `1:30`, `00:01:30.5` -> seconds."""
    parts = text.split(":")
    try:
        if not 1 <= len(parts) <= 3 or any(not part.replace(".", "", 1).isdecimal() for part in parts):
            raise ValueError
        seconds = Fraction(0)
        for part in parts:
            seconds = seconds * 60 + Fraction(part)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write seconds or [[HH:]MM:]SS[.fff]"
        ) from None
    return seconds


def parse_size(text: str) -> int:
    """`4G`, `600M`, `1.5GiB` -> bytes, a K being 1024."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) *([KMGT])(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(float(found[1]) * 1024 ** ("KMGT".index(found[2].upper()) + 1)) if found else 0
    if size == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no size: write 4G or 600M")
    return size


def check_range(args: argparse.Namespace) -> None:
    """UsageError where `--end` is not after `--start`, or after the beginning."""
    if args.end == 0:
        raise UsageError("--end 0 leaves nothing of a clip", next_step="Choose a later one, or leave it out.")
    if args.start is not None and args.end is not None and args.start >= args.end:
        raise UsageError("--start must lie before --end", next_step="Correct one of them.")
