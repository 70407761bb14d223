"""`framestyle farm openjd`: a job bundle for a render farm."""

from __future__ import annotations

import argparse
from pathlib import Path

from framestyle.doors.options import add_inputs, count_of
from framestyle.doors.orders import add_doing, add_look, job_order
from framestyle.doors.parsing import Parser
from framestyle.doors.text import counted, plain

WORK, RESULTS = "work", "results"


def add_farm(parser: argparse.ArgumentParser) -> None:
    """The `farm` command."""
    farms = parser.add_subparsers(title="farms", metavar="FARM", required=True, parser_class=Parser)
    openjd = farms.add_parser(
        "openjd", help="a job bundle of Open Job Description: AWS Deadline Cloud, or `openjd run`"
    )
    add_inputs(openjd)
    openjd.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="the bundle's folder")
    openjd.add_argument(
        "--results",
        metavar="OUTPUT",
        help=f"where results go, a file or a folder as for stylize (default: DIR/{RESULTS}/)",
    )
    add_look(openjd)
    openjd.add_argument(
        "--chunk", type=count_of("tasks"), default=8, metavar="N", help="tasks painted in one go (default: 8)"
    )
    openjd.add_argument(
        "--command",
        default="framestyle",
        metavar="PATH",
        help="how FrameStyle is started on the farm's machines (default: framestyle)",
    )
    add_doing(openjd)
    openjd.set_defaults(run=run_openjd)


def run_openjd(args: argparse.Namespace) -> int:
    """`framestyle farm openjd`. The template's path is the line on stdout."""
    from framestyle.context import Context
    from framestyle.doors.console import open_console
    from framestyle.doors.farm_bundle import Farm, write_bundle
    from framestyle.jobs.handout.planning import plan

    results = f"{args.output / RESULTS}/" if args.results is None else args.results
    order = job_order(args, results)
    with open_console(args.progress) as console:
        planned = plan(order, args.output / WORK, Context(console))
    if planned.handout is None:
        print(f"nothing to do: {counted(planned.done, 'result')} done before")
        return 0
    name = f"FrameStyle {', '.join(preset.name for preset in order.presets)}"[:120]
    device = planned.handout.order.device
    farm = Farm(name, WORK, len(planned.units), args.chunk, args.command, device)
    print(plain(str(write_bundle(args.output, farm))))
    return 0
