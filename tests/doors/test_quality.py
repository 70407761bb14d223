"""`--quality`: what each word comes to, and what goes before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from framestyle.doors.cli import main
from framestyle.errors import PresetError
from framestyle.jobs.plan.estimate import photo_work, shot_work
from framestyle.kinds import MediaKind
from framestyle.nst.sizes import Size, fit_within
from framestyle.presets import Preset, load_preset
from framestyle.quality import QUALITIES
from framestyle.spec import RenderSpec

FULL = Size(1920, 1080)


def _preset(quality: str, *more: str) -> Preset:
    return load_preset("nightswirl", [f"quality={quality}", *more])


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
    twice = load_preset("nightswirl", ["video.passes=2", f"quality={quality}"])
    assert twice.video.painted_times == (2 if quality == "best" else 1)


def test_a_preset_has_its_own_word_on_it(tmp_path: Path) -> None:
    """Beside what the word sets; what is inherited merges, and a setting goes before it."""
    (tmp_path / "one.yaml").write_text(
        "extends: nightswirl\nquality: {draft: {scales: {max_side_px: 384}, video: {steps: 3}}}\n"
    )
    (tmp_path / "two.yaml").write_text("extends: one.yaml\nquality: {draft: {scales: {steps: 7}}}\n")
    drawn = load_preset(tmp_path / "two.yaml", ["quality=draft", "video.steps=4"])
    assert (drawn.scales.max_side_px, drawn.scales.steps, drawn.scales.first_steps) == (384, 7, 60)
    assert drawn.video.steps == 4
    plain, base = load_preset(tmp_path / "two.yaml"), load_preset("nightswirl")
    assert (plain.scales, plain.video) == (base.scales, base.video)
    fine = load_preset(tmp_path / "two.yaml", ["quality=best"])
    assert fine.scales == load_preset("nightswirl", ["quality=best"]).scales


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ("{draft: {scales: {steps: -3}}}", "one.yaml:2:35: scales.steps: must be ≥ 0, not -3"),
        (
            "{good: {video: {stepz: 3}}}",
            "one.yaml:2:26: video.stepz: no such key (did you mean video.steps?)",
        ),
        ("{best: {video: {method: key_frames, passes: 2}}}", "one.yaml:2:25: video: passes: 2 optimises"),
        ("{good: {video: {passes: 2}}}", "video: passes: 2 optimises"),
        ("{draft: {style: {weight: 2}}}", "one.yaml:2:19: quality.draft.style: no such key"),
        ("{drft: {}}", "one.yaml:2:11: quality.drft: must be draft | good | best (did you mean draft?)"),
        ("draft", "one.yaml:2:10: quality: must be a map"),
    ],
)
def test_a_word_that_makes_no_preset_is_told_by_its_place(tmp_path: Path, said: str, fault: str) -> None:
    (tmp_path / "one.yaml").write_text(f"extends: nightswirl\nquality: {said}\n")
    with pytest.raises(PresetError) as caught:
        load_preset(tmp_path / "one.yaml")
    assert fault in str(caught.value).replace(f"{tmp_path}/", "")


def test_no_pixel_depends_on_what_a_word_would_set(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "extends: nightswirl\nname: n\nquality: {draft: {scales: {steps: 3}}}\n"
    )
    (tmp_path / "two.yaml").write_text("extends: nightswirl\nname: n\n")
    presets = [load_preset(tmp_path / name) for name in ("one.yaml", "two.yaml")]
    assert presets[0] != presets[1]
    keys = [RenderSpec(preset, "untrained", "none", {}, 0).key(MediaKind.PHOTO) for preset in presets]
    assert keys[0] == keys[1]


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
