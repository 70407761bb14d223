"""Where a preset's regions lie: one mask for all, or a folder with one for each input."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from framestyle.doors.advice import next_step
from framestyle.errors import InputError, PresetError
from framestyle.jobs.plan.tasks import Task
from framestyle.jobs.run.job import run
from framestyle.kinds import MediaKind, TimeRange
from framestyle.masks import check_masks, mask_of
from framestyle.media.photos import read_photo
from framestyle.media.video.reader import VideoReader
from framestyle.presets import Preset
from framestyle.session import Session

MakeClip = Callable[..., Path]


def _preset(style_image: Path, mask: Path | None, region: Any = 255, **output: Any) -> Preset:
    """One style, for the white of the mask alone."""
    images = [{"path": str(style_image), "region": region}]
    return Preset.model_validate(
        {
            "style": {
                "images": images,
                "layers": {"relu1_1": 1.0},
                "mask": None if mask is None else str(mask),
            },
            "content": {"layers": {"relu1_2": 1.0}, "weight": 0.01},
            "optimizer": {"precision": "float32"},
            "scales": {"min_px": 64, "max_side_px": 0, "first_steps": 3, "steps": 1},
            "video": {"steps": 2, "min_steps": 1},
            "output": output,
        }
    )


def _open(preset: Preset, **options: Any) -> Session:
    return Session.open(
        preset, weights="untrained", device="cpu", **{"masks_follow": False, "clips": True, **options}
    )


def _save_mask(path: Path, *, white: str = "right", size: tuple[int, int] = (32, 24)) -> Path:
    mask = np.zeros((size[1], size[0]), np.uint8)
    half = size[0] // 2
    mask[:, half:] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask if white == "right" else mask[:, ::-1].copy()).save(path)
    return path


def _changed(before: Path, after: Path) -> tuple[bool, bool]:
    """Whether the left and the right half of a picture are others than before."""
    one, two = read_photo(before).pixels, read_photo(after).pixels
    differs = (one != two).any(2).any(0)
    return bool(differs[:16].any()), bool(differs[16:].any())


def test_what_is_missing_or_for_nothing_is_said_with_the_next_step(photo: Path, tmp_path: Path) -> None:
    mask = _save_mask(tmp_path / "m.png")
    with pytest.raises(PresetError, match="no mask says where") as caught:
        _open(_preset(photo, None))
    assert next_step(caught.value) is not None and "--mask" in next_step(caught.value)
    with pytest.raises(PresetError, match=r"no style image .* is for a region") as caught:
        _open(_preset(photo, mask, "rest"))
    assert next_step(caught.value) is not None and "region=255" in next_step(caught.value)
    check_masks(_preset(photo, mask))
    check_masks(_preset(photo, None), more_follow=True)
    check_masks(_preset(photo, None, "rest"))


def test_one_mask_is_for_every_input(photo: Path, tmp_path: Path) -> None:
    preset = _preset(photo, _save_mask(tmp_path / "m.png"))
    assert mask_of(preset, photo) is None
    mask = mask_of(preset, None)
    assert mask is not None and mask.shape == (24, 32, 3)
    workshop = _open(preset)
    assert workshop.stylizer_for(photo) is workshop.stylizer and not workshop.stylizer.needs_mask
    run([Task(MediaKind.PHOTO, photo, tmp_path / "o.png")], tmp_path, TimeRange(), workshop)
    assert _changed(photo, tmp_path / "o.png") == (False, True)


def test_in_a_folder_each_input_has_its_own_and_one_without_fails_alone(photo: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    _save_mask(masks / "a.png")
    _save_mask(masks / "deep" / "b.tif", white="left")
    (masks / "a.txt").write_text("no picture")
    tasks = []
    for name in ("a.jpg", "b.png", "c.png"):
        Image.open(photo).save(tmp_path / name, quality=100, subsampling=0)
        tasks.append(
            Task(MediaKind.PHOTO, tmp_path / name, tmp_path / "out" / Path(name).with_suffix(".png"))
        )
    done = run(tasks, tmp_path / "out", TimeRange(), _open(_preset(photo, masks)))
    assert done.failed == (str(tmp_path / "c.png"),)
    assert _changed(tmp_path / "a.jpg", tmp_path / "out" / "a.png") == (False, True)
    assert _changed(tmp_path / "b.png", tmp_path / "out" / "b.png") == (True, False)


def test_of_several_masks_the_one_of_the_whole_name_is_taken(photo: Path, tmp_path: Path) -> None:
    masks = tmp_path / "masks"
    _save_mask(masks / "a.png"), _save_mask(masks / "a.tif", white="left")
    preset = _preset(photo, masks)
    mask = mask_of(preset, Path("somewhere/a.tif"))
    assert mask is not None and mask[0, 0, 0] == 255
    with pytest.raises(InputError, match=r"a.png and a.tif in .* may both be the mask for a.jpg"):
        mask_of(preset, Path("a.jpg"))
    with pytest.raises(InputError, match=r"there is no mask for b\.jpg in") as caught:
        mask_of(preset, Path("b.jpg"))
    assert next_step(caught.value) is not None and "b.png" in next_step(caught.value)


def test_a_clip_has_one_mask_for_all_its_frames(make_clip: MakeClip, photo: Path, tmp_path: Path) -> None:
    clip = make_clip("clip.mp4", "-qp", "0", shots=(4,))
    masks = tmp_path / "masks"
    _save_mask(masks / "clip.png", size=(32, 24))
    target = tmp_path / "o.mkv"
    preset = _preset(photo, masks, video_codec="ffv1", quality="lossless")
    run([Task(MediaKind.VIDEO, clip, target)], target, TimeRange(), _open(preset))
    with VideoReader(clip) as before, VideoReader(target) as after:
        pairs = [(one.pixels.astype(int), two.pixels) for one, two in zip(before, after, strict=True)]
    assert len(pairs) == 4
    for one, two in pairs:
        change = np.abs(one - two).mean((0, 2))
        # ffv1 keeps colours as they are but for the rounding of its own space.
        assert change[:15].max() < 3 and change[18:].mean() > 5
