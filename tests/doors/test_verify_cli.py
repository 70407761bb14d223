"""`framestyle verify` as a person and as a script meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rewriting import rewrite

from framestyle.doors.cli import main


@pytest.fixture
def painted(clip: Path, workplace: Path) -> Path:
    rewrite(clip, workplace / "painted.mkv")
    return workplace / "painted.mkv"


def test_a_whole_result_is_said_to_be_so(painted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "painted.mkv", "--against", "clip.mp4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "painted.mkv: whole, and what clip.mp4 asks for"
    said = {line.split()[0]: line for line in lines[1:]}
    assert "12 at a constant rate, 24 a second" in said["frames"]
    assert "h264 in matroska, 64x48, yuv420p, 8 bits, tv smpte170m/bt709/bt709" in said["pictures"]
    assert "aac" in said["audio"] and "preset wave; weights learned; seed 3" in " ".join(lines)


def test_a_damaged_file_and_one_that_differs_have_their_own_exit_codes(
    painted: Path, clip: Path, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rewrite(clip, workplace / "short.mkv", drop=5)
    assert main(["verify", "short.mkv"]) == 0
    assert main(["verify", "short.mkv", "--against", "clip.mp4"]) == 6
    assert "short.mkv: whole, but not what clip.mp4 asks for" in capsys.readouterr().out
    (workplace / "cut.mkv").write_bytes(painted.read_bytes()[:4000])
    assert main(["verify", "cut.mkv", "--against", "clip.mp4"]) == 5
    assert main(["verify", "painted.mkv", "cut.mkv", "nix.mkv"]) == 5
    out = capsys.readouterr().out
    assert "painted.mkv: whole\n" in out and "nix.mkv does not exist" in out
    assert out.splitlines()[-1] == "3 files: 1 whole, 1 missing, 1 damaged"


def test_a_part_is_held_against_its_part(clip: Path, workplace: Path) -> None:
    from fractions import Fraction

    rewrite(clip, workplace / "part.mp4", "h264", Fraction(1, 8), Fraction(3, 8))
    assert main(["verify", "part.mp4", "--against", "clip.mp4", "--start", "0.125", "--end", "0.375"]) == 0
    assert main(["verify", "part.mp4", "--against", "clip.mp4"]) == 6


def test_a_manifest_that_names_another_precision_is_a_difference(
    workplace: Path, quick: str, photo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["stylize", "photo.png", "-o", "out/", "-p", quick, "--weights", "untrained", "--device", "cpu"]
    assert main([*command, "--progress", "none"]) == 0
    assert main(["verify", "out"]) == 0
    path = workplace / "out" / ".framestyle.json"
    told = json.loads(path.read_text())
    told["done"]["photo.png"]["precision"] = "bfloat16"
    path.write_text(json.dumps(told))
    capsys.readouterr()
    assert main(["verify", "out"]) == 6
    out = capsys.readouterr().out
    assert "out/photo.png: whole, but not as it was recorded" in out
    assert "it says that it was made in float32, and .framestyle.json says bfloat16" in out
    assert main(["verify", "out", "--json"]) == 6
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert file["facts"]["made_by"]["precision"] == "float32" and file["verdict"] == "different"


def test_json_for_scripts(painted: Path, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workplace / "cut.mkv").write_bytes(painted.read_bytes()[:4000])
    assert main(["verify", "painted.mkv", "cut.mkv", "--json"]) == 5
    told = json.loads(capsys.readouterr().out)
    assert (told["framestyle_verify"], told["exit_code"], told["against"]) == (1, 5, None)
    whole, cut = told["files"]
    assert (whole["verdict"], whole["what"], whole["problems"]) == ("whole", "clip", [])
    assert whole["facts"]["frames"] == 12 and whole["facts"]["made_by"]["preset"] == "wave"
    assert cut["verdict"] == "damaged"
    assert set(cut["problems"][0]) == {"kind", "text", "stream", "frame", "at_s"}


def test_a_folder_is_gone_through(painted: Path, photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.txt").write_text("no picture")
    Path("empty.mp4").touch()
    assert main(["verify", "."]) == 5
    out = capsys.readouterr().out
    assert "notes.txt" not in out and "empty.mp4 is empty" in out
    assert "photo.png: whole" in out and "4 files: 3 whole, 1 damaged" in out


def test_calls_that_make_no_sense_are_refused(painted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "painted.mkv", "--start", "1"]) == 2
    assert main(["verify", "painted.mkv", "painted.mkv", "--against", "clip.mp4"]) == 2
    assert main(["verify", "painted.mkv", "--against", "nix.mp4"]) == 5
    assert "nix.mp4 does not exist" in capsys.readouterr().err


def test_names_do_not_drive_the_terminal(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workplace / "a\x1b[31m.mp4").write_bytes(b"nothing")
    main(["verify", "a\x1b[31m.mp4"])
    assert "\x1b" not in capsys.readouterr().out
