"""Masks that move, matched to frames by time; nothing is painted."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from moving import disc, textured, write_clip, write_sequence
from PIL import Image

from framestyle.context import SILENT
from framestyle.doors.advice import next_step
from framestyle.errors import InputError
from framestyle.frames import Frame
from framestyle.jobs.plan.mask_survey import survey_mask
from framestyle.jobs.plan.survey import Survey, survey
from framestyle.kinds import TimeRange
from framestyle.mattes import mask_at, with_masks
from framestyle.media.video.clips import clip_info, open_clip
from framestyle.presets import Preset
from framestyle.resolve import picture_digests

SOURCE = Path("clip.mkv")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def _preset(mask: Path | str, *regions: Any, start: float = 0.0) -> Preset:
    images = [{"path": "a.png", "region": one} for one in regions or (255,)]
    return Preset.model_validate({"style": {"images": images, "mask": str(mask), "mask_start": start}})


def _frames(count: int, rate: int = 10) -> Iterator[Frame]:
    blank = np.zeros((24, 32, 3), np.uint8)
    for index in range(count):
        yield Frame(index, Fraction(index, rate), blank)


def _shown(preset: Preset, count: int, rate: int = 10) -> list[int]:
    """Which grey each frame's mask is of."""
    return [
        int(one.mask[0, 0, 0])
        for one in with_masks(_frames(count, rate), preset, SOURCE)
        if one.mask is not None
    ]


def _greys(*levels: int, size: tuple[int, int] = (32, 24)) -> list[Any]:
    return [np.full((size[1], size[0], 3), level, np.uint8) for level in levels]


def test_a_masks_pictures_go_with_the_frames_of_their_time(tmp_path: Path) -> None:
    same = write_clip(tmp_path / "same.mkv", _greys(0, 50, 100, 150))
    slower = write_clip(tmp_path / "slower.mkv", _greys(0, 100, size=(64, 48)), rate=5)
    faster = write_clip(tmp_path / "faster.mkv", _greys(0, 25, 50, 75, 100, 125, 150, 175), rate=20)
    assert _shown(_preset(same), 4) == [0, 50, 100, 150]
    assert _shown(_preset(slower), 4) == [0, 0, 100, 100]
    assert _shown(_preset(faster), 4) == [0, 50, 100, 150]


def test_a_mask_may_begin_before_the_clip_and_a_part_needs_but_its_own_time(tmp_path: Path) -> None:
    mask = write_clip(tmp_path / "m.mkv", _greys(0, 50, 100, 150))
    assert _shown(_preset(mask, start=-0.2), 2) == [100, 150]
    later = list(_frames(6))[3:]
    found = [
        one.mask[0, 0, 0]
        for one in with_masks(later, _preset(mask, start=0.3), SOURCE)
        if one.mask is not None
    ]
    assert found == [0, 50, 100]


def test_sequences_and_folders_of_either_hold_moving_masks(tmp_path: Path) -> None:
    pattern = write_sequence(tmp_path / "one", _greys(0, 80))
    preset = _preset(pattern)
    rate = {"sequence_rate": 10.0}
    preset = preset.model_copy(update={"video": preset.video.model_copy(update=rate)})
    assert _shown(preset, 2) == [0, 80]
    folder = tmp_path / "many"
    folder.mkdir()
    write_clip(folder / "clip.mkv", _greys(10, 20))
    write_sequence(folder / "other", _greys(30, 40))
    assert _shown(_preset(folder), 2) == [10, 20]
    digest = picture_digests(_preset(pattern))
    Image.fromarray(_greys(90)[0]).save(tmp_path / "one" / "m0002.png")
    assert picture_digests(_preset(pattern)) != digest and digest


def test_the_inputs_own_transparency_may_be_the_mask(tmp_path: Path) -> None:
    alpha = [np.full((24, 32), level, np.uint8) for level in (0, 255)]
    clip = write_clip(tmp_path / "c.mkv", textured(2), alpha=alpha)
    with open_clip(clip, sequence_rate=Fraction(24)) as reader:
        masks = [one.mask for one in with_masks(reader, _preset("alpha"), clip)]
    assert [int(one[0, 0, 1]) for one in masks if one is not None] == [0, 255]
    with pytest.raises(InputError, match="no transparency, which is to be its mask"):
        mask_at(_preset("alpha"), SOURCE, None, _greys(0)[0], None)


