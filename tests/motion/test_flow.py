"""Flow, warping and the reliability mask against frames whose motion is known exactly."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scenes import camera_pair, foreground_pair, texture

from framestyle.motion.flow import (
    LEAST_SIDE_PX,
    PATCH_STRIDES_PX,
    PRESETS,
    DISFlow,
    FloatArray,
    reliability,
    warp,
)

MOVES = ("still", "translation", "zoom", "rotation")


def _errors(found: FloatArray, true: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(found - true, axis=-1), np.float32)


# -- flow --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize(
    ("quality", "mean_px"), [("ultrafast", 0.7), ("fast", 0.6), ("medium", 0.12), ("fine", 0.12)]
)
def test_backward_flow_leads_to_where_each_pixel_was(move: str, quality: str, mean_px: float) -> None:
    pair = camera_pair(move)
    errors = _errors(DISFlow(quality)(pair.current, pair.previous).backward, pair.backward)[~pair.occluded]
    assert float(errors.mean()) < mean_px
    assert float(np.percentile(errors, 95)) < 2.5 * mean_px


def test_flow_of_a_still_scene_is_zero() -> None:
    pair = camera_pair("still")
    assert not DISFlow()(pair.current, pair.previous).backward.any()


def test_a_foreground_and_its_background_move_apart() -> None:
    pair = foreground_pair()
    errors = _errors(DISFlow()(pair.current, pair.previous).backward, pair.backward)
    assert float(errors[~pair.occluded].mean()) < 0.3
    assert float(np.median(errors)) < 0.05
    assert float(errors[34:62, 58:82].mean()) < 0.2


@pytest.mark.parametrize("move", MOVES)
def test_flow_at_a_capped_size_is_scaled_up_and_its_mask_holds(move: str) -> None:
    pair = camera_pair(move, height=192, width=256)
    capped = DISFlow(max_side_px=160)(pair.current, pair.previous)
    assert capped.backward.shape == (192, 256, 2) and capped.reliability.shape == (192, 256)
    errors = _errors(capped.backward, pair.backward)
    assert float(errors[~pair.occluded].mean()) < 0.6
    # What it calls reliable is so; what left the frame is not; most of the rest is.
    assert float(np.percentile(errors[capped.reliability > 0.5], 99)) < 2.5
    assert float(capped.reliability[pair.occluded].sum()) <= 0.05 * max(1, int(pair.occluded.sum()))
    assert float(capped.reliability[~pair.occluded].mean()) > 0.75


def test_a_capped_mask_still_finds_what_a_foreground_uncovers() -> None:
    pair = foreground_pair(height=192, width=256)
    capped = DISFlow(max_side_px=160)(pair.current, pair.previous)
    assert float(capped.reliability[pair.occluded].mean()) < 0.2
    assert float(capped.reliability[~pair.occluded].mean()) > 0.85


def test_a_cap_above_the_frame_changes_nothing() -> None:
    pair = camera_pair("zoom")
    capped, free = (DISFlow(max_side_px=side)(pair.current, pair.previous) for side in (128, 4096))
    assert np.array_equal(capped.backward, free.backward)


def test_one_object_gives_every_pair_the_flow_that_a_new_one_gives() -> None:
    used = DISFlow()
    for move in MOVES:
        pair = camera_pair(move)
        again, fresh = used(pair.current, pair.previous), DISFlow()(pair.current, pair.previous)
        assert np.array_equal(again.backward, fresh.backward), move
        assert np.array_equal(again.reliability, fresh.reliability), move


def test_sixteen_bits_give_the_flow_of_eight() -> None:
    pair = camera_pair("translation")
    deep = [frame.astype(np.uint16) * 257 for frame in (pair.current, pair.previous)]
    assert np.array_equal(DISFlow()(*deep).backward, DISFlow()(pair.current, pair.previous).backward)


@pytest.mark.parametrize("quality", [*PRESETS, *PATCH_STRIDES_PX])
@pytest.mark.parametrize(
    ("height", "width"), [(2, 3), (12, 12), (12, 64), (64, 12), (24, 400), (31, 33), (36, 64)]
)
def test_frames_of_any_size_have_flow_of_their_size(quality: str, height: int, width: int) -> None:
    """OpenCV's own DIS ends the process at 64x12."""
    motion = DISFlow(quality)(*(texture(seed, height, width).astype(np.uint8) for seed in (1, 2)))
    assert motion.backward.shape == (height, width, 2) and motion.backward.dtype == np.float32
    assert motion.reliability.shape == (height, width) and motion.reliability.dtype == np.float32
    assert np.isfinite(motion.backward).all()
    assert float(motion.reliability.min()) >= 0 and float(motion.reliability.max()) <= 1


def test_flow_of_frames_below_the_least_side_is_still_right() -> None:
    pair = camera_pair("translation", height=LEAST_SIDE_PX - 8, width=64)
    errors = _errors(DISFlow()(pair.current, pair.previous).backward, pair.backward)
    assert float(np.median(errors[~pair.occluded])) < 0.3


