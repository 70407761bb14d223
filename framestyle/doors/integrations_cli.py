"""`framestyle integrations`: plug-ins put into other programs, and taken away again."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from framestyle.doors.options import add_flag
from framestyle.doors.parsing import Parser
from framestyle.doors.rows import Row, print_rows
from framestyle.doors.text import plain
from framestyle.errors import UsageError


def add_integrations(parser: argparse.ArgumentParser) -> None:
    """The `integrations` command."""
    from framestyle.hosts import HOSTS

    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=Parser)
    listing = actions.add_parser(
        "list", help="the programs that there are plug-ins for, and which are installed"
    )
    listing.set_defaults(run=run_list)
    putting = actions.add_parser("install", help="put a plug-in where its program looks")
    putting.add_argument("host", choices=HOSTS, metavar="HOST", help=", ".join(HOSTS))
    putting.add_argument(
        "--dir", type=Path, metavar="DIR", help="the program's folder, where it is not a usual one"
    )
    add_flag(putting, "--overwrite", "replace files that are not ours, or were changed")
    putting.set_defaults(run=run_install)
    taking = actions.add_parser("remove", help="take a plug-in away again")
    taking.add_argument("host", choices=HOSTS, metavar="HOST", help=", ".join(HOSTS))
    taking.add_argument("--dir", type=Path, metavar="DIR", help="of several, the one in this folder")
    taking.set_defaults(run=run_remove)


def run_list(args: argparse.Namespace) -> int:
    """`framestyle integrations list`."""
    from framestyle.doctor.integrations import STATES
    from framestyle.hosts import HOSTS, State, installed, state_of

    rows = []
    for host in HOSTS.values():
        rows.append(Row(host.name, host.help, "bold"))
        here = [one for one in installed() if one.host == host.name]
        for one in here:
            state = state_of(one)
            sign = "installed" if state is State.WHOLE else f"installed, {STATES[state]}"
            rows.append(Row(" ", f"{sign}: {one.folder}"))
        if not here:
            rows.append(Row(" ", _offer(host.name)))
    rows.append(Row("moviepy", "the effect framestyle.moviepy.FrameStyle", "bold"))
    there = find_spec("moviepy") is not None
    rows.append(Row(" ", "in the package" if there else 'in the package; needs pip install "moviepy>=2.2"'))
    print_rows(rows)
    return 0


def _offer(name: str) -> str:
    from framestyle.hosts import HOSTS

    command = f"framestyle integrations install {name}"
    try:
        return f"{command}  puts it into {HOSTS[name].folder(None)}"
    except UsageError:
        return f"{command} --dir DIR  puts it into {name}'s folder"


def run_install(args: argparse.Namespace) -> int:
    """`framestyle integrations install HOST`."""
    from framestyle.hosts import HOSTS, install, trouble_of

    host = HOSTS[args.host]
    made = install(host, args.dir, overwrite=args.overwrite)
    for path, _ in made.paths:
        print(plain(str(path)))
    if (trouble := trouble_of(made)) is not None:
        print(plain(f"It cannot be loaded yet: {trouble.text}."))
        print(plain(trouble.next_step))
    print(host.then)
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """`framestyle integrations remove HOST`."""
    from framestyle.hosts import HOSTS, remove

    kept = remove(HOSTS[args.host], args.dir)
    for path in kept:
        print(f"kept, for it was changed: {plain(str(path))}")
    print("removed")
    return 0
