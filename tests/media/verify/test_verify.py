"""A file that is whole is called whole, in every codec; one that is not is called damaged, with the place."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from media_facts import encode
from rewriting import rewrite

from framestyle.errors import InputError
from framestyle.media.verify.checking import check_clip, verify
from framestyle.media.verify.listing import parsed_metadata
from framestyle.media.verify.verdict import DAMAGE, NOTE, Problem, Report, made_by

NOISY = "testsrc2=s=96x64:r=25:d=1,noise=alls=30:allf=t"
"""Every frame differs, and has bytes enough to be damaged."""
CODECS = {
    "h264.mp4": ("-c:v", "libx264", "-movflags", "+faststart", "-c:a", "aac"),
    "h264.mkv": ("-c:v", "libx264", "-c:a", "aac"),
    "h265.mp4": (
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error",
        "-movflags",
        "+faststart",
        "-c:a",
        "aac",
    ),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-cpu-used", "8", "-c:a", "libopus"),
    "av1.webm": ("-c:v", "libsvtav1", "-preset", "12", "-c:a", "libopus"),
    "prores.mov": ("-c:v", "prores_ks", "-c:a", "pcm_s16le"),
    "ffv1.mkv": ("-c:v", "ffv1", "-level", "3", "-slicecrc", "1", "-c:a", "flac"),
    "anim.gif": ("-an",),
    "anim.webp": ("-an", "-c:v", "libwebp_anim"),
}


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`whole("h264.mp4")`: 25 frames and a second of sound."""
    folder, made = tmp_path_factory.mktemp("whole"), dict[str, Path]()

    def get(name: str) -> Path:
        if name not in made:
            made[name] = folder / name
            encode(
                "-f", "lavfi", "-i", NOISY, "-f", "lavfi", "-i", "sine=d=1", *CODECS[name], str(made[name])
            )
        return made[name]

    return get


def damage(report: Report) -> list[Problem]:
    return [problem for problem in report.problems if problem.kind == DAMAGE]


