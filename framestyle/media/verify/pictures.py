"""Photos and image sequences: whether each picture is whole, and as its source asks for."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

from framestyle.errors import InputError
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.ffmpeg import ask
from framestyle.media.photos import Photo, read_photo, recipe_in
from framestyle.media.photos.formats import FORMATS
from framestyle.media.png_chunks import PNG_HEAD
from framestyle.media.verify.comparing_stills import still_differences
from framestyle.media.verify.verdict import (
    DAMAGE,
    DIFFERENCE,
    NOTE,
    Problem,
    Report,
    precision_in,
    precisions_in,
    summarized,
)
from framestyle.media.video.sequences import NO_FILES, Numbering, numbering_of

NO_RECIPE = (InputError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading a recipe raises that is none, or a stranger's."""


def verify_photo(path: Path) -> Report:
    """InputError where it cannot be decoded."""
    photo = read_photo(path)
    problems = [*_file_damage(path, photo), *_contradictions(path)]
    return Report(path, MediaKind.PHOTO, _facts(photo, path), problems)


def _facts(photo: Photo, path: Path) -> dict[str, Any]:
    height, width = photo.pixels.shape[:2]
    return {
        "format": photo.format,
        "width": width,
        "height": height,
        "bit_depth": photo.bits,
        "alpha": photo.alpha is not None,
        "color_profile": photo.icc_profile is not None,
        "color": None if photo.coded is None else str(photo.coded),
        "hdr": photo.hdr,
        "exif": photo.exif is not None,
        "dpi": None if photo.dpi is None else [round(float(one), 3) for one in photo.dpi],
        "made_by": _made_by(path),
    }


def _recipe_of(path: Path) -> Any:
    """The recipe that FrameStyle leaves in photos; None where there is none that can be read."""
    with suppress(*NO_RECIPE):
        if (text := recipe_in(path)) is not None:
            return json.loads(text)
    return None


def _output_of(path: Path) -> dict[str, Any]:
    """Of the preset that a photo says it was made with, its `output`; empty where it does not say."""
    with suppress(*NO_RECIPE):
        return dict(_recipe_of(path)["preset"]["output"])
    return {}


def _made_by(path: Path) -> dict[str, Any] | None:
    with suppress(*NO_RECIPE):
        recipe = _recipe_of(path)
        versions = ", ".join(f"{name} {version}" for name, version in recipe["versions"].items())
        named = {key: str(recipe[key]) for key in ("weights", "seed", "device")}
        precision = precision_in(named["device"])
        named |= {} if precision is None else {"precision": precision}
        return {"versions": versions, "preset": str(recipe["preset"]["name"]), **named}
    return None


def _precisions(path: Path) -> set[str]:
    """Those that a photo's recipe names."""
    with suppress(*NO_RECIPE):
        return precisions_in(_recipe_of(path))
    return set()


def _contradictions(path: Path) -> Iterator[Problem]:
    if len(named := sorted(_precisions(path))) > 1:
        yield Problem(DIFFERENCE, f"it says that it was made in {' and in '.join(named)}")


def _file_damage(path: Path, photo: Photo) -> Iterator[Problem]:
    """What a decoder of pictures passes over: each chunk's checksum, and scans that are broken in the middle."""
    if photo.format == "PNG":
        yield from _png_damage(path)
    elif photo.format in ("JPEG", "MPO"):
        strict = ["-v", "error", "-err_detect", "explode", "-f", "jpeg_pipe", "-i", f"file:{path}"]
        _, said = ask([*strict, "-frames:v", "1", "-f", "null", "-"])
        if lines := [line.rpartition("] ")[2] for line in said.splitlines() if line.startswith("[mjpeg")]:
            yield Problem(DAMAGE, f"the JPEG is damaged: {lines[0]}")


def _png_damage(path: Path) -> Iterator[Problem]:
    data = path.read_bytes()
    at = len(PNG_HEAD)
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 8 + length
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            yield Problem(DAMAGE, f"the PNG is damaged at byte {at}: the checksum of {name!r} is wrong")
            return
        if name == b"IEND":
            return
        at = end + 4
    yield Problem(DAMAGE, "the PNG has no end: it was cut off")


def compare_photo(report: Report, source: Path) -> None:
    """Adds what differs from the photo that it was made of. InputError where that cannot be read."""
    report.problems += _picture_differences(report.path, source)


def _picture_differences(path: Path, source: Path) -> Iterator[Problem]:
    output = _output_of(path)
    photo = read_photo(path)
    kind = FORMATS.get(path.suffix.lower(), photo.format)
    given = read_photo(source)
    if given.hdr is not None and output.get("hdr") == "tonemap":
        yield Problem(NOTE, f"{given.hdr} was made SDR: output.hdr=tonemap")
        given = read_photo(source, tone_map=True)
    yield from still_differences(photo, kind, given, output)


