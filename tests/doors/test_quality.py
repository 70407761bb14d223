"""`--quality`: what each word comes to, and what goes before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from framestyle.doors.cli import main
from framestyle.jobs.plan.estimate import photo_work, shot_work
from framestyle.nst.sizes import Size, fit_within
from framestyle.presets import Preset, load_preset
from framestyle.quality import QUALITIES, quality_settings

FULL = Size(1920, 1080)


def _preset(quality: str, *more: str) -> Preset:
    return load_preset("nightswirl", [*quality_settings(quality), *more])


def _size(preset: Preset) -> Size:
    return fit_within(FULL, preset.scales.max_side_px)


def test_each_is_more_work_than_the_one_before() -> None:
    presets = [_preset(name) for name in QUALITIES]
    of_clips = [shot_work(one, _size(one), 250) for one in presets]
    assert of_clips[0] < 0.5 * of_clips[1] and of_clips[1] < 0.5 * of_clips[2]
    of_photos = [photo_work(one, _size(one)) for one in presets]
    assert of_photos[0] < 0.5 * of_photos[1] and of_photos[1] < of_photos[2]


def test_good_is_the_presets_own_photo() -> None:
    as_it_is = load_preset("nightswirl")
    assert _preset("good").scales == as_it_is.scales and _preset("good").optimizer == as_it_is.optimizer


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_preset_of_two_passes_can_have_any(quality: str) -> None:
    twice = load_preset("nightswirl", ["video.passes=2", *quality_settings(quality)])
    assert twice.video.painted_times == (2 if quality == "best" else 1)


def test_a_dry_run_tells_its_time_and_set_goes_before_it(
    clip: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["stylize", clip.name, "-o", "out.mp4", "-p", quick, "--dry-run", "--weights", "untrained"]

    def told(*more: str) -> str:
        assert main([*command, *more]) == 0
        return capsys.readouterr().out

    assert "by key frames" in told("--quality", "good")
    assert "by key frames" not in told("--quality", "good", "--set", "video.method=optimized")
    assert "(64x48 to 32x24, " in told("--quality", "draft", "--max-side", "32")


def test_no_other_word_is_one(clip: Path, quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["stylize", clip.name, "-o", "out.mp4", "-p", quick, "--quality", "finest"])
    assert stopped.value.code == 2
    assert "draft" in capsys.readouterr().err
