"""A contact sheet: labelled pictures in titled rows, laid out and drawn. Knows nothing of presets or files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from framestyle.doors.text import plain

Shown = npt.NDArray[np.uint8]
MARGIN_PX, GAP_PX = 14, 8
TITLE_PX, LABEL_PX = 30, 20
"""Heights of the strips above a row and above a picture."""
TITLE_FONT_PX, LABEL_FONT_PX = 16, 13
LEAST_CELL_PX = 96
"""Cells are no narrower, so that labels can be read."""
MOST_COLUMNS = 8
"""A longer row goes on below, in lines of about equal length."""
PAPER, INK, PALE, WAITING, RED = "#ffffff", "#202020", "#707070", "#ececec", "#b00020"


@dataclass(frozen=True, eq=False)
class Cell:
    """A labelled picture (HWC RGB); or a text where there is none; or None: it is still to come."""

    label: str
    content: Shown | str | None


@dataclass(frozen=True, eq=False)
class Row:
    """Pictures of one size, under a title; without cells, `message` says why."""

    title: str
    cells: Sequence[Cell] = ()
    width: int = 0
    height: int = 0
    message: str = ""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.left + self.width

    @property
    def bottom(self) -> int:
        return self.top + self.height


@dataclass(frozen=True)
class RowLayout:
    """Where a row's parts are. Each cell has its picture's box; its label is the strip above."""

    title: Box
    cells: tuple[Box, ...]
    message: Box | None = None


@dataclass(frozen=True)
class Layout:
    """Where everything is."""

    width: int
    height: int
    rows: tuple[RowLayout, ...]


def picture_row(title: str, labels: Sequence[str], pictures: Sequence[Shown], width_px: int) -> Row:
    """Pictures of one shape, brought to one width."""
    height = round(pictures[0].shape[0] * width_px / pictures[0].shape[1])
    same = [np.asarray(Image.fromarray(one).resize((width_px, height))) for one in pictures]
    cells = [Cell(label, picture) for label, picture in zip(labels, same, strict=True)]
    return Row(title, cells, width_px, height)


def sheet(rows: Sequence[Row]) -> Shown:
    """The rows one below the other, HWC RGB uint8."""
    found = layout(rows)
    page = Image.new("RGB", (found.width, found.height), PAPER)
    draw = ImageDraw.Draw(page)
    for row, places in zip(rows, found.rows, strict=True):
        if row.title:
            _text(draw, places.title, row.title, TITLE_FONT_PX, INK)
        if places.message is not None:
            _paragraph(draw, places.message, row.message, RED)
        for cell, box in zip(row.cells, places.cells, strict=True):
            strip = Box(box.left, box.top - LABEL_PX, _column_px(rows), LABEL_PX)
            _text(draw, strip, cell.label, LABEL_FONT_PX, PALE)
            _picture(page, draw, box, cell.content)
    return np.asarray(page)


def layout(rows: Sequence[Row]) -> Layout:
    """The geometry alone: columns of one width through all rows, so that the same look stands in the same column."""
    column = _column_px(rows)
    per_line = _per_line(max((len(row.cells) for row in rows), default=0))
    width = max(per_line, 2) * (column + GAP_PX) - GAP_PX
    top, placed = MARGIN_PX, []
    for row in rows:
        title = Box(MARGIN_PX, top, width, TITLE_PX if row.title else 0)
        top = title.bottom
        if row.message:
            message = Box(MARGIN_PX, top, width, _paragraph_px(row.message, width))
            placed.append(RowLayout(title, (), message))
            top = message.bottom + GAP_PX
            continue
        cells = []
        for number in range(len(row.cells)):
            line, place = divmod(number, per_line)
            left = MARGIN_PX + place * (column + GAP_PX)
            cells.append(
                Box(left, top + LABEL_PX + line * (LABEL_PX + row.height + GAP_PX), row.width, row.height)
            )
        placed.append(RowLayout(title, tuple(cells)))
        top = max((box.bottom for box in cells), default=top) + GAP_PX
    return Layout(width + 2 * MARGIN_PX, top - GAP_PX + MARGIN_PX, tuple(placed))


def _column_px(rows: Sequence[Row]) -> int:
    return max([LEAST_CELL_PX, *(row.width for row in rows)])


def _per_line(cells: int) -> int:
    lines = max(1, -(-cells // MOST_COLUMNS))
    return max(1, -(-cells // lines))


def _picture(page: Image.Image, draw: ImageDraw.ImageDraw, box: Box, content: Shown | str | None) -> None:
    if isinstance(content, np.ndarray):
        if content.shape != (box.height, box.width, 3):
            raise ValueError(f"expected {box.height}x{box.width}x3, got {content.shape}")
        page.paste(Image.fromarray(content), (box.left, box.top))
        return
    draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=WAITING)
    if content is not None:
        _paragraph(draw, Box(box.left + 4, box.top + 2, box.width - 8, box.height - 4), content, RED)


# -- text --------------------------------------------------------------------------------------------------


def shortened(text: str, font_px: int, width_px: int) -> str:
    """At most `width_px` wide, the middle left out: both ends of a name tell most."""
    if _wide(text, font_px) <= width_px:
        return text
    for kept in range(len(text) - 1, 1, -1):
        short = f"{text[: (kept + 1) // 2]}…{text[len(text) - kept // 2 :]}"
        if _wide(short, font_px) <= width_px:
            return short
    return "…"


def wrapped(text: str, font_px: int, width_px: int) -> list[str]:
    """Lines of at most `width_px`, broken at spaces; a longer word is shortened."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _wide(longer, font_px) <= width_px:
            lines[-1] = longer
        else:
            lines.append(shortened(word, font_px, width_px))
    return lines


def _text(draw: ImageDraw.ImageDraw, box: Box, text: str, font_px: int, colour: str) -> None:
    """One line at the bottom left of the box."""
    short = shortened(plain(text), font_px, box.width)
    draw.text((box.left, box.bottom - 5), short, fill=colour, font=_font(font_px), anchor="ls")


def _paragraph(draw: ImageDraw.ImageDraw, box: Box, text: str, colour: str) -> None:
    """As many lines as go into the box."""
    for line, top in zip(_lines(text, box.width), _tops(box), strict=False):
        draw.text((box.left, top), line, fill=colour, font=_font(LABEL_FONT_PX), anchor="la")


def _tops(box: Box) -> Iterator[int]:
    yield from range(box.top + 2, box.bottom - LABEL_FONT_PX, LABEL_PX - 3)


def _lines(text: str, width_px: int) -> list[str]:
    return wrapped(plain(text), LABEL_FONT_PX, width_px)


def _paragraph_px(text: str, width_px: int) -> int:
    return (LABEL_PX - 3) * len(_lines(text, width_px)) + 4


def _wide(text: str, font_px: int) -> float:
    return _font(font_px).getlength(text)


@cache
def _font(font_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(font_px)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow's own, scalable one, where a size is asked for
    return font
