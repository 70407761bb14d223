"""A sheet shows every picture whole, in reading order, under its label; nothing overlaps and nothing is cut off."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framestyle.doors.sheet import (
    LABEL_FONT_PX,
    LABEL_PX,
    LEAST_CELL_PX,
    MOST_COLUMNS,
    Box,
    Cell,
    Row,
    Shown,
    _wide,
    layout,
    picture_row,
    sheet,
    shortened,
    wrapped,
)

_names = st.text(max_size=60)


def _flat(width: int, height: int, colour: int) -> Shown:
    return np.full((height, width, 3), colour, np.uint8)


@st.composite
def _rows(draw: st.DrawFn) -> list[Row]:
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        if draw(st.integers(0, 4)) == 0:
            rows.append(Row(draw(_names), message=draw(st.text(min_size=1, max_size=300))))
            continue
        width, height = draw(st.integers(1, 140)), draw(st.integers(1, 60))
        contents = draw(
            st.lists(st.none() | st.text(max_size=80) | st.integers(0, 255), min_size=1, max_size=19)
        )
        cells = [
            Cell(draw(_names), _flat(width, height, one) if isinstance(one, int) else one) for one in contents
        ]
        rows.append(Row(draw(_names), cells, width, height))
    return rows


@settings(max_examples=60, deadline=None)
@given(_rows())
def test_nothing_overlaps_and_every_picture_is_there_to_the_pixel(rows: list[Row]) -> None:
    found = layout(rows)
    page = sheet(rows)
    assert page.shape == (found.height, found.width, 3) and page.dtype == np.uint8
    boxes: list[Box] = []
    for row, places in zip(rows, found.rows, strict=True):
        boxes.append(places.title)
        boxes += [places.message] if places.message is not None else []
        assert (places.message is None) == (not row.message) and len(places.cells) == len(row.cells)
        for cell, box in zip(row.cells, places.cells, strict=True):
            assert (box.width, box.height) == (row.width, row.height)
            boxes += [box, Box(box.left, box.top - LABEL_PX, box.width, LABEL_PX)]
            if isinstance(cell.content, np.ndarray):
                assert np.array_equal(page[box.top : box.bottom, box.left : box.right], cell.content)
    for box in boxes:
        assert 0 <= box.left <= box.right <= found.width and 0 <= box.top <= box.bottom <= found.height
    for one, other in combinations(boxes, 2):
        apart = one.right <= other.left or other.right <= one.left
        assert apart or one.bottom <= other.top or other.bottom <= one.top


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 300))
def test_columns_stand_below_each_other_and_long_rows_go_on_in_even_lines(
    counts: list[int], width: int
) -> None:
    rows = [Row("", [Cell("", None)] * count, width, 10) for count in counts]
    found = layout(rows)
    lefts = sorted({box.left for row in found.rows for box in row.cells})
    assert len(lefts) <= MOST_COLUMNS
    step = max(width, LEAST_CELL_PX)
    assert all(right - left >= step for left, right in pairwise(lefts))
    for row in found.rows:
        # Reading order, every line but the last one full.
        places = [(box.top, box.left) for box in row.cells]
        assert places == sorted(places) and len(set(places)) == len(places)
        lines = [len([1 for top, _ in places if top == line]) for line in sorted({top for top, _ in places})]
        assert all(line == len(lefts) for line in lines[:-1])


def test_a_row_of_labelled_pictures_of_one_width() -> None:
    row = picture_row("three", ["a", "b", "c"], [_flat(60, 30, shade) for shade in (40, 80, 120)], 320)
    assert (row.width, row.height) == (320, 160)
    page, (places,) = sheet([row]), layout([row]).rows
    for box, shade in zip(places.cells, (40, 80, 120), strict=True):
        assert (page[box.top : box.bottom, box.left : box.right] == shade).all()
        label = page[box.top - LABEL_PX : box.top, box.left : box.right]
        assert label.min() < 150 and label.max() == 255  # dark on white
    title = page[places.title.top : places.title.bottom, places.title.left : places.title.right]
    assert title.min() < 100


def test_what_waits_and_what_failed_are_told_apart() -> None:
    page = sheet([Row("", [Cell("a", None), Cell("b", "it is damaged")], 100, 60)])
    (waiting, failed) = (
        page[box.top : box.bottom, box.left : box.right]
        for box in layout([Row("", [Cell("", None)] * 2, 100, 60)]).rows[0].cells
    )
    assert len(np.unique(waiting)) == 1
    red = (failed[..., 0].astype(int) - failed[..., 1]).max()
    assert red > 80


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="expected 10x20x3"):
        sheet([Row("", [Cell("a", _flat(10, 20, 0))], 20, 10)])


@given(st.text(min_size=1, max_size=80), st.integers(20, 400))
def test_a_shortened_name_fits_and_keeps_both_ends(text: str, width: int) -> None:
    short = shortened(text, LABEL_FONT_PX, width)
    if short == text:
        assert _wide(text, LABEL_FONT_PX) <= width
        return
    assert _wide(short, LABEL_FONT_PX) <= width or short == "…"
    head, _, tail = short.partition("…") if "…" not in text else ("", "", "")
    assert text.startswith(head) and text.endswith(tail)
    assert len(head) - len(tail) in (0, 1)


@given(st.text("ab c,./", max_size=200), st.integers(60, 400))
def test_wrapped_lines_fit_and_lose_no_word_that_fits(text: str, width: int) -> None:
    lines = wrapped(text, LABEL_FONT_PX, width)
    assert all(_wide(line, LABEL_FONT_PX) <= width for line in lines)
    kept = " ".join(lines).split()
    assert len(kept) == len(text.split())
    for word, shown in zip(text.split(), kept, strict=True):
        assert shown == word or "…" in shown
