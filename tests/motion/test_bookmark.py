"""To go on from any bookmark gives what would have come without stopping, pixel for pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load, save
from scenes import clip, grainy

from framestyle.events import Event, FrameDone
from framestyle.frames import Frame
from framestyle.motion.bookmark import Bookmark
from framestyle.motion.second_pass import Arrays
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.stylizer import Stylizer

MakeStylizer = Callable[..., Stylizer]
SHOTS = [Shot(0, 4), Shot(4, 7)]
VIDEOS: dict[str, dict[str, Any]] = {
    "as a rule": {},
    "long term": {"long_term": [1, 2, 3]},
    "two passes": {"passes": 2},
    "from the previous": {"warm_start": "previous"},
    "each alone": {"warm_start": "none"},
    "without moments": {"carry_moments": False, "carry_average": False},
}


class _StopError(Exception):
    pass


class _Kept:
    """What a work folder would hold: the bookmark, the frames given so far, the store as it was then."""

    def __init__(self, at: int) -> None:
        self.store: dict[int, Arrays] = {}
        self.given: list[Frame] = []
        self._left = at

    def mark(self, bookmark: Bookmark) -> None:
        self._left -= 1
        if self._left == 0:
            self.place = bookmark.shot, bookmark.pass_number, bookmark.next_frame
            self.state = save(bookmark.tensors())
            self.given_then, self.store_then = list(self.given), dict(self.store)
            raise _StopError


def _frames(dtype: type[Any] = np.uint8) -> list[Frame]:
    frames = grainy(clip([(1, 4), (2, 3)], height=24, width=32))
    # A frame that is shown twice takes no step: its result must be there all the same.
    return [
        Frame(frame.index, frame.pts, (frames[1] if frame.index == 2 else frame).pixels.astype(dtype) * scale)
        for frame in frames
        for scale in [dtype(257 if dtype is np.uint16 else 1)]
    ]


def _whole(frames: Sequence[Frame], stylizer: Stylizer) -> tuple[list[Frame], int]:
    marks: list[Bookmark] = []
    return list(stylize_frames(frames, SHOTS, stylizer, on_bookmark=marks.append)), len(marks)


def _in_two_parts(
    frames: Sequence[Frame], make: Callable[[], Stylizer], at: int
) -> tuple[list[Frame], _Kept]:
    kept = _Kept(at)
    with pytest.raises(_StopError):
        for frame in stylize_frames(frames, SHOTS, make(), store=kept.store, on_bookmark=kept.mark):
            kept.given.append(frame)
    bookmark = Bookmark.of(*kept.place, load(kept.state))
    rest = stylize_frames(frames, SHOTS, make(), store=kept.store_then, resume=bookmark)
    return [*kept.given_then, *rest], kept


@pytest.mark.parametrize("kind", VIDEOS)
def test_from_any_bookmark_the_same_frames_come(make_stylizer: MakeStylizer, kind: str) -> None:
    _compare(lambda: make_stylizer(video=VIDEOS[kind]), np.uint8, every=3 if kind == "two passes" else 2)


@pytest.mark.parametrize("kind", ["as a rule", "two passes"])
def test_deep_frames_come_back_in_their_depth(make_stylizer: MakeStylizer, kind: str) -> None:
    _compare(lambda: make_stylizer(video=VIDEOS[kind]), np.uint16, every=5)


def _compare(make: Callable[[], Stylizer], dtype: type[Any], *, every: int) -> None:
    frames = _frames(dtype)
    whole, marks = _whole(frames, make())
    assert marks >= len(frames)
    for at in range(1, marks + 1, every):
        parts, _ = _in_two_parts(frames, make, at)
        assert [(one.index, one.pts) for one in parts] == [(one.index, one.pts) for one in whole]
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(parts, whole, strict=True)), at


def test_a_bookmark_comes_after_each_frame_is_taken(make_stylizer: MakeStylizer) -> None:
    """So that what it says is done, is done."""
    kept = _Kept(3)
    with pytest.raises(_StopError):
        for frame in stylize_frames(_frames(), SHOTS, make_stylizer(), on_bookmark=kept.mark):
            kept.given.append(frame)
    assert [frame.index for frame in kept.given] == [0, 1, 2] and kept.place == (0, 1, 3)


def test_what_is_done_is_not_done_again(make_stylizer: MakeStylizer) -> None:
    painted: list[int] = []

    def heard(event: Event) -> None:
        if isinstance(event, FrameDone):
            painted.append(event.index)

    frames = _frames()
    _, kept = _in_two_parts(frames, make_stylizer, 5)
    bookmark = Bookmark.of(*kept.place, load(kept.state))
    list(stylize_frames(frames, SHOTS, make_stylizer(), resume=bookmark, on_event=heard))
    assert painted == [5, 6]


def test_with_a_missing_tensor_there_is_no_bookmark(make_stylizer: MakeStylizer) -> None:
    _, kept = _in_two_parts(_frames(), make_stylizer, 2)
    tensors = load(kept.state)
    del tensors["0.square"]
    with pytest.raises(KeyError):
        Bookmark.of(*kept.place, tensors)
