"""The benchmark's own truth: its clips move as they say, and its measures tell steady from unsteady."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from benchmarks import measures, ruder
from benchmarks.known_clips import (
    Floats,
    KnownClip,
    _fitted,
    camera_clip,
    cut_clip,
    foreground_clip,
    noisy_still_clip,
)
from benchmarks.plots import error_against_steps, side_by_side
from benchmarks.steadiness import CLIPS, VARIANTS, Row, Run, make_clip, ratios, table
from framestyle.motion.flow import warp
from framestyle.nst.image import to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.catalog import load_backbone
from framestyle.presets import load_preset
from framestyle.presets.layers import LayerWeights

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


def test_ratios_compare_within_a_clip_and_leave_gaps() -> None:
    def row(clip: str, variant: str, error: float, steps: float) -> Row:
        return Row(clip, variant, {1: error, 10: 4 * error}, 0.5, 0.1, 0.2, 0.3, 0.4, steps, 1.5)

    rows = [
        row("pan", "independent", 8e-4, 200),
        row("pan", "ruder2016", 2e-4, 100),
        row("pan", "warped", 1e-4, 20),
    ]
    lines = ratios([*rows, row("zoom", "warped", 1e-4, 20)]).splitlines()
    assert lines[4] == "| pan | warped | 0.125 |  | 0.500 | 0.500 | 0.200 | 1.000 | 1.000 | 1.000 |"
    assert lines[5] == "| zoom | warped |  |  |  |  |  |  |  |  |"


def test_the_plot_has_a_panel_a_clip_and_gap(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [
        Row(clip, variant, {1: 1e-4, 10: 2e-4}, 0.5, 0.1, 0.2, 0.3, 0.4, steps, 1.5)
        for clip in ("pan", "zoom")
        for variant, steps in (("warped", 20.0), ("independent", 230.0))
    ]
    error_against_steps(rows, tmp_path / "two.png")
    error_against_steps(rows[:2], tmp_path / "one.png")
    two, one = (cv2.imread(str(tmp_path / name)) for name in ("two.png", "one.png"))
    assert two.shape[1] > 1.5 * one.shape[1] and two.shape[0] == one.shape[0]
    # Something is drawn in colour: the marks.
    assert (np.ptp(two.astype(int), axis=2) > 60).sum() > 100


def test_stills_show_a_line_a_variant(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    clip = _clip("foreground")
    runs = {name: np.stack([frame.pixels for frame in clip.frames]) for name in ("one", "two")}
    side_by_side(clip, runs, tmp_path / "three.png")
    side_by_side(clip, {"one": runs["one"]}, tmp_path / "two.png")
    three, two = (cv2.imread(str(tmp_path / name)) for name in ("three.png", "two.png"))
    assert three.shape[0] > 1.3 * two.shape[0] and three.shape[1] == two.shape[1]


def test_a_run_is_kept_as_it_is(tmp_path: Path) -> None:
    run = Run(np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3), np.asarray([9, 4]), np.asarray([0.5, 0.25]))
    run.save(tmp_path / "run.npz")
    again = Run.load(tmp_path / "run.npz")
    for name in ("pictures", "steps", "seconds"):
        assert np.array_equal(getattr(run, name), getattr(again, name))


def test_a_cut_hides_everything_and_each_side_moves_as_before() -> None:
    clip = cut_clip(_photo(1), _photo(2), FRAMES, HEIGHT, WIDTH)
    assert not clip.flow(FRAMES // 2, FRAMES // 2 - 1)[1].any()
    assert measures.warping_error(_pictures(clip), clip, 1) < 1e-3
    assert [frame.index for frame in clip.frames] == list(range(FRAMES))


# -- the peer ----------------------------------------------------------------------------------------------


@pytest.fixture
def small_stylizer() -> Stylizer:
    settings = ["scales.max_side_px=0", "video.temporal_weight=200", "tv_weight=0"]
    preset = load_preset("nightswirl", [*settings, "style.layers={relu1_1: 1, relu5_1: 0}"])
    preset = preset.model_copy(
        update={"content": preset.content.model_copy(update={"layers": LayerWeights({"relu2_1": 1.0})})}
    )
    style = torch.from_numpy(_photo(9)[:40, :40].astype(np.float32) / 255).permute(2, 0, 1)[None]
    return Stylizer(preset, load_backbone("untrained"), [style])


def test_the_peer_converges_and_goes_on_from_the_warped_last_frame(
    small_stylizer: Stylizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ruder, "FIRST_ITERATIONS", 200)
    monkeypatch.setattr(ruder, "NEXT_ITERATIONS", 100)
    clip = camera_clip("pan", _photo(1), 2, 48, 64)
    first, second = ruder.ruder_frames(clip.frames, small_stylizer)
    assert first.steps % ruder.STOP_WINDOW == second.steps % ruder.STOP_WINDOW == 0
    assert first.steps > second.steps
    content = to_tensor(clip.frames[0].pixels)
    noise = torch.rand(content.shape, generator=torch.Generator().manual_seed(0))
    reached = torch.from_numpy(first.picture).permute(2, 0, 1)[None]
    before, after = (sum(small_stylizer.losses_of(one, content).values()) for one in (noise, reached))
    assert after < 0.5 * before
    assert measures.warping_error([first.picture, second.picture], clip, 1) < 0.2 * float(
        np.square(first.picture - second.picture).mean()
    )
