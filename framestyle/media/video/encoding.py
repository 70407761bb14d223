"""How the frames of one result are encoded: codec, pixel format and quality, as ffmpeg's arguments, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from framestyle.errors import Code, OutputError
from framestyle.events import Note, Remark
from framestyle.media.ffmpeg import encoders
from framestyle.media.video.codecs import (
    ALPHA_CONTAINERS,
    CODECS,
    MUXERS,
    YUV444,
    Codec,
    Formats,
    Levels,
    VideoSettings,
    check_container,
    video_codecs,
)
from framestyle.media.video.colors import is_rgb
from framestyle.media.video.encoder_trials import refusal
from framestyle.media.video.pixel_formats import has_alpha

HDR_BITS = 10
"""Fewer show bands in PQ and HLG, and no player takes 8 bits for HDR."""
_NVENC_LEVELS: Levels = {
    "draft": ("-preset", "p2", "-cq", "32"),
    "good": ("-preset", "p5", "-cq", "25"),
    "visually_lossless": ("-preset", "p7", "-cq", "17"),
}
_NVENC_FORMATS: Formats = {8: "yuv420p", 10: "p010le"}


@dataclass(frozen=True)
class Encoding:
    """What was chosen: ffmpeg's arguments, the pixel format and its bits a channel, and what the user should know."""

    arguments: list[str]
    pixel_format: str
    bits: int
    notes: list[Remark]

    @property
    def has_alpha(self) -> bool:
        return has_alpha(self.pixel_format) or self.pixel_format == "pal8"


def choose_encoding(
    settings: VideoSettings,
    target: Path,
    width: int,
    height: int,
    *,
    bits: int = 8,
    alpha: bool = False,
    hdr: str | None = None,
) -> Encoding:
    """For frames of `bits` a channel; OutputError where codec, container, size, depth, quality do not go together."""
    check_container(settings.codec, target)
    codec = CODECS[settings.codec]
    if codec.encoder not in encoders():
        raise OutputError(
            f"this ffmpeg cannot encode {settings.codec}: it has no {codec.encoder}",
            code=Code.ENCODER_MISSING,
            facts={"codec": settings.codec, "encoder": codec.encoder, "codecs": list(video_codecs())},
        )
    least_width, least_height = codec.smallest
    if width < least_width or height < least_height:
        raise OutputError(
            f"{settings.codec} cannot hold {width}x{height}, less than {least_width}x{least_height}",
            code=Code.CODEC_TOO_SMALL,
            facts={"codec": settings.codec, "least_width": least_width, "least_height": least_height},
        )
    wanted = settings.bit_depth or (max(bits, HDR_BITS) if hdr else bits)
    alpha = alpha and bool(codec.alpha) and MUXERS[target.suffix.lower()] in ALPHA_CONTAINERS
    odd = bool(width % 2 or height % 2)
    encoding = _with_quality(settings, codec, wanted, alpha=alpha, odd=odd)
    if hdr and encoding.bits < HDR_BITS:
        raise OutputError(
            f"{target}: {hdr} needs {HDR_BITS} bits a channel, and it would have {encoding.bits}",
            code=Code.HDR_NEEDS_BITS,
            facts={"path": str(target), "hdr": hdr, "bits": encoding.bits},
        )
    notes = list(encoding.notes)
    if encoding.bits < wanted:
        notes.append(f"{settings.codec} is written with {encoding.bits} bits a channel, not {wanted}.")
    if odd and encoding.pixel_format in YUV444.values():
        notes.append(
            f"{width}x{height} is odd: written as {encoding.pixel_format}, which some players do not show."
        )
    if settings.codec in ("h264", "h265", "vp9") and is_rgb(encoding.pixel_format, None):
        notes.append(f"Lossless {settings.codec} keeps RGB, which some players do not show.")
    elif settings.codec == "h264" and encoding.bits > 8:
        other = "output.hdr=tonemap" if hdr else "output.bit_depth=8"
        shown = "H.264 with 10 bits is not shown everywhere: H.265 is."
        notes.append(Note(shown, "warning", Code.TEN_BITS, {"setting": other}))
    arguments = encoding.arguments
    if settings.codec == "h265" and MUXERS[target.suffix.lower()] in ("mp4", "mov"):
        arguments = [*arguments, "-tag:v:0", "hvc1"]  # what QuickTime plays
    chosen = Encoding(arguments, encoding.pixel_format, encoding.bits, notes)
    return _in_hardware(settings, codec, chosen, odd=odd) if settings.hardware == "nvenc" else chosen


