"""Videos are written whole or not at all, in true colours, with the sound and words of their source."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framestyle.doors.advice import next_step
from framestyle.errors import OutputError, StorageError
from framestyle.kinds import TimeRange
from framestyle.media.ffmpeg import FFmpeg, ffmpeg_exe
from framestyle.media.verify.checking import check_clip
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import CODECS, SourceStreams, VideoSettings, VideoWriter, video_codecs

MakeClip = Callable[..., Path]
Encode = Callable[..., None]
PATCHES = [
    (200, 30, 30),
    (30, 200, 30),
    (30, 30, 200),
    (128, 128, 128),
    (255, 255, 255),
    (0, 0, 0),
    (240, 200, 60),
]
PAIRS = [(name, suffix) for name, codec in CODECS.items() for suffix in codec.containers]


def patches(height: int = 128, width: int = 7 * 40) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Flat colours side by side."""
    return np.repeat(np.asarray(PATCHES, np.uint8)[None], height, axis=0).repeat(width // 7, axis=1)


def noise(count: int, height: int = 48, width: int = 64) -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    generator = np.random.default_rng(1)
    return [generator.integers(0, 256, (height, width, 3), np.uint8) for _ in range(count)]


def write(
    target: Path, frames: list[Any], codec: str = "h264", quality: str | float = "draft", **more: Any
) -> list[str]:
    height, width = frames[0].shape[:2]
    options = {"frame_rate": Fraction(25), "settings": VideoSettings(codec, quality)} | more
    with VideoWriter(target, width=width, height=height, **options) as writer:
        for frame in frames:
            writer.write(frame)
    return writer.notes


def read(path: Path) -> list[Any]:
    with VideoReader(path) as reader:
        return [frame.pixels for frame in reader]


def test_this_ffmpeg_encodes_every_codec_of_the_table() -> None:
    assert set(video_codecs()) == set(CODECS)


@pytest.mark.parametrize(("codec", "suffix"), PAIRS)
def test_every_codec_in_every_container_keeps_count_rate_size_and_colours(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    target = tmp_path / f"out{suffix}"
    rate = Fraction(25) if codec in ("gif", "webp") else Fraction(30000, 1001)
    shown = [patches() for _ in range(5)]
    for number, frame in enumerate(shown):
        frame[:8] = number * 40  # WebP makes one of frames that are nearly equal
    write(target, shown, codec, "visually_lossless", frame_rate=rate)
    info, frames = probe(target), read(target)
    assert (len(frames), info.frame_rate, info.width, info.height) == (5, rate, 280, 128)
    seen = np.stack([np.stack([f[64, 40 * n + 20] for n in range(7)]) for f in frames]).astype(float)
    assert np.abs(seen / (257 if info.bit_depth > 8 else 1) - np.asarray(PATCHES)).max() <= 3
    if codec not in ("gif", "webp", "ffv1", "apng"):
        assert (info.color_range, info.color_matrix) == ("tv", "bt709")
        assert (info.color_primaries, info.color_transfer) == ("bt709", "bt709")


@pytest.mark.parametrize(
    ("codec", "suffix"), [("h264", ".mp4"), ("h265", ".mkv"), ("vp9", ".webm"), ("ffv1", ".mkv")]
)
def test_lossless_is_lossless(tmp_path: Path, codec: str, suffix: str) -> None:
    frames = noise(3)
    write(tmp_path / f"out{suffix}", frames, codec, "lossless")
    assert all(np.array_equal(a, b) for a, b in zip(read(tmp_path / f"out{suffix}"), frames, strict=True))


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1", "prores", "ffv1", "gif", "webp", "apng"])
def test_odd_sizes_are_kept(tmp_path: Path, codec: str) -> None:
    suffix = CODECS[codec].containers[0]
    notes = write(tmp_path / f"out{suffix}", noise(2, 37, 51), codec)
    target = tmp_path / f"out{suffix}"
    assert [f.shape for f in read(target)] == [(37, 51, 3)] * 2
    assert any("odd" in note for note in notes) == (codec in ("h264", "h265"))


def test_names_of_quality_are_ordered(tmp_path: Path) -> None:
    sizes = []
    for quality in ("draft", "good", "visually_lossless", "lossless"):
        write(tmp_path / f"{quality}.mp4", noise(3), "h264", quality)
        sizes.append((tmp_path / f"{quality}.mp4").stat().st_size)
    assert sizes == sorted(sizes)
    write(tmp_path / "number.mp4", noise(3), "h264", 23.5)


@pytest.mark.parametrize(
    ("name", "codec", "quality", "said"),
    [
        ("a.webm", "h264", "good", "vp9"),
        ("a.mp4", "prores", "good", "a.mov"),
        ("a.mp4", "divx", "good", "h264"),
        ("a.mp4", "h264", "superb", "visually_lossless"),
        ("a.mp4", "h264", 52, "0 to 51"),
        ("a.mov", "prores", "lossless", "draft"),
        ("a.mov", "dnxhr", "good", "max-side"),
        ("a.xyz", "h264", "good", ".mp4"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    tmp_path: Path, name: str, codec: str, quality: str | float, said: str
) -> None:
    with pytest.raises(OutputError) as caught:
        VideoWriter(
            tmp_path / name,
            width=64,
            height=48,
            frame_rate=Fraction(25),
            settings=VideoSettings(codec, quality),
        )
    assert said in (next_step(caught.value) or "")
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("source", "target", "codec", "sound", "converted"),
    [
        ("s.mp4", "o.mp4", "h264", "aac", False),
        ("s.mp4", "o.mkv", "h264", "aac", False),
        ("s.mp4", "o.webm", "vp9", "opus", True),
        ("s.webm", "o.webm", "vp9", "opus", False),
        ("s.avi", "o.mp4", "h264", "mp3", False),
        ("pcm.mov", "o.mp4", "h264", "aac", True),
        ("pcm.mov", "o.mov", "h264", "pcm_s16le", False),
        ("s.ts", "o.mp4", "h264", "mp2", None),
    ],
)
def test_sound_is_copied_or_converted_and_kept_whole(
    make_clip: MakeClip,
    tmp_path: Path,
    source: str,
    target: str,
    codec: str,
    sound: str,
    converted: bool | None,
) -> None:
    options = ("-c:a", "pcm_s16le") if source == "pcm.mov" else ()
    path = make_clip(source, *options, sound=True)
    notes = write(tmp_path / target, noise(25), codec, source=SourceStreams(path))
    info = probe(tmp_path / target)
    if converted is None:  # as ffmpeg pleases for this source
        converted, sound = info.audio_codecs != probe(path).audio_codecs, info.audio_codecs[0]
    assert info.audio_codecs == (sound,)
    assert any("converted" in note for note in notes) == converted
    assert float(info.duration_s or 0) == pytest.approx(1, abs=0.1)
    assert len(read(tmp_path / target)) == 25


def test_sound_longer_than_the_pictures_is_kept_and_frames_stay_as_written(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    source = make_clip("s.mp4", sound=True, seconds=2)
    write(tmp_path / "o.mp4", noise(10), source=SourceStreams(source))
    assert len(read(tmp_path / "o.mp4")) == 10
    assert float(probe(tmp_path / "o.mp4").duration_s or 0) == pytest.approx(2, abs=0.1)


def click_s(path: Path) -> float:
    """When the sound of a file begins to be loud, in seconds from the file's start."""
    command = [ffmpeg_exe(), "-v", "error", "-i", str(path), "-vn", "-ac", "1", "-ar", "8000"]
    # aresample fills what is before the first sample, as a player does.
    command += ["-af", "aresample=async=1:first_pts=0", "-f", "s16le", "-"]
    sound = np.frombuffer(subprocess.run(command, check=True, capture_output=True).stdout, np.int16)
    return float(np.argmax(np.abs(sound) > 4000)) / 8000


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("start", [None, Fraction(1), Fraction(3, 2)])
def test_a_trimmed_range_keeps_sound_and_pictures_together(
    encode: Encode, tmp_path: Path, suffix: str, start: Fraction | None
) -> None:
    source = tmp_path / f"s.{suffix}"
    # One key frame only, so that seeking is tempted to go back to 0; a click at 2 s.
    click = "aevalsrc='0.9*sin(2000*t)*gte(t,2)':d=3"
    encode("-f", "lavfi", "-i", "testsrc2=s=64x48:d=3", "-f", "lavfi", "-i", click, "-g", "999", str(source))
    with VideoReader(source, TimeRange(start, Fraction(5, 2))) as reader:
        frames = [frame.pixels for frame in reader]
    write(tmp_path / f"o.{suffix}", frames, source=SourceStreams(source, TimeRange(start, Fraction(5, 2))))
    assert len(read(tmp_path / f"o.{suffix}")) == len(frames)
    assert click_s(tmp_path / f"o.{suffix}") == pytest.approx(2 - float(start or 0), abs=0.05)
    assert float(probe(tmp_path / f"o.{suffix}").duration_s or 0) == pytest.approx(
        2.5 - float(start or 0), abs=0.1
    )


@pytest.mark.parametrize(
    ("sound", "cut", "target", "codec"),
    [
        ("aac", "c.mp4", "o.mkv", "h264"),
        ("aac", "c.mp4", "o.webm", "vp9"),
        ("aac", "c.mp4", "o.mp4", "h264"),
        ("libopus", "c.mp4", "o.webm", "vp9"),
        ("libmp3lame", "c.mp4", "o.mkv", "h264"),
        ("flac", "c.mp4", "o.mkv", "h264"),
        ("alac", "c.mov", "o.mkv", "h264"),
        ("pcm_s16le", "c.mov", "o.mkv", "h264"),
    ],
)
@pytest.mark.parametrize("start", [None, Fraction(0), Fraction(1, 2)])
def test_a_clip_that_was_cut_without_encoding_keeps_its_sound(
    encode: Encode, tmp_path: Path, sound: str, cut: str, target: str, codec: str, start: Fraction | None
) -> None:
    """Such an MP4 begins with a second of sound that is not to be heard, and says so in its edit list."""
    whole, source = tmp_path / cut.replace("c", "w"), tmp_path / cut
    click = "aevalsrc='0.9*sin(2000*t)*gte(t,3)':s=48000:d=5"
    clip = ("-f", "lavfi", "-i", "testsrc2=s=64x48:d=5", "-f", "lavfi", "-i", click)
    encode(*clip, "-g", "25", "-c:a", sound, "-strict", "-2", str(whole))
    encode("-ss", "1.7", "-i", str(whole), "-t", "3", "-c", "copy", str(source))
    # ffmpeg takes a packet of ALAC too few for unheard: 85 ms.
    near = 0.1 if sound == "alac" else 0.03
    assert click_s(source) == pytest.approx(1.3, abs=near)
    with VideoReader(source, TimeRange(start, Fraction(2))) as reader:
        frames = [frame.pixels for frame in reader]
    write(tmp_path / target, frames, codec, source=SourceStreams(source, TimeRange(start, Fraction(2))))
    assert len(read(tmp_path / target)) == len(frames)
    assert click_s(tmp_path / target) == pytest.approx(1.3 - float(start or 0), abs=near)
    assert not [str(problem) for problem in check_clip(tmp_path / target, frames=len(frames))]


def test_words_chapters_and_metadata_come_along(encode: Encode, make_clip: MakeClip, tmp_path: Path) -> None:
    (tmp_path / "w.srt").write_text("1\n00:00:00,100 --> 00:00:00,900\nHello\n")
    (tmp_path / "m.txt").write_text(
        ";FFMETADATA1\ntitle=Holiday\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n"
    )
    source = tmp_path / "s.mkv"
    inputs = [
        "-i",
        str(make_clip("p.mkv", "-c:a", "aac", sound=True)),
        "-i",
        str(tmp_path / "w.srt"),
        "-i",
        str(tmp_path / "m.txt"),
    ]
    encode(
        *inputs,
        "-map",
        "0",
        "-map",
        "1",
        "-map_metadata",
        "2",
        "-map_chapters",
        "2",
        "-c",
        "copy",
        str(source),
    )
    for suffix, words in (("mkv", "subrip"), ("mp4", "mov_text")):
        target = tmp_path / f"o.{suffix}"
        notes = write(target, noise(25), source=SourceStreams(source), metadata={"comment": "made by us"})
        told = subprocess.run(
            [ffmpeg_exe(), "-hide_banner", "-i", str(target)], capture_output=True, text=True
        ).stderr
        assert probe(target).subtitle_codecs == (words,)
        assert notes == []
        for expected in ("Holiday", "Chapter #0:0: start 0.000000, end 0.500000", ": One", "made by us"):
            assert expected in told


def test_alpha_and_rotation_of_the_source_are_not_claimed_of_the_output(
    encode: Encode, make_clip: MakeClip, tmp_path: Path
) -> None:
    clear = make_clip("a.webm", "-vf", "format=yuva420p", "-c:v", "libvpx-vp9", seconds=0.2)
    write(tmp_path / "o.webm", noise(5), "vp9", source=SourceStreams(clear))
    assert not probe(tmp_path / "o.webm").has_alpha
    turned = tmp_path / "turned.mp4"
    encode("-display_rotation", "90", "-i", str(make_clip("f.mp4", seconds=0.2)), "-c", "copy", str(turned))
    write(tmp_path / "o.mp4", noise(5, 64, 48), source=SourceStreams(turned))
    info = probe(tmp_path / "o.mp4")
    assert (info.rotation_degrees, info.width, info.height) == (0, 48, 64)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_pixel_aspect_is_kept(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"o.{suffix}", noise(2), sample_aspect_ratio=Fraction(64, 45))
    assert probe(tmp_path / f"o.{suffix}").sample_aspect_ratio == Fraction(64, 45)


@pytest.mark.parametrize("error", [RuntimeError("mine"), KeyboardInterrupt()])
def test_an_error_leaves_no_file_and_no_process(
    tmp_path: Path, error: BaseException, our_ffmpegs: Callable[[], list[int]]
) -> None:
    (tmp_path / "o.mp4").write_bytes(b"old")
    settings = VideoSettings("h264", "draft")
    writer = VideoWriter(tmp_path / "o.mp4", width=64, height=48, frame_rate=Fraction(25), settings=settings)
    with pytest.raises(type(error)), writer:
        writer.write(noise(1)[0])
        assert our_ffmpegs()
        raise error
    assert our_ffmpegs() == []
    assert [path.name for path in tmp_path.iterdir()] == ["o.mp4"]
    assert (tmp_path / "o.mp4").read_bytes() == b"old"


def test_a_killed_ffmpeg_is_an_output_error(tmp_path: Path, our_ffmpegs: Callable[[], list[int]]) -> None:
    settings = VideoSettings("h264", "draft")
    writer = VideoWriter(
        tmp_path / "o.mp4", width=640, height=480, frame_rate=Fraction(25), settings=settings
    )
    with pytest.raises(OutputError, match="signal 9"), writer:
        os.kill(our_ffmpegs()[0], signal.SIGKILL)
        for frame in noise(3, 480, 640) * 5:
            writer.write(frame)
    assert [path.name for path in tmp_path.iterdir()] == []
    assert our_ffmpegs() == []


class _Damaging(VideoWriter):
    """Whose disk keeps something else than what was written."""

    def _refuse_damage(self) -> None:
        data = self._temporary.read_bytes()
        self._temporary.write_bytes(data[: len(data) // 2])
        super()._refuse_damage()


def test_a_file_that_is_not_whole_is_not_put_in_place(tmp_path: Path) -> None:
    size = {"width": 64, "height": 48, "frame_rate": Fraction(25)}
    settings = VideoSettings("ffv1")
    writer = _Damaging(tmp_path / "o.mkv", **size, settings=settings, verify_output=True)
    with pytest.raises(OutputError, match=r"o\.mkv: what was encoded is damaged: "), writer:
        for frame in noise(12):
            writer.write(frame)
    assert not list(tmp_path.iterdir())
    write(tmp_path / "whole.mkv", noise(12), "ffv1", "lossless", verify_output=True)
    assert len(read(tmp_path / "whole.mkv")) == 12


def test_an_encoder_that_fails_and_a_full_disk_are_told_apart(
    tmp_path: Path, our_ffmpegs: Callable[[], list[int]]
) -> None:
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-i", "pipe:0"]
    refused = FFmpeg([*raw, "-c:v", "no_such_encoder", f"file:{tmp_path / 'o.mkv'}"], tmp_path / "o.mkv")
    with pytest.raises(OutputError, match="no_such_encoder"):
        for frame in noise(3) * 50:
            refused.write(frame.tobytes())
        refused.close()
    full = FFmpeg([*raw, "-c:v", "ffv1", "-f", "matroska", "/dev/full"], tmp_path / "o.mkv")
    with pytest.raises(StorageError, match="no room left for"):
        for frame in noise(3) * 50:
            full.write(frame.tobytes())
        full.close()
    assert our_ffmpegs() == []


def test_no_frame_is_no_video(tmp_path: Path, our_ffmpegs: Callable[[], list[int]]) -> None:
    settings = VideoSettings("h264", "draft")
    writer = VideoWriter(tmp_path / "o.mp4", width=64, height=48, frame_rate=Fraction(25), settings=settings)
    with pytest.raises(OutputError, match="no frame"), writer:
        pass
    with pytest.raises(ValueError, match="expected 48x64"), writer:
        writer.write(np.zeros((48, 32, 3), np.uint8))
    assert [path.name for path in tmp_path.iterdir()] == []
    assert our_ffmpegs() == []


@pytest.mark.parametrize(
    "name", ["-y.mp4", "new\nline.mp4", "%04d.mp4", "žluťoučký 馬.mp4", "http:x.mp4", "UP.MP4"]
)
def test_odd_names_are_only_names(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, noise(2))
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert len(read(tmp_path / name)) == 2
