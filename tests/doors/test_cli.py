"""The command line keeps its contract: exit codes, one sentence and the next step, nothing half-written."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from loopback import Server
from PIL import Image

from framestyle.doors.cli import main
from framestyle.doors.options import parse_size, parse_time
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.photos import read_photo
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader

Call = Callable[..., subprocess.CompletedProcess[str]]
MANIFEST = ".framestyle.json"
UNTRAINED = ("--weights", "untrained", "--device", "cpu", "--progress", "none")


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def is_told(text: str, *words: str) -> None:
    """One sentence that begins with our name, the next step below it, and no traceback."""
    lines = [line for line in text.splitlines() if line]
    start = next(n for n, line in enumerate(lines) if line.startswith("framestyle: "))
    assert lines[start + 1].startswith("  ") and lines[start + 1].strip()
    assert "Traceback" not in text and 'File "' not in text
    for word in words:
        assert word in text


def test_a_missing_file_is_exit_5_with_its_path(call: Call, quick: str) -> None:
    told = call("stylize", "nowhere.mp4", "-o", "out.mp4", "-p", quick)
    assert (told.returncode, told.stdout) == (5, "")
    is_told(told.stderr, "nowhere.mp4")


def test_an_unknown_preset_is_exit_3_with_the_nearest_name(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stylize", str(photo), "-o", "out.png", "-p", "nightswrl"]) == 3
    is_told(capsys.readouterr().err, "nightswrl", "Did you mean nightswirl", "presets list")


def test_for_programs_the_last_event_says_what_ended_the_command(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out.png").write_bytes(b"mine")
    command = ["stylize", str(photo), "-o", "out.png", "-p", quick, "--weights", "untrained"]
    assert main([*command, "--progress", "json"]) == 6
    err = capsys.readouterr().err
    is_told(err, "out.png exists already", "--overwrite")
    told = [json.loads(line) for line in err.splitlines() if line.startswith("{")][-1]
    assert (told["event"], told["code"], told["exit_code"]) == ("failed", "output-exists", 6)
    assert told["facts"]["path"] == "out.png" and "--overwrite" in told["next_step"]
    assert main([*command, "--progress", "none"]) == 6
    assert "{" not in capsys.readouterr().err


def test_a_picture_of_ones_own_is_the_style(photo: Path, quick: str) -> None:
    """Without a preset as with `base` and that picture; with one, in place of the preset's own picture."""
    style = Path("my style, [1].png")
    Image.fromarray(np.dstack([np.indices((24, 32)).sum(0) * 4] * 3).astype(np.uint8)).save(style)
    steps = [word for key in ("first_steps", "steps") for word in ("--set", f"scales.{key}=2")]
    written = ["-p", "base", "--set", f'style.images=["{style}"]']
    ways = {
        "a": ["--style", str(style)],
        "b": written,
        "c": ["--style", str(style), "-p", quick],
        "d": ["-p", quick],
    }
    for name, way in ways.items():
        assert main(["stylize", photo.name, "-o", f"{name}.png", *way, *steps, *UNTRAINED]) == 0
    pixels = {name: read_photo(Path(f"{name}.png")).pixels for name in ways}
    assert np.array_equal(pixels["a"], pixels["b"])
    assert not np.array_equal(pixels["c"], pixels["d"])


