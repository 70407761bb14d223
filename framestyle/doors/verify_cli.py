"""`framestyle verify`: whether files are whole, and as their source asks for. Each command imports what it needs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from framestyle.doors.colors import BAD, DOUBTFUL, GOOD, QUIET
from framestyle.doors.options import add_debug, add_flag, add_paths, add_range
from framestyle.doors.pipe import refuse_standard_input
from framestyle.doors.rows import Row, print_rows
from framestyle.doors.text import counted, json_text
from framestyle.errors import Code, InputError, OutputError, UsageError
from framestyle.kinds import MediaKind
from framestyle.paths import is_folder

if TYPE_CHECKING:
    from framestyle.media.verify.verdict import Problem, Report

VERDICTS = {
    "whole": (0, f"bold {GOOD}"),
    "missing": (InputError.exit_code, f"bold {BAD}"),
    "damaged": (InputError.exit_code, f"bold {BAD}"),
    "different": (OutputError.exit_code, f"bold {DOUBTFUL}"),
}
"""Exit code, and the headline's style."""
PROBLEM_ROWS = {
    "missing": ("missing", BAD),
    "damage": ("damage", BAD),
    "difference": ("differs", DOUBTFUL),
    "note": ("note", QUIET),
}
VERSION = 1


def add_verify(parser: argparse.ArgumentParser) -> None:
    """The `verify` command."""
    add_paths(parser, "files", "FILE", "a clip, a photo, an image sequence, or a folder of them")
    parser.add_argument("--against", type=Path, metavar="SOURCE", help="what the one FILE was made of")
    add_range(parser)
    add_flag(parser, "--json", "for scripts; docs/reliability.md describes it")
    add_debug(parser)
    parser.set_defaults(run=run_verify)


