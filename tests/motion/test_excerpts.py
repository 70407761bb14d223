"""What stands for a clip lies in its longest shots, spread over them, and is no more than was asked for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from framestyle.motion.excerpts import MOST_EXCERPTS, excerpts, moments
from framestyle.motion.shots import Shot


@st.composite
def _shots(draw: st.DrawFn) -> list[Shot]:
    lengths = draw(st.lists(st.integers(1, 200), min_size=1, max_size=8))
    at, shots = draw(st.integers(0, 50)), []
    for length in lengths:
        shots.append(Shot(at, at + length))
        at += length
    return shots


@given(_shots(), st.integers(1, 6))
def test_moments_are_different_frames_of_the_longest_shots(shots: list[Shot], count: int) -> None:
    chosen = moments(shots, count)
    assert chosen == sorted(set(chosen))
    inside = {number for at in chosen for number, shot in enumerate(shots) if shot.first <= at < shot.end}
    longest = sorted((shot.frames for shot in shots), reverse=True)[:count]
    assert sorted((shots[n].frames for n in inside), reverse=True) == longest
    assert len(chosen) == min(count, sum(longest))


def test_a_single_shot_is_seen_at_even_distances_and_short_ones_in_their_middle() -> None:
    assert moments([Shot(0, 60)], 3) == [10, 30, 50]
    assert moments([Shot(0, 10), Shot(10, 12), Shot(12, 52)], 3) == [5, 11, 32]
    assert moments([Shot(0, 10), Shot(10, 50)], 3) == [5, 20, 40]


@given(_shots(), st.integers(1, 400))
def test_excerpts_lie_in_their_shots_and_keep_to_the_length(shots: list[Shot], frames: int) -> None:
    chosen = excerpts(shots, frames)
    total = sum(shot.frames for shot in shots)
    if total <= frames:
        assert chosen == shots
        return
    assert len(chosen) == min(MOST_EXCERPTS, len(shots))
    assert all(one.end <= other.first for one, other in pairwise(chosen))
    for one in chosen:
        assert any(shot.first <= one.first < one.end <= shot.end for shot in shots)
    # Each has a frame at least; and nothing that was asked for is left out while a shot has more.
    shown = sum(one.frames for one in chosen)
    assert shown <= max(frames, len(chosen))
    longest = sum(sorted((shot.frames for shot in shots), reverse=True)[:MOST_EXCERPTS])
    assert shown >= min(frames, longest)


def test_excerpts_are_the_middles_and_a_short_shot_leaves_its_share_to_the_others() -> None:
    assert excerpts([Shot(0, 250)], 75) == [Shot(87, 162)]
    assert excerpts([Shot(0, 100), Shot(100, 110), Shot(110, 210)], 70) == [
        Shot(35, 65),
        Shot(100, 110),
        Shot(145, 175),
    ]
