"""Which codecs there are, and what each holds: containers, pixel formats, sizes, qualities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from framestyle.errors import OutputError
from framestyle.media.ffmpeg import encoders


@dataclass(frozen=True)
class VideoSettings:
    """`quality`: draft | good | visually_lossless | lossless, or the codec's own number.

    `bit_depth`: bits a channel, None: the frames'. `hardware`: none | nvenc.
    """

    codec: str = "h264"
    quality: str | float = "visually_lossless"
    bit_depth: int | None = None
    hardware: str = "none"


Levels = Mapping[str, tuple[str, ...]]
Formats = Mapping[int, str]
"""ffmpeg's pixel formats by bits a channel."""


@dataclass(frozen=True)
class Lossless:
    """How a codec loses nothing of RGB frames."""

    encoder: str
    formats: Formats
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Codec:
    """How ffmpeg is told to encode it. `number` names the option that takes a number, and its range.

    `odd` are the formats for odd sizes, `alpha` those with transparency, where others are needed. `profiles` are
    options that a pixel format brings, in place of the levels' own.
    """

    encoder: str
    containers: tuple[str, ...]
    formats: Formats
    levels: Levels
    options: tuple[str, ...] = ()
    number: tuple[str, float, float] | None = None
    odd: Formats = field(default_factory=dict)
    alpha: Formats = field(default_factory=dict)
    profiles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lossless: Lossless | None = None
    smallest: tuple[int, int] = (16, 16)
    nvenc: str | None = None


def _crf(draft: int, good: int, visually_lossless: int, speeds: tuple[str, str, str], speed: str) -> Levels:
    names = ("draft", "good", "visually_lossless")
    values = zip(names, (draft, good, visually_lossless), speeds, strict=True)
    return {name: (speed, pace, "-crf", str(number)) for name, number, pace in values}


_ALWAYS: Levels = dict.fromkeys(("draft", "good", "visually_lossless", "lossless"), ())
_QUIET_X265 = "log-level=error"
_YUV420: Formats = {8: "yuv420p", 10: "yuv420p10le"}
YUV444: Formats = {8: "yuv444p", 10: "yuv444p10le"}
_RGB: Formats = {8: "gbrp", 10: "gbrp10le", 12: "gbrp12le"}

CODECS: Mapping[str, Codec] = {
    "h264": Codec(
        "libx264",
        (".mp4", ".m4v", ".mov", ".mkv"),
        _YUV420,
        _crf(28, 21, 15, ("veryfast", "medium", "medium"), "-preset"),
        number=("-crf", 0, 51),
        odd=YUV444,
        lossless=Lossless("libx264rgb", {8: "rgb24"}, ("-crf", "0")),
        nvenc="h264_nvenc",
    ),
    "h265": Codec(
        "libx265",
        (".mp4", ".m4v", ".mov", ".mkv"),
        _YUV420,
        _crf(30, 23, 16, ("veryfast", "medium", "medium"), "-preset"),
        options=("-x265-params", _QUIET_X265),
        number=("-crf", 0, 51),
        odd=YUV444,
        lossless=Lossless("libx265", _RGB, ("-x265-params", f"lossless=1:{_QUIET_X265}")),
        nvenc="hevc_nvenc",
    ),
    "vp9": Codec(
        "libvpx-vp9",
        (".webm", ".mkv", ".mp4"),
        _YUV420,
        _crf(42, 31, 16, ("6", "3", "2"), "-cpu-used"),
        options=("-b:v", "0", "-row-mt", "1"),
        number=("-crf", 0, 63),
        alpha={8: "yuva420p"},
        lossless=Lossless("libvpx-vp9", _RGB, ("-lossless", "1", "-row-mt", "1")),
    ),
    "av1": Codec(
        "libsvtav1",
        (".webm", ".mkv", ".mp4"),
        _YUV420,
        _crf(45, 32, 18, ("10", "8", "6"), "-preset"),
        number=("-crf", 1, 63),
        nvenc="av1_nvenc",
    ),
    "prores": Codec(
        "prores_ks",
        (".mov", ".mkv"),
        {10: "yuv422p10le"},
        {
            "draft": ("-profile:v", "0"),
            "good": ("-profile:v", "2"),
            "visually_lossless": ("-profile:v", "3"),
        },
        options=("-vendor", "apl0"),
        number=("-profile:v", 0, 3),
        alpha={10: "yuva444p10le"},
        profiles={"yuva444p10le": ("-profile:v", "4", "-alpha_bits", "16")},
    ),
    "dnxhr": Codec(
        "dnxhd",
        (".mov", ".mkv"),
        {8: "yuv422p", 10: "yuv422p10le"},
        {
            "draft": ("-profile:v", "dnxhr_lb"),
            "good": ("-profile:v", "dnxhr_sq"),
            "visually_lossless": ("-profile:v", "dnxhr_hq"),
        },
        profiles={"yuv422p10le": ("-profile:v", "dnxhr_hqx")},
        smallest=(256, 120),
    ),
    "ffv1": Codec(
        "ffv1",
        (".mkv",),
        {8: "bgr0", 12: "gbrp12le", 16: "gbrp16le"},
        _ALWAYS,
        options=("-level", "3", "-slicecrc", "1"),
        alpha={8: "bgra", 12: "gbrap12le", 16: "gbrap16le"},
    ),
    "gif": Codec("gif", (".gif",), {8: "pal8"}, _ALWAYS, alpha={8: "pal8"}),
    "webp": Codec(
        "libwebp_anim",
        (".webp",),
        {8: "bgra"},
        {
            "draft": ("-quality", "60"),
            "good": ("-quality", "80"),
            "visually_lossless": ("-quality", "96"),
            "lossless": ("-lossless", "1", "-quality", "50"),
        },
        number=("-quality", 0, 63),
        alpha={8: "bgra"},
        smallest=(1, 1),
    ),
    "apng": Codec(
        "apng",
        (".apng",),
        {8: "rgb24", 16: "rgb48be"},
        _ALWAYS,
        alpha={8: "rgba"},  # ffmpeg does not read again what it writes with 16
        smallest=(1, 1),
    ),
}
MUXERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".gif": "gif",
    ".webp": "webp",
    ".apng": "apng",
}
ALPHA_CONTAINERS = {"mov", "matroska", "webm", "gif", "webp", "apng"}


def video_codecs() -> tuple[str, ...]:
    """The names that `VideoSettings.codec` takes and this machine's ffmpeg can encode."""
    return tuple(name for name, codec in CODECS.items() if codec.encoder in encoders())


def check_container(name: str, target: Path) -> None:
    """OutputError where the target's suffix names no container that the codec goes into."""
    codec, suffix = CODECS.get(name), target.suffix.lower()
    if codec is None:
        raise OutputError(f"no video codec is called {name!r}", next_step=f"Known: {', '.join(CODECS)}.")
    if suffix not in codec.containers:
        fits = [other for other, entry in CODECS.items() if suffix in entry.containers]
        hint = f", or choose one that {suffix} holds: {', '.join(fits)}" if fits else ""
        names = " or ".join(target.stem + end for end in codec.containers)
        raise OutputError(f"{target} cannot hold {name} video", next_step=f"Name the output {names}{hint}.")