def run_verify(args: argparse.Namespace) -> int:
    """`framestyle verify`: all files are looked at, whatever the first one is."""
    from framestyle.media.files import sniff
    from framestyle.media.video.sequences import numbering_of

    refuse_standard_input(args.files, "verification takes")
    if args.against is None and (args.start is not None or args.end is not None):
        raise UsageError(
            "--start and --end say which part of a source", next_step="Name it: --against SOURCE."
        )
    if args.against is not None and numbering_of(args.against) is None:
        sniff(args.against)
    files = list(_files(args.files))
    if args.against is not None and (len(files) != 1 or is_folder(files[0])):
        raise UsageError("--against is for one FILE", next_step="Give a command for each.")
    reports = list(_reports(files, args))
    verdicts = [report.verdict for report in reports]
    code = next((VERDICTS[one][0] for one in ("damaged", "missing", "different") if one in verdicts), 0)
    if args.json:
        data = {
            "framestyle_verify": VERSION,
            "exit_code": code,
            "against": None if args.against is None else str(args.against),
            "files": [_as_json(one) for one in reports],
        }
        print(json_text(data))
        return code
    for report in reports:
        print_rows([_headline(report, args.against), *_facts(report), *map(_row, report.problems)])
    if len(reports) > 1:
        tally = ", ".join(f"{verdicts.count(one)} {one}" for one in VERDICTS if one in verdicts)
        print(f"{counted(len(reports), 'file')}: {tally}")
    return code


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Of folders, all photos and clips below."""
    from framestyle.media.files import sniff, walk

    for path in paths:
        if not is_folder(path):
            yield path
            continue
        found = []
        for file in walk(path).files:
            try:
                sniff(file)
            except InputError as error:
                if error.code == Code.INPUT_UNKNOWN:
                    continue
            found.append(file)
        if not found:
            raise InputError(f"{path} holds no photo and no clip", next_step="Name a file.")
        yield from found


def _reports(files: Sequence[Path], args: argparse.Namespace) -> Iterator[Report]:
    from framestyle.doors.console import open_console
    from framestyle.events import Preparing
    from framestyle.jobs.resume.recorded import precision_problems
    from framestyle.kinds import TimeRange
    from framestyle.media.verify.checking import verify
    from framestyle.media.verify.comparing import verify_against

    with open_console("auto" if sys.stderr.isatty() else "none") as console:
        for path in files:

            def on_progress(fraction: float, path: Path = path) -> None:
                console(Preparing("verify", fraction, path.name))

            if args.against is None:
                report = verify(path, on_progress)
            else:
                report = verify_against(path, args.against, TimeRange(args.start, args.end), on_progress)
            report.problems += precision_problems(report)
            yield report


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "path": str(report.path),
        "what": report.what,
        "verdict": report.verdict,
        "facts": report.facts,
        "problems": [
            {
                "kind": one.kind,
                "text": one.text,
                "stream": one.stream,
                "frame": one.frame,
                "at_s": None if one.at_s is None else round(float(one.at_s), 6),
            }
            for one in report.problems
        ],
    }


def _headline(report: Report, source: Path | None) -> Row:
    differs = "not as it was recorded" if source is None else f"not what {source} asks for"
    text = {
        "whole": "whole",
        "missing": "missing",
        "damaged": "damaged",
        "different": f"whole, but {differs}",
    }
    said = (
        f"whole, and what {source} asks for" if source and report.verdict == "whole" else text[report.verdict]
    )
    return Row("", f"{report.path}: {said}", VERDICTS[report.verdict][1])


def _row(problem: Problem) -> Row:
    label, style = PROBLEM_ROWS[problem.kind]
    place = "" if problem.at_s is None else f" (at {float(problem.at_s):.3f} s)"
    return Row(label, f"{problem.text}{place}", style)


def _facts(report: Report) -> Iterator[Row]:
    facts = report.facts
    if not facts:
        return
    if report.kind is MediaKind.VIDEO:
        yield from _clip_rows(facts)
    else:
        yield from _picture_rows(facts)
    if (made := facts["made_by"]) is not None:
        words = [
            made["versions"],
            *(f"{key} {made[key]}" for key in ("preset", "weights", "seed") if key in made),
        ]
        yield Row("made by", "; ".join([*words, *([made["device"]] if "device" in made else [])]))


def _clip_rows(facts: dict[str, Any]) -> Iterator[Row]:
    steady = "a constant" if facts["constant_rate"] else "a variable"
    span = "" if facts["first_s"] is None else f", {facts['first_s']:.3f} s to {facts['end_s']:.3f} s"
    rate = Fraction(facts["frame_rate"])
    said = f"{rate}" if rate.denominator == 1 else f"{float(rate):.3f} ({rate})"
    yield Row("frames", f"{facts['frames']} at {steady} rate, {said} a second{span}")
    color, aspect = facts["color"], facts["sample_aspect_ratio"]
    tags = "/".join(color[key] or "?" for key in ("matrix", "primaries", "transfer"))
    parts = [
        f"{facts['codec']} in {facts['container']}",
        f"{facts['width']}x{facts['height']}",
        *([f"pixels {aspect}"] if aspect != "1" else []),
        *([f"stored turned by {facts['rotation_degrees']}°"] if facts["rotation_degrees"] else []),
        f"{facts['pixel_format']}, {facts['bit_depth']} bits{' with alpha' if facts['alpha'] else ''}",
        *([f"{color['range'] or '?'} {tags}"] if any(color.values()) else []),
        *([facts["hdr"]] if facts["hdr"] else []),
    ]
    yield Row("pictures", ", ".join(parts))
    for stream in facts["streams"]:
        if stream["kind"] != "video":
            yield Row(stream["kind"], _stream_text(stream))
    if facts["chapters"]:
        yield Row(
            "chapters",
            ", ".join(f"{one['start_s']:.3f} s {one['title']}".rstrip() for one in facts["chapters"]),
        )
    if facts["timecode"]:
        yield Row("timecode", facts["timecode"])


def _stream_text(stream: dict[str, Any]) -> str:
    span = "" if stream["end_s"] is None else f"{stream['start_s']:.3f} s to {stream['end_s']:.3f} s"
    packets = counted(stream["packets"], "packet") if stream["packets"] else ""
    title = f"“{stream['title']}”" if stream["title"] else ""
    codec = "" if stream["codec"] == "none" else stream["codec"]
    return ", ".join(
        filter(None, (f"stream {stream['index']}", codec, stream["language"], title, packets, span))
    )


def _picture_rows(facts: dict[str, Any]) -> Iterator[Row]:
    if "frames" in facts:
        yield Row(
            "pictures", f"{facts['frames']}, numbered {facts['first_number']} to {facts['last_number']}"
        )
    if "format" in facts:
        has = [name for key, name in (("exif", "EXIF"), ("color_profile", "a colour profile")) if facts[key]]
        alpha = " with alpha" if facts["alpha"] else ""
        parts = [
            facts["format"],
            f"{facts['width']}x{facts['height']}",
            f"{facts['bit_depth']} bits{alpha}",
            *(["colours " + facts["color"]] if facts["color"] else []),
            *([facts["hdr"]] if facts["hdr"] else []),
            *has,
        ]
        yield Row("format", ", ".join(parts))
