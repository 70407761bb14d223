"""`framestyle weights`: which weights there are, fetched, imported and checked."""

from __future__ import annotations

import argparse
from pathlib import Path

from framestyle.doors.advice import weights_text
from framestyle.doors.parsing import Parser
from framestyle.registries import FETCH, WEIGHTS


def add_weights(parser: argparse.ArgumentParser) -> None:
    """The `weights` command."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=Parser)
    actions.add_parser("list", help="what is installed").set_defaults(run=run_weights_list)
    fetch = actions.add_parser("fetch", help="fetch pretrained weights, once")
    fetch.add_argument(
        "kind",
        nargs="?",
        default="imagenet",
        choices=WEIGHTS.names(FETCH),
        help="imagenet (548 MB, the default); caffe (from --file alone); raft-small (4 MB) and raft-large (21 MB), "
        "for video.flow=raft",
    )
    fetch.add_argument("--file", type=Path, help="import from a file you have instead of fetching")
    fetch.add_argument("--url", help="fetch from a mirror; its file name must end in -HASH.pth")
    fetch.set_defaults(run=run_weights_fetch)
    actions.add_parser("verify", help="check kept weights against their hashes").set_defaults(
        run=run_weights_verify
    )


def run_weights_list(args: argparse.Namespace) -> int:
    """`framestyle weights list`."""
    from framestyle.nst.weights.catalog import list_weights

    for row in list_weights():
        there = "installed" if row.installed else "not here"
        print(f"{row.kind:10} {there:9} {row.size_bytes >> 20:5d} MB  {weights_text(row.kind, row.note)}")
    return 0


def run_weights_fetch(args: argparse.Namespace) -> int:
    """`framestyle weights fetch`."""
    from framestyle.nst.weights.catalog import fetch, import_file
    from framestyle.nst.weights.store import WeightsStore

    store = WeightsStore(url=args.url)
    if args.file is not None:
        path = import_file(store, args.kind, args.file)
    else:
        from framestyle.doors.console import open_console
        from framestyle.events import Preparing

        with open_console("auto") as console:
            path = fetch(
                store, args.kind, lambda fraction, detail: console(Preparing("weights", fraction, detail))
            )
    print(f"kept as {path}")
    return 0


def run_weights_verify(args: argparse.Namespace) -> int:
    """`framestyle weights verify`."""
    from framestyle.errors import WeightsError
    from framestyle.nst.weights.catalog import verify

    found = verify()
    for kind, state in found.items():
        print(f"{kind:10} {state}")
    return 0 if all(state == "ok" for state in found.values()) else WeightsError.exit_code
