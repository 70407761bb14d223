"""Sizes, pixel aspects and rotations: as the source's, upright once, on either decoder, in every codec."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media_facts import encode, told_of

from framestyle.media.video.codecs import CODECS
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import VideoSettings, VideoWriter

PAIRS = [(name, suffix) for name, codec in CODECS.items() for suffix in codec.containers]
DEPTHS = {"yuv420p": True, "yuv420p10le": False}
"""Which OpenCV decodes."""


def corners(height: int, width: int) -> np.ndarray:
    """Four quarters: red, green, blue, white."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[: height // 2, : width // 2, 0] = picture[: height // 2, width // 2 :, 1] = 230
    picture[height // 2 :, : width // 2, 2] = picture[height // 2 :, width // 2 :] = 230
    return picture


def brightest(pixels: np.ndarray) -> list[str]:
    """What the quarters are, row by row."""
    height, width = pixels.shape[:2]
    names = []
    for y in (height // 4, height * 3 // 4):
        for x in (width // 4, width * 3 // 4):
            high = pixels[y, x] > pixels.max() * 0.6
            names.append("w" if high.all() else "rgb"[int(np.argmax(pixels[y, x]))])
    return names


@pytest.mark.parametrize(("codec", "suffix"), PAIRS)
@pytest.mark.parametrize("size", [(297, 151), (298, 151), (297, 152)])
def test_no_codec_resizes(tmp_path: Path, codec: str, suffix: str, size: tuple[int, int]) -> None:
    (width, height), target = size, tmp_path / f"o{suffix}"
    settings = VideoSettings(codec, "draft")
    with VideoWriter(
        target, width=width, height=height, frame_rate=Fraction(25), settings=settings
    ) as writer:
        for n in range(2):
            writer.write(corners(height, width) // (n + 1))
    with VideoReader(target) as reader:
        frames = [frame.pixels for frame in reader]
    assert [frame.shape for frame in frames] == [(height, width, 3)] * 2
    assert brightest(frames[0]) == ["r", "g", "b", "w"]
    assert f"{width}x{height}" in told_of(target)


@pytest.mark.parametrize("pixel_format", DEPTHS)
@pytest.mark.parametrize(
    ("turned", "upright", "quarters"),
    [(0, (64, 48), "rgbw"), (90, (48, 64), "brwg"), (180, (64, 48), "wbgr"), (270, (48, 64), "gwrb")],
)
def test_a_turned_clip_is_upright_once(
    tmp_path: Path, pixel_format: str, turned: int, upright: tuple[int, int], quarters: str
) -> None:
    """`turned`: clockwise, by which a player turns it."""
    flat, source = tmp_path / "flat.mp4", tmp_path / "s.mp4"
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48", "-r", "25", "-i", "-")
    encode(
        *raw,
        "-vf",
        f"setsar=4/3,format={pixel_format}",
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error",
        str(flat),
        data=corners(48, 64).tobytes() * 3,
    )
    encode("-display_rotation", str(-turned), "-i", str(flat), "-c", "copy", str(source))
    with VideoReader(source) as reader:
        info, frames = reader.info, [frame.pixels for frame in reader]
        assert reader.by_opencv == (DEPTHS[pixel_format] and not turned)
    assert info.rotation_degrees == turned and (info.width, info.height) == upright
    assert frames[0].shape == (upright[1], upright[0], 3) and "".join(brightest(frames[0])) == quarters
    assert info.sample_aspect_ratio == (Fraction(4, 3) if turned % 180 == 0 else Fraction(3, 4))


@pytest.mark.parametrize(
    ("codec", "suffix"), [pair for pair in PAIRS if pair[0] not in ("gif", "webp", "apng")]
)
@pytest.mark.parametrize("aspect", ["64/45", "10/11"])
def test_every_codec_keeps_the_pixel_aspect(tmp_path: Path, codec: str, suffix: str, aspect: str) -> None:
    target = tmp_path / f"o{suffix}"
    with VideoWriter(
        target,
        width=256,
        height=120,
        frame_rate=Fraction(25),
        settings=VideoSettings(codec, "draft"),
        sample_aspect_ratio=Fraction(aspect),
    ) as writer:
        for _ in range(2):
            writer.write(corners(120, 256))
    with VideoReader(target) as reader:
        assert abs(reader.info.sample_aspect_ratio / Fraction(aspect) - 1) < Fraction(1, 500)
