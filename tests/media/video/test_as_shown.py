"""What players show of a clip is what is read: turned, mirrored, cropped, by fields; no decoder ends the process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from media_facts import ask, crop_in_container, encode

from framestyle.errors import InputError
from framestyle.media.video.opencv import OpenCVLostError, end_waiting, opencv_pictures
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader

PICTURES = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.2")
CLOSE = 4.0
"""Mean difference in grey of two decoders, which make chroma fine again in ways of their own. Else it is above 20."""


def clip(target: Path, *options: str) -> Path:
    encode(*PICTURES, *(options or ("-c:v", "libx264", "-pix_fmt", "yuv420p")), str(target))
    return target


def copied(source: Path, target: Path, *before: str, after: tuple[str, ...] = ()) -> Path:
    encode(*before, "-i", str(source), "-c", "copy", *after, str(target))
    return target


def read(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        return [frame.pixels for frame in reader]


def shown(path: Path, width: int, height: int) -> np.ndarray:
    """The first picture as ffmpeg shows it, which is as players do."""
    raw = ask("-i", str(path), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
    return np.frombuffer(raw, np.uint8).reshape(height, width, 3)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    depth = 257 if one.dtype == np.uint16 else 1
    return float(np.abs((one / depth).mean(axis=2) - other.mean(axis=2)).mean())


TURNS: dict[str, tuple[tuple[str, ...], Callable[[np.ndarray], np.ndarray]]] = {
    "mirrored": (("-display_hflip",), np.fliplr),
    "upside down": (("-display_vflip",), np.flipud),
    "by 180": (("-display_rotation", "180"), lambda one: np.rot90(one, 2)),
    "by 90": (("-display_rotation", "90"), np.rot90),
    "by 90, mirrored": (("-display_rotation", "90", "-display_hflip"), lambda one: np.fliplr(np.rot90(one))),
    "by 270, upside down": (
        ("-display_rotation", "270", "-display_vflip"),
        lambda one: np.flipud(np.rot90(one, 3)),
    ),
}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("turn", TURNS)
def test_turned_and_mirrored_pictures_are_as_players_show_them(
    tmp_path: Path, turn: str, suffix: str
) -> None:
    flat = clip(tmp_path / "flat.mp4")
    options, by_numpy = TURNS[turn]
    source = copied(flat, tmp_path / f"s{suffix}", *options)
    found, stored = read(source)[0], read(flat)[0]
    height, width = found.shape[:2]
    assert apart(found, shown(source, width, height)) < CLOSE
    assert apart(found, by_numpy(stored)) < CLOSE < 20 < apart(found, by_numpy(stored)[::-1])
    assert probe(source).is_transformed


@pytest.mark.parametrize("turn", TURNS)
def test_colours_stay_in_their_places_when_pictures_are_turned(tmp_path: Path, turn: str) -> None:
    """They are stored for every other pixel, at its left: turned before they are made fine again, they would be off."""
    flat = clip(tmp_path / "flat.mkv", "-c:v", "libx264", "-pix_fmt", "yuv420p10le")
    options, by_numpy = TURNS[turn]
    source = copied(flat, tmp_path / "s.mkv", *options)
    assert np.array_equal(read(source)[0], by_numpy(read(flat)[0]))


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_what_the_codec_crops_at_the_left_is_cropped_to_the_pixel(tmp_path: Path, codec: str) -> None:
    whole = clip(tmp_path / "flat.mp4", *CROPPED["8 bits" if codec == "h264" else "H.265"])
    crop = ("-bsf:v", f"{codec}_metadata=crop_left=6:crop_top=2")
    source = copied(whole, tmp_path / "s.mp4", after=crop)
    with VideoReader(source) as reader:
        found = next(iter(reader)).pixels
        assert not reader.by_opencv and VideoReader(whole).by_opencv
    assert apart(found, read(whole)[0][2:, 6:]) < CLOSE < 8 < apart(found[:, 1:], read(whole)[0][2:, 6:-1])


@pytest.mark.parametrize("flip", ["horizontal", "vertical"])
def test_what_the_codec_alone_says_of_mirroring_counts(tmp_path: Path, flip: str) -> None:
    said = ("-bsf:v", f"h264_metadata=display_orientation=insert:rotate=90:flip={flip}")
    source = copied(clip(tmp_path / "flat.mp4"), tmp_path / "s.mp4", after=said)
    info, found = probe(source), read(source)[0]
    assert (info.width, info.height, info.is_transformed) == (48, 64, True)
    assert apart(found, shown(source, 48, 64)) < CLOSE


def test_an_odd_angle_is_what_ffmpeg_makes_of_it_and_told(tmp_path: Path) -> None:
    source = copied(clip(tmp_path / "flat.mp4"), tmp_path / "s.mp4", "-display_rotation", "30")
    with VideoReader(source) as reader:
        found = next(iter(reader)).pixels
    assert apart(found, shown(source, 64, 48)) < CLOSE
    assert any("shown turned by 330°" in doubt for doubt in reader.doubts)


CROPPED = {
    "8 bits": ("-c:v", "libx264", "-pix_fmt", "yuv420p"),
    "10 bits": ("-c:v", "prores_ks"),
    "H.265": ("-c:v", "libx265", "-x265-params", "log-level=none", "-pix_fmt", "yuv420p", "-tag:v", "hvc1"),
}


@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
@pytest.mark.parametrize("kind", CROPPED)
def test_what_the_container_crops_is_cropped(tmp_path: Path, kind: str, suffix: str) -> None:
    whole = clip(tmp_path / "s.mov", *CROPPED[kind])
    before = read(whole)[0]
    crop_in_container(whole)
    source = whole if suffix == ".mov" else copied(whole, tmp_path / "s.mkv")
    info, found = probe(source), read(source)[0]
    assert (info.width, info.height, info.sample_aspect_ratio) == (48, 32, 1) and info.is_cropped
    depth = 257 if before.dtype == np.uint16 else 1
    assert apart(found, before[8:40, 8:56] / depth) < CLOSE


@pytest.mark.parametrize(("codec", "metadata"), [("libx264", "h264_metadata"), ("libx265", "hevc_metadata")])
@pytest.mark.parametrize(("pixel_format", "side"), [("yuv420p", "right"), ("yuv420p10le", "left")])
def test_what_the_codec_crops_is_cropped(
    tmp_path: Path, codec: str, metadata: str, pixel_format: str, side: str
) -> None:
    quiet = ("-x265-params", "log-level=none") if codec == "libx265" else ()
    whole = clip(tmp_path / "s.mkv", "-c:v", codec, *quiet, "-pix_fmt", pixel_format)
    cut = ("-bsf:v", f"{metadata}=crop_{side}=8:crop_bottom=16")
    source = copied(whole, tmp_path / "c.mp4", after=cut)
    kept, before = slice(0, 56) if side == "right" else slice(8, 64), read(whole)[0]
    before = before / (257 if before.dtype == np.uint16 else 1)
    assert apart(read(source)[0], before[:32, kept]) < CLOSE


@pytest.mark.parametrize("name", ["i.mp4", "i.mkv"])
def test_pictures_of_two_fields_are_whole(tmp_path: Path, name: str) -> None:
    """OpenCV's own conversion refuses them, and gives whatever lay in memory."""
    fields = ("-vf", "setfield=tff", "-flags", "+ilme+ildct", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    source = clip(tmp_path / name, *fields)
    assert apart(read(source)[0], shown(source, 64, 48)) < CLOSE


# -- decoders that end -------------------------------------------------------------------------------------


def test_a_name_that_ends_opencv_is_read_all_the_same(tmp_path: Path) -> None:
    source = clip(tmp_path / "a.mp4").rename(tmp_path / os.fsdecode(b"caf\xe9.mp4"))
    with pytest.raises(OpenCVLostError):
        next(opencv_pictures(source, too_dark=False))
    assert len(read(source)) == 5 and probe(source).width == 64


def test_where_opencv_is_killed_ffmpeg_goes_on(
    tmp_path: Path, children_of: Callable[[int], list[int]]
) -> None:
    source = clip(tmp_path / "a.mkv", "-vf", "loop=60:1", "-c:v", "ffv1", "-pix_fmt", "yuv420p")
    wanted = read(source)
    end_waiting()
    with VideoReader(source) as reader:
        frames = []
        for frame in reader:
            if frame.index == 0:
                (child,) = children_of(os.getpid())
                os.kill(child, signal.SIGSEGV)
            frames.append(frame)
    assert [frame.index for frame in frames] == list(range(65)) and not reader.doubts
    assert [frame.pts * 25 for frame in frames] == list(range(65))
    assert all(apart(one.pixels, two) < CLOSE for one, two in zip(frames, wanted, strict=True))


def test_a_decoder_that_waits_reads_names_from_where_we_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was started in another folder, which has a clip of that name too."""
    for name, length in (("one", "0.2"), ("two", "0.4")):
        (tmp_path / name).mkdir()
        encode("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=25:d={length}", str(tmp_path / name / "a.mkv"))
    for name, count in (("one", 5), ("two", 10)):
        monkeypatch.chdir(tmp_path / name)
        assert len(read(Path("a.mkv"))) == count


def test_without_a_python_to_start_ffmpeg_decodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As inside another program, whose own name it would be."""
    source = clip(tmp_path / "a.mp4")
    end_waiting()
    monkeypatch.setattr(sys, "executable", str(tmp_path / "studio"))
    assert len(read(source)) == 5


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands for ffmpeg")
def test_an_ffmpeg_that_crashes_is_an_input_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = clip(tmp_path / "a.mp4")
    (tmp_path / "ffmpeg").write_text("#!/bin/sh\nkill -SEGV $$\n")
    (tmp_path / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "ffmpeg"))
    with pytest.raises(InputError, match=r"a\.mp4 cannot be decoded: ffmpeg was stopped by signal 11"):
        probe(source)
