"""Right results of stills and animated pictures, each broken in one property: `verify --against` names it, N of N.

The untouched ones raise no alarm. Nothing of ours breaks them: bytes are moved, or another library writes them anew.
"""

from __future__ import annotations

import functools
import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from media_facts import encode
from photo_makers import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB,
    XMP,
    camera_exif,
    deep_png,
    deep_tiff,
    orientation_exif,
    picture,
    png_chunk,
    save,
)
from PIL import Image, ImageDraw, PngImagePlugin
from rewriting import rewrite

from framestyle.media.photos import read_photo, write_photo
from framestyle.media.photos.avif import StillPicture, write_avif
from framestyle.media.photos.cicp import Cicp
from framestyle.media.verify.comparing import verify_against
from framestyle.media.verify.verdict import DIFFERENCE

RECIPE = json.dumps({"preset": {"output": {"color_profile": "source", "hdr": "keep"}}})
ALPHA = np.linspace(0, 65535, 64)[None].repeat(48, 0).astype(np.uint16)
Mutation = Callable[[Path], None]


def found(result: Path, source: Path) -> list[str]:
    report = verify_against(result, source)
    assert report.verdict != "damaged", report.problems
    return [one.text for one in report.problems if one.kind == DIFFERENCE]


# -- how a PNG is broken -----------------------------------------------------------------------------------


def chunks_of(path: Path) -> list[tuple[bytes, bytes]]:
    data, at, chunks = path.read_bytes(), 8, []
    while at < len(data):
        (length,) = struct.unpack_from(">L", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


def rewritten(path: Path, change: Callable[[bytes, bytes], bytes | None]) -> None:
    """Each chunk's data as `change` gives it; None: left out."""
    kept = [(kind, change(kind, data)) for kind, data in chunks_of(path)]
    body = b"".join(png_chunk(kind, data) for kind, data in kept if data is not None)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def without(kind: bytes, start: bytes = b"") -> Mutation:
    return lambda path: rewritten(
        path, lambda one, data: None if one == kind and data.startswith(start) else data
    )


def replaced(kind: bytes, old: bytes, new: bytes) -> Mutation:
    return lambda path: rewritten(path, lambda one, data: data.replace(old, new) if one == kind else data)


def repainted(change: Callable[[Any], Any]) -> Mutation:
    """Other pixels below the same words."""

    def mutate(path: Path) -> None:
        decoded = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        pixels = np.ascontiguousarray(change(decoded[..., [2, 1, 0, 3][: decoded.shape[2]]]))
        words = [(k, d) for k, d in chunks_of(path) if k not in (b"IHDR", b"IDAT", b"IEND")]
        more = b"".join(png_chunk(kind, data) for kind, data in words)
        if pixels.dtype == np.uint16:
            path.write_bytes(deep_png(pixels, more=more))
            return
        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "PNG")
        path.write_bytes(data.getvalue()[:33] + more + data.getvalue()[33:])

    return mutate


def alpha_of(change: Callable[[Any], Any]) -> Mutation:
    return repainted(lambda layers: np.dstack([layers[..., :3], change(layers[..., 3])]))


def sized(width: int, height: int) -> Mutation:
    return repainted(lambda layers: cv2.resize(layers, (width, height), interpolation=cv2.INTER_AREA))


def both(one: Mutation, other: Mutation) -> Mutation:
    def mutate(path: Path) -> None:
        one(path)
        other(path)

    return mutate


def add(path: Path, chunk: bytes) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk + data[33:])


