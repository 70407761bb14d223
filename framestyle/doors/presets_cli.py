"""`framestyle presets …`: the library of styles. As in cli.py, each command imports what it needs."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framestyle.doors.advice import ALL_KEYS, KEY_HELP
from framestyle.doors.options import add_flag, add_repeated
from framestyle.doors.parsing import FormerName, Parser
from framestyle.doors.presets_library import add_library
from framestyle.doors.text import json_text, plain
from framestyle.errors import PresetError, UsageError

if TYPE_CHECKING:
    from rich.text import Text

    from framestyle.presets import PresetSummary

TABLE_COLUMNS = 60
"""A narrower terminal has no place for a table's names."""
STRIP_WIDTH = 6
"""Swatches of the strip in the list, shared by a preset's style images."""


def add_presets(parser: argparse.ArgumentParser) -> None:
    """The `presets` command with its actions."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=Parser)
    _add_readers(actions)
    add_library(actions)


def _add_readers(actions: argparse._SubParsersAction[Any]) -> None:
    listing = actions.add_parser("list", help="every preset: main colours, cost class, tags")
    add_repeated(listing, "--tag", metavar="TAG", help="only those with this tag")
    add_flag(listing, "--abstract", "also those without a style image, to be extended")
    listing.add_argument("--all", dest="abstract", action=FormerName, now="--abstract", value=True)
    add_flag(listing, "--json", "for scripts")
    listing.set_defaults(run=run_list)
    show = actions.add_parser("show", help="print a preset")
    show.add_argument("name", metavar="NAME", help="a preset's name, or the path of a YAML file")
    add_flag(show, "--resolved", "with all that it inherits, and from where")
    add_flag(show, "--json", "resolved, for scripts")
    show.set_defaults(run=run_show)
    validate = actions.add_parser("validate", help="report every error of presets")
    validate.add_argument(
        "names", nargs="+", metavar="NAME", help="a preset's name, or the path of a YAML file"
    )
    validate.set_defaults(run=run_validate)
    recover = actions.add_parser("from", help="print the preset that a photo of ours was made with")
    recover.add_argument("image", type=Path, metavar="IMAGE")
    recover.set_defaults(run=run_from)
    keys = actions.add_parser("keys", help="every preset key: type, range, default, meaning")
    keys.set_defaults(run=run_keys)
    schema = actions.add_parser("schema", help="print a JSON Schema of a preset file, for editors")
    schema.set_defaults(run=run_schema)


# -- list --------------------------------------------------------------------------------------------------


def run_list(args: argparse.Namespace) -> int:
    """`framestyle presets list`: a table in a terminal, bare columns elsewhere, or JSON."""
    from framestyle.presets import list_presets

    rows = _tagged(list_presets(include_abstract=args.abstract), args.tag)
    if args.json:
        colors = _colors(rows)
        print(json_text([_as_json(row, colors) for row in rows]))
    elif sys.stdout.isatty() and shutil.get_terminal_size().columns >= TABLE_COLUMNS:
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
        print(json_text(load_preset(args.name).model_dump(mode="json", by_alias=True, exclude={"extends"})))
    elif args.resolved:
        print(traced_yaml(*load_traced(args.name)), end="")
    else:
        lines = preset_text(find_preset(args.name)).splitlines()
        # A tab may stand in YAML; nothing else that drives a terminal may.
        print("\n".join("\t".join(map(plain, line.split("\t"))) for line in lines))
    return 0


def run_validate(args: argparse.Namespace) -> int:
    """`framestyle presets validate`: all are looked at, whatever the first one says."""
    from framestyle.presets import load_preset
    from framestyle.presets.library import is_file

    wrong = 0
    for name in args.names:
        try:
            # A file comes first, whatever it is called.
            load_preset(Path(name) if is_file(Path(name)) else name, open_images=True)
            print(f"{plain(name)}: ok")
        except PresetError as error:
            wrong += 1
            print(plain(error.message, lines=True), file=sys.stderr)
            near = error.facts.get("near")
            if isinstance(near, list) and near:
                print(f"  Did you mean {plain(' or '.join(near))}?", file=sys.stderr)
    if wrong:
        raise PresetError(f"{wrong} of {len(args.names)} presets cannot be used", next_step=ALL_KEYS)
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
