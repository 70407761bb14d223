"""`framestyle presets new | remove | export | import`: the user's own presets. Imports come late, as in cli.py."""

from __future__ import annotations

import argparse
import unicodedata
from pathlib import Path
from typing import Any

from framestyle.doors.options import add_flag
from framestyle.doors.text import plain
from framestyle.errors import Code, InputError, OutputError, UsageError
from framestyle.paths import resolved

TO_GO_ON_WITH = """\
#
# All keys, their ranges and defaults: framestyle presets keys
# Check this file: framestyle presets validate NAME
"""
"""Ends a new preset's file."""


def add_library(actions: argparse._SubParsersAction[Any]) -> None:
    """Their parsers."""
    new = actions.add_parser("new", help="start a preset of your own")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--style", nargs="+", required=True, type=Path, metavar="IMAGE")
    add_flag(new, "--overwrite", "replace yours of that name, or hide a built-in one")
    new.set_defaults(run=run_new)
    remove = actions.add_parser("remove", help="delete a preset of your own, and its imported pictures")
    remove.add_argument("name", metavar="NAME")
    remove.set_defaults(run=run_remove)
    export = actions.add_parser("export", help="pack a preset and its pictures into one zip")
    export.add_argument("name", metavar="NAME", help="a preset's name, or the path of a YAML file")
    export.add_argument("-o", "--output", required=True, type=Path, metavar="FILE.zip")
    add_flag(export, "--overwrite", "replace a file that exists")
    export.set_defaults(run=run_export)
    taken = actions.add_parser("import", help="take a preset and its pictures from a zip")
    taken.add_argument("file", type=Path, metavar="FILE.zip")
    taken.add_argument("--name", help="keep it under this name")
    add_flag(taken, "--overwrite", "replace a preset of that name")
    taken.set_defaults(run=run_import)


def run_new(args: argparse.Namespace) -> int:
    """`framestyle presets new`."""
    from framestyle.media.files import atomic_output
    from framestyle.presets import new_preset_text, own_preset, user_presets_dir
    from framestyle.presets.library import find_builtin

    if not _is_name(args.name):
        raise UsageError(
            f"{args.name!r} cannot be a preset's name",
            next_step="Use letters, digits, - and _, such as my-style.",
        )
    for image in args.style:
        _check_image(image)
    there = own_preset(args.name)
    if there and not args.overwrite:
        raise OutputError(
            f"{there} exists already",
            code=Code.PRESET_EXISTS,
            facts={"path": str(there)},
            next_step="Choose another name, edit that file, or --overwrite it.",
        )
    if find_builtin(args.name) and not args.overwrite:
        raise OutputError(
            f"{args.name!r} is the name of a built-in preset",
            code=Code.PRESET_BUILT_IN,
            facts={"preset": args.name},
            next_step="Choose another name; with --overwrite yours is found first.",
        )
    target = there or user_presets_dir() / f"{args.name}.yaml"
    text = new_preset_text(args.name, [resolved(image) for image in args.style]) + TO_GO_ON_WITH
    with atomic_output(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    _print_written(target, args.name)
    return 0


def _is_name(name: str) -> bool:
    """What `new` makes holds to more than what is found: it can be typed as it is, in any shell."""
    from framestyle.presets import is_plain_name

    return is_plain_name(name) and all(
        sign in "-_" or sign.isalnum() or unicodedata.category(sign).startswith("M") for sign in name
    )


def _check_image(image: Path) -> None:
    from framestyle.presets import picture_problem
    from framestyle.presets.library import is_file

    if not is_file(image):
        raise InputError(f"no style image at {image}", next_step="Check the path.")
    if problem := picture_problem(image):
        raise InputError(
            f"{image} {problem}", next_step="Name a photo or a painting: JPEG, PNG, WebP, TIFF, BMP."
        )


def _print_written(target: Path, name: str) -> None:
    print(plain(f"wrote {target}"))
    print(plain(f"Try it: framestyle stylize PHOTO -o OUT.png -p {name}"))


def run_remove(args: argparse.Namespace) -> int:
    """`framestyle presets remove`."""
    from framestyle.presets.removal import remove_preset

    for path in remove_preset(args.name):
        print(plain(f"removed {path}"))
    return 0


def run_export(args: argparse.Namespace) -> int:
    """`framestyle presets export`."""
    from framestyle.media.files import atomic_output
    from framestyle.media.writable import check_name
    from framestyle.presets.bundle import bundle_of, write_bundle

    output: Path = args.output
    check_name(output)
    if output.exists() and not args.overwrite:
        raise OutputError(f"{output} exists already", next_step="Choose another name, or --overwrite it.")
    bundle = bundle_of(args.name)
    _check_apart(output, args.name)
    with atomic_output(output) as temporary, temporary.open("wb") as file:
        write_bundle(bundle, file)
    pictures = f"{len(bundle.pictures)} picture{'' if len(bundle.pictures) == 1 else 's'}"
    print(plain(f"wrote {output}: {bundle.name} with {pictures}, {output.stat().st_size:,} bytes"))
    return 0


def _check_apart(output: Path, name: str) -> None:
    """`--overwrite` must not reach what the zip is made from."""
    from framestyle.presets import find_preset, load_preset, pictures_of

    sources = [find_preset(name), *map(Path, pictures_of(load_preset(name)))]
    if output.exists() and any(output.samefile(source) for source in sources):
        raise OutputError(f"{output} is part of the preset", next_step="Choose another name for the zip.")


def run_import(args: argparse.Namespace) -> int:
    """`framestyle presets import`."""
    from framestyle.media.files import storage_error
    from framestyle.presets import user_presets_dir
    from framestyle.presets.bundle import install, read_bundle

    bundle = read_bundle(args.file, args.name)
    try:
        target = install(bundle, overwrite=args.overwrite)
    except OSError as error:
        raise storage_error(error, user_presets_dir() / f"{bundle.name}.yaml") from error
    _print_written(target, bundle.name)
    return 0
