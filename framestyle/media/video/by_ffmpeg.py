"""Pictures by an ffmpeg of our own, raw, each with its time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, cast

import numpy as np

from framestyle.errors import InputError
from framestyle.frames import Alpha, Pixels
from framestyle.media.ffmpeg import TELLING_CHANGES, FFmpegDecoder, input_time_base
from framestyle.media.video.colors import to_rgb
from framestyle.media.video.nut import NutError, NutReader
from framestyle.media.video.origin import Origin
from framestyle.media.video.probe import UNPLAYABLE, VideoInfo, alpha_decoder
from framestyle.media.video.stored import turning

ALPHA_FORMATS = {"yuv420p": "yuva420p"}
"""What decoders of transparency give where ffmpeg names the format without."""

EITHER_TO_RGB = (
    "scale=in_color_matrix=smpte170m:in_range=tv:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
)
"""Animated WebP calls itself RGB, and lossy frames come as luma and chroma; some files have both."""


@dataclass(frozen=True)
class Picture:
    """As a decoder gives it: `stated_s` from the first picture that the file promises."""

    stated_s: Fraction
    pixels: Pixels
    alpha: Alpha | None = None


def broken(info: VideoInfo, index: int, cause: str) -> InputError:
    """For a frame that is none of this clip."""
    return InputError(
        f"{info.path}: frame {index} cannot be used: {cause}",
        next_step="Re-encode it, or leave that part out.",
    )


def ffmpeg_pictures(
    origin: Origin, *, tone_map: bool, deep: bool, on_change: Callable[[], None]
) -> Generator[Picture, None, None]:
    """All that ffmpeg gives, in order, as `_decoder` says. InputError where that ends before the file does."""
    info, process = origin.info, _decoder(origin, tone_map=tone_map, deep=deep)
    count = 0
    try:
        start_s: Fraction | None = None
        frames = NutReader(cast(BinaryIO, process.output))
        for frame in frames:
            at_s = frame.ticks * frames.time_base
            if start_s is None:
                start_s = min(at_s, round(info.video_start_s / info.time_base) * info.time_base)
            pixels, alpha = _unpacked(frame.data, info, count, deep=deep)
            yield Picture(at_s - start_s, pixels, alpha)
            count += 1
        if count == 0:
            raise NutError("no picture")
        if process.process.wait() < 0:
            raise broken(info, count, process.failure())
        if process.has_changed:
            on_change()
    except NutError as error:
        cause = process.failure()
        if count == 0:
            raise InputError(f"{info.path} cannot be decoded: {cause}", next_step=UNPLAYABLE) from error
        raise broken(info, count, cause) from error
    finally:
        process.kill()


def _decoder(origin: Origin, *, tone_map: bool, deep: bool) -> FFmpegDecoder:
    """ffmpeg that gives raw pictures, each with its time in the file's own ticks, none added or dropped.

    Where size, format or colours change on the way, all are made the first one's.
    """
    info = origin.info
    decoder = alpha_decoder(info)
    planes = ("gbrap" if info.has_alpha else "gbrp") + ("16le" if deep else "")
    packed = {"gbrap16le": "rgba64le", "gbrp16le": "rgb48le", "gbrap": "rgba", "gbrp": "rgb24"}[planes]
    odd = bool(info.width % 2 or info.height % 2)
    stored_as = ALPHA_FORMATS.get(info.pixel_format, info.pixel_format) if decoder else info.pixel_format
    filters = (
        f"{EITHER_TO_RGB},format={planes}"
        if info.video_codec == "webp_anim"
        else to_rgb(info.colors, stored_as, pixel_format=planes, odd=odd, tone_map=tone_map)
    )
    turn = _own_turning(origin)
    if turn is not None:
        filters = f"{filters},{turn}"
    taken = ["-map", f"0:{info.video_index}", "-vf", f"{filters},format={packed}"]
    if info.alpha_index is not None:
        cover = f"[0:{info.alpha_index}]format={'gray16le' if deep else 'gray'}[a]"
        both = f"[0:{info.video_index}]{filters}[c];{cover};[c][a]alphamerge,format={packed}[v]"
        taken = ["-filter_complex", both, "-map", "[v]"]
    # What a codec crops at the left and at the top, to the pixel.
    upright = [] if turn is None else ["-noautorotate"]
    before = [*TELLING_CHANGES, *upright, *(["-c:v", decoder] if decoder else []), "-flags:v", "unaligned"]
    after = [*taken, "-c:v", "rawvideo", "-fps_mode", "passthrough", "-enc_time_base", input_time_base()]
    return origin.decoder(before, [*after, "-f", "nut", "-write_index", "0", "-"])


def _own_turning(origin: Origin) -> str | None:
    """Filters for RGB where it is for us to turn pictures; None: ffmpeg does."""
    info = origin.info
    if not origin.is_repeatable or not info.is_transformed or info.is_picture_sequence:
        return None
    return turning(info)


def _unpacked(data: bytearray, info: VideoInfo, index: int, *, deep: bool) -> tuple[Pixels, Alpha | None]:
    channels = 4 if info.has_alpha else 3
    values: Any = np.frombuffer(data, "<u2" if deep else np.uint8)
    if values.size != info.height * info.width * channels:
        raise broken(info, index, f"it is not {info.width}x{info.height} as the others are")
    picture = values.reshape(info.height, info.width, channels)
    if channels == 3:
        return picture, None
    return np.ascontiguousarray(picture[..., :3]), np.ascontiguousarray(picture[..., 3])