def altered(path: Path, target: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(path.read_bytes())
    change(data)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize("name", CODECS)
def test_a_whole_file_is_whole(whole: Callable[[str], Path], name: str) -> None:
    report = verify(whole(name))
    assert (report.what, report.verdict, damage(report)) == ("clip", "whole", [])
    facts = report.facts
    assert (facts["frames"], facts["constant_rate"], facts["frame_rate"]) == (25, True, "25")
    assert (facts["width"], facts["height"], facts["first_s"]) == (96, 64, 0.0)
    sound = [stream for stream in facts["streams"] if stream["kind"] == "audio"]
    assert len(sound) == (0 if name.startswith("anim") else 1)
    assert all(stream["packets"] and stream["decoded"] for stream in sound)
    assert check_clip(whole(name), frames=25) == []


@pytest.mark.parametrize("name", CODECS)
def test_a_file_that_was_cut_off_is_damaged(whole: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    def cut(data: bytearray) -> None:
        del data[len(data) * 3 // 5 :]

    report = verify(altered(whole(name), tmp_path / name, cut))
    assert report.verdict == "damaged"
    if name in ("h264.mp4", "h265.mp4"):
        assert any("its head counts 25 frames" in one.text for one in damage(report))
    if name.endswith((".mkv", ".webm")):
        early = next(one for one in damage(report) if "the pictures should last 1.000 s" in one.text)
        assert early.stream == 0 and early.at_s is not None and 0 < early.at_s < 1


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv", "h265.mp4", "prores.mov", "ffv1.mkv", "anim.gif"])
def test_bytes_that_were_lost_in_the_middle_are_found_with_their_place(
    whole: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    """As where a block of a disk was lost."""

    def lose(data: bytearray) -> None:
        data[len(data) // 2 : len(data) // 2 + 2048] = bytes(2048)

    report = verify(altered(whole(name), tmp_path / name, lose))
    assert report.verdict == "damaged"
    placed = [one for one in damage(report) if one.at_s is not None]
    assert placed, report.problems
    assert all(one.at_s is not None and Fraction(1, 10) < one.at_s <= 1 for one in placed)


def test_a_frame_that_cannot_be_decoded_is_named(whole: Callable[[str], Path], tmp_path: Path) -> None:
    """The frame's own header, in a codec that makes each frame by itself."""

    def break_one(data: bytearray) -> None:
        at = -1
        for _ in range(8):
            at = data.index(b"icpf", at + 1)
        data[at : at + 40] = bytes(40)

    report = verify(altered(whole("prores.mov"), tmp_path / "p.mov", break_one))
    (lost,) = [one for one in damage(report) if "cannot be decoded" in one.text]
    assert (lost.frame, lost.at_s, lost.stream) == (7, Fraction(7, 25), 0)
    assert report.facts["frames"] == 24


def test_damaged_sound_is_named_by_its_stream(whole: Callable[[str], Path], tmp_path: Path) -> None:
    """FLAC has checksums: one flipped bit is found."""
    source = whole("ffv1.mkv")
    taken = tmp_path / "one.flac"
    encode("-i", str(source), "-map", "0:a", "-c", "copy", str(taken))
    piece = taken.read_bytes()[-900:-860]

    def flip(data: bytearray) -> None:
        at = data.index(piece)
        data[at + 20] ^= 0x10

    report = verify(altered(source, tmp_path / "s.mkv", flip))
    assert report.verdict == "damaged"
    assert {one.stream for one in damage(report)} == {1}
    assert "flac sound" in damage(report)[0].text


def test_the_check_before_a_file_is_put_in_its_place_counts(whole: Callable[[str], Path]) -> None:
    (problem,) = check_clip(whole("h264.mkv"), frames=26)
    assert problem.text == "25 frames can be decoded, not 26" and problem.kind == DAMAGE
    (problem,) = check_clip(whole("h264.mkv"), frames=24)
    assert "not 24" in problem.text


@pytest.mark.parametrize("content", [b"", b"\0\0\0\x18ftypisom" + bytes(200), b"not a clip at all"])
def test_what_cannot_be_opened_is_damaged_and_said_why(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    report = verify(path)
    assert report.verdict == "damaged" and str(path) in report.problems[0].text
    with pytest.raises(InputError):
        check_clip(path, frames=1)
    assert "does not exist" in verify(tmp_path / "nix.mp4").problems[0].text


def test_a_pause_is_a_doubt_and_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    skip = ("-vf", "select='not(between(n,10,12))'", "-fps_mode", "passthrough")
    encode("-f", "lavfi", "-i", NOISY, *skip, str(path))
    report = verify(path)
    assert report.verdict == "whole" and report.facts["constant_rate"] is False
    (pause,) = [one for one in report.problems if "pause" in one.text]
    assert (pause.kind, pause.frame, pause.at_s) == (NOTE, 9, Fraction(9, 25))


def test_what_made_a_clip_is_told(whole: Callable[[str], Path], tmp_path: Path) -> None:
    rewrite(whole("h264.mkv"), tmp_path / "o.mp4")
    assert verify(tmp_path / "o.mp4").facts["made_by"] == {
        "versions": "framestyle 0.1.0, torch 2",
        "preset": "wave",
        "weights": "learned",
        "seed": "3",
        "device": "cpu float32",
        "precision": "float32",
    }
    assert made_by("holiday") is None and made_by(None) is None


def test_metadata_is_understood_with_its_backslashes() -> None:
    words = parsed_metadata(
        ";FFMETADATA1\ntitle=a\\; b \\= c\nARTIST=Ada\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=800\ntitle=One\\\nTwo\n[CHAPTER]\nTIMEBASE=1/0\nSTART=0\nEND=1\n"
    )
    assert words.values == {"title": "a; b = c", "artist": "Ada"}
    assert words.chapters == [(Fraction(0), Fraction(4, 5), "One\nTwo")]


def test_no_ffmpeg_is_left(whole: Callable[[str], Path], our_ffmpegs: Callable[[], list[int]]) -> None:
    class StopError(Exception):
        pass

    def stop(_: float) -> None:
        raise StopError

    with pytest.raises(StopError):
        check_clip(whole("h264.mkv"), frames=25, on_progress=stop)
    assert our_ffmpegs() == []
