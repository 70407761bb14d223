"""Cuts are found at their very frame; motion, grain, flashes and fades make none of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import RATE, clip

from framestyle.frames import Frame
from framestyle.motion.shots import SHORTEST_SHOT_FRAMES, Shot, ShotFinder, find_shots, with_cuts

METHODS = ("adaptive", "content", "none")
FINDING = ("adaptive", "content")


def _borders(frames: list[Frame], method: str) -> list[int]:
    return [shot.first for shot in find_shots(frames, method, RATE)[1:]]


def _changed(frames: list[Frame], change: Callable[[int, np.ndarray], np.ndarray]) -> list[Frame]:
    return [
        replace(
            frame, pixels=np.clip(change(frame.index, frame.pixels.astype(float)), 0, 255).astype(np.uint8)
        )
        for frame in frames
    ]


@pytest.mark.parametrize("method", FINDING)
@pytest.mark.parametrize("lengths", [(12, 10), (8, 8, 8), (15, 7, 15, 6)])
def test_a_cut_is_found_at_the_first_frame_of_the_new_shot(method: str, lengths: tuple[int, ...]) -> None:
    frames = clip([(seed, count) for seed, count in enumerate(lengths, 1)])
    assert _borders(frames, method) == [sum(lengths[:n]) for n in range(1, len(lengths))]


@pytest.mark.parametrize("first_shot_frames", range(1, SHORTEST_SHOT_FRAMES))
def test_a_cut_just_after_the_start_of_a_range_is_found(first_shot_frames: int) -> None:
    assert _borders(clip([(1, first_shot_frames), (2, 12)]), "adaptive") == [first_shot_frames]


@pytest.mark.parametrize("method", METHODS)
@given(lengths=st.lists(st.integers(1, 14), min_size=1, max_size=4), first=st.integers(0, 1000))
@settings(deadline=None, derandomize=True, max_examples=25)
def test_shots_cover_all_frames_once_in_order(method: str, lengths: list[int], first: int) -> None:
    frames = clip([(seed, count) for seed, count in enumerate(lengths, 1)], height=12, width=16)
    shots = find_shots((replace(frame, index=first + frame.index) for frame in frames), method, RATE)
    assert shots[0].first == first and shots[-1].end == first + len(frames)
    assert all(one.end == other.first for one, other in pairwise(shots))
    assert all(shot.frames > 0 for shot in shots) and sum(shot.frames for shot in shots) == len(frames)


def test_none_finds_no_cut() -> None:
    assert find_shots(clip([(1, 12), (2, 12)]), "none", RATE) == [Shot(0, 24)]


@pytest.mark.parametrize("method", METHODS)
def test_no_frames_are_no_shots(method: str) -> None:
    assert find_shots([], method, RATE) == []


@pytest.mark.parametrize("pan_px", [0.0, 0.5, 3.0, 6.0, 12.0])
def test_a_camera_pan_is_one_shot(pan_px: float) -> None:
    assert _borders(clip([(1, 30)], height=48, width=64, pan_px=pan_px), "adaptive") == []


@pytest.mark.parametrize("method", FINDING)
def test_film_grain_is_one_shot(method: str) -> None:
    def grainy(index: int, pixels: np.ndarray) -> np.ndarray:
        return pixels + np.random.default_rng(index).normal(0, 12, pixels.shape)

    assert _borders(_changed(clip([(1, 30)]), grainy), method) == []


def test_a_fade_and_a_dissolve_are_one_shot() -> None:
    one, other = clip([(1, 40)]), clip([(2, 40)])
    assert _borders(_changed(one, lambda n, pixels: pixels * (1 - n / 39)), "adaptive") == []
    dissolve = _changed(one, lambda n, pixels: pixels * (1 - n / 39) + other[n].pixels * (n / 39))
    assert _borders(dissolve, "adaptive") == []


def test_lightning_over_a_scene_is_one_shot() -> None:
    assert _borders(_changed(clip([(1, 40)]), lambda n, pixels: pixels + 80 * (n == 20)), "adaptive") == []


@pytest.mark.parametrize("method", FINDING)
@pytest.mark.parametrize("length", [1, 2])
def test_a_white_flash_makes_at_most_one_cut_and_no_shot_of_its_own(method: str, length: int) -> None:
    flashed = _changed(clip([(1, 40)]), lambda n, pixels: pixels + 255 * (20 <= n < 20 + length))
    assert _borders(flashed, method) in ([], [20])


@pytest.mark.parametrize("method", FINDING)
def test_a_strobe_does_not_cut_at_every_frame(method: str) -> None:
    strobe = _changed(clip([(1, 40)]), lambda n, pixels: pixels * (n % 2))
    lengths = [shot.frames for shot in find_shots(strobe, method, RATE)]
    assert min(lengths[:-1], default=40) >= SHORTEST_SHOT_FRAMES


@pytest.mark.parametrize("method", FINDING)
def test_cuts_do_not_depend_on_size_or_bit_depth(method: str) -> None:
    frames = clip([(1, 10), (2, 10)], height=300, width=400)
    deep = [replace(frame, pixels=frame.pixels.astype(np.uint16) * 257) for frame in frames]
    assert _borders(frames, method) == _borders(deep, method) == [10]


def test_a_finder_can_be_asked_after_frames_came_one_by_one() -> None:
    finder = ShotFinder("adaptive", RATE)
    for frame in clip([(1, 9), (2, 9)]):
        finder.add(frame)
    assert finder.shots() == finder.shots() == [Shot(0, 9), Shot(9, 18)]


def test_the_frames_are_left_as_they_were() -> None:
    frames = clip([(1, 8)])
    before = [frame.pixels.copy() for frame in frames]
    find_shots(frames, "adaptive", RATE)
    assert all(np.array_equal(frame.pixels, old) for frame, old in zip(frames, before, strict=True))


@pytest.mark.parametrize("method", METHODS)
def test_cuts_are_told_as_frames_come_as_they_are_found_afterwards(method: str) -> None:
    rng = np.random.default_rng(5)
    looks = [rng.integers(0, 255, 3) for _ in range(6)]
    lengths = (9, 6, 2, 1, 14, 7)
    pixels = [
        np.clip(np.full((24, 32, 3), look) + rng.integers(-3, 3, (24, 32, 3)), 0, 255).astype(np.uint8)
        for look, length in zip(looks, lengths, strict=True)
        for _ in range(length)
    ]
    frames = [Frame(5 + number, Fraction(number, 25), one) for number, one in enumerate(pixels)]
    read = 0

    def counted() -> Iterator[Frame]:
        nonlocal read
        for frame in frames:
            read += 1
            yield frame

    given, starts = [], [5]
    for frame, is_cut in with_cuts(counted(), method, Fraction(25)):
        given.append(frame)
        starts += [frame.index] if is_cut else []
        assert read - len(given) <= SHORTEST_SHOT_FRAMES
    assert given == frames
    assert starts == [shot.first for shot in find_shots(frames, method, Fraction(25))]
    assert (len(starts) > 2) == (method != "none")