PNG: dict[str, tuple[Mutation, str]] = {
    "colours not told": (without(b"cICP"), "its colours are not tagged, and should be tagged smpte432"),
    "other primaries": (replaced(b"cICP", b"\x0c\x0d", b"\x09\x0d"), "its colours are tagged bt2020"),
    "other transfer": (replaced(b"cICP", b"\x0c\x0d", b"\x0c\x08"), "its colours are tagged smpte432/linear"),
    "sRGB instead": (
        both(without(b"cICP"), lambda path: add(path, png_chunk(b"iCCP", b"p\0\0" + zlib.compress(SRGB)))),
        "its colours are tagged sRGB",
    ),
    "EXIF gone": (without(b"eXIf"), "the source's EXIF is missing"),
    "EXIF tag gone": (replaced(b"eXIf", b"\x01\x0f\0\x02", b"\x01\x0e\0\x02"), "EXIF it lacks Make"),
    "EXIF value changed": (replaced(b"eXIf", b"2020:01:02", b"2021:01:02"), "EXIF it lacks DateTimeOriginal"),
    "place changed": (replaced(b"eXIf", struct.pack(">2L", 48, 1), struct.pack(">2L", 47, 1)), "GPSLatitude"),
    "text gone": (without(b"iTXt", b"parameters"), "texts it lacks parameters"),
    "text changed": (replaced(b"iTXt", b"a cat", b"a dog"), "texts it lacks parameters"),
    "XMP gone": (without(b"iTXt", b"XML:com.adobe.xmp"), "XMP it lacks"),
    "XMP changed": (
        replaced(b"iTXt", b'xmp:Rating="4"', b'xmp:Rating="1"'),
        "XMP it lacks Rating",
    ),
    "resolution gone": (
        both(without(b"pHYs"), replaced(b"eXIf", b"\x01\x1a\0\x05", b"\x01\x1e\0\x05")),
        "its resolution is not told",
    ),
    "resolution changed": (
        replaced(b"pHYs", struct.pack(">L", 11811), struct.pack(">L", 2835)),
        "72.009 dpi",
    ),
    "depth halved": (
        repainted(lambda layers: (layers >> 8).astype(np.uint8)),
        "8 bits a channel, the source 16",
    ),
    "transparency gone": (repainted(lambda layers: layers[..., :3]), "it has no transparency"),
    "all opaque": (alpha_of(lambda alpha: np.full_like(alpha, 65535)), "it has no transparency"),
    "transparency turned round": (
        alpha_of(lambda alpha: 65535 - alpha),
        "its transparency is not the source's",
    ),
    "transparency hardened": (
        alpha_of(lambda a: np.where(a > 32767, 65535, 0).astype(a.dtype)),
        "transparency is",
    ),
    "mirrored": (repainted(lambda layers: layers[:, ::-1]), "the source mirrored"),
    "upside down": (repainted(lambda layers: layers[::-1, ::-1]), "the source turned by 180°"),
    "on its side": (repainted(lambda layers: np.rot90(layers)), "it is 48x64, the source 64x48"),
    "cropped": (repainted(lambda layers: layers[8:]), "of another shape"),
    "stretched": (sized(64, 32), "of another shape"),
    "enlarged": (sized(128, 96), "enlarged"),
}