# -- sequences ---------------------------------------------------------------------------------------------


def verify_sequence(path: Path, on_progress: Callable[[float], None] | None = None) -> Report:
    """Each picture decoded; InputError where the pattern stands for none."""
    numbering = numbering_of(path)
    numbers = numbering.numbers() if numbering else []
    if numbering is None or not numbers:
        raise InputError(f"{path} stands for no file", next_step=NO_FILES)
    damage: list[Problem] = []
    unlike: list[Problem] = []
    mixed: list[Problem] = []
    first: dict[str, Any] | None = None
    precisions: set[str] = set()
    for index, number in enumerate(numbers):
        file = numbering.path(number)
        try:
            photo = read_photo(file)
        except InputError as error:
            damage.append(Problem(DAMAGE, error.message, frame=number))
            continue
        damage += [
            Problem(DAMAGE, f"{file.name}: {problem.text}", frame=number)
            for problem in _file_damage(file, photo)
        ]
        facts = _facts(photo, file) if first is None else _shape(photo)
        if first is None:
            first, precisions = facts, _precisions(file)
        elif (other := _precisions(file)) != precisions and other and precisions:
            said = f"{file.name} was made in {' and '.join(sorted(other))}, the first one in"
            mixed.append(Problem(DIFFERENCE, f"{said} {' and '.join(sorted(precisions))}", frame=number))
        if any(first[key] != value for key, value in _shape(photo).items()):
            unlike.append(Problem(DAMAGE, f"{file.name} is not like the first one", frame=number))
        if on_progress is not None:
            on_progress((index + 1) / len(numbers))
    facts = {"frames": len(numbers), "first_number": numbers[0], "last_number": numbers[-1], **(first or {})}
    problems = [
        *summarized(damage, "{} further pictures are damaged"),
        *summarized(unlike, "{} further ones are unlike it"),
        *summarized(mixed, "{} further ones were made in another precision"),
    ]
    return Report(path, MediaKind.SEQUENCE, facts, [*problems, *_missing(numbers)])


def _shape(photo: Photo) -> dict[str, Any]:
    height, width = photo.pixels.shape[:2]
    return {"width": width, "height": height, "bit_depth": photo.bits, "alpha": photo.alpha is not None}


def _missing(numbers: list[int]) -> list[Problem]:
    there = set(numbers)
    problems = [
        Problem(NOTE, f"number {n} is missing", frame=n)
        for n in range(numbers[0], numbers[-1])
        if n not in there
    ]
    return summarized(problems, "{} further numbers are missing")


def compare_numbers(report: Report, wanted: list[int]) -> None:
    """Adds which frames are missing, and which are not the source's."""
    numbering = numbering_of(report.path)
    there = set(numbering.numbers() if numbering else [])
    report.problems = [one for one in report.problems if one.kind != NOTE or one.frame is None]
    missing = [
        Problem(DIFFERENCE, f"frame {n} of the source is missing", frame=n) for n in wanted if n not in there
    ]
    other = [
        Problem(DIFFERENCE, f"number {n} is none of the source's", frame=n)
        for n in sorted(there - set(wanted))
    ]
    report.problems += summarized(missing, "{} further frames are missing")
    report.problems += summarized(other, "{} further numbers are none of the source's")


def compare_with_sequence(report: Report, source: Numbering, wanted: list[int]) -> None:
    """Adds what differs in numbers, and in the first picture that both have."""
    compare_numbers(report, wanted)
    numbering = numbering_of(report.path)
    assert numbering is not None
    both = sorted(set(numbering.numbers()) & set(wanted))
    if both:
        mine, theirs = numbering.path(both[0]), source.path(both[0])
        report.problems += _picture_differences(mine, theirs)


def hdr_differences(report: Report, source: str | None) -> Iterator[Problem]:
    """Of a sequence and the clip that it was made of, which is PQ, HLG, or neither."""
    there, numbering = report.facts["hdr"], numbering_of(report.path)
    if there == source or numbering is None:
        return
    first = numbering.path(numbering.numbers()[0])
    if source is not None and there is None and _output_of(first).get("hdr") == "tonemap":
        yield Problem(NOTE, f"{source} was made SDR: output.hdr=tonemap")
    else:
        yield Problem(DIFFERENCE, f"its colours are {there or 'SDR'}, the source's {source or 'SDR'}")


def numbers_within(numbers: list[int], rate: Fraction, span: TimeRange) -> list[int]:
    """Of a sequence, those shown in a part of its time."""
    return [n for n in numbers if span.holds((n - numbers[0]) / rate)]
