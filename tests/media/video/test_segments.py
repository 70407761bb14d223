"""What is checkpointed comes back bit for bit, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framestyle.errors import InputError
from framestyle.media.video.probe import probe
from framestyle.media.video.segments import SegmentWriter, read_segment

RATE = Fraction(24000, 1001)


def _noise(dtype: type[Any], height: int, width: int, count: int = 4) -> list[np.ndarray]:
    random, top = np.random.default_rng(1), np.iinfo(dtype).max
    return [random.integers(0, top, (height, width, 3), dtype, endpoint=True) for _ in range(count)]


def _write(path: Path, frames: list[np.ndarray], alphas: list[np.ndarray] | None = None) -> None:
    writer = SegmentWriter(path, frames[0], RATE, alpha=alphas is not None)
    for number, frame in enumerate(frames):
        writer.write(frame, None if alphas is None else alphas[number])
    writer.finish()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("height", "width"), [(48, 64), (47, 33)])
@pytest.mark.parametrize("has_alpha", [False, True])
def test_every_bit_comes_back(
    tmp_path: Path, dtype: type[Any], height: int, width: int, has_alpha: bool
) -> None:
    frames = _noise(dtype, height, width)
    alphas = [frame[::-1, ::-1, 0] for frame in frames] if has_alpha else None
    _write(tmp_path / "a.mkv", frames, alphas)
    back = list(read_segment(tmp_path / "a.mkv", width, height, dtype, alpha=has_alpha))
    assert len(back) == len(frames)
    assert all(np.array_equal(one, other) for (one, _), other in zip(back, frames, strict=True))
    if alphas is None:
        assert [alpha for _, alpha in back] == [None] * len(frames)
    else:
        assert all(np.array_equal(one, other) for (_, one), other in zip(back, alphas, strict=True))


def test_it_is_a_clip_that_plays(tmp_path: Path) -> None:
    _write(tmp_path / "a.mkv", _noise(np.uint8, 48, 64))
    info = probe(tmp_path / "a.mkv")
    assert (info.width, info.height, info.frame_rate) == (64, 48, RATE)


def test_nothing_stands_there_until_it_is_finished(
    tmp_path: Path, our_ffmpegs: Callable[[], list[int]]
) -> None:
    writer = SegmentWriter(tmp_path / "a.mkv", _noise(np.uint8, 48, 64)[0], RATE)
    writer.write(_noise(np.uint8, 48, 64)[0])
    assert not (tmp_path / "a.mkv").exists()
    writer.discard()
    assert not list(tmp_path.iterdir()) and not our_ffmpegs()
    writer.discard()


def test_discarding_what_is_finished_leaves_it(tmp_path: Path) -> None:
    frames = _noise(np.uint8, 48, 64)
    writer = SegmentWriter(tmp_path / "a.mkv", frames[0], RATE)
    writer.write(frames[0])
    writer.finish()
    writer.discard()
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


def test_a_frame_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path / "a.mkv", _noise(np.uint8, 48, 64)[0], RATE)
    with pytest.raises(ValueError, match="expected"):
        writer.write(_noise(np.uint16, 48, 64)[0])
    with pytest.raises(ValueError, match="expected"):
        writer.write(_noise(np.uint8, 48, 64)[0], np.zeros((48, 64), np.uint8))
    writer.discard()


@pytest.mark.parametrize("damage", ["empty", "other", "cut"])
def test_a_damaged_one_is_never_taken_for_a_whole_one(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.mkv"
    _write(path, _noise(np.uint8, 48, 64, 8))
    data = path.read_bytes()
    path.write_bytes({"cut": data[: len(data) // 2], "empty": b"", "other": b"#!/bin/sh\n" * 50}[damage])
    frames: list[Any] = []
    if damage == "cut":
        # A decoder may end in peace where the file does.
        with suppress(InputError):
            frames += read_segment(path, 64, 48, np.uint8)
        assert len(frames) < 8
    else:
        with pytest.raises(InputError, match=r"a\.mkv cannot be decoded"):
            frames += read_segment(path, 64, 48, np.uint8)