@functools.cache
def shown(dtype: Any = np.uint8) -> Any:
    """What no way of turning leaves alike, in light and dark."""
    pixels = picture(dtype, 48, 64)
    pixels[6:20, 6:30] = np.iinfo(dtype).max
    return pixels


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A PNG with all that a PNG can have, and its result."""
    folder = tmp_path_factory.mktemp("rich")
    words = PngImagePlugin.PngInfo()
    words.add_itxt("parameters", "a cat")
    words.add_text("Author", "me")
    words.add_itxt("XML:com.adobe.xmp", XMP.decode().replace('tiff:Orientation="6"', 'tiff:Orientation="1"'))
    data = io.BytesIO()
    Image.new("RGB", (1, 1)).save(data, "PNG", pnginfo=words, dpi=(300, 300))
    (folder / "words.png").write_bytes(data.getvalue())
    own = [
        png_chunk(k, d) for k, d in chunks_of(folder / "words.png") if k not in (b"IHDR", b"IDAT", b"IEND")
    ]
    more = b"".join([png_chunk(b"cICP", bytes((12, 13, 0, 1))), *own])
    source, result = folder / "in.png", folder / "out.png"
    source.write_bytes(deep_png(np.dstack([shown(np.uint16), ALPHA]), exif=camera_exif(), more=more))
    made(source, result)
    return source, result


def made(source: Path, result: Path) -> None:
    photo = read_photo(source)
    write_photo(result, photo.pixels, photo, {"comment": "framestyle 1", "recipe": RECIPE})


@pytest.mark.parametrize("name", PNG)
def test_each_property_of_a_png(rich: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    mutate, words = PNG[name]
    broken = tmp_path / "out.png"
    broken.write_bytes(rich[1].read_bytes())
    assert found(broken, rich[0]) == []
    mutate(broken)
    assert any(words in text for text in found(broken, rich[0])), found(broken, rich[0])


# -- stills of other formats -------------------------------------------------------------------------------


def resaved(**options: Any) -> Mutation:
    """By Pillow, with its words but for `options`."""

    def mutate(path: Path) -> None:
        with Image.open(path) as image:
            image.load()
            kept = {
                key: image.info[key] for key in ("exif", "icc_profile", "xmp", "dpi") if key in image.info
            }
            pixels = image.copy()
        pixels.info.clear()
        chosen = {key: value for key, value in (kept | options).items() if value is not None}
        pixels.save(path, pixels.format, quality=95, **chosen)

    return mutate


def in_bytes(old: bytes, new: bytes) -> Mutation:
    def mutate(path: Path) -> None:
        data = path.read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new))

    return mutate


def as_avif(**changes: Any) -> Mutation:
    """The same picture, otherwise coded."""

    def mutate(path: Path) -> None:
        photo = read_photo(path)
        given: dict[str, Any] = {
            "pixels": photo.pixels, "alpha": photo.alpha, "bits": 10, "coded": photo.coded, "profile": None,
            "exif": photo.exif, "xmp": photo.xmp,
        }  # fmt: skip
        write_avif(path, StillPicture(**given | changes), 95, "4:4:4")

    return mutate


STILLS: dict[str, tuple[str, Mutation, str]] = {
    "JPEG, profile gone": ("p3.jpg", resaved(icc_profile=None), "its colours are not tagged"),
    "JPEG, another profile": ("p3.jpg", resaved(icc_profile=ADOBE_RGB), "its colours are of a profile"),
    "JPEG, sRGB's profile": ("p3.jpg", resaved(icc_profile=SRGB), "its colours are tagged sRGB"),
    "JPEG, EXIF gone": ("p3.jpg", resaved(exif=None), "the source's EXIF is missing"),
    "JPEG, on its side": ("p3.jpg", resaved(exif=orientation_exif(6)), "it is 48x64, the source 64x48"),
    "JPEG, upside down": ("p3.jpg", resaved(exif=orientation_exif(3)), "turned by 180°"),
    "JPEG, mirrored": ("p3.jpg", resaved(exif=orientation_exif(2)), "the source mirrored"),
    "JPEG, XMP gone": ("p3.jpg", resaved(xmp=None), "XMP it lacks"),
    "WebP, profile gone": ("p3.webp", resaved(icc_profile=None), "its colours are not tagged"),
    "WebP, EXIF gone": ("p3.webp", resaved(exif=None), "the source's EXIF is missing"),
    "TIFF, turned by its tag": ("deep.tif", in_bytes(struct.pack("<HHLHH", 274, 3, 1, 1, 0),
                                                    struct.pack("<HHLHH", 274, 3, 1, 3, 0)), "turned by 180°"),
    "TIFF, profile gone": ("deep.tif", in_bytes(struct.pack("<HH", 34675, 7), struct.pack("<HH", 34676, 7)),
                           "its colours are not tagged"),
    "PNG, gamma gone": ("gamma.png", without(b"gAMA"), "its colours are tagged its own primaries"),
    "PNG, gamma changed": ("gamma.png", replaced(b"gAMA", struct.pack(">L", 100_000), struct.pack(">L", 45_455)),
                           "its colours are tagged gamma 0.45455"),
    "PNG, primaries gone": ("gamma.png", without(b"cHRM"), "its colours are tagged gamma 1,"),
    "PNG, HDR not told": ("pq.png", without(b"cICP"), "its colours are not tagged"),
    "PNG, HLG for PQ": ("pq.png", replaced(b"cICP", b"\x09\x10", b"\x09\x12"), "tagged bt2020/arib-std-b67"),
    "AVIF, HDR not told": ("pq.avif", as_avif(coded=None), "its colours are not tagged"),
    "AVIF, other primaries": ("pq.avif", as_avif(coded=Cicp(12, 16)), "its colours are tagged smpte432/smpte2084"),
    "AVIF, HLG for PQ": ("pq.avif", as_avif(coded=Cicp(9, 18)), "its colours are tagged bt2020/arib-std-b67"),
    "AVIF, 8 bits": ("pq.avif", as_avif(bits=8), "8 bits a channel, the source 10"),
    "AVIF, transparency gone": ("pq.avif", as_avif(alpha=None), "it has no transparency"),
    "AVIF, transparency halved": ("pq.avif", as_avif(alpha=ALPHA // 2), "its transparency is not the source's"),
    "AVIF, EXIF gone": ("pq.avif", as_avif(exif=None), "the source's EXIF is missing"),
}  # fmt: skip


@pytest.fixture(scope="module")
def stills(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sources, with a folder of their results in it."""
    folder = tmp_path_factory.mktemp("stills")
    upright = XMP.replace(b'tiff:Orientation="6"', b'tiff:Orientation="1"')
    for name in ("p3.jpg", "p3.webp"):
        save(folder / name, shown(), exif=camera_exif(), icc_profile=DISPLAY_P3, xmp=upright, dpi=(300, 300))
    (folder / "deep.tif").write_bytes(deep_tiff(shown(np.uint16), icc_profile=DISPLAY_P3))
    places = struct.pack(">8L", 31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000)
    chunks = png_chunk(b"gAMA", struct.pack(">L", 100_000)) + png_chunk(b"cHRM", places)
    (folder / "gamma.png").write_bytes(deep_png(shown(np.uint16), more=chunks))
    (folder / "pq.png").write_bytes(deep_png(shown(np.uint16), more=png_chunk(b"cICP", bytes((9, 16, 0, 1)))))
    deep = StillPicture(shown(np.uint16), ALPHA, 10, Cicp(9, 16), None, camera_exif(), None)
    write_avif(folder / "pq.avif", deep, 95, "4:4:4")
    (folder / "out").mkdir()
    for name in {one[0] for one in STILLS.values()}:
        made(folder / name, folder / "out" / name)
    return folder


