"""Colours are the source's: read by the formulas of the standards, written by them, tagged as they are."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from media_facts import ask, encode, told_of

from framestyle.doors.advice import next_step
from framestyle.errors import OutputError
from framestyle.media.video.codecs import CODECS
from framestyle.media.video.colors import Colors, colors_of, to_rgb, written_as
from framestyle.media.video.probe import probe
from framestyle.media.video.reader import VideoReader
from framestyle.media.video.writer import VideoSettings, VideoWriter

Values = npt.NDArray[np.float64]
PATCHES = np.array(
    [
        (0.8, 0.1, 0.1),
        (0.1, 0.8, 0.1),
        (0.1, 0.1, 0.8),
        (0.5, 0.5, 0.5),
        (1, 1, 1),
        (0, 0, 0),
        (0.9, 0.8, 0.2),
    ]
)
LUMA = {"bt709": (0.2126, 0.0722), "smpte170m": (0.299, 0.114), "bt2020nc": (0.2627, 0.0593)}
"""Kr and Kb."""
PATCH_PX, HEIGHT_PX = 16, 48
WIDTH_PX = PATCH_PX * len(PATCHES)


def to_yuv(rgb: Values, matrix: str, *, full: bool, bits: int) -> Values:
    """RGB in [0, 1] -> Y, Cb, Cr as numbers of so many bits (ITU-R BT.601, BT.709, BT.2020)."""
    red, blue = LUMA[matrix]
    y = rgb @ np.array([red, 1 - red - blue, blue])
    cb, cr = (rgb[..., 2] - y) / (2 - 2 * blue), (rgb[..., 0] - y) / (2 - 2 * red)
    if full:
        top = 2**bits - 1
        return np.stack([y * top, cb * top + 2 ** (bits - 1), cr * top + 2 ** (bits - 1)], -1)
    step = 2 ** (bits - 8)
    return np.stack([(219 * y + 16) * step, (224 * cb + 128) * step, (224 * cr + 128) * step], -1)


def flat(values: Values, dtype: Any) -> npt.NDArray[Any]:
    """One patch a row of `values`, side by side."""
    return np.broadcast_to(values.repeat(PATCH_PX, 0), (HEIGHT_PX, WIDTH_PX, 3)).astype(dtype)


def patches(pixels: npt.NDArray[Any]) -> Values:
    """The middle of each patch, in [0, 1]."""
    middle = pixels[HEIGHT_PX // 2, PATCH_PX // 2 :: PATCH_PX]
    return middle / np.iinfo(pixels.dtype).max


def coded_clip(
    target: Path, yuv: Values, bits: int, tags: tuple[str, ...], pixel_format: str = "", *more: str
) -> Path:
    """Two frames of given luma and chroma, lossless, tagged (range, matrix, primaries, transfer)."""
    planes = np.moveaxis(flat(np.rint(yuv), "<u2" if bits > 8 else np.uint8), -1, 0)
    raw = f"yuv444p{f'{bits}le' if bits > 8 else ''}"
    names = ("range", "colorspace", "color_primaries", "color_trc")
    said = ":".join(f"{name}={tag}" for name, tag in zip(names, tags, strict=True) if tag)
    filters = (f"setparams={said}," if said else "") + f"format={pixel_format or raw}"
    # Without it ffmpeg makes limited range of full range.
    kept = ("-color_range", tags[0]) if tags[0] else ()
    size = ("-f", "rawvideo", "-pix_fmt", raw, "-s", f"{WIDTH_PX}x{HEIGHT_PX}", "-r", "25", "-i", "-")
    encode(*size, "-vf", filters, *kept, *(more or ("-c:v", "ffv1")), str(target), data=planes.tobytes() * 2)
    return target


def read_one(path: Path, **options: Any) -> npt.NDArray[Any]:
    with VideoReader(path, **options) as reader:
        return next(iter(reader)).pixels


# -- reading -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("matrix", LUMA)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_what_is_tagged_is_read_by_its_formula(tmp_path: Path, matrix: str, full: bool, bits: int) -> None:
    yuv = to_yuv(PATCHES, matrix, full=full, bits=bits)
    tags = ("pc" if full else "tv", matrix, "bt709", "bt709")
    pixels = read_one(coded_clip(tmp_path / "s.mkv", yuv, bits, tags))
    assert pixels.dtype == (np.uint8 if bits == 8 else np.uint16)
    # Rounding of the source's own numbers, and of ours.
    allowed = 2.6 / 255 if bits == 8 else 2 / (2**bits - 1) + 2 / 65535
    assert probe(tmp_path / "s.mkv").color_range == tags[0]
    assert np.abs(patches(pixels) - PATCHES).max() <= allowed


@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize(("height", "matrix"), [(48, "smpte170m"), (720, "bt709")])
def test_what_is_not_tagged_is_read_as_players_do(
    tmp_path: Path, bits: int, height: int, matrix: str
) -> None:
    """By its size: SD as BT.601, HD as BT.709."""
    source = tmp_path / "s.mkv"
    yuv = to_yuv(PATCHES, matrix, full=False, bits=bits)
    larger = ("-vf", f"scale={WIDTH_PX}:{height}:flags=neighbor", "-c:v", "ffv1")
    coded_clip(tmp_path / "small.mkv", yuv, bits, ("", "", "", ""))
    encode("-i", str(tmp_path / "small.mkv"), *larger, str(source))
    seen = read_one(source)
    middle = seen[height // 2, PATCH_PX // 2 :: PATCH_PX] / np.iinfo(seen.dtype).max
    assert np.abs(middle - PATCHES).max() <= 2.2 / 255


@pytest.mark.parametrize("layout", ["yuv420p", "yuv422p", "yuv444p", "nv12"])
@pytest.mark.parametrize("span", ["tv", "pc"])
def test_smooth_pictures_come_as_bright_as_they_are(tmp_path: Path, layout: str, span: str) -> None:
    """OpenCV cuts off where chroma is shared: over a level too dark, were it not put back."""
    # There and back, so that where chroma lies does not matter.
    level = 0.9 - 0.8 * np.abs(np.linspace(-1, 1, WIDTH_PX))
    picture = np.broadcast_to(
        np.stack([level, (1 - level) * 0.8, level * 0.5 + 0.2], -1), (HEIGHT_PX, WIDTH_PX, 3)
    )
    planes = np.moveaxis(np.rint(to_yuv(picture, "bt709", full=span == "pc", bits=16)).astype("<u2"), -1, 0)
    raw = (
        "-f",
        "rawvideo",
        "-pix_fmt",
        "yuv444p16le",
        "-s",
        f"{WIDTH_PX}x{HEIGHT_PX}",
        "-r",
        "25",
        "-i",
        "-",
    )
    tags = f"setparams=range={span}:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
    kept = ("-color_range", span, "-c:v", "ffv1" if layout != "nv12" else "rawvideo")
    first = f"{tags},zscale=dither=error_diffusion,format={'yuv420p' if layout == 'nv12' else layout}"
    encode(*raw, "-vf", f"{first},format={layout}", *kept, str(tmp_path / "s.mkv"), data=planes.tobytes())
    seen = read_one(tmp_path / "s.mkv") / 255
    assert np.abs((seen - picture).mean((0, 1))).max() < (0.7 if layout != "nv12" else 1.3) / 255


def test_wide_gamut_without_a_matrix_is_not_taken_for_less() -> None:
    said = {"pixel_format": "yuv420p10le", "width": 64, "height": 48, "matrix": None, "color_range": None}
    assert colors_of(**said, primaries="bt2020", transfer="smpte2084") == Colors(
        "bt2020nc", "bt2020", "smpte2084"
    )
    assert colors_of(**said, primaries=None, transfer="arib-std-b67") == Colors(
        "bt2020nc", "bt2020", "arib-std-b67"
    )
    assert colors_of(**said, primaries=None, transfer="nonsense").transfer == "bt709"


RGB_FORMATS = [
    "rgb24",
    "bgr24",
    "rgba",
    "gbrp",
    "gbrp10le",
    "gbrp12le",
    "gbrp16le",
    "rgb48be",
    "rgba64le",
    "bgra",
]
CODED_FORMATS = ["yuv422p", "yuv420p", "nv12", "yuyv422", "yuv420p10le", "yuv422p12le", "y210le", "yuva420p"]
CODED_FORMATS += ["yuva444p10le", "yuva444p12le", "yuva444p16le"]


@pytest.mark.parametrize("pixel_format", RGB_FORMATS + CODED_FORMATS)
def test_every_layout_of_pixels_is_read_right(tmp_path: Path, pixel_format: str) -> None:
    yuv = to_yuv(PATCHES, "smpte170m", full=False, bits=16)
    tags = ("tv", "smpte170m", "smpte170m", "smpte170m")
    raw = ("-c:v", "rawvideo", "-noautoscale", "-f", "nut")
    first = coded_clip(tmp_path / "f.mkv", yuv, 16, tags, "yuv444p16le")
    encode(
        "-i",
        str(first),
        "-vf",
        f"zscale=matrixin=smpte170m:matrix=gbr:range=full,format=gbrp16le,format={pixel_format}"
        if pixel_format in RGB_FORMATS
        else f"format={pixel_format}",
        *raw,
        str(tmp_path / "s.nut"),
    )
    assert np.abs(patches(read_one(tmp_path / "s.nut")) - PATCHES).max() <= 3.2 / 255


# -- writing -----------------------------------------------------------------------------------------------

CODED = [
    (name, suffix)
    for name in ("h264", "h265", "vp9", "av1", "prores", "dnxhr")
    for suffix in CODECS[name].containers
]


def write(target: Path, pixels: npt.NDArray[Any], settings: VideoSettings, **more: Any) -> list[str]:
    height, width = pixels.shape[:2]
    bits = 8 if pixels.dtype == np.uint8 else 16
    options: dict[str, Any] = {"frame_rate": Fraction(25), "settings": settings, "bits": bits} | more
    with VideoWriter(target, width=width, height=height, **options) as writer:
        for _ in range(2):
            writer.write(pixels)
    return writer.notes


def large(values: Values, dtype: Any) -> npt.NDArray[Any]:
    """Patches of a size that DNxHR takes too."""
    return flat(values * np.iinfo(dtype).max + 0.5, dtype).repeat(3, 0).repeat(3, 1)


def coded_large(path: Path, bits: int) -> Values:
    raw = ask(
        "-i",
        str(path),
        "-frames:v",
        "1",
        "-pix_fmt",
        f"yuv444p{f'{bits}le' if bits > 8 else ''}",
        "-f",
        "rawvideo",
        "-",
    )
    planes = np.frombuffer(raw, "<u2" if bits > 8 else np.uint8).reshape(3, HEIGHT_PX * 3, WIDTH_PX * 3)
    return planes[:, HEIGHT_PX * 3 // 2, PATCH_PX * 3 // 2 :: PATCH_PX * 3].T.astype(float)


FIRST = [pair for pair in CODED if pair[1] == CODECS[pair[0]].containers[0]]


@pytest.mark.parametrize(
    ("codec", "suffix", "deep"), [*((*pair, False) for pair in CODED), *((*pair, True) for pair in FIRST)]
)
def test_every_codec_is_written_by_the_formula_and_tagged(
    tmp_path: Path, codec: str, suffix: str, deep: bool
) -> None:
    target = tmp_path / f"o{suffix}"
    write(target, large(PATCHES, np.uint16 if deep else np.uint8), VideoSettings(codec, "visually_lossless"))
    info = probe(target)
    wanted = to_yuv(PATCHES, "bt709", full=False, bits=10) / 4
    assert info.bit_depth == (10 if deep or codec == "prores" else 8)
    assert np.abs(coded_large(target, 10) / 4 - wanted).max() <= (1.6 if deep else 2.2)
    assert (info.color_range, info.color_matrix, info.color_primaries, info.color_transfer) == (
        "tv",
        "bt709",
        "bt709",
        "bt709",
    )


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1", "prores", "ffv1"])
@pytest.mark.parametrize("matrix", ["smpte170m", "bt2020nc"])
@pytest.mark.parametrize("deep", [False, True])
def test_other_matrices_are_kept_and_tagged(tmp_path: Path, codec: str, matrix: str, deep: bool) -> None:
    primaries = "bt2020" if matrix == "bt2020nc" else matrix
    transfer = "bt2020-10" if matrix == "bt2020nc" else matrix
    colors = Colors(matrix, primaries, transfer)
    target = tmp_path / f"o{CODECS[codec].containers[0]}"
    write(target, large(PATCHES, np.uint16 if deep else np.uint8), VideoSettings(codec), colors=colors)
    info = probe(target)
    assert (info.color_primaries, info.color_transfer) == (primaries, transfer)
    if codec != "ffv1":  # RGB
        assert info.color_matrix == matrix
        wanted = to_yuv(PATCHES, matrix, full=False, bits=10) / 4
        assert np.abs(coded_large(target, 10) / 4 - wanted).max() <= 2.2


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1", "prores", "dnxhr", "ffv1"])
@pytest.mark.parametrize(
    "tags",
    [
        ("tv", "bt709", "bt709", "bt709"),
        ("pc", "smpte170m", "bt470bg", "smpte170m"),
        ("tv", "bt2020nc", "bt2020", "bt2020-10"),
    ],
)
def test_ten_bits_go_through_at_ten_bits(tmp_path: Path, codec: str, tags: tuple[str, ...]) -> None:
    """A ramp of neighbouring levels, which 8 bits would flatten four to one."""
    source, target = tmp_path / "s.mkv", tmp_path / f"o{CODECS[codec].containers[0]}"
    ramp = np.tile(np.arange(256) + 300, (120, 1))
    planes = np.stack([ramp, np.full_like(ramp, 512), np.full_like(ramp, 512)]).astype("<u2")
    names = ("range", "colorspace", "color_primaries", "color_trc")
    said = ":".join(f"{name}={tag}" for name, tag in zip(names, tags, strict=True))
    raw = ("-f", "rawvideo", "-pix_fmt", "yuv444p10le", "-s", "256x120", "-r", "25", "-i", "-")
    kept = ("-color_range", tags[0], "-c:v", "ffv1")
    encode(*raw, "-vf", f"setparams={said}", *kept, str(source), data=planes.tobytes() * 2)
    with VideoReader(source) as reader:
        frames = list(reader)
        with VideoWriter(
            target,
            width=256,
            height=120,
            frame_rate=Fraction(25),
            settings=VideoSettings(codec),
            bits=reader.bits,
            colors=reader.colors,
        ) as writer:
            for frame in frames:
                writer.write(frame.pixels)
    was, became = frames[0].pixels[60, :, 1], read_one(target)[60, :, 1]
    assert probe(target).bit_depth >= 10 and len(np.unique(was)) == 256
    assert np.abs(was.astype(float) - became).max() / 64 <= 4  # of 1024 levels
    assert len(np.unique(became)) > 150


def test_eight_bits_of_a_deep_source_are_dithered_not_banded(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(20_000, 21_000, 256).astype(np.uint16), (120, 1))
    write(tmp_path / "o.mkv", np.dstack([ramp] * 3), VideoSettings("ffv1", bit_depth=8))
    seen = read_one(tmp_path / "o.mkv")
    assert seen.dtype == np.uint8
    means = seen[..., 1].astype(float).reshape(120, 8, 32).mean((0, 2))
    wanted = ramp.astype(float).reshape(120, 8, 32).mean((0, 2)) / 257
    assert np.abs(means - wanted).max() < 0.15


def test_a_source_is_converted_as_little_as_players_allow() -> None:
    assert written_as(Colors("smpte170m", "smpte170m", "smpte170m", True)) == Colors(
        "smpte170m", "smpte170m", "smpte170m"
    )
    assert written_as(Colors("gbr", "bt709", "iec61966-2-1", True)) == Colors(
        "bt709", "bt709", "iec61966-2-1"
    )
    assert written_as(Colors("ictcp", "bt2020", "smpte2084")) == Colors("bt2020nc", "bt2020", "smpte2084")


# -- HDR ---------------------------------------------------------------------------------------------------

MASTER = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"
)
HDR = {"smpte2084": "PQ", "arib-std-b67": "HLG"}


def hdr_clip(target: Path, transfer: str = "smpte2084") -> Path:
    """HDR10 or HLG: 10 bits, BT.2020, with what its master says of itself."""
    yuv = to_yuv(PATCHES * 0.7, "bt2020nc", full=False, bits=10)
    master = f":{MASTER}" if transfer == "smpte2084" else ""
    hevc = ("-c:v", "libx265", "-crf", "4", "-x265-params", f"log-level=error{master}")
    return coded_clip(target, yuv, 10, ("tv", "bt2020nc", "bt2020", transfer), "yuv420p10le", *hevc)


@pytest.mark.parametrize("transfer", HDR)
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        ("h265", ".mp4"),
        ("h265", ".mkv"),
        ("vp9", ".webm"),
        ("av1", ".mp4"),
        ("prores", ".mov"),
        ("ffv1", ".mkv"),
    ],
)
def test_hdr_goes_through_at_ten_bits_with_all_its_tags(
    tmp_path: Path, transfer: str, codec: str, suffix: str
) -> None:
    source, target = hdr_clip(tmp_path / "s.mkv", transfer), tmp_path / f"o{suffix}"
    with VideoReader(source) as reader:
        assert reader.info.colors.hdr == HDR[transfer] and reader.bits == 10
        pixels = next(iter(reader)).pixels
        mastering = reader.info.mastering
        write(
            target, pixels, VideoSettings(codec), bits=reader.bits, colors=reader.colors, mastering=mastering
        )
    info = probe(target)
    assert info.bit_depth >= 10
    assert (info.color_primaries, info.color_transfer) == ("bt2020", transfer)
    assert info.color_matrix == ("gbr" if codec == "ffv1" else "bt2020nc")
    assert np.abs(patches(pixels) - PATCHES * 0.7).max() < 0.01
    assert np.abs(patches(read_one(target)) - PATCHES * 0.7).max() < 0.012
    if transfer == "smpte2084":
        assert mastering is not None and info.mastering is not None
        assert (info.mastering.max_cll, info.mastering.max_fall) == (1000, 400)
        assert info.mastering.luminance_max == pytest.approx(1000)
        assert info.mastering.chromaticities == pytest.approx(
            (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.3127, 0.329), abs=1e-3
        )


def test_hdr_is_never_written_with_eight_bits(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="needs 10 bits") as caught:
        write(
            tmp_path / "o.mp4",
            large(PATCHES, np.uint16),
            VideoSettings("h265", bit_depth=8),
            colors=Colors("bt2020nc", "bt2020", "smpte2084"),
        )
    assert "tonemap" in (next_step(caught.value) or "")


def pq(nits: Values) -> Values:
    """SMPTE ST 2084."""
    y = (nits / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375


def test_tone_mapped_hdr_is_sdr_that_is_neither_dark_nor_pale(tmp_path: Path) -> None:
    nits = np.array([0.0, 5, 26, 100, 203, 600, 1000])
    grey = np.repeat(pq(nits)[:, None], 3, 1)
    source = coded_clip(
        tmp_path / "s.mkv",
        to_yuv(grey, "bt2020nc", full=False, bits=10),
        10,
        ("tv", "bt2020nc", "bt2020", "smpte2084"),
    )
    with VideoReader(source, tone_map=True) as reader:
        seen = patches(next(iter(reader)).pixels)
        assert reader.colors.hdr is None and reader.colors.primaries == "bt709" and reader.bits >= 10
    luma = seen.mean(1)
    assert np.abs(seen - luma[:, None]).max() < 0.01  # grey stays grey
    assert (np.diff(luma) > 0.005).all(), "levels fell together"
    # Below 0.6 of white nothing is bent: a display's light (BT.1886) is what the master's was.
    assert np.abs(luma[1:4] - (nits[1:4] / 203) ** (1 / 2.4)).max() < 0.01
    assert luma[0] < 0.01 and 0.8 < luma[4] < 0.98 and luma[6] <= 1


def test_tone_mapped_colours_keep_their_hue_and_their_force(tmp_path: Path) -> None:
    """BT.709's red at 100 nits, as it lies in BT.2020, comes back as that red."""
    light = (
        np.array(
            [[0.6274, 0.0691, 0.0164], [0.3293, 0.9195, 0.0880], [0.0433, 0.0114, 0.8956]] + [[1.0] * 3] * 4
        )
        * 100
    )
    source = coded_clip(
        tmp_path / "s.mkv",
        to_yuv(pq(light), "bt2020nc", full=False, bits=10),
        10,
        ("tv", "bt2020nc", "bt2020", "smpte2084"),
    )
    light_seen = patches(read_one(source, tone_map=True))[:3] ** 2.4
    assert np.abs(light_seen - np.eye(3) * 100 / 203).max() < 0.01


def test_only_hdr_can_be_tone_mapped(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only HDR"):
        to_rgb(Colors(), "yuv420p", pixel_format="gbrp", odd=False, tone_map=True)
    source = coded_clip(
        tmp_path / "s.mkv", to_yuv(PATCHES, "bt709", full=False, bits=8), 8, ("tv", "bt709", "bt709", "bt709")
    )
    assert np.array_equal(read_one(source), read_one(source, tone_map=True))


def test_hlg_is_tone_mapped_too(tmp_path: Path) -> None:
    pixels = read_one(hdr_clip(tmp_path / "s.mkv", "arib-std-b67"), tone_map=True)
    seen = patches(pixels)
    assert seen[4].min() > 0.7 and seen[5].max() < 0.02
    assert seen[0].argmax() == 0 and seen[1].argmax() == 1 and seen[2].argmax() == 2


def test_what_ffmpeg_says_of_a_written_file_is_complete(tmp_path: Path) -> None:
    write(tmp_path / "o.mp4", large(PATCHES, np.uint8), VideoSettings("h264"))
    assert re.search(r"yuv420p\(tv, bt709, progressive\)", told_of(tmp_path / "o.mp4"))
