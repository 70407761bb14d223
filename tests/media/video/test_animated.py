"""Animated pictures as clips: what shows through them, how often they are played, sequences of stills, raw MJPEG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from media_facts import encode
from PIL import Image, ImageDraw, features
from rewriting import rewrite

from framestyle.kinds import MediaKind
from framestyle.media.animated import gif_repeats, plays_of, read_gif
from framestyle.media.files import sniff
from framestyle.media.verify.checking import verify
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader

SIZE = (48, 32)
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="Pillow has no AVIF")


def drawn(number: int) -> Image.Image:
    layer = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    ImageDraw.Draw(layer).rectangle([4 * number, 8, 4 * number + 15, 24], fill=(200, 30 * number, 40, 255))
    return layer


def animation(path: Path, frames: list[Image.Image], **options: Any) -> Path:
    options = {"duration": 80} | options
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    return path


def layers_of(path: Path) -> list[Any]:
    """Each picture as Pillow composes it."""
    with Image.open(path) as image:
        found = []
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            found.append(np.asarray(image.convert("RGBA")))
    return found


def frames_of(path: Path) -> list[Any]:
    """RGBA at 8 bits."""
    with VideoReader(path) as reader:
        found = []
        for frame in reader:
            alpha = np.full(frame.pixels.shape[:2], 255, np.uint8) if frame.alpha is None else frame.alpha
            both = np.dstack([frame.pixels, alpha])
            found.append((both >> 8).astype(np.uint8) if both.dtype == np.uint16 else both)
    return found


def are_alike(mine: list[Any], theirs: list[Any], off: int = 0) -> bool:
    """Alphas, and colours where they show."""
    return len(mine) == len(theirs) and all(
        np.abs(a[..., 3].astype(int) - b[..., 3]).max() <= off
        and np.abs(a[..., :3].astype(int) - b[..., :3])[b[..., 3] > 0].max(initial=0) <= off
        for a, b in zip(mine, theirs, strict=True)
    )


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_a_gif_shows_through_where_it_is_clear_however_it_disposes(tmp_path: Path, disposal: int) -> None:
    path = animation(tmp_path / "a.gif", [drawn(n) for n in range(4)], disposal=disposal)
    assert probe(path).has_alpha and are_alike(frames_of(path), layers_of(path))


def test_a_gif_that_leaves_out_what_stays_is_opaque(tmp_path: Path) -> None:
    """It uses transparency between its pictures, and nothing shows through."""
    encode("-f", "lavfi", "-i", "testsrc2=s=48x32:r=10:d=0.5", str(tmp_path / "a.gif"))
    assert read_gif(tmp_path / "a.gif").may_be_clear
    assert not probe(tmp_path / "a.gif").has_alpha


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [("gif", "gif"), ("webp", "webp"), ("apng", "apng"), ("mov", "prores"), ("mkv", "ffv1")],
)
@pytest.mark.parametrize("source", ["gif", "webp", "png"])
def test_transparency_goes_wherever_there_is_room_for_it(
    tmp_path: Path, source: str, suffix: str, codec: str
) -> None:
    disposal = 1 if source == "png" else 2  # each format's word for clearing what was there
    given = animation(tmp_path / f"in.{source}", [drawn(n) for n in range(4)], disposal=disposal, loop=0)
    notes = rewrite(given, tmp_path / f"out.{suffix}", codec)
    mine, theirs = frames_of(tmp_path / f"out.{suffix}"), frames_of(given)
    assert probe(tmp_path / f"out.{suffix}").has_alpha and not any("transparency" in note for note in notes)
    assert [np.abs(a[..., 3].astype(int) - b[..., 3]).max() for a, b in zip(mine, theirs, strict=True)] == [
        0
    ] * 4
    if suffix in ("gif", "webp", "apng"):  # as others see it
        assert all(
            (a[..., 3] == b[..., 3]).all()
            for a, b in zip(layers_of(tmp_path / f"out.{suffix}"), theirs, strict=True)
        )
    said = rewrite(given, tmp_path / "out.mp4", "h264")
    assert any("holds no transparency: laid over black" in note for note in said)


@pytest.mark.parametrize(("loop", "plays"), [(None, 1), (0, 0), (1, 2), (3, 4), (65534, 65535)])
def test_a_gif_is_played_as_often_afterwards(tmp_path: Path, loop: int | None, plays: int) -> None:
    """A GIF counts what comes after the first time; a WebP counts all."""
    given = animation(
        tmp_path / "in.gif", [drawn(n) for n in range(3)], **({} if loop is None else {"loop": loop})
    )
    assert plays_of(given) == probe(given).plays == plays
    rewrite(given, tmp_path / "out.gif", "gif")
    with Image.open(tmp_path / "out.gif") as image:
        assert image.info.get("loop") == loop
    rewrite(given, tmp_path / "out.webp", "webp")
    rewrite(given, tmp_path / "out.apng", "apng")
    for name in ("out.webp", "out.apng"):
        with Image.open(tmp_path / name) as image:
            assert image.info["loop"] == plays
    said = rewrite(given, tmp_path / "out.mp4", "h264")
    assert any(f"played {plays} times" in note for note in said) == (plays > 1)


@pytest.mark.parametrize("loop", [0, 1, 5])
@pytest.mark.parametrize("source", ["webp", "png"])
def test_a_webp_or_png_is_played_as_often_afterwards(tmp_path: Path, source: str, loop: int) -> None:
    given = animation(tmp_path / f"in.{source}", [drawn(n) for n in range(3)], loop=loop)
    for suffix in ("webp", "apng", "gif"):
        rewrite(given, tmp_path / f"out.{suffix}", suffix)
        assert plays_of(tmp_path / f"out.{suffix}") == loop
    assert [gif_repeats(plays) for plays in (0, 1, 2, 9)] == [0, -1, 1, 8]


@pytest.mark.parametrize("disposal", [0, 1, 2])
@pytest.mark.parametrize("blend", [0, 1])
def test_an_animated_png_is_a_clip_however_it_disposes_and_blends(
    tmp_path: Path, disposal: int, blend: int
) -> None:
    given = [drawn(n) for n in range(4)]
    path = animation(tmp_path / "a.png", given, disposal=disposal, blend=blend)
    assert sniff(path) is MediaKind.VIDEO and probe(path).has_alpha
    # Pillow writes pictures that take themselves away again, and composes them otherwise.
    shown = [np.asarray(one) for one in given] if disposal == 2 else layers_of(path)
    assert are_alike(frames_of(path), shown)


def test_what_a_png_shows_where_it_is_not_animated_is_no_frame_of_it(tmp_path: Path) -> None:
    path = animation(tmp_path / "a.png", [drawn(n) for n in range(4)], disposal=1, default_image=True)
    assert are_alike(frames_of(path), layers_of(path)[1:])
    still = animation(tmp_path / "b.png", [drawn(0)], default_image=False)
    assert sniff(still) is MediaKind.PHOTO


def test_an_opaque_animated_png_is_opaque_and_a_deep_one_deep(tmp_path: Path) -> None:
    given, made = tmp_path / "a.apng", tmp_path / "b.apng"
    source = ("-f", "lavfi", "-i", "testsrc2=s=48x32:r=10:d=0.3")
    encode(*source, "-pix_fmt", "rgba", str(given))
    assert probe(given).pixel_format == "rgba" and not probe(given).has_alpha
    encode(*source, "-pix_fmt", "rgb48be", str(given))
    assert probe(given).bit_depth == 16 and probe(given).plays == 1
    rewrite(given, made, "apng")
    assert probe(made).bit_depth == 16 and len(frames_of(made)) == 3
    with VideoReader(given) as one, VideoReader(made) as other:
        assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other, strict=True))


def test_pictures_of_a_png_that_cannot_be_decoded_are_missed(tmp_path: Path) -> None:
    """ffmpeg lays no deep pictures over each other: it gives the first one alone."""
    source = ("-f", "lavfi", "-i", "testsrc2=s=48x32:r=10:d=0.3", "-pix_fmt", "rgba64be")
    encode(*source, str(tmp_path / "a.apng"))
    with VideoReader(tmp_path / "a.apng") as reader:
        assert len(list(reader)) == 1 and reader.missing_estimate == 2
    assert verify(tmp_path / "a.apng").verdict == "damaged"


def test_an_animated_png_that_is_cut_off_is_damaged(tmp_path: Path) -> None:
    whole = animation(tmp_path / "a.png", [drawn(n) for n in range(4)])
    assert verify(whole).verdict == "whole"
    for kept in (-3, -40, 400):
        (tmp_path / "b.png").write_bytes(whole.read_bytes()[:kept])
        assert verify(tmp_path / "b.png").verdict == "damaged"


def test_a_clip_that_says_nothing_is_played_for_ever(tmp_path: Path) -> None:
    encode("-f", "lavfi", "-i", "testsrc2=s=48x32:r=10:d=0.3", str(tmp_path / "a.mp4"))
    rewrite(tmp_path / "a.mp4", tmp_path / "a.gif", "gif")
    assert probe(tmp_path / "a.mp4").plays is None and plays_of(tmp_path / "a.gif") == 0


@needs_avif
@pytest.mark.parametrize("has_alpha", [False, True])
def test_an_avif_sequence_is_all_of_its_pictures(tmp_path: Path, has_alpha: bool) -> None:
    top = (120, 0, 255) if has_alpha else (255, 255, 255)
    colours = [(220, 30, 30), (30, 200, 30), (30, 30, 210)]
    frames = [Image.new("RGBA", SIZE, (*rgb, a)) for rgb, a in zip(colours, top, strict=True)]
    if not has_alpha:
        frames = [frame.convert("RGB") for frame in frames]
    path = animation(tmp_path / "a.avif", frames, duration=[100, 200, 300], quality=100)
    info = probe(path)
    assert sniff(path) is MediaKind.VIDEO and info.has_alpha == has_alpha and info.is_picture_sequence
    with VideoReader(path) as reader:
        assert [float(frame.pts) for frame in reader] == [0, 0.1, 0.3]
    assert are_alike(frames_of(path), layers_of(path), off=3)
    assert rewrite(path, tmp_path / "b.mov", "prores") == []
    assert len(frames_of(tmp_path / "b.mov")) == 3 and probe(tmp_path / "b.mov").has_alpha == has_alpha


@needs_avif
def test_an_avif_of_one_picture_is_a_photo(tmp_path: Path) -> None:
    drawn(1).save(tmp_path / "a.avif")
    assert sniff(tmp_path / "a.avif") is MediaKind.PHOTO


def test_a_heic_sequence_is_all_of_its_pictures(tmp_path: Path) -> None:
    coded = (
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=error",
        "-tag:v",
        "hvc1",
        "-f",
        "mp4",
        "-brand",
        "hevc",
    )
    encode("-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=0.5", *coded, str(tmp_path / "a.heics"))
    assert sniff(tmp_path / "a.heics") is MediaKind.VIDEO and len(frames_of(tmp_path / "a.heics")) == 5
    assert verify(tmp_path / "a.heics").facts["frames"] == 5


@pytest.mark.parametrize("name", ["cam.mjpeg", "cam.jpg", "cam"])
def test_raw_mjpeg_is_a_clip_whatever_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    encode("-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4", "-c:v", "mjpeg", "-f", "mjpeg", str(path))
    assert sniff(path) is MediaKind.VIDEO
    frames = frames_of(path)
    with Image.open(path) as image:
        assert np.abs(frames[0][..., :3].astype(int) - np.asarray(image.convert("RGB"))).mean() < 5
    assert len(frames) == 10 and rewrite(path, tmp_path / "out.mp4") == []


def test_a_photo_with_pictures_behind_it_is_a_photo(tmp_path: Path) -> None:
    """Of a camera's (EXIF), or with an index of its pictures (MPO), and so is one alone."""
    image = drawn(1).convert("RGB")
    image.save(tmp_path / "one.jpg")
    image.save(tmp_path / "mpo.jpg", format="MPO", save_all=True, append_images=[image])
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    image.save(tmp_path / "camera.jpg", exif=exif)
    (tmp_path / "camera.jpg").write_bytes(
        (tmp_path / "camera.jpg").read_bytes() + (tmp_path / "one.jpg").read_bytes()
    )
    for name in ("one", "mpo", "camera"):
        assert sniff(tmp_path / f"{name}.jpg") is MediaKind.PHOTO


@pytest.mark.parametrize("cut", [3, 12, 20, 60, 300])
def test_an_animation_that_ends_anywhere_says_what_it_can(tmp_path: Path, cut: int) -> None:
    for suffix in ("gif", "webp"):
        path = animation(tmp_path / f"a.{suffix}", [drawn(n) for n in range(3)], loop=2)
        path.write_bytes(path.read_bytes()[:cut])
        assert plays_of(path) in (None, 1, 2, 3)