def _with_quality(settings: VideoSettings, codec: Codec, bits: int, *, alpha: bool, odd: bool) -> Encoding:
    """Encoder, pixel format and options for a quality, by name or number."""
    quality = settings.quality
    formats = codec.alpha if alpha else codec.odd if odd and codec.odd else codec.formats
    depth, pixel_format = _fitting(formats, bits)
    if quality == "lossless" and codec.lossless is not None and not alpha:
        lossless = codec.lossless
        rgb_depth, rgb_format = _fitting(lossless.formats, bits)
        if rgb_depth >= min(bits, HDR_BITS):
            return Encoding(
                _arguments(lossless.encoder, rgb_format, lossless.options), rgb_format, rgb_depth, []
            )
        # Deep RGB is beyond H.264.
        depth, pixel_format = _fitting(codec.odd, bits)
        note = f"Lossless {settings.codec} with {depth} bits keeps luma and chroma, not RGB: colours are rounded once."
        return Encoding(_arguments(codec.encoder, pixel_format, ("-qp", "0")), pixel_format, depth, [note])
    if isinstance(quality, str):
        if quality not in codec.levels and not (quality == "lossless" and codec.lossless is not None):
            raise OutputError(f"{settings.codec} has no quality {quality!r}", next_step=_qualities_of(codec))
        notes: list[Remark] = []
        if quality not in codec.levels:
            notes.append(f"Lossless {settings.codec} holds no transparency: it is visually lossless.")
        level = codec.levels.get(quality, codec.levels["visually_lossless"])
    else:
        if codec.number is None or not codec.number[1] <= quality <= codec.number[2]:
            raise OutputError(f"{settings.codec} has no quality {quality:g}", next_step=_qualities_of(codec))
        level, notes = (codec.number[0], f"{quality:g}"), []
    options = (*codec.options, *codec.profiles.get(pixel_format, level))
    return Encoding(_arguments(codec.encoder, pixel_format, options), pixel_format, depth, notes)


def _fitting(formats: Formats, bits: int) -> tuple[int, str]:
    """The first format that is deep enough, else the deepest."""
    depth = min((depth for depth in formats if depth >= bits), default=max(formats))
    return depth, formats[depth]


def _arguments(encoder: str, pixel_format: str, options: tuple[str, ...]) -> list[str]:
    return ["-c:v:0", encoder, "-pix_fmt:v:0", pixel_format, *options]


def _qualities_of(codec: Codec) -> str:
    names = [*codec.levels, *(["lossless"] if codec.lossless else [])]
    number = f", or a number from {codec.number[1]:g} to {codec.number[2]:g}" if codec.number else ""
    return f"Choose {', '.join(names)}{number}."


def _in_hardware(settings: VideoSettings, codec: Codec, software: Encoding, *, odd: bool) -> Encoding:
    """By NVENC where it proves that it can, else as it was, with the reason."""
    arguments, pixel_format = _nvenc(settings, codec, software, odd=odd)
    if not arguments:
        cause = f"it has no {settings.codec} of this quality, depth or size"
    elif (said := refusal(tuple(arguments), pixel_format)) is not None:
        cause = said
    else:
        tag = software.arguments[-2:] if "-tag:v:0" in software.arguments else []
        return Encoding([*arguments, *tag], pixel_format, software.bits, software.notes)
    note = f"NVENC cannot be used here ({cause}): encoded by {codec.encoder} on the CPU."
    return Encoding(software.arguments, software.pixel_format, software.bits, [*software.notes, note])


def _nvenc(settings: VideoSettings, codec: Codec, software: Encoding, *, odd: bool) -> tuple[list[str], str]:
    quality, pixel_format = settings.quality, _NVENC_FORMATS.get(software.bits, "")
    by_number = ("-preset", "p7", "-cq", str(quality))
    level = _NVENC_LEVELS.get(quality) if isinstance(quality, str) else by_number
    fits = pixel_format and not (settings.codec == "h264" and software.bits > 8) and not odd
    if codec.nvenc is None or level is None or not fits:
        return [], ""
    return _arguments(codec.nvenc, pixel_format, (*level, "-rc", "vbr", "-b:v:0", "0")), pixel_format


@dataclass(frozen=True)
class Trial:
    """One way in which a codec is encoded, for `refusal`."""

    encoder: str
    arguments: tuple[str, ...]
    pixel_format: str
    in_hardware: bool = False


def trials(name: str) -> list[Trial]:
    """Every encoder that a preset can ask for with a codec: by quality, lossless, on the GPU."""
    codec = CODECS[name]
    settings = VideoSettings(name, "good" if "good" in codec.levels else "visually_lossless")
    found = [_with_quality(settings, codec, 8, alpha=False, odd=False)]
    if codec.lossless is not None:
        found.append(_with_quality(VideoSettings(name, "lossless"), codec, 8, alpha=False, odd=False))
    tried = [Trial(one.arguments[1], tuple(one.arguments), one.pixel_format) for one in found]
    arguments, pixel_format = _nvenc(settings, codec, found[0], odd=False)
    if codec.nvenc is not None and arguments:
        tried.append(Trial(codec.nvenc, tuple(arguments), pixel_format, in_hardware=True))
    unlike = {(one.encoder, one.pixel_format): one for one in tried}
    return list(unlike.values())
