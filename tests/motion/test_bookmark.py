"""To go on from any bookmark gives what would have come without stopping, pixel for pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from safetensors.torch import load, save
from scenes import clip, grainy

from framestyle.context import Context
from framestyle.events import Event, FrameDone
from framestyle.frames import Frame
from framestyle.motion.bookmark import Bookmark
from framestyle.motion.second_pass import Arrays
from framestyle.motion.sequence import stylize_frames
from framestyle.motion.shots import Shot
from framestyle.nst.stylizer import Stylizer

MakeStylizer = Callable[..., Stylizer]
SHOTS = [Shot(0, 4), Shot(4, 7)]
FEW: dict[str, Any] = {"scales": {"first_steps": 2, "steps": 1}, "video": {"steps": 2, "min_steps": 2}}
"""Steps: enough that each hangs on what the one before left."""
VIDEOS: dict[str, dict[str, Any]] = {
    "as a rule": {},
    "long term": {"long_term": [1, 2, 3]},
    "two passes": {"passes": 2},
    "from the previous": {"warm_start": "previous"},
    "each alone": {"warm_start": "none"},
    "by key frames": {"method": "key_frames", "key_frame_gap": 2, "polish_steps": 1},
    "without moments": {"carry_moments": False, "carry_average": False},
}


class _Kept(NamedTuple):
    """What a work folder would hold: the bookmark, the frames given so far, the store as it was then."""

    place: tuple[int, int, int]
    state: bytes
    given: list[Frame]
    store: dict[int, Arrays]

    def bookmark(self) -> Bookmark:
        return Bookmark.of(*self.place, load(self.state))


def _painted(frames: Sequence[Frame], stylizer: Stylizer) -> tuple[list[Frame], list[_Kept]]:
    """All frames, and what would be kept if it were stopped at each bookmark."""
    given: list[Frame] = []
    store: dict[int, Arrays] = {}
    kept: list[_Kept] = []

    def mark(bookmark: Bookmark) -> None:
        place = bookmark.shot, bookmark.pass_number, bookmark.next_frame
        kept.append(_Kept(place, save(bookmark.tensors()), list(given), dict(store)))

    for frame in stylize_frames(frames, SHOTS, stylizer, store=store, on_bookmark=mark):
        given.append(frame)
    return given, kept


def _frames(dtype: type[Any] = np.uint8) -> list[Frame]:
    frames = grainy(clip([(1, 4), (2, 3)], height=24, width=32))
    # A frame that is shown twice takes no step: its result must be there all the same.
    return [
        Frame(frame.index, frame.pts, (frames[1] if frame.index == 2 else frame).pixels.astype(dtype) * scale)
        for frame in frames
        for scale in [dtype(257 if dtype is np.uint16 else 1)]
    ]


@pytest.mark.parametrize("kind", VIDEOS)
def test_from_any_bookmark_the_same_frames_come(make_stylizer: MakeStylizer, kind: str) -> None:
    every = {"two passes": 3, "by key frames": 1}.get(kind, 2)
    fewest = 5 if kind == "by key frames" else 7
    _compare(lambda: make_stylizer(**_few(VIDEOS[kind])), np.uint8, every=every, fewest=fewest)


def test_matches_with_the_style_are_part_of_what_is_resumed(make_stylizer: MakeStylizer) -> None:
    style = {"statistic": "neighbors", "layers": {"relu1_1": 1.0, "relu3_1": 1.0}}
    _compare(lambda: make_stylizer(style=style, **_few(VIDEOS["two passes"])), np.uint8, every=6)


@pytest.mark.parametrize("kind", ["as a rule", "two passes"])
def test_deep_frames_come_back_in_their_depth(make_stylizer: MakeStylizer, kind: str) -> None:
    _compare(lambda: make_stylizer(**_few(VIDEOS[kind])), np.uint16, every=5)


def _few(video: dict[str, Any]) -> dict[str, Any]:
    return {**FEW, "video": FEW["video"] | video}


def _compare(make: Callable[[], Stylizer], dtype: type[Any], *, every: int, fewest: int = 7) -> None:
    frames = _frames(dtype)
    whole, kept = _painted(frames, make())
    assert len(kept) >= fewest
    for stopped in kept[::every]:
        rest = stylize_frames(frames, SHOTS, make(), store=stopped.store, resume=stopped.bookmark())
        parts = [*stopped.given, *rest]
        assert [(one.index, one.pts) for one in parts] == [(one.index, one.pts) for one in whole]
        same = [np.array_equal(a.pixels, b.pixels) for a, b in zip(parts, whole, strict=True)]
        assert all(same), stopped.place


def test_a_bookmark_comes_after_each_frame_is_taken(make_stylizer: MakeStylizer) -> None:
    """So that what it says is done, is done."""
    _, kept = _painted(_frames(), make_stylizer())
    assert [frame.index for frame in kept[2].given] == [0, 1, 2] and kept[2].place == (0, 1, 3)


def test_what_is_done_is_not_done_again(make_stylizer: MakeStylizer) -> None:
    painted: list[int] = []

    def heard(event: Event) -> None:
        if isinstance(event, FrameDone):
            painted.append(event.index)

    frames = _frames()
    bookmark = _painted(frames, make_stylizer())[1][4].bookmark()
    list(stylize_frames(frames, SHOTS, make_stylizer(), resume=bookmark, context=Context(heard)))
    assert painted == [5, 6]


def test_with_a_missing_tensor_there_is_no_bookmark(make_stylizer: MakeStylizer) -> None:
    kept = _painted(_frames(), make_stylizer())[1][1]
    tensors = load(kept.state)
    del tensors["0.square"]
    with pytest.raises(KeyError):
        Bookmark.of(*kept.place, tensors)
