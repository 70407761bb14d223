"""The benchmark's own truth: its clips move as they say, and its measures tell steady from unsteady."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks import measures
from benchmarks.known_clips import Floats, KnownClip, _fitted, camera_clip, foreground_clip, noisy_still_clip
from benchmarks.steadiness import CLIPS, VARIANTS, Row, make_clip, table
from framestyle.motion.flow import warp
from framestyle.presets import load_preset

HEIGHT, WIDTH, FRAMES = 72, 96, 6


def _photo(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (240, 320, 3)).astype(np.float32), (0, 0), 4)
    return np.clip(128 + 90 * noise / noise.std(), 0, 255).astype(np.uint8)


def _clip(kind: str) -> KnownClip:
    if kind == "foreground":
        return foreground_clip(_photo(1), _photo(2), FRAMES, HEIGHT, WIDTH)
    return camera_clip(kind, _photo(1), FRAMES, HEIGHT, WIDTH)


def _pictures(clip: KnownClip) -> list[Floats]:
    return [frame.pixels.astype(np.float32) / 255 for frame in clip.frames]


@pytest.mark.parametrize("kind", ["pan", "zoom", "rotation", "still", "foreground"])
@pytest.mark.parametrize("gap", [1, 4])
def test_the_true_flow_leads_to_the_same_colours(kind: str, gap: int) -> None:
    clip = _clip(kind)
    pictures = _pictures(clip)
    still = [np.square(b - a).mean() for a, b in zip(pictures, pictures[gap:], strict=False)]
    # What two resamplings leave of a texture with detail at every pixel, against what the motion changes.
    assert measures.warping_error(pictures, clip, gap) <= 0.03 * float(np.mean(still))
    assert kind == "still" or float(np.mean(still)) > 1e-3


def test_what_a_foreground_covers_and_uncovers_is_not_counted() -> None:
    clip = _clip("foreground")
    backward, visible = clip.flow(4, 0)
    pictures = _pictures(clip)
    wrong = np.square(pictures[4] - warp(pictures[0], backward)).mean(-1)
    assert 0.5 < visible.mean() < 0.97
    assert wrong[~visible].mean() > 50 * wrong[visible].mean()


def test_noise_is_counted_as_it_is() -> None:
    clip = noisy_still_clip(_photo(1), FRAMES, HEIGHT, WIDTH, sigma=4.0)
    expected = 2 * (4.0 / 255) ** 2
    assert measures.warping_error(_pictures(clip), clip, 1) == pytest.approx(expected, rel=0.1)


def test_a_texture_that_stays_on_the_glass_scores_the_scenes_speed() -> None:
    clip = _clip("pan")
    glued = [_pictures(clip)[0]] * FRAMES
    speed = float(np.hypot(1.7, 0.6))
    assert measures.shower_door(glued, clip) == pytest.approx(speed, rel=0.02)
    assert measures.shower_door(_pictures(clip), clip) < 0.2 * speed


def test_drift_is_the_largest_change_of_luma_after_the_tenth_frame() -> None:
    grey = [np.full((4, 4, 3), level / 255, np.float32) for level in (90, *[100] * 10, 101, 103, 102)]
    assert measures.luma_drift(grey) == pytest.approx(3, abs=1e-3)
    assert measures.luma_drift(grey[:2]) == 0


def test_a_blur_loses_laplacian_energy() -> None:
    picture = _photo(3).astype(np.float32) / 255
    assert measures.laplacian_energy(cv2.GaussianBlur(picture, (0, 0), 3)) < 0.5 * measures.laplacian_energy(
        picture
    )


@pytest.mark.parametrize("name", CLIPS)
def test_clips_are_of_the_size_asked_for(name: str) -> None:
    clip = make_clip(name, 3, 48, 64)
    assert [frame.pixels.shape for frame in clip.frames] == [(48, 64, 3)] * 3
    assert clip.flow(2, 0)[0].shape == (48, 64, 2)


def test_photos_are_fitted_whatever_their_shape() -> None:
    for height, width in ((72, 96), (96, 72)):
        fitted = _fitted(_photo(1), height, width)
        assert fitted.shape[0] >= 1.29 * height and fitted.shape[1] >= 1.29 * width


def test_every_variant_is_a_preset() -> None:
    presets = [load_preset("nightswirl", settings) for settings in VARIANTS.values()]
    # The peer takes its style from the preset alone.
    assert len({preset.video for preset in presets}) == len(presets) - 1


def test_the_table_has_a_line_a_row() -> None:
    row = Row("pan", "warped", {1: 1e-4, 5: 2e-4}, 0.5, 0.1, 0.2, 0.3, 0.4, 12.0, 1.5)
    lines = table([row, row]).splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert "| 1.0 | 2.0 |" in lines[2]
