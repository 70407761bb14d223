"""An order on the command line: what commands that paint inputs, here or elsewhere, have in common."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.doors.options import (
    add_looks,
    add_memory_limit,
    add_range,
    add_settings,
    check_range,
    chosen_presets,
    order_of,
)

if TYPE_CHECKING:
    from framestyle.jobs.run.batch import Order


def add_look(parser: argparse.ArgumentParser) -> None:
    """What is painted how: presets, their keys, masks, size, range, memory."""
    add_looks(parser, "with several -p, each gets a folder of its name")
    add_settings(parser)
    add_range(parser)
    add_memory_limit(parser)


def job_order(args: argparse.Namespace, output: str) -> Order:
    """What the arguments ask for; results go to `output`, as it was typed."""
    from framestyle.kinds import TimeRange

    check_range(args)
    return replace(
        order_of(args, args.inputs, Path(output), chosen_presets(args)),
        span=TimeRange(args.start, args.end),
        # A trailing slash says "folder"; Path forgets it.
        into_folder=output.endswith(("/", os.sep)),
        fresh=args.fresh,
    )