@pytest.mark.parametrize("case", STILLS)
def test_each_property_of_other_stills(stills: Path, tmp_path: Path, case: str) -> None:
    name, mutate, words = STILLS[case]
    broken = tmp_path / name
    broken.write_bytes((stills / "out" / name).read_bytes())
    assert found(broken, stills / name) == []
    mutate(broken)
    assert any(words in text for text in found(broken, stills / name)), found(broken, stills / name)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".avif", ".bmp"])
@pytest.mark.parametrize("name", ["p3.jpg", "p3.webp", "deep.tif", "gamma.png"])
def test_results_in_other_formats_raise_no_alarm(
    stills: Path, tmp_path: Path, name: str, suffix: str
) -> None:
    """And where the result is smaller, or sRGB was asked for, neither."""
    made(stills / name, tmp_path / f"out{suffix}")
    assert found(tmp_path / f"out{suffix}", stills / name) == []
    photo = read_photo(stills / name, lambda width, height: (width // 2, height // 2))
    write_photo(tmp_path / f"small{suffix}", photo.pixels, photo, {"recipe": RECIPE})
    assert found(tmp_path / f"small{suffix}", stills / name) == []


# -- animations --------------------------------------------------------------------------------------------

CLEAR = (0, 0, 0, 0)


def drawn(number: int) -> Image.Image:
    layer = Image.new("RGBA", (64, 48), CLEAR)
    ImageDraw.Draw(layer).rectangle([6 * number, 10, 6 * number + 20, 36], fill=(200, 40 * number, 40, 255))
    return layer


SOURCES = ("gif", "webp", "png", "avif")
CODEC_OF = {"gif": "gif", "webp": "webp", "apng": "apng", "mov": "prores", "mp4": "h264"}


@pytest.fixture(scope="module")
def animations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GIF, a WebP, a PNG and an AVIF of five pictures each, with transparency; results beside them, by name."""
    folder = tmp_path_factory.mktemp("animations")
    frames = [drawn(n) for n in range(5)]
    told: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": [80, 80, 120, 80, 80]}
    frames[0].save(folder / "in.gif", loop=3, disposal=2, **told)
    frames[0].save(folder / "in.webp", loop=3, **told)
    frames[0].save(folder / "in.png", loop=3, **told)
    frames[0].save(folder / "in.avif", **told)
    for source in SOURCES:
        for suffix, codec in CODEC_OF.items():
            rewrite(folder / f"in.{source}", folder / f"{source}.{suffix}", codec)
    return folder


def frames_of(path: Path) -> tuple[list[Image.Image], list[int], int]:
    with Image.open(path) as image:
        frames, lengths = [], []
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            frames.append(Image.fromarray(np.asarray(image.convert("RGBA"))))
            lengths.append(round(image.info["duration"]))
        return frames, lengths, int(image.info.get("loop", 0))


def redrawn(
    change: Callable[[list[Image.Image]], list[Image.Image]] = list,
    lengths: Callable[[list[int]], list[int]] = list,
    loop: int | None = None,
) -> Mutation:
    """By Pillow, with one thing changed. `loop`: -1 for none at all."""

    def mutate(path: Path) -> None:
        frames, times, own = frames_of(path)
        frames, times = change(frames), lengths(times)
        repeats = own if loop is None else loop
        options: dict[str, Any] = {} if repeats < 0 else {"loop": repeats}
        if path.suffix == ".gif":
            options["disposal"] = 2
        elif path.suffix == ".webp":
            options["lossless"] = True
        frames[0].save(
            path, save_all=True, append_images=frames[1:], duration=times[: len(frames)], **options
        )

    return mutate


def filled(frames: list[Image.Image]) -> list[Image.Image]:
    return [Image.alpha_composite(Image.new("RGBA", frame.size, "white"), frame) for frame in frames]


def one_filled(frames: list[Image.Image]) -> list[Image.Image]:
    return [*frames[:2], *filled(frames[2:3]), *frames[3:]]


def by_ffmpeg(*arguments: str) -> Mutation:
    def mutate(path: Path) -> None:
        other = path.with_name(f"other{path.suffix}")
        encode("-i", str(path), *arguments, str(other))
        other.replace(path)

    return mutate


LASTS = {"gif": "4 frames, the source has 5", "webp": "it lasts", "apng": "4 frames, the source has 5"}
"""WebP may make one picture of several."""
PRORES = ("-c:v", "prores_ks", "-profile:v", "4")
ANIMATED: dict[str, tuple[str, Mutation, str]] = {
    f"{suffix}, {name}": (suffix, mutation, words)
    for suffix in ("gif", "webp", "apng")
    for name, mutation, words in (
        ("for ever", redrawn(loop=0), "it is played for ever"),
        ("more often", redrawn(loop=9), "it is played"),
        ("opaque", redrawn(filled), "transparency"),
        ("one picture opaque", redrawn(one_filled), "frame 2's transparency is not the source's"),
        ("first picture gone", redrawn(lambda frames: frames[1:]), LASTS[suffix]),
        ("last picture gone", redrawn(lambda frames: frames[:-1]), LASTS[suffix]),
        ("times of others", redrawn(lengths=lambda times: [80] * len(times)), "than in the source"),
        ("slower", redrawn(lengths=lambda times: [2 * time for time in times]), "later than in the source"),
    )
}
ANIMATED |= {
    "gif, once": ("gif", redrawn(loop=-1), "it is played once"),
    "mov, opaque": ("mov", by_ffmpeg(*PRORES, "-pix_fmt", "yuv444p10le"), "it has no transparency"),
    "mov, half clear": (
        "mov",
        by_ffmpeg("-vf", "lutyuv=a=val/2", *PRORES, "-pix_fmt", "yuva444p10le"),
        "transparency is not the source's",
    ),
    "mp4, one picture": ("mp4", by_ffmpeg("-frames:v", "1", "-c", "copy"), "1 frames, the source has 5"),
}


FROM = {
    "gif": ANIMATED,
    "webp": ("gif, opaque", "webp, more often"),
    "png": ("gif, opaque", "apng, more often"),
    "avif": ("gif, opaque", "mp4, one picture"),
}
"""Of GIF each property; of the other sources, that they are looked at in the same way."""


@pytest.mark.parametrize(("source", "case"), [(one, case) for one, cases in FROM.items() for case in cases])
def test_each_property_of_animations(animations: Path, tmp_path: Path, source: str, case: str) -> None:
    suffix, mutate, words = ANIMATED[case]
    broken = tmp_path / f"{source}.{suffix}"
    broken.write_bytes((animations / broken.name).read_bytes())
    mutate(broken)
    told = found(broken, animations / f"in.{source}")
    assert any(words in text for text in told), told


@pytest.mark.parametrize("suffix", CODEC_OF)
@pytest.mark.parametrize("source", SOURCES)
def test_untouched_animations_raise_no_alarm(animations: Path, source: str, suffix: str) -> None:
    assert found(animations / f"{source}.{suffix}", animations / f"in.{source}") == []