def test_no_style_at_all_is_exit_2_and_a_picture_as_a_preset_points_to_the_option(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("stylize", "preview"):
        assert main([command, photo.name, "-o", "out.png"]) == 2
        is_told(capsys.readouterr().err, "-p", "--style")
        assert main([command, photo.name, "-o", "out.png", "-p", "art/Mine.JPG"]) == 3
        is_told(capsys.readouterr().err, "--style art/Mine.JPG", "presets new NAME")
    assert main(["preview", photo.name, "-o", "out.png", "--all", "--style", photo.name]) == 2
    assert not Path("out.png").exists()


def test_a_file_alone_is_told_what_could_be_done_with_it(
    photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = photo.rename("my\nphoto.png")
    with pytest.raises(SystemExit) as caught:
        main([str(odd)])
    told = capsys.readouterr().err
    assert caught.value.code == 2 and len(told.splitlines()) == 4
    is_told(told, "framestyle stylize", "-o painted.png", "framestyle preview")


@pytest.mark.parametrize(
    ("setting", "word"),
    [
        ("style.wieght=2", "did you mean style.weight?"),
        ("scales.steps=many", "scales.steps"),
        ("scales.steps=-1", "scales.steps"),
        ("style.layers.relu9_9=1", "relu9_9"),
        ("style.weight", "style.weight"),
    ],
)
def test_a_bad_setting_is_exit_3_and_names_the_key(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str], setting: str, word: str
) -> None:
    assert main(["stylize", str(photo), "-o", "out.png", "-p", quick, "--set", setting]) == 3
    is_told(capsys.readouterr().err, word)
    assert not Path("out.png").exists()


def test_several_settings_after_one_option_are_told_how_they_are_given(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["stylize", str(photo), "-o", "out.png", "-p", quick, "--set", "strength=0.4", "color.share=1"])
    assert ended.value.code == 2
    is_told(capsys.readouterr().err, "color.share=1", "a --set of its own")
    with pytest.raises(SystemExit):
        main(["doctor", "color.share=1"])  # it has none
    assert "--set" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["notes.mp4", "notes.jpg", "notes"])
