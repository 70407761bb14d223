"""`framestyle preview` shows what a render will be, says how long that will take, and leaves nothing half-done."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import framestyle
from framestyle import opening
from framestyle.doors import preview_sheet
from framestyle.doors.cli import main
from framestyle.doors.sheet import Cell, Row, Shown, layout
from framestyle.jobs.preview import cells as cells_module
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.photos import read_photo
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader
from framestyle.nst import devices
from framestyle.nst.stylizer import Stylizer
from framestyle.presets import Preset, builtin_presets_dir, library, loading

UNTRAINED = ("--weights", "untrained", "--device", "cpu", "--progress", "none")
SIZE = (32, 24)
"""Of the photo of these tests, and of the quick preset's renders: with it a preview is the render itself."""


@pytest.fixture
def other(workplace: Path, quick: str) -> str:
    """A second preset, of another style."""
    text = (workplace / quick).read_text().replace("nightswirl", "mosaic")
    (workplace / "other.yaml").write_text(text)
    return "other.yaml"


def preview(*arguments: object) -> int:
    return main(["preview", *map(str, arguments), *UNTRAINED])


def pixels_of(path: str | Path) -> Shown:
    return np.asarray(Image.open(path).convert("RGB"))


def cells_of(path: str | Path, *rows: int | str, size: tuple[int, int] = SIZE) -> list[list[Shown]]:
    """The pictures of a sheet, by how many each row has, or by what a row without any says."""
    page = pixels_of(path)
    shape = [
        Row("title", message=row) if isinstance(row, str) else Row("title", [Cell("", None)] * row, *size)
        for row in rows
    ]
    found = layout(shape)
    assert page.shape == (found.height, found.width, 3)
    return [
        [page[box.top : box.bottom, box.left : box.right] for box in places.cells] for places in found.rows
    ]


def is_told(text: str, *words: str) -> None:
    """One sentence and the next step, no traceback."""
    lines = [line for line in text.splitlines() if line]
    start = next(n for n, line in enumerate(lines) if line.startswith("framestyle: "))
    assert lines[start + 1].startswith("  ") and "Traceback" not in text
    for word in words:
        assert word in text


def differ(one: Shown, other: Shown) -> bool:
    return bool(np.abs(one.astype(int) - other).mean() > 2)


