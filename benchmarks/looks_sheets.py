"""Sheets of the same photo in the same style by several hands: with their names, and without."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from framestyle.doors.sheet import PAPER, Cell, Row, sheet

SIDE_PX = 512
"""Longer side of a picture on the contact sheet."""
BLIND_FACTOR = 2
"""Results without names are shown so much larger, with hard pixels: what is wrong with them is to be seen."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Picture = Image.Image


def contact_sheet(lines: Mapping[str, Mapping[str, Picture]]) -> Picture:
    """A line for each title, its pictures under their labels, all in the shape of its first."""
    rows = []
    for title, pictures in lines.items():
        first = next(iter(pictures.values()))
        factor = SIDE_PX / max(first.size)
        size = (round(first.width * factor), round(first.height * factor))
        rows.append(_row(title, {label: _within(one, size) for label, one in pictures.items()}))
    return Image.fromarray(sheet(rows))


def blind_order(ways: Sequence[str], seed: int, pair: str) -> list[str]:
    """Another one for each pair, the same each time."""
    return random.Random(f"{seed} {pair}").sample(ways, len(ways))


def blind_sheet(content: Picture, style: Picture, results: Sequence[Picture]) -> Picture:
    """Content and style above, results below under letters, all of the size of the largest result, twice."""
    largest = max((one.size for one in results), key=lambda size: size[0] * size[1])
    size = (largest[0] * BLIND_FACTOR, largest[1] * BLIND_FACTOR)
    above = _row("", {"content": _within(content, size), "style": _within(style, size)})
    below = {
        letter: one.resize(size, Image.Resampling.NEAREST)
        for letter, one in zip(LETTERS, results, strict=False)
    }
    return Image.fromarray(sheet([above, _row("", below)]))


def _within(picture: Picture, size: tuple[int, int]) -> Picture:
    """As large as fits, on paper: a style has a shape of its own."""
    factor = min(size[0] / picture.width, size[1] / picture.height)
    shown = picture.resize((round(picture.width * factor), round(picture.height * factor)))
    page = Image.new("RGB", size, PAPER)
    page.paste(shown, ((size[0] - shown.width) // 2, (size[1] - shown.height) // 2))
    return page


def _row(title: str, pictures: Mapping[str, Picture]) -> Row:
    cells = [Cell(label, np.asarray(one)) for label, one in pictures.items()]
    first = next(iter(pictures.values()))
    return Row(title, cells, first.width, first.height)