# -- warp --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("move", MOVES)
def test_warping_by_the_true_flow_reproduces_the_frame(move: str) -> None:
    pair = camera_pair(move)
    warped = warp(pair.previous.astype(np.float32), pair.backward)
    errors = np.abs(warped - pair.current)[~pair.occluded]
    # Both frames were rounded to whole levels, which alone is half a level each.
    assert float(errors.mean()) < 0.7
    assert float(np.percentile(errors, 99)) < 3


def test_warping_follows_x_and_y_and_repeats_the_edge() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    right = np.zeros((3, 4, 2), np.float32)
    right[..., 0] = 1
    np.testing.assert_array_equal(warp(image, right), image[:, [1, 2, 3, 3]])
    down = np.zeros((3, 4, 2), np.float32)
    down[..., 1] = 1
    np.testing.assert_array_equal(warp(image, down), image[[1, 2, 2]])


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_warping_by_no_flow_changes_nothing_and_keeps_shape_and_type(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape, np.float32)
    warped = warp(image, np.zeros((20, 30, 2), np.float32))
    assert warped.dtype == np.float32
    np.testing.assert_allclose(warped, image, atol=1e-6)


def test_eight_warps_keep_a_textures_sharpness_where_bilinear_loses_it() -> None:
    sharp = cv2.GaussianBlur(np.random.default_rng(0).random((96, 96), np.float32), (0, 0), 0.7)

    def kept(interpolation: int) -> float:
        image = sharp
        for n in range(8):
            # There and back by half a pixel, where interpolation blurs most.
            flow = np.full((96, 96, 2), 0.5 if n % 2 else -0.5, np.float32)
            image = warp(image, flow, interpolation=interpolation)
        before, after = (cv2.Laplacian(one, cv2.CV_32F)[12:-12, 12:-12] for one in (sharp, image))
        return float(np.square(after).mean() / np.square(before).mean())

    assert kept(cv2.INTER_LINEAR) < 0.1
    assert kept(cv2.INTER_LANCZOS4) > 0.6


# -- reliability -------------------------------------------------------------------------------------------


def test_what_was_hidden_before_is_unreliable_and_what_stood_still_is_not() -> None:
    pair = foreground_pair()
    found = DISFlow()(pair.current, pair.previous).reliability
    assert float((found[pair.occluded] < 0.1).mean()) > 0.95
    away = np.ones_like(pair.occluded)
    away[16:80, 32:102] = False
    assert float(found[away].mean()) > 0.98
    assert float(found[34:62, 58:82].mean()) > 0.95


def test_the_mask_of_the_true_flows_flags_the_hidden_band_alone() -> None:
    pair = foreground_pair()
    forward = np.zeros_like(pair.backward)
    forward[28:68, 44:84, 0] = 6
    found = reliability(pair.backward, forward)
    assert float(found[pair.occluded].max()) == 0
    flagged = cv2.boundingRect((found < 1).astype(np.uint8))
    # The moving square's outline where it was and is, with a few pixels of care and softening around it.
    x, y, width, height = flagged
    assert x >= 44 - 7 and y >= 28 - 7 and x + width <= 90 + 7 and y + height <= 68 + 7
    assert float(found[36:60, 58:82].min()) == 1


def test_what_came_from_outside_the_frame_is_unreliable() -> None:
    backward = np.zeros((40, 60, 2), np.float32)
    backward[..., 0] = 10
    found = reliability(backward, -backward)
    assert float(found[:, 51:].max()) == 0
    assert float(found[:, :45].min()) == 1


@pytest.mark.parametrize("noise", [0.0, 4.0])
def test_a_still_scene_is_reliable_everywhere_even_in_noisy_film(noise: float) -> None:
    pair = camera_pair("still")
    grain = np.random.default_rng(0).normal(0, 1, (2, *pair.current.shape)) * noise
    current, previous = (np.clip(pair.current + one, 0, 255).astype(np.uint8) for one in grain)
    found = DISFlow()(current, previous).reliability
    assert float(found.mean()) > 0.995


def test_flows_that_do_not_return_are_unreliable() -> None:
    there = np.full((32, 32, 2), 3, np.float32)
    assert float(reliability(there, there)[8:-8, 8:-8].max()) == 0
    assert float(reliability(there, -there)[8:-8, 8:-8].min()) == 1


def test_the_mask_is_zero_at_a_motion_boundary_and_rises_softly_beside_it() -> None:
    backward = np.zeros((32, 48, 2), np.float32)
    backward[:, 24:, 1] = 1.0
    row = reliability(backward, -backward)[16]
    assert float(row[22:26].max()) == 0
    assert float(row[:16].min()) == 1 and float(row[32:].min()) == 1
    assert float(np.abs(np.diff(row)).max()) < 0.8


@pytest.mark.parametrize("quality", [*PRESETS, *PATCH_STRIDES_PX])
def test_what_was_asked_before_changes_nothing(quality: str) -> None:
    """At this size one engine used again gives another flow."""
    asked, other = camera_pair("rotation", 32, 40), camera_pair("zoom", 32, 40, seed=2)
    used = DISFlow(quality)
    used(other.current, other.previous)
    again, alone = used(asked.current, asked.previous), DISFlow(quality)(asked.current, asked.previous)
    assert np.array_equal(again.backward, alone.backward)
