"""What was asked for on the command line, by the options of options.py: presets, their settings, an order."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.doors.options import (
    add_looks,
    add_memory_limit,
    add_range,
    add_replacing,
    add_settings,
    add_work_options,
    check_range,
)
from framestyle.errors import UsageError
from framestyle.registries import is_elsewhere

if TYPE_CHECKING:
    from framestyle.jobs.run.batch import Order

PLAIN_PRESET = "base"


def add_look(parser: argparse.ArgumentParser) -> None:
    """What is painted how: presets, their keys, masks, size, range, memory."""
    add_looks(parser, "with several -p, each gets a folder of its name")
    add_settings(parser)
    add_range(parser)
    add_memory_limit(parser)


def add_doing(parser: argparse.ArgumentParser) -> None:
    """How it is done: what it may replace, on which device, with which weights, and how it is shown."""
    add_replacing(parser)
    add_work_options(parser)


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


def chosen_presets(args: argparse.Namespace) -> list[str]:
    """Presets by name or path: those of `-p`, else every setting at its default where `--style` says the style.

    UsageError where neither was given.
    """
    if not args.presets and not args.styles:
        raise UsageError(
            "no style is named",
            next_step="Name a preset with -p (framestyle presets list), or your own picture with --style.",
        )
    return list(args.presets) or [PLAIN_PRESET]


def order_of(args: argparse.Namespace, inputs: Sequence[Path], output: Path, presets: Sequence[str]) -> Order:
    """What the options that all painting commands share ask for; `presets` by name or path."""
    from framestyle.jobs.run.batch import Order
    from framestyle.presets import load_preset

    overrides = overrides_of(args)
    return Order(
        list(inputs),
        output,
        [load_preset(name, overrides, origin="--set") for name in presets],
        weights=args.weights,
        device=args.device,
        seed=args.seed,
        overwrite=args.overwrite,
        memory_limit_bytes=args.memory_limit,
        engine=getattr(args, "engine", "local"),  # tasks and farms are engines of their own
        work=_store(args),
    )


def _store(args: argparse.Namespace) -> str | None:
    """UsageError where a store is named for an engine that has no use for it."""
    if getattr(args, "engine", None) is None or args.work is None:
        return None
    if not is_elsewhere(args.engine):
        raise UsageError("--work is for --engine ray", next_step="Add that, or leave it out.")
    return str(args.work)


def overrides_of(args: argparse.Namespace) -> list[str]:
    """Those of `--style`, of `--quality`, `--set`, `--mask` and `--max-side`, each where the command has it."""
    from framestyle.presets import Said

    overrides = list(args.overrides)
    if (quality := getattr(args, "quality", None)) is not None:
        overrides.insert(0, Said(f"quality={quality}", f"--quality {quality}"))
    if styles := getattr(args, "styles", []):
        images = [json.dumps(style, ensure_ascii=False) for style in styles]
        overrides.insert(0, Said(f"style.images=[{', '.join(images)}]", f"--style {' '.join(images)}"))
    if args.mask is not None:
        # JSON's quotes are YAML's: a path may hold whatever means something there.
        quoted = json.dumps(args.mask, ensure_ascii=False)
        overrides.append(Said(f"style.mask={quoted}", f"--mask {quoted}"))
    if getattr(args, "max_side", None) is not None:
        overrides.append(Said(f"scales.max_side_px={args.max_side}", f"--max-side {args.max_side}"))
    return overrides
