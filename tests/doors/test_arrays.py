"""Arrays in, arrays out: shape, type and transparency stay, and the preset decides the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

import framestyle
from framestyle import Painter, load_preset, stylize_frames, stylize_image
from framestyle.errors import DeviceError, PresetError, UsageError
from framestyle.events import Event, FrameDone, Note, ShotStarted, StepDone
from framestyle.motion.shots import Shot
from framestyle.nst import memory, memory_plan

Array = npt.NDArray[Any]
UNTRAINED: dict[str, Any] = {"weights": "untrained", "device": "cpu"}
IDENTITY = ("scales.first_steps=0", "scales.steps=0", "video.steps=0")
TYPES = ("uint8", "uint16", "float32", "float64", "float16")


def _ramp(channels: int = 3, dtype: str = "uint8", height: int = 24, width: int = 40) -> Array:
    """Every channel another; alpha hides the left third and half shows the middle."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x / width, y / height, (x + y) / (width + height), np.clip(3 * x / width - 1, 0, 1)]
    picture = np.dstack(planes[:channels])
    top = np.iinfo(dtype).max if dtype.startswith("u") else 1
    return (picture * top).astype(dtype)


def _as_unit(array: Array) -> Array:
    top = np.iinfo(array.dtype).max if array.dtype.kind == "u" else 1
    return array.astype(np.float64) / top


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("channels", [3, 4])
def test_shape_type_and_alpha_stay(quick: str, dtype: str, channels: int) -> None:
    image = _ramp(channels, dtype)
    before = image.copy()
    done = stylize_image(image, quick, **UNTRAINED)
    assert (done.shape, done.dtype) == (image.shape, image.dtype)
    assert np.array_equal(image, before)
    assert np.array_equal(done[..., 3:], image[..., 3:])
    assert np.abs(_as_unit(done) - _as_unit(image))[..., :3].mean() > 0.005, "not stylized"
    assert not np.shares_memory(done, image)


