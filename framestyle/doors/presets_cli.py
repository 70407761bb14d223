"""`framestyle presets …`: the library of styles. As in cli.py, each command imports what it needs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framestyle.doors.advice import ALL_KEYS, KEY_HELP
from framestyle.doors.parsing import Parser
from framestyle.doors.text import plain
from framestyle.errors import InputError, OutputError, PresetError, UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from framestyle.presets import PresetSummary

TO_GO_ON_WITH = """\
#
# All keys, their ranges and defaults: framestyle presets keys
# Check this file: framestyle presets validate FILE
"""
"""Ends a new preset's file."""
STRIP_WIDTH = 6
"""Swatches of the strip in the list, shared by a preset's style images."""


def add_presets(parser: argparse.ArgumentParser) -> None:
    """The `presets` command with its actions."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=Parser)
    _add_readers(actions)
    _add_writers(actions)


def _add_readers(actions: argparse._SubParsersAction[Any]) -> None:
    listing = actions.add_parser("list", help="every preset: main colours, cost class, tags")
    listing.add_argument("--tag", action="append", default=[], metavar="TAG", help="only those with this tag")
    listing.add_argument(
        "--all", action="store_true", help="also those without a style image, to be extended"
    )
    listing.add_argument("--json", action="store_true", help="for scripts")
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help="print a preset")
    show.add_argument("name", metavar="NAME", help="a preset's name, or the path of a YAML file")
    show.add_argument("--resolved", action="store_true", help="with all that it inherits, and from where")
    show.add_argument("--json", action="store_true", help="resolved, for scripts")
    show.set_defaults(run=run_show)
    validate = actions.add_parser("validate", help="report every error of preset files")
    validate.add_argument("files", nargs="+", metavar="FILE")
    validate.set_defaults(run=run_validate)
    recover = actions.add_parser("from", help="print the preset that a photo of ours was made with")
    recover.add_argument("image", type=Path, metavar="IMAGE")
    recover.set_defaults(run=run_from)
    keys = actions.add_parser("keys", help="every preset key: type, range, default, meaning")
    keys.set_defaults(run=run_keys)
    schema = actions.add_parser("schema", help="print a JSON Schema of a preset file, for editors")
    schema.set_defaults(run=run_schema)


def _add_writers(actions: argparse._SubParsersAction[Any]) -> None:
    new = actions.add_parser("new", help="start a preset of your own")
    new.add_argument("name", metavar="NAME")
    new.add_argument("--style", nargs="+", required=True, type=Path, metavar="IMAGE")
    new.set_defaults(run=run_new)
    export = actions.add_parser("export", help="pack a preset and its pictures into one zip")
    export.add_argument("name", metavar="NAME", help="a preset's name, or the path of a YAML file")
    export.add_argument("-o", "--output", required=True, type=Path, metavar="FILE.zip")
    export.add_argument("--overwrite", action="store_true", help="replace a file that exists")
    export.set_defaults(run=run_export)
    taken = actions.add_parser("import", help="take a preset and its pictures from a zip")
    taken.add_argument("file", type=Path, metavar="FILE.zip")
    taken.add_argument("--name", help="keep it under this name")
    taken.add_argument("--overwrite", action="store_true", help="replace a preset of that name")
    taken.set_defaults(run=run_import)


# -- list --------------------------------------------------------------------------------------------------


def run_list(args: argparse.Namespace) -> int:
    """`framestyle presets list`: a table in a terminal, bare columns elsewhere, or JSON."""
    from framestyle.presets import list_presets

    rows = _tagged(list_presets(include_abstract=args.all), args.tag)
    if args.json:
        colors = _colors(rows)
        print(json.dumps([_as_json(row, colors) for row in rows], indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        _print_table(rows)
    else:
        _print_columns(rows)
    return 0


def _tagged(rows: list[PresetSummary], tags: Sequence[str]) -> list[PresetSummary]:
    known = {tag for row in rows for tag in row.tags}
    for tag in tags:
        if tag not in known:
            raise UsageError(
                f"no preset has the tag {tag!r}", next_step=f"Tags: {', '.join(sorted(known)) or 'none'}."
            )
    return [row for row in rows if set(tags) <= set(row.tags)]


def _colors(rows: Sequence[PresetSummary]) -> dict[Path, tuple[str, ...]]:
    from framestyle.presets import main_colors

    paths = list(dict.fromkeys(path for row in rows for path in row.images))
    return dict(zip(paths, main_colors(paths), strict=True))


def _as_json(row: PresetSummary, colors: dict[Path, tuple[str, ...]]) -> dict[str, Any]:
    return {
        "name": row.name,
        "description": row.description,
        "tags": row.tags,
        "cost_class": row.cost_class,
        "colors": [colors[path] for path in row.images],
        "images": [str(path) for path in row.images],
        "path": str(row.path),
        "builtin": row.builtin,
    }


def _print_columns(rows: Sequence[PresetSummary]) -> None:
    cells = [[plain(row.name), row.cost_class, ",".join(map(plain, row.tags)) or "-"] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row, texts in zip(rows, cells, strict=True):
        print(
            *(f"{text:{width}}" for text, width in zip(texts, widths, strict=True)),
            plain(row.description),
            sep="  ",
        )


def _print_table(rows: Sequence[PresetSummary]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colors = _colors(rows)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("Preset", "Colours", "Cost", "Tags"):
        table.add_column(title, no_wrap=True)
    table.add_column("Description")
    for row in rows:
        strip = _strip([colors[path] for path in row.images])
        texts = (row.cost_class, ", ".join(row.tags), row.description)
        table.add_row(Text(plain(row.name)), strip, *(Text(plain(text)) for text in texts))
    Console(highlight=False).print(table)


def _strip(images: Sequence[Sequence[str]]) -> Text:
    """The main colours of each style image, side by side."""
    from rich.text import Text

    strip = Text()
    for colors in images[:STRIP_WIDTH]:
        for color in colors[: max(1, STRIP_WIDTH // len(images))]:
            strip.append("  ", style=f"on {color}")
    return strip


# -- show, validate, keys, schema --------------------------------------------------------------------------


def run_show(args: argparse.Namespace) -> int:
    """`framestyle presets show`."""
    from framestyle.presets import find_preset, load_preset, load_traced, preset_text, traced_yaml

    if args.json:
        print(load_preset(args.name).model_dump_json(by_alias=True, exclude={"extends"}, indent=2))
    elif args.resolved:
        print(traced_yaml(*load_traced(args.name)), end="")
    else:
        lines = preset_text(find_preset(args.name)).splitlines()
        # A tab may stand in YAML; nothing else that drives a terminal may.
        print("\n".join("\t".join(map(plain, line.split("\t"))) for line in lines))
    return 0


def run_validate(args: argparse.Namespace) -> int:
    """`framestyle presets validate`: all files are looked at, whatever the first one says."""
    from framestyle.presets import load_preset

    wrong = 0
    for file in args.files:
        try:
            load_preset(Path(file), open_images=True)
            print(f"{plain(file)}: ok")
        except PresetError as error:
            wrong += 1
            print(plain(error.message, lines=True), file=sys.stderr)
    if wrong:
        raise PresetError(f"{wrong} of {len(args.files)} preset files cannot be used", next_step=ALL_KEYS)
    return 0


def run_from(args: argparse.Namespace) -> int:
    """`framestyle presets from`."""
    from framestyle.jobs.run.recipes import recovered_preset

    recovered = recovered_preset(args.image)
    made_with = f"with --weights {recovered.weights} --seed {recovered.seed}"
    print(f"# {recovered.made}\n# {made_with}\n{recovered.text}", end="")
    for doubt in recovered.doubts:
        print(plain(doubt, lines=True), file=sys.stderr)
    return 0


def run_keys(args: argparse.Namespace) -> int:
    """`framestyle presets keys`."""
    from framestyle.presets import schema_rows

    for row in schema_rows(KEY_HELP):
        unit = f" {row.unit}" if row.unit else ""
        print(
            f"{row.key} = {row.default}{unit}  [{row.type}{', ' + row.range if row.range else ''}]\n    {row.help}"
        )
    return 0


def run_schema(args: argparse.Namespace) -> int:
    """`framestyle presets schema`."""
    from framestyle.presets.editors import schema_text

    print(schema_text(KEY_HELP), end="")
    return 0


# -- new, export, import -----------------------------------------------------------------------------------


def run_new(args: argparse.Namespace) -> int:
    """`framestyle presets new`."""
    from framestyle.media.files import atomic_output
    from framestyle.presets import is_plain_name, new_preset_text, own_preset, user_presets_dir

    if not is_plain_name(args.name):
        raise UsageError(
            f"{args.name!r} cannot be a preset's name",
            next_step="Use letters, digits, - and _, such as my-style.",
        )
    for image in args.style:
        _check_image(image)
    if there := own_preset(args.name):
        raise OutputError(f"{there} exists already", next_step="Choose another name, or edit that file.")
    target = user_presets_dir() / f"{args.name}.yaml"
    text = new_preset_text(args.name, [image.resolve() for image in args.style]) + TO_GO_ON_WITH
    with atomic_output(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    _tell(target, args.name)
    return 0


def _check_image(image: Path) -> None:
    from framestyle.presets import picture_problem

    if not image.is_file():
        raise InputError(f"no style image at {image}", next_step="Check the path.")
    if problem := picture_problem(image):
        raise InputError(
            f"{image} {problem}", next_step="Name a photo or a painting: JPEG, PNG, WebP, TIFF, BMP."
        )


def _tell(target: Path, name: str) -> None:
    print(plain(f"wrote {target}"))
    print(plain(f"Try it: framestyle stylize PHOTO -o OUT.png -p {name}"))


def run_export(args: argparse.Namespace) -> int:
    """`framestyle presets export`."""
    from framestyle.media.files import atomic_output
    from framestyle.presets.bundle import bundle_of, write_bundle

    output: Path = args.output
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
    _tell(target, bundle.name)
    return 0
