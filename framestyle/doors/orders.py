"""An order on the command line: what commands that paint, now or elsewhere, have in common."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.doors.options import add_mask, add_overrides, add_range, check_range, overrides_of, parse_size

if TYPE_CHECKING:
    from framestyle.jobs.run.batch import Order


def add_look(parser: argparse.ArgumentParser) -> None:
    """What is painted how: presets, their keys, masks, size, range, memory."""
    parser.add_argument(
        "-p",
        "--preset",
        dest="presets",
        action="append",
        required=True,
        metavar="PRESET",
        help="a preset's name, or the path of a YAML file; with several -p, each gets a folder of its name",
    )
    add_overrides(parser)
    add_mask(parser)
    parser.add_argument(
        "--max-side", type=int, metavar="PX", help="longest side of the result; 0 = the input's own"
    )
    add_range(parser)
    parser.add_argument(
        "--memory-limit",
        type=parse_size,
        metavar="SIZE",
        help="most memory of the device to use, such as 4G or 600M; a large picture is then painted in parts",
    )


def order_of(args: argparse.Namespace, output: str) -> Order:
    """What the arguments ask for; results go to `output`, as it was typed."""
    from framestyle.jobs.run.batch import Order
    from framestyle.kinds import TimeRange
    from framestyle.presets import Said, load_preset

    check_range(args)
    overrides = overrides_of(args)
    if args.max_side is not None:
        overrides.append(Said(f"scales.max_side_px={args.max_side}", f"--max-side {args.max_side}"))
    return Order(
        args.inputs,
        Path(output),
        [load_preset(name, overrides, origin="--set") for name in args.presets],
        weights=args.weights,
        device=args.device,
        seed=args.seed,
        span=TimeRange(args.start, args.end),
        # A trailing slash says "folder"; Path forgets it.
        into_folder=output.endswith(("/", os.sep)),
        overwrite=args.overwrite,
        fresh=args.fresh,
        memory_limit_bytes=args.memory_limit,
        engine=getattr(args, "engine", "local"),
        work=getattr(args, "work", None) if hasattr(args, "engine") else None,
    )