def test_a_photo_takes_no_clip_as_its_mask(tmp_path: Path) -> None:
    mask = write_clip(tmp_path / "m.mkv", _greys(0))
    with pytest.raises(InputError, match=r"is a clip, and .* is a photo"):
        mask_at(_preset(mask), Path("a.png"), None, _greys(0)[0], None)
    assert mask_at(_preset(mask), SOURCE, Fraction(0), _greys(0)[0], None) is not None


BAD_MASKS: dict[str, tuple[dict[str, Any], str]] = {
    "too short": ({"masks": [disc(0.5)] * 3}, r"ends at 0\.300 s of .*: frame 5, at 0\.500 s, has none"),
    "slow and too short": (
        {"masks": [disc(0.5)] * 2, "rate": 5},
        r"ends at 0\.400 s of .*: frame 5, at 0\.500 s, has none",
    ),
    "begins too early to last": ({"masks": [disc(0.5)] * 6, "start": -0.2}, r"ends at 0\.400 s .*frame 5"),
    "begins late": (
        {"masks": [disc(0.5)] * 6, "start": 0.1},
        r"begins at 0\.100 s of .*: frame 0, at 0\.000 s",
    ),
    "another aspect": (
        {"masks": [disc(0.5, (32, 32))] * 6},
        r"is 32x32, 1\.000 times as wide as high.*1\.333",
    ),
    "upright": ({"masks": [disc(0.5, (24, 32))] * 6}, r"is 24x32, 0\.750 times"),
    "a colour for nothing": (
        {"masks": [disc(0.5)] * 4 + [disc(0.5, colors=((0, 0, 0), (0, 200, 0)))] * 2},
        r"shows #00c800 on \d+ % of the picture at 0\.400 s".replace(" %", "%"),
    ),
    "a colour for nothing at once": (
        {"masks": [disc(0.5, colors=((0, 0, 255), (255, 255, 255)))] * 6},
        r"shows #0000ff on \d+% of the picture at 0\.000 s",
    ),
    "a colour at its own time": (
        {"masks": [disc(0.5)] * 2 + [disc(0.5, colors=((250, 0, 0), (255, 255, 255)))] * 6, "start": -0.1},
        r"shows #fa0000 .* at 0\.100 s",
    ),
    "no transparency": ({"mask": "alpha"}, "has no transparency"),
    "no picture": ({"text": "nothing"}, "neither a video nor a photo"),
    "nothing there": ({"mask": "/nowhere/m.mkv"}, "does not exist"),
}


@pytest.mark.parametrize("name", BAD_MASKS)
def test_a_bad_mask_is_said_before_work_with_its_time(name: str, tmp_path: Path) -> None:
    given, told = BAD_MASKS[name]
    clip = write_clip(tmp_path / "clip.mkv", textured(6))
    mask: Path | str = given.get("mask", tmp_path / "mask.mkv")
    if "masks" in given:
        write_clip(tmp_path / "mask.mkv", given["masks"], given.get("rate", 10))
    elif "text" in given:
        (tmp_path / "mask.mkv").write_text(given["text"])
    preset = _preset(mask, start=given.get("start", 0.0))
    with pytest.raises(InputError, match=told) as caught:
        survey(clip, TimeRange(), preset, SILENT)
    assert next_step(caught.value)


def test_soft_edges_codecs_and_empty_regions_are_no_unknown_colours(tmp_path: Path) -> None:
    soft = [np.repeat(np.linspace(0, 255, 32).astype(np.uint8)[None, :, None], 24, 0).repeat(3, 2)] * 2
    regions = ("#ff0000", "#0000ff", "rest")
    mixed = [disc(0.2 * n, colors=((255, 0, 0), (0, 0, 255))) for n in range(3)]
    empty = _greys(0)
    mask = write_clip(tmp_path / "m.mkv", [*soft, *mixed, *empty])
    clip = write_clip(tmp_path / "c.mkv", textured(6))
    found = survey(clip, TimeRange(), _preset(mask, *regions), SILENT)
    assert isinstance(found, Survey) and found.last == (5, Fraction(1, 2))
    info = clip_info(clip, sequence_rate=Fraction(24))
    survey_mask(_preset(mask, *regions), clip, info, SILENT, last=found.last)
