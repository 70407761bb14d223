"""Kinds are written as their words; a part of a clip begins with its start and ends before its end."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction

import pytest

from framestyle.kinds import WHOLE_CLIP, MediaKind, TimeRange

ONE, TWO = Fraction(1), Fraction(2)


def test_json_holds_the_words() -> None:
    assert json.dumps(list(MediaKind)) == '["photo", "video", "sequence"]'
    assert f"{MediaKind.VIDEO}" == "video" and MediaKind("sequence") is MediaKind.SEQUENCE


@pytest.mark.parametrize(
    ("span", "held"),
    [
        (WHOLE_CLIP, [0, 1, Fraction(3, 2), 2, 3]),
        (TimeRange(ONE), [1, Fraction(3, 2), 2, 3]),
        (TimeRange(None, TWO), [0, 1, Fraction(3, 2)]),
        (TimeRange(ONE, TWO), [1, Fraction(3, 2)]),
        (TimeRange(ONE, ONE), []),
    ],
    ids=str,
)
def test_a_part_holds_its_start_and_not_its_end(span: TimeRange, held: list[Fraction]) -> None:
    times = [Fraction(0), ONE, Fraction(3, 2), TWO, Fraction(3)]
    assert [at for at in times if span.holds(at)] == held
    assert [at for at in times if span.is_over(at)] == [at for at in times if span.end_s and at >= span.end_s]
    assert span.is_all == (span == WHOLE_CLIP)


def test_a_part_moves_with_its_clock_and_to_its_first_frame() -> None:
    part, later = TimeRange(ONE, TWO), Fraction(1, 4)
    assert part.later(later) == TimeRange(Fraction(5, 4), Fraction(9, 4))
    assert part.from_frame(Fraction(9, 8)) == TimeRange(Fraction(9, 8), TWO)
    assert TimeRange(None, TWO).later(later) == TimeRange(None, Fraction(9, 4))
    assert TimeRange(None, TWO).from_frame(later) == TimeRange(None, TWO)
    assert WHOLE_CLIP.later(later) == WHOLE_CLIP


def test_they_load_nothing_heavy() -> None:
    code = (
        "import framestyle.kinds, framestyle.events, sys; print({'numpy', 'torch', 'cv2'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"