def test_a_text_is_exit_5_under_any_name(
    workplace: Path, quick: str, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (workplace / name).write_text("milk, bread, ultramarine\n")
    assert main(["stylize", name, "-o", "out.mp4", "-p", quick]) == 5
    is_told(capsys.readouterr().err, name, "neither a video nor a photo")


def test_a_folder_without_photos_is_exit_5(
    workplace: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "empty").mkdir()
    assert main(["stylize", "empty", "-o", "out", "-p", quick]) == 5
    is_told(capsys.readouterr().err, "no photos or clips in empty")


def test_an_output_that_exists_is_exit_6_and_stays(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out.png").write_bytes(b"mine")
    command = ["stylize", str(photo), "-o", "out.png", "-p", quick, *UNTRAINED]
    assert main(command) == 6
    is_told(capsys.readouterr().err, "out.png exists already", "--overwrite")
    assert Path("out.png").read_bytes() == b"mine"
    assert main([*command, "--overwrite"]) == 0
    assert read_photo(Path("out.png")).pixels.shape == (24, 32, 3)


def test_a_source_is_never_written_over(photo: Path, quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = photo.read_bytes()
    command = ["stylize", str(photo), "-o", str(photo), "-p", quick, "--overwrite", *UNTRAINED]
    assert main(command) == 6
    is_told(capsys.readouterr().err, "is an input")
    assert photo.read_bytes() == before


def test_an_output_that_ffmpeg_cannot_make_is_exit_6_before_any_work(
    clip: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stylize", str(clip), "-o", "out.xyz", "-p", quick, *UNTRAINED]) == 6
    is_told(capsys.readouterr().err, "out.xyz")
    assert files_in(Path()) == ["clip.mp4", "quick.yaml"]


def test_weights_that_are_not_there_are_exit_8(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["stylize", str(photo), "-o", "out.png", "-p", quick, "--device", "cpu", "--progress", "none"]
    assert main([*command, "--weights", "nowhere.pth"]) == 8
    is_told(capsys.readouterr().err, "nowhere.pth", "untrained")
    assert main([*command, "--weights", "caffe"]) == 8
    is_told(capsys.readouterr().err, "caffe", "--file FILE")
    assert not Path("out.png").exists()


def test_weights_that_cannot_be_fetched_are_exit_8_and_leave_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    # Closed again: whoever calls is refused.
    assert main(["weights", "fetch", "--url", f"http://127.0.0.1:{port}/vgg19-dcbb9e9d.pth"]) == 8
    is_told(capsys.readouterr().err, f"127.0.0.1:{port}", "--weights learned")
    assert files_in(tmp_path / "cache") == []


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "vulkan"])
def test_a_device_that_is_not_there_is_exit_9(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str], device: str
) -> None:
    command = ["stylize", str(photo), "-o", "out.png", "-p", quick, "--weights", "untrained"]
    assert main([*command, "--device", device]) == 9
    is_told(capsys.readouterr().err, device, "cpu")


def test_a_memory_limit_that_nothing_fits_in_is_exit_9_with_what_it_takes(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["stylize", str(photo), "-o", "out.png", "-p", quick, *UNTRAINED]
    assert main([*command, "--memory-limit", "20M"]) == 9
    is_told(
        capsys.readouterr().err,
        "16x12 pixels do not fit",
        "20,971,520 bytes",
        "--memory-limit to",
        "--max-side",
    )
    assert not Path("out.png").exists()
    assert main([*command, "--memory-limit", "64G"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["paint"],
        ["stylize"],
        ["stylize", "a.mp4", "-p", "x"],
        ["stylize", "a.mp4", "-o", "b.mp4", "-p", "x", "--start", "soon"],
        ["stylize", "a.mp4", "-o", "b.mp4", "-p", "x", "--seed", "many"],
        ["stylize", "a.mp4", "-o", "b.mp4", "-p", "x", "--max-side", "large"],
        ["stylize", "a.mp4", "-o", "b.mp4", "-p", "x", "--memory-limit", "plenty"],
        ["stylize", "a.mp4", "-o", "b.mp4", "-p", "x", "--progress", "loud"],
        ["preview", "a.png", "-p", "x"],
        ["preview", "a.png", "-o", "b.png", "-p", "x", "--max-side", "small"],
        ["presets"],
        ["presets", "new", "mine"],
        ["presets", "export", "wave"],
        ["weights", "fetch", "vgg16"],
    ],
)
def test_bad_usage_is_exit_2_and_points_to_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    is_told(capsys.readouterr().err, "--help")


def test_bad_usage_that_only_the_command_sees_is_exit_2(
    clip: Path, photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    many = ["stylize", str(clip), str(photo), "-o", "one.mp4", "-p", quick]
    backwards = ["stylize", str(clip), "-o", "one.mp4", "-p", quick, "--start", "0.4", "--end", "0.2"]
    for command, word in (
        (many, "several inputs"),
        (backwards, "--start"),
        (["weights", "fetch", "caffe"], "file"),
    ):
        assert main(command) == 2
        told = capsys.readouterr().err
        assert word in told and "Traceback" not in told
    assert main([]) == 2
    assert "framestyle demo" in capsys.readouterr().out


def test_part_of_a_batch_failed_is_exit_4_and_the_rest_is_done(
    workplace: Path, photo: Path, call: Call, quick: str
) -> None:
    (workplace / "in" / "deep").mkdir(parents=True)
    photo.rename(workplace / "in" / "deep" / "good.png")
    whole = (workplace / "in" / "deep" / "good.png").read_bytes()
    (workplace / "in" / "bad.png").write_bytes(whole[: len(whole) // 2])
    told = call("stylize", "in", "-o", "out", "-p", quick, *UNTRAINED[:4])
    assert told.returncode == 4
    assert "FAILED in/bad.png" in told.stderr
    is_told(told.stderr, "1 of 2 failed")
    assert "bad.png: cannot be decoded" in told.stderr
    assert files_in(Path("out")) == [MANIFEST, "deep/good.png"]


def test_every_failure_of_a_batch_is_named_even_without_progress(
    workplace: Path, photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "bad.png").write_bytes(photo.read_bytes()[:60])
    assert main(["stylize", str(photo), "bad.png", "-o", "out", "-p", quick, *UNTRAINED]) == 4
    assert "bad.png" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_clip_that_is_stopped_in_a_terminal_leaves_no_half_file_and_no_ffmpeg(
    workplace: Path, quick: str, stopped_at_work: Callable[..., tuple[str, list[int]]]
) -> None:
    """There a Ctrl-C goes to ffmpeg, too. Signals to the command alone: tests/faults/test_process_faults.py."""
    source = "testsrc2=size=64x48:rate=25:duration=4"
    subprocess.run([ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", source, "long.mp4"], check=True)
    steps = ("--set", "video.steps=2000", "--set", "video.tolerance=0", "--set", "video.min_steps=2000")
    command = ("stylize", "long.mp4", "-o", "out.mp4", "-p", quick, *steps, "--weights", "untrained")
    rest, encoders = stopped_at_work(*command, whole_group=True)
    assert encoders
    is_told(rest, "stopped", "same command")
    assert files_in(workplace) == ["long.mp4", "quick.yaml"]
    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in encoders) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in encoders)


def test_photos_side_by_side_are_stopped_before_their_next_step(
    workplace: Path, quick: str, stopped_at_work: Callable[..., tuple[str, list[int]]]
) -> None:
    """The first photo to be heard of has thousands of steps to go."""
    (workplace / "in").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(workplace / "in" / name)
    steps = ("--set", "scales.first_steps=10000", "--weights", "untrained")
    rest, _ = stopped_at_work("stylize", "in", "-o", "out", "-p", quick, *steps, threads=2)
    is_told(rest, "stopped")
    left = [path.name for path in (workplace / "out").iterdir() if path.name != ".framestyle.json"]
    assert not left


@pytest.mark.parametrize(
    "statement",
    [
        "import framestyle",
        "from framestyle.doors.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from framestyle.doors.cli import main\ntry: main(['stylize', '--help'])\nexcept SystemExit: pass",
        "from framestyle.doors.cli import main\ntry: main(['preview', '--help'])\nexcept SystemExit: pass",
        "from framestyle.doors.cli import main\nmain(['preview', 'a.png', '-o', 'b.png', '-p', 'nightswrl'])",
        "from framestyle.doors.cli import main\nmain(['presets', 'list'])",
    ],
)
def test_help_and_presets_load_no_torch(statement: str) -> None:
    code = f"{statement}\nimport sys\nsys.exit(bool({{'torch', 'torchvision', 'cv2'}} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize("name", ["mask.png", "odd: [name] #1.png"])
def test_a_mask_leaves_the_rest_of_a_photo_as_it_is(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    mask = np.zeros((24, 32), np.uint8)
    mask[:, 16:] = 255
    Image.fromarray(mask).save(name)
    command = ["stylize", str(photo), "-o", "out.png", "-p", quick, *UNTRAINED]
    assert main([*command, "--mask", name, "--set", "style.images.0.region=255"]) == 0
    before, after = read_photo(photo).pixels, read_photo(Path("out.png")).pixels
    assert np.array_equal(before[:, :16], after[:, :16])
    assert (before != after)[:, 18:].any()
    assert main([*command, "--overwrite", "--mask", name]) == 3
    is_told(capsys.readouterr().err, "no style image of preset 'quick' is for a region")
    assert main([*command, "--overwrite", "--mask", "gone.png"]) == 3
    is_told(capsys.readouterr().err, '--mask "gone.png": there is no image at')


def test_painting_loads_no_torchvision() -> None:
    """It takes as long to load as torch, and names alone would be wanted of it."""
    code = "import framestyle.jobs.engines.local, sys\nsys.exit('torchvision' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_version_is_the_packages(call: Call) -> None:
    import framestyle

    assert call("--version").stdout == f"framestyle {framestyle.__version__}\n"


def test_a_dry_run_writes_nothing_and_says_what_would_be(
    clip: Path, photo: Path, quick: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "work" / "empty.png").touch()
    (tmp_path / "work" / "notes.txt").write_text("ultramarine")
    before = files_in(tmp_path)
    command = ["stylize", ".", "-o", "out/", "-p", quick, "-p", "wave", "--max-side", "24"]
    assert main([*command, "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "preset quick -> out/quick"
    assert lines[1].startswith("  clip: clip.mp4 -> out/quick/clip.mp4 (64x48 to 24x18, 12 frames, ")
    assert lines[2].startswith("  photo: photo.png -> out/quick/photo.png (32x24 to 24x18, ")
    assert lines[3] == "  will fail: empty.png is empty"
    assert lines[4] == "  1 photo and 1 clip to do, 1 that cannot be read, 2 other files passed over"
    assert lines[5] == "preset wave -> out/wave" and lines[8].startswith("  photo: photo.png -> out/wave/")
    assert lines[6] == "  precision: auto: measured when the work begins, and kept"
    assert lines[-3].startswith("time: ") and "an estimate, by a stated speed (cpu)" in lines[-3]
    assert lines[-2].startswith("disk: about ") and "Free there: " in lines[-2]
    assert lines[-1] == "Nothing was done: this was --dry-run."
    assert files_in(tmp_path) == before


def test_a_dry_run_says_in_which_precision_work_was_begun(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from framestyle.nst import devices

    monkeypatch.setattr(devices, "probe_precision", lambda device: "bfloat16")
    command = ["stylize", "photo.png", "-o", "out/", "-p", quick, "--set", "optimizer.precision=auto"]
    assert main([*command, *UNTRAINED]) == 0
    capsys.readouterr()
    assert main([*command, "--dry-run", "--weights", "untrained"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "  precision: bfloat16, as it was begun"


def test_a_name_with_escape_codes_cannot_drive_the_terminal(
    quick: str, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stylize", "a\x1b[2Jb.mp4", "-o", "out.mp4", "-p", quick]) == 5
    evil = photo.rename(photo.with_name("c\x1b]0;x\x07.png"))
    assert main(["stylize", evil.name, "-o", "out", "-p", quick, "--dry-run"]) == 0
    assert main(["stylize", evil.name, "-o", "out.png", "-p", quick, *UNTRAINED[:4]]) == 0
    told = capsys.readouterr()
    assert "\x1b" not in told.err + told.out and "\\x1b[2J" in told.err


def test_presets_list_names_each_once_with_its_cost(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    names = [row[0] for row in rows]
    assert names == sorted(set(names)) and {"nightswirl", "gatys2015"} <= set(names)
    assert "base" not in names  # it has no style of its own
    assert {row[1] for row in rows} <= {"draft", "standard", "slow"}


def test_presets_show_prints_the_file_or_all_that_it_inherits(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "show", "nightswirl"]) == 0
    short = capsys.readouterr().out
    assert "extends: base" in short and "tv_weight" not in short
    assert main(["presets", "show", "nightswirl", "--resolved"]) == 0
    assert "tv_weight" in capsys.readouterr().out
    assert main(["presets", "show", "nightswrl"]) == 3


def test_presets_validate_reports_every_file(
    workplace: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (workplace / "bad.yaml").write_text("schema: 1\nextends: base\ntv_wieght: 1\nscales: {steps: no}\n")
    assert main(["presets", "validate", "bad.yaml", quick]) == 3
    told = capsys.readouterr()
    assert "quick.yaml: ok" in told.out
    assert "bad.yaml:3" in told.err and "tv_wieght" in told.err and "scales.steps" in told.err
    assert main(["presets", "validate", quick]) == 0


def test_presets_new_makes_a_preset_that_works_and_never_replaces_one(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["presets", "new", "mine", "--style", photo.name]) == 0
    assert main(["presets", "new", "mine", "--style", photo.name]) == 6
    assert main(["presets", "new", "other", "--style", "nowhere.png"]) == 5
    capsys.readouterr()
    assert main(["presets", "list"]) == 0
    assert re.search(r"^mine ", capsys.readouterr().out, re.MULTILINE)
    small = ("--max-side", "16", "--set", "scales.first_steps=1", "--set", "scales.min_px=16")
    assert main(["stylize", photo.name, "-o", "out.png", "-p", "mine", *small, *UNTRAINED]) == 0


@pytest.mark.parametrize("name", ["../outside", "a/b", "", ".", "x\ny"])
def test_presets_new_takes_only_plain_names(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    before = files_in(tmp_path)
    assert main(["presets", "new", name, "--style", photo.name]) in (2, 3)
    is_told(capsys.readouterr().err)
    assert files_in(tmp_path) == before


def test_presets_keys_tells_every_key_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "keys"]) == 0
    told = capsys.readouterr().out
    for key in ("style.weight = 1.0", "scales.max_side_px = 1024 px", "video.warm_start = flow"):
        assert key in told


def test_weights_list_says_what_is_at_hand_and_verify_checks_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["weights", "list"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert set(rows) == {"original", "imagenet", "caffe", "learned", "untrained", "raft-small", "raft-large"}
    assert "not here" in rows["imagenet"] and "installed" in rows["untrained"]
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out.split() == ["original", "ok"]
    kept = tmp_path / "cache" / "weights" / "vgg19-imagenet.safetensors"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"not what was written")
    kept.with_suffix(".json").write_text('{"kind": "imagenet", "sha256": "0"}')
    assert main(["weights", "verify"]) == 8
    assert "SHA-256 differs" in capsys.readouterr().out


def test_flow_weights_that_are_missing_are_exit_8_before_any_work(
    clip: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["stylize", str(clip), "-o", "out.mp4", "-p", quick, *UNTRAINED, "--set", "video.flow=raft"]
    assert main(command) == 8
    told = capsys.readouterr()
    is_told(told.err, "raft-large", "framestyle weights fetch raft-large", "--set video.flow=dis")
    assert told.out == "" and files_in(Path()) == ["clip.mp4", "quick.yaml"]


def test_photos_need_no_flow_weights(photo: Path, quick: str) -> None:
    command = ["stylize", str(photo), "-o", "out.png", "-p", quick, *UNTRAINED, "--set", "video.flow=raft"]
    assert main(command) == 0 and Path("out.png").exists()


def test_flow_weights_are_no_backbone(photo: Path, quick: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["stylize", str(photo), "-o", "out.png", "-p", quick, "--device", "cpu", "--progress", "none"]
    assert main([*command, "--weights", "raft-small"]) == 8
    is_told(capsys.readouterr().err, "raft-small", "optical flow", "video.flow=raft")
    assert not Path("out.png").exists()


def test_flow_weights_are_fetched_listed_verified_and_used(
    clip: Path,
    quick: str,
    server: Server,
    raft_file: Callable[[str], Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = raft_file("raft-small").read_bytes()
    name = f"raft_small-{hashlib.sha256(body).hexdigest()[:8]}.pth"
    server.bodies[name] = body
    assert main(["weights", "fetch", "raft-small", "--url", server.url(name)]) == 0
    kept = tmp_path / "cache" / "weights" / "raft-small.safetensors"
    assert str(kept) in capsys.readouterr().out and kept.is_file()
    assert main(["weights", "list"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "installed" in rows["raft-small"] and "not here" in rows["raft-large"]
    assert main(["weights", "verify"]) == 0
    assert capsys.readouterr().out.split() == ["original", "ok", "raft-small", "ok"]

    quickly = ("--set", "video.flow=raft", "--set", "video.flow_quality=ultrafast", "--end", "0.15")
    command = ["stylize", str(clip), "-o", "out.mp4", "-p", quick, *UNTRAINED, *quickly]
    assert main(command) == 0
    assert probe(Path("out.mp4")).width == 32

    kept.write_bytes(kept.read_bytes()[:-1] + b"?")
    assert main(["weights", "verify"]) == 8
    assert "SHA-256 differs" in capsys.readouterr().out
    assert main([*command, "--overwrite"]) == 8
    is_told(capsys.readouterr().err, str(kept), "SHA-256 differs", "fetch")


def test_a_file_of_other_weights_is_not_kept_for_flow(
    raft_file: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = raft_file("raft-small")
    Path("junk.pth").write_bytes(b"junk")
    assert main(["weights", "fetch", "raft-large", "--file", str(small)]) == 8
    is_told(capsys.readouterr().err, str(small), "is no raft-large", "framestyle weights fetch raft-large")
    assert main(["weights", "fetch", "raft-large", "--file", "junk.pth"]) == 8
    told = capsys.readouterr().err
    assert "junk.pth is no file of weights" in told and "Traceback" not in told
    assert main(["weights", "fetch", "raft-large", "--file", "gone.pth"]) == 8
    is_told(capsys.readouterr().err, "gone.pth")
    assert files_in(tmp_path / "cache") == []


def test_one_seed_gives_the_same_pixels_and_another_seed_others(photo: Path, clip: Path, quick: str) -> None:
    noise = ("-p", quick, "--set", "optimizer.init=noise", "--set", "output.quality=lossless", *UNTRAINED)
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        assert main(["stylize", photo.name, clip.name, "-o", name, "--seed", seed, *noise]) == 0
    one, two, other = (read_photo(Path(name) / "photo.png").pixels for name in "abc")
    assert np.array_equal(one, two) and not np.array_equal(one, other)
    frames = []
    for name in "abc":
        with VideoReader(Path(name) / "clip.mp4") as reader:
            frames.append(np.stack([frame.pixels for frame in reader]))
    assert len(frames[0]) == 12
    assert np.array_equal(frames[0], frames[1]) and not np.array_equal(frames[0], frames[2])


def test_max_side_and_range_reach_the_result(clip: Path, quick: str) -> None:
    cut = ("--start", "0.125", "--end", "0:00.375", "--max-side", "24")
    assert main(["stylize", clip.name, "-o", "out.mp4", "-p", quick, *cut, *UNTRAINED]) == 0
    info = probe(Path("out.mp4"))
    assert (info.width, info.height, info.frame_count_estimate) == (24, 18, 6)


def test_photo_formats_follow_the_preset(photo: Path, quick: str) -> None:
    chosen = ("--set", "output.photo_format=webp", *UNTRAINED)
    assert main(["stylize", photo.name, "-o", "out/", "-p", quick, *chosen]) == 0
    with Image.open("out/photo.webp") as image:
        assert (image.format, image.size) == ("WEBP", (32, 24))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1:30", 90), ("00:01:30.5", Fraction(181, 2)), ("0.1", Fraction(1, 10)), ("1:0:0", 3600)],
)
def test_times_are_exact(text: str, seconds: Fraction) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", ":", "-1", "1:2:3:4", "1e3", "1/2", "1.2.3", "nan", "soon", "1,5"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4G", 4 << 30), ("600M", 600 << 20), ("1.5GiB", 3 << 29), (" 64 kb ", 64 << 10), ("1t", 1 << 40)],
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "4", "G", "-1G", "0G", "1e3M", "4GG", "4 bits", "1,5G"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        parse_size(text)


def test_presets_from_recovers_what_a_picture_was_made_with(
    photo: Path, quick: str, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ("-p", quick, "--set", "tv_weight=0.125", "--seed", "5", *UNTRAINED)
    assert main(["stylize", photo.name, "-o", "out.jpg", *made]) == 0
    capsys.readouterr()
    assert main(["presets", "from", "out.jpg"]) == 0
    told = capsys.readouterr()
    assert "tv_weight: 0.125" in told.out and "--weights untrained --seed 5" in told.out and told.err == ""
    Path("again.yaml").write_text(told.out)
    assert (
        main(["stylize", photo.name, "-o", "again.png", "-p", "again.yaml", "--seed", "5", *UNTRAINED]) == 0
    )
    assert main(["stylize", photo.name, "-o", "first.png", *made]) == 0
    assert np.array_equal(read_photo(Path("again.png")).pixels, read_photo(Path("first.png")).pixels)
    assert main(["presets", "from", photo.name]) == 5
    is_told(capsys.readouterr().err, photo.name, "does not say")


@pytest.mark.parametrize(
    ("former", "now"),
    [
        (["preview", "a.png", "-o", "b.png", "-p", "nowhere", "--size", "64"], "--max-side"),
        (["presets", "list", "--json", "--all"], "--abstract"),
    ],
)
def test_an_options_former_name_goes_on_with_a_word(
    former: list[str], now: str, capsys: pytest.CaptureFixture[str], workplace: Path
) -> None:
    by_former, told = main(former), capsys.readouterr()
    assert f"framestyle: {'--size' if now == '--max-side' else '--all'} is called {now} now\n" in told.err
    renamed = [now if text in ("--size", "--all") else text for text in former]
    assert (main(renamed), capsys.readouterr().out) == (by_former, told.out)