def test_in_tiles_a_picture_with_alpha_is_painted_the_same(
    quick: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = _ramp(4)
    wanted = stylize_image(image, quick, **UNTRAINED)
    monkeypatch.setattr(memory_plan, "TILE_SIDES_PX", (12,))
    monkeypatch.setattr(memory, "room_bytes", lambda *_: 0)
    events: list[Event] = []
    done = Painter(quick, **UNTRAINED, on_event=events.append).stylize_image(image)
    assert any(isinstance(event, Note) and "in tiles of 12 px" in event.message for event in events)
    assert np.array_equal(done[..., 3], image[..., 3])
    assert int(np.abs(done.astype(int) - wanted.astype(int)).max()) <= 2


@pytest.mark.parametrize("dtype", TYPES)
def test_without_steps_an_array_comes_back_as_it_was(quick: str, dtype: str) -> None:
    image = _ramp(3, dtype)
    done = stylize_image(image, load_preset(quick, IDENTITY), **UNTRAINED)
    np.testing.assert_allclose(_as_unit(done), _as_unit(image), rtol=0, atol=0 if dtype[0] == "u" else 1e-5)


def test_the_type_does_not_change_what_is_painted(quick: str) -> None:
    eight = _ramp()
    done = [
        stylize_image(one, quick, **UNTRAINED) for one in (eight, eight.astype(np.uint16) * 257, eight / 255)
    ]
    for other in done[1:]:
        np.testing.assert_allclose(_as_unit(other), _as_unit(done[0]), rtol=0, atol=1 / 255)


def test_an_array_larger_than_the_presets_size_keeps_its_own(quick: str) -> None:
    sizes: set[tuple[int, int]] = set()

    def note(event: Event) -> None:
        if isinstance(event, StepDone):
            sizes.add((event.width, event.height))

    preset = load_preset(quick)
    assert preset.scales.max_side_px == 32
    stylize_image(_ramp(), preset, on_event=note, **UNTRAINED)
    assert max(sizes) == (40, 24)


def test_what_alpha_hides_does_not_steer_the_result(quick: str) -> None:
    image = _ramp(4)
    other = image.copy()
    other[:, :13, :3] = 255 - other[:, :13, :3]
    one, two = (stylize_image(array, quick, **UNTRAINED) for array in (image, other))
    assert np.array_equal(one[:, 14:], two[:, 14:])


def test_the_same_call_gives_the_same_pixels_by_any_way(quick: str) -> None:
    """A name or path, a Preset, and a Painter that painted before."""
    image = _ramp()
    painter = Painter(quick, **UNTRAINED)
    painter.stylize_image(_ramp(height=30))
    ways = [
        stylize_image(image, quick, **UNTRAINED),
        stylize_image(image, Path(quick), **UNTRAINED),
        stylize_image(image, load_preset(quick), **UNTRAINED),
        painter.stylize_image(image),
    ]
    assert all(np.array_equal(way, ways[0]) for way in ways)


def test_the_seed_and_the_settings_decide(quick: str) -> None:
    noise = load_preset(quick, ["optimizer.init=noise"])
    one, two = (stylize_image(_ramp(), noise, seed=seed, **UNTRAINED) for seed in (1, 2))
    assert not np.array_equal(one, two)


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((8, 8), np.uint8), "shape (8, 8)"),
        (np.zeros((8, 8, 1), np.uint8), "shape (8, 8, 1)"),
        (np.zeros((0, 8, 3), np.uint8), "shape (0, 8, 3)"),
        (np.zeros((8, 8, 3), np.int64), "int64"),
        (np.zeros((8, 8, 3), bool), "bool"),
        (np.full((8, 8, 3), np.nan), "not finite"),
        ([[1, 2, 3]], "list"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_next_step(quick: str, array: Any, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        Painter(quick, **UNTRAINED).stylize_image(array)
    assert word in caught.value.message and caught.value.next_step


def test_what_a_session_cannot_be_told_is_refused(quick: str) -> None:
    """What is only passed on is looked at where it arrives."""
    with pytest.raises(TypeError, match="wieghts"):
        stylize_image(_ramp(), quick, wieghts="untrained")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="wieghts"):
        Painter(quick, wieghts="untrained")  # type: ignore[call-arg]


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(PresetError, match="nightswrl") as caught:
        stylize_image(_ramp(), "nightswrl", **UNTRAINED)
    assert caught.value.next_step == "Did you mean nightswirl or nightswirl-draft? All names: list_presets()"


def test_the_next_step_is_in_pythons_words(quick: str) -> None:
    with pytest.raises(DeviceError) as absent:
        stylize_image(_ramp(), quick, weights="untrained", device="cuda:99")
    assert absent.value.next_step == 'Use device="auto" or "cpu".'
    with pytest.raises(DeviceError) as too_large:
        Painter(quick, **UNTRAINED, memory_limit_bytes=1).stylize_image(_ramp())
    assert re.fullmatch(
        r"Raise memory_limit_bytes to \d+, or give smaller pictures\.", str(too_large.value.next_step)
    )
    with pytest.raises(PresetError, match=r"override scales\.steps: must be") as wrong:
        load_preset(quick, ["scales.steps=-1"])
    assert wrong.value.next_step and (wrong.value.code, wrong.value.exit_code) == ("preset-invalid", 3)


# -- regions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["HW uint8", "HWC uint8", "HW float32", "HWC uint16"])
def test_a_mask_says_where_a_style_is_for(quick: str, form: str) -> None:
    mask = np.zeros((12, 20), np.float64)
    mask[:, 10:] = 1
    dtype = form.split()[1]
    mask = (mask * (1 if dtype == "float32" else np.iinfo(dtype).max)).astype(dtype)
    if form.startswith("HWC"):
        mask = np.dstack([mask] * 3)
    preset, image = load_preset(quick, ["style.images.0.region=255"]), _ramp()
    done = stylize_image(image, preset, mask=mask, **UNTRAINED)
    assert np.array_equal(done[:, :18], image[:, :18])
    assert (done != image)[:, 22:].any((0, 2)).all()
    for frame, moved in zip(
        _moving(3), stylize_frames(_moving(3), preset, mask=mask, **UNTRAINED), strict=True
    ):
        assert np.array_equal(frame[:, :22], moved[:, :22]) and (frame != moved)[:, 26:].any()


def test_a_mask_is_wanted_where_there_are_regions_and_only_there(quick: str) -> None:
    with pytest.raises(UsageError, match="no mask says where"):
        stylize_image(_ramp(), load_preset(quick, ["style.images.0.region=255"]), **UNTRAINED)
    with pytest.raises(UsageError, match="no style image of the preset is for a region"):
        stylize_image(_ramp(), quick, mask=np.zeros((4, 4), np.uint8), **UNTRAINED)


# -- frames ------------------------------------------------------------------------------------------------


def _moving(count: int, channels: int = 3, dtype: str = "uint8") -> list[Array]:
    wide = _ramp(channels, dtype, 40, 64)
    return [np.ascontiguousarray(wide[:, n : n + 48]) for n in range(count)]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("settings", [(), ("video.passes=2",), ("video.warm_start=none",)])
def test_frames_keep_shape_type_order_and_alpha(quick: str, dtype: str, settings: Sequence[str]) -> None:
    frames = _moving(4, 4, dtype)
    done = list(stylize_frames(frames, load_preset(quick, settings), **UNTRAINED))
    assert len(done) == 4
    for frame, result in zip(frames, done, strict=True):
        assert (result.shape, result.dtype) == (frame.shape, frame.dtype)
        assert np.array_equal(result[..., 3], frame[..., 3])
        assert 0.002 < np.abs(_as_unit(result) - _as_unit(frame))[..., :3].mean() < 0.3


def test_sixteen_bits_of_a_frame_are_not_cut_to_eight(quick: str) -> None:
    frames = [frame + np.uint16(3) for frame in _moving(2, 3, "uint16")]
    done = list(stylize_frames(frames, load_preset(quick, IDENTITY), **UNTRAINED))
    assert all(np.array_equal(result, frame) for result, frame in zip(done, frames, strict=True))


def test_a_clip_may_be_a_list_an_array_or_anything_that_gives_frames(quick: str) -> None:
    frames = _moving(3)
    ways = [list(stylize_frames(way, quick, **UNTRAINED)) for way in (frames, np.stack(frames), iter(frames))]
    assert all(np.array_equal(np.stack(way), np.stack(ways[0])) for way in ways)
    assert list(stylize_frames([], quick, **UNTRAINED)) == []


def test_the_first_frame_is_what_the_picture_alone_would_be(quick: str) -> None:
    frames = _moving(2)
    first = next(iter(stylize_frames(frames, quick, **UNTRAINED)))
    assert np.array_equal(first, stylize_image(frames[0], quick, **UNTRAINED))


def test_frames_are_read_when_they_are_wanted(quick: str) -> None:
    read: list[int] = []

    def frames() -> Iterator[Array]:
        for number, frame in enumerate(_moving(9)):
            read.append(number)
            yield frame

    painted = Painter(quick, **UNTRAINED).stylize_frames(frames())
    assert read == []
    next(painted)
    assert read == [0, 1]


def _shots_heard(frames: Any, preset: Any, **options: Any) -> tuple[list[tuple[int, int]], list[bool]]:
    shots, warm = [], []

    def note(event: Event) -> None:
        if isinstance(event, ShotStarted):
            shots.append((event.first_frame, event.frames))
        if isinstance(event, FrameDone):
            warm.append(event.warm)

    for _ in stylize_frames(frames, preset, on_event=note, **options, **UNTRAINED):
        pass
    return shots, warm


def test_cuts_are_found_in_what_can_be_gone_through_twice(quick: str) -> None:
    # With texture: how a ramp moves is not to be seen along it.
    coarse = np.random.default_rng(0).integers(0, 256, (10, 16, 3), np.uint8)
    wide = cv2.resize(coarse, (64, 40), interpolation=cv2.INTER_CUBIC)
    dark = [np.ascontiguousarray(wide[:, n : n + 48]) // 4 for n in range(8)]
    light = [255 - frame[::-1] for frame in dark]
    shots, warm = _shots_heard([*dark, *light], quick)
    assert shots == [(0, 8), (8, 8)]
    assert [number for number, one in enumerate(warm) if not one] == [0, 8]
    assert _shots_heard(iter([*dark, *light]), quick)[0] == [(0, 0)]
    assert _shots_heard([*dark, *light], quick, shots=[Shot(0, 3), Shot(3, 16)])[0] == [(0, 3), (3, 13)]


def test_frames_of_two_kinds_are_refused(quick: str) -> None:
    frames = [_ramp(), _ramp(height=25)]
    with pytest.raises(UsageError, match=r"frame 1 is uint8 of shape \(25, 40, 3\)"):
        list(stylize_frames(iter(frames), quick, **UNTRAINED))


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(framestyle.__file__).parent / "py.typed").is_file()
