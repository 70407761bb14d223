"""EXIF blocks: what of a photo's own holds for the result, and what the result adds."""

from __future__ import annotations

import mmap
from pathlib import Path

from PIL import Image

from framestyle.media.photos.tags import (
    EXIF,
    INTEROPERABILITY,
    UNDEFINED,
    Directory,
    Value,
    header,
    long,
    parse,
    rational,
    real_number,
    serialise,
    short,
    whole_number,
)

ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 274, 282, 283, 296
MAKER_NOTE, USER_COMMENT, COLOR_SPACE, WIDTH, HEIGHT = 37500, 37510, 40961, 40962, 40963
PER_INCH, PER_CENTIMETRE = 2, 3
LAYOUT = frozenset(
    {254, 255, 256, 257, 258, 259, 262, 263, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291, 292}
    | {
        293,
        297,
        301,
        317,
        318,
        319,
        320,
        321,
        322,
        323,
        324,
        325,
        330,
        332,
        333,
        334,
        336,
        337,
        338,
        339,
        340,
        341,
    }
    | {342, 343, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 559}
    | {700, 33723, 34377, 34675, 37724}
)
"""TIFF tags that tell how this very file is laid out, or hold what is carried in other ways."""
WRITTEN_ANEW = frozenset(
    {ORIENTATION, X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, WIDTH, HEIGHT, COLOR_SPACE, USER_COMMENT}
    | {INTEROPERABILITY}
)
"""Tags that a result has of its own."""
PREFIX = b"Exif\0\0"
OURS = "comment: framestyle "


def upright_exif(image: Image.Image, path: Path) -> bytes | None:
    """The photo's EXIF block, without thumbnail and layout, as an upright picture's; None where none can be read."""
    try:
        return _upright_block(*_own_directory(image, path))
    except (ValueError, OSError):
        return None


def tiff_block(path: Path) -> bytes | None:
    """The same of a TIFF that Pillow does not open."""
    try:
        return _upright_block(*_tiff_directory(path))
    except (ValueError, OSError):
        return None


def tiff_orientation(path: Path) -> int:
    """1-8; 1 where the file does not say, or is none."""
    try:
        order, directory = _tiff_directory(path)
    except (ValueError, OSError):
        return 1
    found = whole_number(directory.get(ORIENTATION), order) or 1
    return found if found in range(1, 9) else 1


def _upright_block(order: str, directory: Directory) -> bytes | None:
    if not directory:
        return None
    directory[ORIENTATION] = short(order, 1)
    return _block(directory, order)


def orientation(image: Image.Image, path: Path) -> int:
    """1-8, from the EXIF block (JEITA CP-3451, tag 274), else from the XMP packet."""
    try:
        order, directory = _own_directory(image, path)
    except (ValueError, OSError):
        order, directory = "<", {}
    found = whole_number(directory.get(ORIENTATION), order) or _said_by_pillow(image) or 1
    return found if found in range(1, 9) else 1


def _said_by_pillow(image: Image.Image) -> int | None:
    try:
        value = image.getexif().get(ORIENTATION)
    except Exception:  # a damaged block does not make the picture unusable
        return None
    return value if isinstance(value, int) else None


def _own_directory(image: Image.Image, path: Path) -> tuple[str, Directory]:
    return _tiff_directory(path) if image.format == "TIFF" else parse(_raw(image), LAYOUT)


def _tiff_directory(path: Path) -> tuple[str, Directory]:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return parse(whole, LAYOUT)


def _raw(image: Image.Image) -> bytes:
    block = image.info.get("exif")
    if block is None and isinstance(old := image.info.get("Raw profile type exif"), str):
        block = bytes.fromhex("".join(old.split("\n")[3:]))  # how ImageMagick kept it in PNG
    if not isinstance(block, bytes):
        raise ValueError("no EXIF")
    return _bare(block)


def _bare(block: bytes) -> bytes:
    while block.startswith(PREFIX):
        block = block.removeprefix(PREFIX)
    return block


def _block(directory: Directory, order: str) -> bytes:
    return PREFIX + header(order) + serialise(directory, order)


def dpi_of(block: bytes | None) -> tuple[float, float] | None:
    """Across and down, where the block of a format that has no other place for it says so."""
    order, directory = tags_of(block)
    across = real_number(directory.get(X_RESOLUTION), order)
    down = real_number(directory.get(Y_RESOLUTION), order)
    unit = whole_number(directory.get(RESOLUTION_UNIT), order) or PER_INCH
    if not across or not down or unit not in (PER_INCH, PER_CENTIMETRE):
        return None
    return (across, down) if unit == PER_INCH else (across * 2.54, down * 2.54)


def tags_of(block: bytes | None) -> tuple[str, Directory]:
    """Byte order and tags of a block; none where it cannot be read."""
    try:
        return parse(_bare(block or b""), LAYOUT)
    except ValueError:
        return "<", {}


def result_tags(
    block: bytes | None,
    *,
    size: tuple[int, int],
    dpi: tuple[float, float] | None,
    srgb: bool | None,
    comment: str | None,
) -> tuple[str, Directory]:
    """The photo's tags, made true of a result of `size` (width, height). `srgb`: None where the result does not say."""
    order, directory = tags_of(block)
    for tag in (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT):
        directory.pop(tag, None)
    if dpi is not None:
        directory[X_RESOLUTION], directory[Y_RESOLUTION] = (rational(order, value) for value in dpi)
        directory[RESOLUTION_UNIT] = short(order, PER_INCH)
    details = directory.get(EXIF)
    details = dict(details) if isinstance(details, dict) else {}
    for tag, value in ((WIDTH, size[0]), (HEIGHT, size[1])):
        if tag in details:
            details[tag] = long(order, value)
    if COLOR_SPACE in details and srgb is not None:
        details[COLOR_SPACE] = short(order, 1 if srgb else 0xFFFF)
        details.pop(INTEROPERABILITY, None)  # R03 would say Adobe RGB
    if comment:
        details[USER_COMMENT] = _comment_with(details.get(USER_COMMENT), comment, order)
    if details:
        directory[EXIF] = details
    if directory:
        directory[ORIENTATION] = short(order, 1)
    return order, directory


def fitting_block(order: str, directory: Directory, most_bytes: int | None) -> bytes | None:
    """The tags as a block of at most so many bytes: without the maker's note, then without anything, where need be."""
    if not directory:
        return None
    details = directory.get(EXIF)
    slim = dict(directory)
    if isinstance(details, dict):
        slim[EXIF] = {tag: value for tag, value in details.items() if tag != MAKER_NOTE}
    for tags in (directory, slim):
        block = _block(tags, order)
        if most_bytes is None or len(block) <= most_bytes:
            return block
    return None


def _comment_with(before: Value | Directory | None, comment: str, order: str) -> Value:
    """Eight bytes that name the character code, then the text: the photographer's own words, then ours."""
    own = _text(before.data, order) if isinstance(before, Value) else ""
    kept = [line for line in own.splitlines() if not line.startswith(OURS)]
    text = "\n".join([*kept, f"comment: {comment}"])
    if text.isascii():
        return Value(UNDEFINED, b"ASCII\0\0\0" + text.encode("ascii"))
    return Value(UNDEFINED, b"UNICODE\0" + text.encode("utf-16-le" if order == "<" else "utf-16-be"))


def _text(value: bytes, order: str) -> str:
    code, text = value[:8], value[8:]
    if code.startswith(b"UNICODE"):
        return text.decode("utf-16-le" if order == "<" else "utf-16-be", "replace").strip("\0 ")
    return text.decode("utf-8", "replace").strip("\0 ")