def test_a_preview_is_in_one_precision(
    photo: Path, quick: str, other: str, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a second measurement would say."""
    measured = []

    def probe_precision(device: torch.device) -> str:
        measured.append(device)
        return "bfloat16" if len(measured) > 1 else "float32"

    monkeypatch.setattr(devices, "probe_precision", probe_precision)
    for name in (quick, other):
        (workplace / name).write_text((workplace / name).read_text().replace("{precision: float32}", "{}"))
    used = []
    made = Stylizer.__init__

    def noted(self: Stylizer, preset: Preset, *rest: Any, **named: Any) -> None:
        used.append(preset.optimizer.precision)
        made(self, preset, *rest, **named)

    monkeypatch.setattr(Stylizer, "__init__", noted)
    assert preview(photo, "-o", "looks.png", "-p", quick, "-p", other) == 0
    assert used == ["float32", "float32"] and len(measured) == 1


# -- what a sheet shows ------------------------------------------------------------------------------------


def test_rows_are_inputs_and_columns_presets_with_the_original_beside(
    workplace: Path, photo: Path, quick: str, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    second = workplace / "second.png"
    Image.fromarray(pixels_of(photo)[::-1]).save(second)
    assert preview(photo, second, "-p", quick, "-p", other, "-o", "sheet.png") == 0
    for source, (original, one, two) in zip((photo, second), cells_of("sheet.png", 3, 3), strict=True):
        assert np.array_equal(original, pixels_of(source))
        assert differ(original, one) and differ(original, two) and differ(one, two)
    told = capsys.readouterr()
    assert told.err == "" and told.out.startswith("wrote sheet.png: ")


def test_a_preview_as_large_as_the_render_is_the_render(photo: Path, quick: str) -> None:
    assert preview(photo, "-p", quick, "-o", "sheet.png", "--seed", 3, "--max-side", 300) == 0
    assert main(["stylize", photo.name, "-o", "whole.png", "-p", quick, "--seed", "3", *UNTRAINED]) == 0
    ((_, shown),) = cells_of("sheet.png", 2)
    assert np.array_equal(shown, pixels_of("whole.png"))


def test_a_smaller_size_is_a_scale_of_the_render(photo: Path, quick: str) -> None:
    assert preview(photo, "-p", quick, "-o", "sheet.png", "--max-side", 18) == 0
    # Shown as large as was asked for, painted at 16 px: half of the render's 32.
    ((original, shown),) = cells_of("sheet.png", 2, size=(18, 14))
    assert main(["stylize", photo.name, "-o", "s.png", "-p", quick, "--max-side", "16", *UNTRAINED]) == 0
    expected = cv2.resize(pixels_of("s.png"), (18, 14), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(shown, expected) and differ(original, shown)


def test_a_folder_is_its_photos_and_settings_and_transparency_count(
    workplace: Path, photo: Path, quick: str
) -> None:
    (workplace / "in" / "deep").mkdir(parents=True)
    photo.rename(workplace / "in" / "a.png")
    glass = np.dstack([np.full((24, 32, 3), 60, np.uint8), np.zeros((24, 32, 1), np.uint8)])
    Image.fromarray(glass).save(workplace / "in" / "deep" / "b.png")
    nothing = ("--set", "scales.first_steps=0", "--set", "scales.steps=0")
    assert preview("in", "-p", quick, "-o", "sheet.png", *nothing) == 0
    (opaque, clear) = cells_of("sheet.png", 2, 2)
    assert np.array_equal(opaque[0], pixels_of("in/a.png")) and np.array_equal(opaque[0], opaque[1])
    assert (clear[0] == 255).all() and (clear[1] == 255).all()


def test_a_folders_clips_are_shown_too_and_patterns_are_known(
    workplace: Path, photo: Path, clip: Path, quick: str
) -> None:
    (workplace / "in").mkdir()
    photo.rename(workplace / "in" / "b.png")
    clip.rename(workplace / "in" / "a.mp4")
    assert preview("in", "-p", quick, "-o", "sheet.png", "--max-side", 64) == 0
    shape = [Row("title", [Cell("", None)] * 2, *size) for size in [(64, 48)] * 3 + [SIZE]]
    assert pixels_of("sheet.png").shape[:2] == (layout(shape).height, layout(shape).width)
    assert preview("in/*.png", "-p", quick, "-o", "photos.png") == 0
    assert np.array_equal(cells_of("photos.png", 2)[0][0], pixels_of("in/b.png"))


def test_each_input_is_painted_by_its_own_mask(workplace: Path, photo: Path, quick: str) -> None:
    (workplace / "masks").mkdir()
    Image.new("L", SIZE, 255).save(workplace / "masks" / "photo.png")
    mosaic = builtin_presets_dir() / "art" / "mosaic.jpg"
    style = f"style.images=[{{path: '{mosaic}', region: 255}}]"
    options = ("-p", quick, "--set", style, "--mask", "masks", "--set", "style.weight=5")
    assert preview(photo, *options, "-o", "sheet.png", "--max-side", 300) == 0
    assert main(["stylize", photo.name, "-o", "whole.png", *options, *UNTRAINED]) == 0
    assert np.array_equal(cells_of("sheet.png", 2)[0][1], pixels_of("whole.png"))


def test_deep_photos_are_shown_with_eight_bits(workplace: Path, quick: str) -> None:
    deep = np.full((24, 32, 3), (0, 32896, 65535), np.uint16)
    cv2.imwrite(str(workplace / "deep.png"), deep[..., ::-1])
    assert preview("deep.png", "-p", quick, "-o", "sheet.png") == 0
    ((original, _),) = cells_of("sheet.png", 2)
    assert (original == (0, 128, 255)).all()


def test_a_clips_rows_are_moments_of_its_shots(
    clip: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert preview(clip, "-p", quick, "-o", "sheet.png", "--max-side", 64) == 0
    with VideoReader(clip) as reader:
        frames = [frame.pixels for frame in reader]
    rows = cells_of("sheet.png", 2, 2, 2, size=(64, 48))
    for (original, shown), index in zip(rows, (2, 6, 10), strict=True):
        assert np.array_equal(original, frames[index]) and differ(original, shown)
    assert re.search(r"quick +at most .+ times the .+ s of its preview", capsys.readouterr().out)
    # Of the chosen range alone.
    span = ("--start", "0.25", "--end", "0.33")
    assert preview(clip, "-p", quick, "-o", "part.png", "--max-side", 64, *span) == 0
    assert np.array_equal(cells_of("part.png", 2, 2, size=(64, 48))[0][0], frames[6])


def test_pixels_that_are_not_square_are_shown_in_their_true_shape(workplace: Path, quick: str) -> None:
    picture = "testsrc2=size=32x48:rate=24:duration=0.1,setsar=2"
    subprocess.run([ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture, "wide.mp4"], check=True)
    assert preview("wide.mp4", "-p", quick, "-o", "sheet.png", "--max-side", 64) == 0
    cells_of("sheet.png", 2, 2, 2, size=(64, 48))


def test_all_are_all_presets_each_once(photo: Path, quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = ("--set", "scales.first_steps=0", "--set", "scales.steps=0", "--weights", "untrained")
    more = ("-p", "mosaic", "-p", quick, "--progress", "json", "--device", "cpu")
    assert main(["preview", photo.name, "--all", *more, "-o", "sheet.png", *nothing]) == 0
    told = capsys.readouterr()
    news = [json.loads(line) for line in told.err.splitlines()]
    shown = [one["preset"] for one in news if one["event"] == "cell_done"]
    assert main(["presets", "list", "--json"]) == 0
    names = [row["name"] for row in json.loads(capsys.readouterr().out)]
    assert shown[:2] == ["mosaic", "quick"]
    assert sorted(shown) == sorted([*names, "quick"])
    assert len(cells_of("sheet.png", len(names) + 2)[0]) == len(shown) + 1
    (job,) = (one for one in news if one["event"] == "job_started")
    assert job["frames"] == job["tasks"] == len(shown)
    assert told.out.splitlines() == told.out.splitlines()[:1]  # no step, no estimate


def test_all_are_also_the_users_own_and_one_that_does_not_load_stops_no_other(
    workplace: Path,
    photo: Path,
    quick: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(library, "builtin_presets_dir", lambda: workplace / "built-in")
    monkeypatch.setattr(loading, "builtin_presets_dir", library.builtin_presets_dir)
    own = library.user_presets_dir()
    own.mkdir(parents=True)
    for name in ("mine", "torn"):
        art = builtin_presets_dir() / "art" / "mosaic.jpg"
        text = (workplace / quick).read_text().replace("extends: nightswirl\n", "")
        (own / f"{name}.yaml").write_text(text.replace("style: {", f"style: {{images: [{{path: {art}}}], "))
    with (own / "torn.yaml").open("a") as torn:
        torn.write("tv_wieght: 1\n")
    assert preview(photo, "--all", "-o", "sheet.png") == 4
    told = capsys.readouterr()
    is_told(told.err, "1 failed", "torn.yaml", "did you mean tv_weight?")
    (said,) = told_failures(told.err).values()
    ((_, mine), _) = cells_of("sheet.png", 2, said)
    assert preview(photo, "-p", str(own / "mine.yaml"), "-o", "mine.png") == 0
    assert np.array_equal(mine, cells_of("mine.png", 2)[0][1])


def test_presets_of_one_name_are_told_apart(
    workplace: Path, photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "v2").mkdir()
    (workplace / "v2" / quick).write_text((workplace / quick).read_text())
    assert preview(photo, "-p", quick, "-p", f"v2/{quick}", "-p", quick, "-o", "sheet.png") == 0
    cells_of("sheet.png", 3)
    told = capsys.readouterr().out
    assert re.search(r"^  quick\.yaml ", told, re.MULTILINE) and "  v2/quick.yaml " in told


def test_a_sheet_says_how_it_was_made(photo: Path, quick: str, other: str) -> None:
    assert preview(photo, "-p", quick, "-p", other, "-o", "sheet.png", "--seed", 7) == 0
    with Image.open("sheet.png") as image:
        comment = image.info["comment"]
    for word in (framestyle.__version__, "preset quick, other;", "weights untrained", "seed 7", "cpu"):
        assert word in comment


# -- sweeps ------------------------------------------------------------------------------------------------


def test_one_sweep_gives_columns_and_shorthands_are_known(photo: Path, quick: str) -> None:
    assert preview(photo, "-p", quick, "--sweep", "style_weight=0,5", "-o", "sweep.png") == 0
    ((original, *swept),) = cells_of("sweep.png", 3)
    for weight, cell in zip((0, 5), swept, strict=True):
        setting = ("--set", f"style.weight={weight}")
        assert preview(photo, "-p", quick, *setting, "-o", f"{weight}.png") == 0
        assert np.array_equal(cell, cells_of(f"{weight}.png", 2)[0][1])
    assert differ(*swept) and np.array_equal(original, pixels_of(photo))


def test_two_sweeps_give_rows_by_columns(photo: Path, quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    sweeps = ("--sweep", "optimizer.init=gray,content", "--sweep", "style.layers={relu1_1: 1, relu2_1: 0},{}")
    assert preview(photo, "-p", quick, *sweeps[:3], "tv_weight=0,1,200", "-o", "grid.png") == 0
    rows = cells_of("grid.png", 4, 4)
    for init, (_, *cells) in zip(("gray", "content"), rows, strict=True):
        for weight, cell in zip((0, 1, 200), cells, strict=True):
            one = ("--set", f"optimizer.init={init}", "--set", f"tv_weight={weight}", "--overwrite")
            assert preview(photo, "-p", quick, *one, "-o", "one.png") == 0
            assert np.array_equal(cell, cells_of("one.png", 2)[0][1])
    told = capsys.readouterr().out
    assert "  optimizer.init=gray tv_weight=200 " in told


def test_the_backbone_is_loaded_once_for_all(
    photo: Path, quick: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []
    real = opening.load_backbone

    def counting(kind: str, **options: Any) -> Any:
        loaded.append(kind)
        return real(kind, **options)

    monkeypatch.setattr(opening, "load_backbone", counting)
    assert preview(photo, "-p", quick, "-p", other, "-o", "sheet.png") == 0
    assert preview(photo, "-p", quick, "--sweep", "tv_weight=0,1", "-o", "sweep.png") == 0
    assert loaded == ["untrained"] * 2


# -- the moving preview ------------------------------------------------------------------------------------


@pytest.fixture
def grey_clip(workplace: Path) -> Path:
    """Without colours, which H.264 would halve: so that what is read back can be compared."""
    path = workplace / "grey.mp4"
    inputs = ("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=24:duration=0.5,hue=s=0")
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=0.5")
    subprocess.run([ffmpeg_exe(), "-v", "error", *inputs, *tone, "-crf", "1", str(path)], check=True)
    return path


def frames_of(path: str | Path) -> list[Shown]:
    with VideoReader(Path(path)) as reader:
        return [np.asarray(frame.pixels, np.uint8) for frame in reader]


def halves(frame: Shown) -> tuple[Shown, Shown]:
    middle = frame.shape[1] // 2
    return frame[:, :middle], frame[:, middle:]


def apart(one: Shown, other: Shown) -> float:
    """Mean distance in luma."""
    greys = [
        cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY).astype(int) for frame in (one, other)
    ]
    return float(np.abs(greys[0] - greys[1]).mean())


def small(frame: Shown, size: tuple[int, int]) -> Shown:
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def test_a_moving_preview_has_the_source_on_the_left_and_the_style_on_the_right(
    grey_clip: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        preview(grey_clip, "-p", quick, "-o", "moving.mp4", "--max-side", 32, "--set", "style_weight=5") == 0
    )
    info, shown, whole = probe(Path("moving.mp4")), frames_of("moving.mp4"), frames_of(grey_clip)
    assert (info.width, info.height, info.frame_rate) == (64, 24, probe(grey_clip).frame_rate)
    assert len(shown) == len(whole) == 12
    assert info.audio_codecs == probe(grey_clip).audio_codecs  # all of it is there, so its sound goes along
    assert main(["stylize", grey_clip.name, "-o", "full.mkv", "-p", quick, "--set", "style_weight=5",
                 "--set", "output.quality=lossless", *UNTRAINED]) == 0  # fmt: skip
    for frame, source, painted in zip(shown, whole, frames_of("full.mkv"), strict=True):
        left, right = halves(frame)
        assert apart(left, small(source, SIZE)) < 2.5
        assert apart(right, painted) < 2.5  # as large as the render: it is the render
        assert apart(right, left) > 12
    told = capsys.readouterr()
    assert told.err == "" and re.search(
        r"0:00.00 to 0:00.50 of .*grey.mp4, before and after, twice 32x24 px", told.out
    )
    assert re.search(
        r"1 clip of 12 frames at 32x24 px, .*\n  quick  .*(?:second|about \d+ s).* times ", told.out
    )


def test_a_range_is_shown_as_it_is(grey_clip: Path, quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    span = ("--start", "0.125", "--end", "0.375")
    assert preview(grey_clip, "-p", quick, "-o", "moving.mkv", "--max-side", 32, *span) == 0
    assert "Full renders of 1 clip of 12 frames" in capsys.readouterr().out, "what a render would be of"
    shown, source = frames_of("moving.mkv"), frames_of(grey_clip)[3:9]
    assert len(shown) == 6
    for frame, one in zip(shown, source, strict=True):
        assert apart(halves(frame)[0], small(one, SIZE)) < 2.5


def test_without_a_range_a_few_seconds_of_the_longest_shots_are_shown(workplace: Path, quick: str) -> None:
    looks = ("testsrc2", "smptebars", "color=c=0x103060", "testsrc")
    lengths = (20, 40, 8, 60)
    inputs: list[str] = []
    for look, frames in zip(looks, lengths, strict=True):
        joint = ":" if "=" in look else "="
        inputs += ["-f", "lavfi", "-t", str(frames / 10), "-i", f"{look}{joint}size=32x24:rate=10"]
    command = [ffmpeg_exe(), "-v", "error", *inputs, "-filter_complex", "concat=n=4", "-crf", "1", "long.mp4"]
    subprocess.run(command, check=True)
    assert preview("long.mp4", "-p", quick, "-o", "moving.mp4", "--max-side", 32) == 0
    source = frames_of("long.mp4")
    # Three seconds: a second from the middle of each of the three longest.
    expected = [*range(5, 15), *range(35, 45), *range(93, 103)]
    shown = frames_of("moving.mp4")
    assert len(shown) == len(expected)
    for frame, index in zip(shown, expected, strict=True):
        assert apart(halves(frame)[0], source[index]) < 4
    assert probe(Path("moving.mp4")).audio_codecs == ()


def test_two_passes_and_odd_sides_and_gif(workplace: Path, quick: str) -> None:
    picture = "testsrc2=size=50x42:rate=25:duration=0.2"
    subprocess.run([ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture, "odd.mp4"], check=True)
    twice = ("--set", "video.passes=2", "--max-side", 25)
    assert preview("odd.mp4", "-p", quick, "-o", "moving.gif", *twice) == 0
    info = probe(Path("moving.gif"))
    # 23x19 is painted, the scale next to 25; an odd line is left out, since players want even sides.
    assert (info.width, info.height) == (46, 18)
    assert len(frames_of("moving.gif")) == 5


def test_an_image_sequence_moves_and_what_is_hidden_is_white(
    workplace: Path, photo: Path, quick: str
) -> None:
    (workplace / "shot").mkdir()
    deep = np.dstack([pixels_of(photo), np.full((24, 32), 255, np.uint8)])
    deep[:, :16, 3] = 0
    for number in range(5):
        Image.fromarray(np.roll(deep, number, 0)).save(workplace / "shot" / f"a.{number:04d}.png")
    for number, source in enumerate(("shot", "shot/a.%04d.png")):
        target = f"{number}.mkv"
        assert preview(source, "-p", quick, "-o", target, "--max-side", 32) == 0
        frames = frames_of(target)
        assert len(frames) == 5
        for half in halves(frames[0]):
            assert half[:, :14].min() > 225 and half[:, 18:].min() < 200
    assert preview("shot/a.%04d.png", "-p", quick, "-o", "sheet.png") == 0
    for original, shown in cells_of("sheet.png", 2, 2, 2):
        assert (original[:, :16] == 255).all() and (shown[:, :16] == 255).all() and differ(original, shown)


# -- what goes wrong ---------------------------------------------------------------------------------------


def told_failures(text: str) -> dict[str, str]:
    """Path and reason of each line of the table."""
    return dict(re.findall(r"^  (\S+): (.*)$", text.split("failed: ", 1)[1], re.MULTILINE))


def test_what_cannot_be_read_has_its_row_and_the_others_go_on(
    workplace: Path, photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "in").mkdir()
    whole = photo.read_bytes()
    (workplace / "in" / "good.png").write_bytes(whole)
    (workplace / "in" / "cut.png").write_bytes(whole[: len(whole) * 2 // 3])
    (workplace / "in" / "text.jpg").write_text("no picture")
    (workplace / "in" / "notes.txt").write_text("passed over")
    assert preview("in", "-p", quick, "-o", "sheet.png") == 4
    told = capsys.readouterr()
    said = told_failures(told.err)
    assert list(said) == ["in/cut.png", "in/text.jpg"]
    messages = [f"{path} {reason}" for path, reason in said.items()]
    rows = cells_of("sheet.png", messages[0], 2, messages[1])
    assert np.array_equal(rows[1][0], pixels_of(photo)) and differ(*rows[1])
    is_told(told.err, "2 failed", "sheet.png has the rest")
    assert "wrote sheet.png" in told.out
    # Something red stands in those rows.
    page = pixels_of("sheet.png").astype(int)
    assert ((page[..., 0] - page[..., 1]) > 80).any()


@pytest.mark.parametrize(
    ("inputs", "word"),
    [
        (["gone.jpg", "photo.png"], "gone.jpg does not exist"),
        (["photo.png", "no*.jpg"], "nothing matches no*.jpg"),
        (["photo.png", "empty"], "no photos or clips in empty"),
        (["text.jpg"], "text.jpg"),
    ],
)
def test_a_name_that_leads_nowhere_is_exit_5_before_any_work(
    workplace: Path,
    photo: Path,
    quick: str,
    capsys: pytest.CaptureFixture[str],
    inputs: list[str],
    word: str,
) -> None:
    (workplace / "text.jpg").write_text("no picture")
    (workplace / "empty").mkdir()
    alone = [name for name in inputs if name != "photo.png"] if "empty" in inputs else inputs
    assert preview(*alone, "-p", quick, "-o", "sheet.png") == 5
    is_told(capsys.readouterr().err, word)
    assert not Path("sheet.png").exists()


def test_where_nothing_can_be_read_nothing_is_written(
    workplace: Path, photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    torn = photo.read_bytes()[:60]
    for name in ("a.png", "b.png"):
        (workplace / name).write_bytes(torn)
    assert preview("a.png", "b.png", "-p", quick, "-o", "sheet.png") == 4
    is_told(capsys.readouterr().err, "all 2 failed")
    assert preview("a.png", "-p", quick, "-o", "sheet.png") == 5
    is_told(capsys.readouterr().err, "a.png")
    assert not Path("sheet.png").exists()


def test_a_preset_that_fails_has_its_cells_say_so(
    workplace: Path, photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "art.png").write_text("no picture")
    text = (workplace / quick).read_text()
    broken = text.replace("style: {layers", "style: {images: [{path: art.png}], layers")
    (workplace / "torn.yaml").write_text(broken)
    assert preview(photo, "-p", "torn.yaml", "-p", quick, "-o", "sheet.png") == 4
    ((_, failed, good),) = cells_of("sheet.png", 3)
    assert len(np.unique(failed.reshape(-1, 3), axis=0)) < len(np.unique(good.reshape(-1, 3), axis=0))
    is_told(capsys.readouterr().err, "torn: ", "art.png", "1 failed")
    # Alone, it is the error itself.
    assert preview(photo, "-p", "torn.yaml", "-o", "alone.png") == 5
    is_told(capsys.readouterr().err, "art.png")
    assert not Path("alone.png").exists()


def test_a_failed_cell_among_good_ones_of_one_preset(
    workplace: Path,
    photo: Path,
    quick: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (workplace / "b.png").write_bytes(photo.read_bytes())
    real, calls = Stylizer.stylize, iter((True, False))

    def failing(stylizer: Stylizer, content: torch.Tensor, *more: Any) -> Any:
        if next(calls):
            raise torch.OutOfMemoryError("no room")
        return real(stylizer, content, *more)

    monkeypatch.setattr(Stylizer, "stylize", failing)
    assert preview(photo, "b.png", "-p", quick, "-o", "sheet.png") == 4
    is_told(capsys.readouterr().err, "photo.png needs more memory", "1 failed")
    rows = cells_of("sheet.png", 2, 2)
    assert np.array_equal(rows[1][0], pixels_of("b.png")) and differ(*rows[1])


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "no style is named"),
        (["-p", "quick.yaml", "--max-side", "8"], "--max-side 8"),
        (["-p", "quick.yaml", "--max-side", "100000"], "--max-side 100000"),
        (["-p", "quick.yaml", "--sweep", "strength"], "--sweep strength"),
        (["-p", "quick.yaml", "--sweep", "strength=1,"], "--sweep strength=1,"),
        (["-p", "quick.yaml", "-p", "mosaic", "--sweep", "strength=1"], "a sweep is of one preset"),
        (["--all", "--sweep", "strength=1"], "a sweep is of one preset"),
        (["-p", "quick.yaml", *["--sweep", "strength=1", "--sweep", "tv_weight=1"] * 2], "4 sweeps"),
        (["-p", "quick.yaml", "--sweep", "style_weight=1", "--sweep", "style.weight=2"], "both sweeps"),
        (["-p", "quick.yaml", "--start", "2", "--end", "1"], "--start"),
    ],
)
def test_what_makes_no_sense_is_exit_2_before_any_work(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    assert preview(photo, *arguments, "-o", "sheet.png") == 2
    told = capsys.readouterr()
    assert word in told.err and told.out == "" and "Traceback" not in told.err
    assert not Path("sheet.png").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["clip.mp4", "photo.png", "-p", "quick.yaml"], "several inputs"),
        (["clip.mp4", "-p", "quick.yaml", "-p", "mosaic"], "one preset"),
        (["clip.mp4", "--all"], "one preset"),
        (["clip.mp4", "-p", "quick.yaml", "--sweep", "strength=0,1"], "one preset"),
        (["clip.mp4", "-p", "quick.yaml", "--live"], "--live"),
        (["photo.png", "-p", "quick.yaml"], "photo.png is no clip"),
    ],
)
def test_a_moving_preview_is_of_one_clip_in_one_preset(
    photo: Path, clip: Path, quick: str, capsys: pytest.CaptureFixture[str], arguments: list[str], word: str
) -> None:
    assert preview(*arguments, "-o", "out.mp4") == 2
    is_told(capsys.readouterr().err, word, "-o ")
    assert not Path("out.mp4").exists()


@pytest.mark.parametrize(
    ("sweep", "word"),
    [
        ("style.wieght=1,2", "did you mean style.weight?"),
        ("style.weight=1,heavy", "--sweep style.weight"),
        ("style_weight=1,-2", "--sweep style.weight"),
    ],
)
def test_a_bad_sweep_is_exit_3_in_its_own_name(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str], sweep: str, word: str
) -> None:
    assert preview(photo, "-p", quick, "--sweep", sweep, "-o", "sheet.png") == 3
    told = capsys.readouterr().err
    is_told(told, word)
    assert "--set style" not in told


def test_presets_weights_and_devices_that_are_not_there(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["preview", photo.name, "-o", "sheet.png", "--progress", "none"]
    for arguments, code, words in (
        (["-p", "nightswrl"], 3, ["nightswrl", "Did you mean nightswirl"]),
        (["-p", "base"], 3, ["'base' names no style image"]),
        (["-p", quick, "--set", "tv_wieght=1"], 3, ["did you mean tv_weight"]),
        (["-p", quick, "--weights", "gone.pth"], 8, ["gone.pth"]),
        (["-p", quick, "--weights", "untrained", "--device", "abacus"], 9, ["abacus"]),
    ):
        assert main([*command, *arguments]) == code
        is_told(capsys.readouterr().err, *words)
    assert not Path("sheet.png").exists()


def test_outputs_are_refused_before_any_work(
    workplace: Path, photo: Path, clip: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photo.read_bytes()
    (workplace / "in").mkdir()
    (workplace / "in" / "a.png").write_bytes(before)
    (workplace / "sheet.png").write_bytes(b"mine")
    (workplace / "folder.png").mkdir()
    for output, more, word in (
        ("sheet.png", [], "sheet.png exists already"),
        ("photo.png", ["--overwrite"], "is an input"),
        ("in/a.png", ["--overwrite"], "is an input"),
        ("folder.png", ["--overwrite"], "is a folder"),
        ("sheet.xyz", [], "neither a sheet nor a clip"),
        ("sheet", [], "neither a sheet nor a clip"),
    ):
        assert preview(photo, "in", "-p", quick, "-o", output, *more) == 6
        is_told(capsys.readouterr().err, word)
    assert preview(clip, "-p", quick, "-o", "clip.mp4", "--overwrite") == 6
    is_told(capsys.readouterr().err, "is an input")
    assert photo.read_bytes() == (workplace / "in" / "a.png").read_bytes() == before
    assert (workplace / "sheet.png").read_bytes() == b"mine"
    assert preview(photo, "-p", quick, "-o", "sheet.png", "--overwrite") == 0
    assert read_photo(Path("sheet.png")).pixels.shape[2] == 3


def test_a_sheet_that_its_format_cannot_hold_is_refused_before_any_work(
    photo: Path, quick: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(preview_sheet.SIDE_LIMITS_PX, ".webp", 100)
    assert preview(photo, "-p", quick, "-o", "sheet.webp") == 6
    is_told(capsys.readouterr().err, "its format holds 100 a side")


# -- live, and stopped -------------------------------------------------------------------------------------


def test_live_writes_the_sheet_anew_after_each_cell(
    photo: Path, quick: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert preview(photo, "-p", quick, "-p", other, "-o", "sheet.png") == 0
    done = cells_of("sheet.png", 3)[0]
    seen: list[list[Shown]] = []
    real = preview_sheet.write_photo

    def watched(target: Path, *arguments: Any) -> list[str]:
        lost = real(target, *arguments)
        seen.append(cells_of(target, 3)[0])
        return lost

    monkeypatch.setattr(preview_sheet, "write_photo", watched)
    assert preview(photo, "-p", quick, "-p", other, "-o", "live.png", "--live") == 0
    assert len(seen) == 4  # empty, one, two, done
    for count, cells in zip((1, 2, 3, 3), seen, strict=True):
        for number, (cell, final) in enumerate(zip(cells, done, strict=True)):
            assert np.array_equal(cell, final) == (number < count)


@pytest.mark.parametrize("live", [True, False])
def test_a_stopped_sheet_is_there_only_where_it_was_live(
    photo: Path,
    quick: str,
    other: str,
    live: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real, calls = cells_module.to_pixels, iter((False, True))

    def stopping(image: Any) -> Any:
        if next(calls):
            raise KeyboardInterrupt
        return real(image)

    monkeypatch.setattr(cells_module, "to_pixels", stopping)
    more = ["--live"] if live else []
    assert preview(photo, "-p", quick, "-p", other, "-o", "sheet.png", *more) == 130
    told = capsys.readouterr()
    is_told(told.err, "stopped", "sheet.png shows what was finished" if live else "nothing was written")
    assert told.out == "" and Path("sheet.png").exists() == live
    assert sorted(path.name for path in Path().iterdir() if path.name.startswith(".")) == []
    if live:
        original, one, waiting = cells_of("sheet.png", 3)[0]
        assert differ(original, one) and len(np.unique(waiting)) == 1


def test_a_stopped_clip_leaves_nothing(
    clip: Path,
    quick: str,
    monkeypatch: pytest.MonkeyPatch,
    our_ffmpegs: Callable[[], list[int]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    from framestyle.motion import painting

    real, calls = painting.to_pixels, iter(range(100))

    def stopping(*arguments: Any) -> Any:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(painting, "to_pixels", stopping)
    assert preview(clip, "-p", quick, "-o", "out.mp4", "--max-side", 32) == 130
    is_told(capsys.readouterr().err, "nothing was written")
    assert sorted(path.name for path in Path().iterdir()) == ["clip.mp4", "quick.yaml"] and not our_ffmpegs()


@pytest.mark.parametrize("live", [True, False])
def test_ctrl_c_leaves_a_whole_sheet_or_none(
    photo: Path, quick: str, stopped_at_work: Callable[..., tuple[str, list[int]]], live: bool
) -> None:
    steps = ("--set", "scales.first_steps=100000", "--weights", "untrained", *["--live"] * live)
    rest, _ = stopped_at_work("preview", photo.name, "-p", quick, "-o", "sheet.png", *steps)
    is_told(rest, "stopped", "starts again")
    left = sorted(path.name for path in Path().iterdir())
    assert left == ["photo.png", "quick.yaml", *["sheet.png"] * live]
    if live:
        original, waiting = cells_of("sheet.png", 2)[0]
        assert np.array_equal(original, pixels_of(photo)) and len(np.unique(waiting)) == 1


# -- what it says ------------------------------------------------------------------------------------------


def test_it_says_how_much_longer_a_render_would_take(
    workplace: Path, photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(pixels_of(photo)).resize((640, 480)).save(workplace / "large.png")
    steps = ("--set", "scales.first_steps=6", "--set", "scales.steps=6", "--set", "max_side_px=640")
    assert preview("large.png", "-p", quick, "-o", "sheet.png", "--max-side", 40, *steps) == 0
    head, estimate, row = capsys.readouterr().out.splitlines()
    assert head.startswith("wrote sheet.png: ")
    assert estimate == "Full renders of 1 photo, estimated from the steps measured here:"
    found = re.fullmatch(r"  quick  (.+), ([0-9.]+) times the [0-9.]+ s of its preview", row)
    # Sixteen times the side: longer. How much, of times that are known, is `jobs/test_preview_times.py`'s; what
    # this machine happens to take for a small picture is mostly not its pixels.
    assert found is not None and float(found[2]) > 1.5


def test_a_preset_without_a_small_scale_says_so(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "preview",
        photo.name,
        "-p",
        quick,
        "-o",
        "sheet.png",
        "--max-side",
        "16",
        "--progress",
        "json",
    ]
    one_scale = ["--set", "scales.min_px=4000", "--weights", "untrained", "--device", "cpu"]
    assert main([*command, *one_scale]) == 0
    notes = [json.loads(line).get("message", "") for line in capsys.readouterr().err.splitlines()]
    assert any("quick has no scale near 16 px" in note for note in notes)


def test_names_that_would_drive_a_terminal_are_shown_plainly(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = photo.rename(photo.with_name("c\x1b]0;x\x07.png"))
    evil.with_name("torn\x1b[2J.png").write_bytes(evil.read_bytes()[:60])
    assert preview(".", "-p", quick, "-o", "she\x1bet.png") == 4
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err and "\\x1b" in told.out
