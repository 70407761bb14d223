"""Transparency of clips is read and written, exactly where the codec is, and said where it cannot be kept."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media_facts import ask, encode

from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import VideoSettings, VideoWriter

HEIGHT, WIDTH = 48, 64


def layers(number: int = 0) -> np.ndarray:
    """RGBA: opaque above, half clear in the middle, hidden below; colours everywhere."""
    picture = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    picture[..., :3] = (200 - number * 20, 60, 30)
    picture[:16, :, 3], picture[16:32, :, 3] = 255, 128
    return picture


SOURCES = {
    "4444.mov": ("-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le"),
    "vp9.webm": ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p", "-crf", "10", "-b:v", "0"),
    "vp8.webm": ("-c:v", "libvpx", "-pix_fmt", "yuva420p", "-auto-alt-ref", "0", "-crf", "4", "-b:v", "4M"),
    "rle.mov": ("-c:v", "qtrle", "-pix_fmt", "argb"),
    "png.mov": ("-c:v", "png", "-pix_fmt", "rgba"),
    "deep.mkv": ("-c:v", "ffv1", "-pix_fmt", "gbrap16le"),
    "yuva.mkv": ("-c:v", "ffv1", "-pix_fmt", "yuva422p10le"),
    "a.webp": ("-c:v", "libwebp_anim", "-pix_fmt", "bgra", "-lossless", "1"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_kind_is_read_with_its_transparency(tmp_path: Path, name: str) -> None:
    raw = ("-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25", "-i", "-")
    data = b"".join(layers(number).tobytes() for number in range(3))
    encode(*raw, *SOURCES[name], str(tmp_path / name), data=data)
    with VideoReader(tmp_path / name) as reader:
        frames = list(reader)
        assert reader.info.has_alpha and not reader.by_opencv
    assert len(frames) == 3
    for number, frame in enumerate(frames):
        assert frame.alpha is not None and frame.alpha.shape == (HEIGHT, WIDTH)
        assert frame.alpha.dtype == frame.pixels.dtype
        top = np.iinfo(frame.alpha.dtype).max
        seen = frame.alpha[[8, 24, 40], 20] / top * 255
        assert np.abs(seen - [255, 128, 0]).max() <= 3
        assert np.abs(frame.pixels[8, 20] / top * 255 - layers(number)[8, 20, :3]).max() <= 6


WRITTEN = [("prores", ".mov", 1.0), ("prores", ".mkv", 1.0), ("vp9", ".webm", 6.0), ("vp9", ".mkv", 6.0)]
WRITTEN += [("ffv1", ".mkv", 0.0), ("webp", ".webp", 3.0), ("gif", ".gif", 255.0), ("apng", ".apng", 0.0)]


def write(
    target: Path,
    codec: str,
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    deep: bool = False,
    quality: str = "visually_lossless",
) -> list[str]:
    factor = 257 if deep else 1
    with VideoWriter(
        target,
        width=size[0],
        height=size[1],
        frame_rate=Fraction(25),
        settings=VideoSettings(codec, quality),
        bits=16 if deep else 8,
        alpha=True,
    ) as writer:
        for number in range(3):
            picture = layers(number)[: size[1], : size[0]].astype(np.uint16 if deep else np.uint8) * factor
            writer.write(picture[..., :3].copy(), alpha=picture[..., 3].copy())
    return writer.notes


@pytest.mark.parametrize(("codec", "suffix", "allowed"), WRITTEN)
@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_every_codec_that_has_transparency_keeps_it(
    tmp_path: Path, codec: str, suffix: str, allowed: float, deep: bool, size: tuple[int, int]
) -> None:
    target = tmp_path / f"o{suffix}"
    notes = write(target, codec, size=size, deep=deep)
    assert not any("transparency" in note for note in notes)
    decoder = ("-c:v", "libvpx-vp9") if codec == "vp9" else ()
    raw = ask(*decoder, "-i", str(target), "-frames:v", "1", "-pix_fmt", "rgba", "-f", "rawvideo", "-")
    seen = np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 4)[[8, 24, 40], 20, 3].astype(int)
    assert seen[0] >= 252 and seen[2] <= 3
    assert abs(seen[1] - 128) <= max(allowed, 1)
    if codec != "gif":
        with VideoReader(target) as reader:
            frame = next(iter(reader))
        assert frame.alpha is not None
        top = np.iinfo(frame.alpha.dtype).max
        assert np.abs(frame.pixels[8, 20] / top * 255 - [200, 60, 30]).max() <= 4


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [("h264", ".mp4"), ("h265", ".mov"), ("av1", ".webm"), ("vp9", ".mp4"), ("dnxhr", ".mov")],
)
def test_where_it_cannot_be_kept_it_is_laid_over_black_and_said(
    tmp_path: Path, codec: str, suffix: str
) -> None:
    size = (256, 120) if codec == "dnxhr" else (WIDTH, HEIGHT)
    target = tmp_path / f"o{suffix}"
    picture = np.tile(layers(), (3, 4, 1))[: size[1], : size[0]]
    with VideoWriter(
        target,
        width=size[0],
        height=size[1],
        frame_rate=Fraction(25),
        settings=VideoSettings(codec),
        alpha=True,
    ) as writer:
        writer.write(picture[..., :3].copy(), alpha=picture[..., 3].copy())
    assert f"{codec} in {suffix} holds no transparency: laid over black." in writer.notes
    assert not probe(target).has_alpha
    with VideoReader(target) as reader:
        pixels = next(iter(reader)).pixels
    seen = pixels[[8, 24, 40], 20, 0] / np.iinfo(pixels.dtype).max * 255
    assert np.abs(seen - [200, 100, 0]).max() <= 8


def test_lossless_with_transparency_is_lossless_or_says_that_it_is_not(tmp_path: Path) -> None:
    write(tmp_path / "o.mkv", "ffv1", quality="lossless")
    with VideoReader(tmp_path / "o.mkv") as reader:
        frame = next(iter(reader))
    assert np.array_equal(np.dstack([frame.pixels, frame.alpha]), layers())  # type: ignore[list-item]
    assert any(
        "holds no transparency: it is visually lossless" in note
        for note in write(tmp_path / "o.webm", "vp9", quality="lossless")
    )
