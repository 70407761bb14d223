"""A video's frames, decoded forward: upright, RGB, with their true timestamps.

OpenCV decodes what it decodes rightly: 8 bits, opaque, progressive, as it is stored, tagged BT.601 or BT.709 or
rightly taken for BT.601, in a container that tells each frame's time. All else goes through an ffmpeg of our own: at 16
bits what has more than 8, with its transparency, HDR, BT.2020, AV1, HD without tags, which players show as BT.709, what
is to be turned, mirrored or cropped, and what OpenCV times wrongly or gives up on, from there on.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from framestyle.errors import InputError
from framestyle.frames import Alpha, Frame, Pixels
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.ffmpeg import FFmpegDecoder, input_time_base
from framestyle.media.video.colors import OPENCV_MATRICES, SDR, Colors, to_rgb, written_as
from framestyle.media.video.ends import Ends, find_ends, last_length, may_be_held, stated_length
from framestyle.media.video.nut import NutError, NutReader
from framestyle.media.video.opencv import OpenCVLostError, opencv_pictures
from framestyle.media.video.origin import FileOrigin, Origin
from framestyle.media.video.probe import UNPLAYABLE, VideoInfo, alpha_decoder

CLOSE_TO_TICK = 0.01
"""OpenCV tells time as a float; within this part of a tick of the file's it is the tick."""
OPENCV_TIMES = {"mov", "mp4", "matroska", "webm", "mpegts", "flv", "asf", "nut", "ivf", "yuv4mpegpipe", "gif"}
"""Containers where OpenCV tells every frame's time. AVI and MPEG-PS leave times to be worked out, and it does not; of
Ogg it gives the first frame alone."""
OPENCV_CODECS = {
    *(
        "h264",
        "hevc",
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
        "msmpeg4v2",
        "msmpeg4v3",
        "h263",
        "flv1",
        "wmv1",
        "wmv2",
        "vc1",
    ),
    *(
        "vp8",
        "vp9",
        "theora",
        "mjpeg",
        "png",
        "gif",
        "ffv1",
        "huffyuv",
        "ffvhuff",
        "utvideo",
        "rawvideo",
        "dvvideo",
    ),
}
"""What it decodes. AV1 it opens, and gives no frame."""
ROUNDED_DOWN = {"yuv420p", "yuv422p"}
"""Where OpenCV cuts off instead of rounding: 1.2 levels too dark on average in limited range, 0.7 in full range."""
QUIET_END_S = Fraction(1, 4)
"""Sound may outlast the pictures by this much before pictures count as missing, where nobody counted them."""
ALPHA_FORMATS = {"yuv420p": "yuva420p"}
"""What decoders of transparency give where ffmpeg names the format without."""

EITHER_TO_RGB = (
    "scale=in_color_matrix=smpte170m:in_range=tv:flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
)
"""Animated WebP calls itself RGB, and lossy frames come as luma and chroma; some files have both."""


@dataclass(frozen=True)
class _Picture:
    """As a decoder gives it: `stated_s` from the first picture that the file promises."""

    stated_s: Fraction
    pixels: Pixels
    alpha: Alpha | None = None


class VideoReader:
    """A FrameReader of a video file or stream; iterating gives the frames that `span` holds, indexed in the whole clip.

    Never seeks: seeking is unreliable. `frames_read` counts what was decoded, also outside the range;
    `variable_rate` says whether any timestamp so far was off the constant rate. `tone_map`: HDR comes as BT.709.
    `bits` is what is in a channel of the pixels, `colors` what they mean.
    """

    def __init__(
        self,
        source: Path | Origin,
        span: TimeRange = WHOLE_CLIP,
        *,
        tone_map: bool = False,
    ) -> None:
        self._origin: Origin = FileOrigin(source) if isinstance(source, Path) else source
        self.info = self._origin.info
        self.frames_read = 0
        self.variable_rate = False
        self._tone_map = tone_map and self.info.colors.hdr is not None
        self._span = span
        self._stack: ExitStack | None = None
        self._pictures: Iterator[_Picture] = iter(())
        self._last_pts = Fraction(0)
        self._exhausted = False
        self._last_in_range = Fraction(0)
        self._cut_off = False

    @property
    def colors(self) -> Colors:
        """Of the frames: what a result of them is to be written as."""
        if self._tone_map:
            return SDR
        return replace(written_as(self.info.colors), chroma_centred=self.by_opencv)

    @property
    def bits(self) -> int:
        """How many bits of each value mean something; frames are uint16 where there are more than 8."""
        return max(10, self.info.bit_depth) if self._tone_map else self.info.bit_depth

    @property
    def by_opencv(self) -> bool:
        """Whether OpenCV decodes it, or ffmpeg."""
        info = self.info
        first = all(stream.index >= info.video_index for stream in info.streams if stream.kind == "video")
        plain = info.bit_depth == 8 and not info.has_alpha and info.colors.hdr is None
        tagged = info.color_matrix in OPENCV_MATRICES
        understood = (
            tagged
            or info.colors.matrix == "gbr"
            or (info.color_matrix is None and info.colors.matrix == "smpte170m")
        )
        timed = bool(OPENCV_TIMES & set(info.container.split(",")))
        as_stored = not (info.is_transformed or info.is_cropped or info.is_interlaced)
        opens = (
            info.video_codec in OPENCV_CODECS and self._origin.suits_opencv and not info.is_picture_sequence
        )
        return opens and first and plain and understood and timed and as_stored

    def __enter__(self) -> VideoReader:
        with ExitStack() as stack:
            stack.enter_context(closing(self._origin))
            decoder = self._opencv_pictures if self.by_opencv else self._ffmpeg_pictures
            self._pictures = stack.enter_context(closing(decoder(self.info)))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        if self._stack is not None:
            self._stack.close()
            self._stack = None

    def __iter__(self) -> Iterator[Frame]:
        if self._stack is None:
            raise ValueError("the reader is not open")
        for picture in self._pictures:
            frame = self._frame(picture)
            if self._span.is_over(frame.pts):
                self._cut_off = True
                return
            if self._span.holds(frame.pts):
                self._last_in_range = frame.pts
                yield frame
        self._exhausted = True
        self._origin.check_end(self.frames_read)

    def _opencv_pictures(self, info: VideoInfo) -> Generator[_Picture, None, None]:
        """Where OpenCV is lost, ffmpeg goes on."""
        count = 0
        try:
            too_dark = info.pixel_format.replace("yuvj", "yuv") in ROUNDED_DOWN
            with closing(opencv_pictures(self._origin.for_opencv(), too_dark=too_dark)) as pictures:
                for picture in pictures:
                    if picture.pixels.shape[:2] != (info.height, info.width):
                        break
                    yield _Picture(_in_ticks(picture.milliseconds, info.time_base), picture.pixels)
                    count += 1
                else:
                    return
        except OpenCVLostError as lost:
            if not self._origin.is_repeatable:
                raise _broken(info, count, str(lost)) from lost
        with closing(self._ffmpeg_pictures(info)) as rest:
            yield from islice(rest, count, None)

    def _ffmpeg_pictures(self, info: VideoInfo) -> Generator[_Picture, None, None]:
        return _ffmpeg_pictures(self._origin, tone_map=self._tone_map, deep=self.bits > 8)

    def _frame(self, picture: _Picture) -> Frame:
        index, shape = self.frames_read, (self.info.height, self.info.width, 3)
        found = picture.pixels.shape
        if found != shape:
            cause = f"it is {found[1]}x{found[0]}, the others are {shape[1]}x{shape[0]}"
            raise _broken(self.info, index, cause)
        self.frames_read += 1
        self._last_pts = self._snapped(picture.stated_s, index)
        return Frame(index, self._last_pts, picture.pixels, picture.alpha)

    def _snapped(self, stated_s: Fraction, index: int) -> Fraction:
        snapped_s = snapped(stated_s, index, self.info)
        self.variable_rate |= snapped_s != index / self.info.frame_rate
        return snapped_s

    def last_frame(self) -> tuple[Fraction, Fraction] | None:
        """When the last frame of the range is shown, and for how long; None: as long as any, or not to be known.

        Once it was reached. Where the file's end is the range's, and may be another, the file is read once more.
        """
        info, end_s, constant = self.info, self._span.end_s, not self.variable_rate
        if not self._origin.is_repeatable:
            length_s = None
        elif self._cut_off and end_s is not None:
            # The next frame would come later: all the time until the end is this one's.
            length_s = None if constant else end_s - self._last_in_range
        elif constant and not may_be_held(info, self._last_pts):
            length_s = None
        else:
            stated_s = stated_length(info, self._ends, self._last_pts)
            length_s = last_length(info, self._last_in_range, stated_s, end_s, constant=constant)
        return None if length_s is None else (self._last_in_range, length_s)

    @cached_property
    def _ends(self) -> Ends:
        return find_ends(self.info)

    @property
    def doubts(self) -> list[str]:
        """What the user should know of the input, once it was read."""
        path, missing = self.info.path, self.missing_estimate
        doubts = [f"{path} ends early: {missing} frames are missing."] if missing > 1 else []
        if self.info.is_interlaced:
            doubts.append(f"{path} is interlaced: its frames are painted with both fields in them.")
        if self.info.is_turned_oddly:
            doubts.append(
                f"{path} is shown turned by {self.info.rotation_degrees}°: within its frame, without its corners."
            )
        return doubts

    @property
    def missing_estimate(self) -> int:
        """Frames that the container promised and the decoder did not give; 0 until the end was reached."""
        info = self.info
        if not self._exhausted:
            return 0
        if info.frame_count_is_counted:
            missing = (info.frame_count_estimate or 0) - self.frames_read
            return max(0, missing - self._ends.not_shown) if missing > 0 else 0
        if info.duration_is_measured:
            return 0
        end_s = info.video_end_s or info.duration_s or Fraction(0)
        rest_s = end_s - info.video_start_s - self._last_pts - 1 / info.frame_rate
        if rest_s <= QUIET_END_S or end_s - self._ends.end_s <= QUIET_END_S:
            return 0  # held until then, or the sound goes on
        return round(rest_s * info.frame_rate)


def snapped(stated_s: Fraction, index: int, info: VideoInfo) -> Fraction:
    """A frame's exact time at constant rate, where the file's own, which counts in ticks, agrees with it."""
    exact_s = index / info.frame_rate
    agrees = abs(stated_s - exact_s) <= min(info.time_base, 1 / (4 * info.frame_rate))
    return exact_s if agrees else stated_s


def _broken(info: VideoInfo, index: int, cause: str) -> InputError:
    return InputError(
        f"{info.path}: frame {index} cannot be used: {cause}",
        next_step="Re-encode it, or leave that part out.",
    )


def _in_ticks(milliseconds: float, time_base: Fraction) -> Fraction:
    """What the file itself says, which OpenCV has made a float of."""
    ticks = Fraction(milliseconds) / 1000 / time_base
    if abs(ticks - round(ticks)) < CLOSE_TO_TICK:
        return round(ticks) * time_base
    return Fraction(milliseconds).limit_denominator(1_000_000) / 1000


def _ffmpeg_pictures(origin: Origin, *, tone_map: bool, deep: bool) -> Generator[_Picture, None, None]:
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
            yield _Picture(at_s - start_s, pixels, alpha)
            count += 1
        if count == 0:
            raise NutError("no picture")
        if process.process.wait() < 0:
            raise _broken(info, count, process.failure())
    except NutError as error:
        cause = process.failure()
        if count == 0:
            raise InputError(f"{info.path} cannot be decoded: {cause}", next_step=UNPLAYABLE) from error
        raise _broken(info, count, cause) from error
    finally:
        process.kill()


def _decoder(origin: Origin, *, tone_map: bool, deep: bool) -> FFmpegDecoder:
    """ffmpeg that gives raw pictures, each with its time in the file's own ticks, none added or dropped.

    Where the size changes on the way, all have the first one's, as OpenCV gives them and players show them.
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
    taken = ["-map", f"0:{info.video_index}", "-vf", f"{filters},format={packed}"]
    if info.alpha_index is not None:
        cover = f"[0:{info.alpha_index}]format={'gray16le' if deep else 'gray'}[a]"
        both = f"[0:{info.video_index}]{filters}[c];{cover};[c][a]alphamerge,format={packed}[v]"
        taken = ["-filter_complex", both, "-map", "[v]"]
    # What a codec crops at the left and at the top, to the pixel.
    before = [*(["-c:v", decoder] if decoder else []), "-flags:v", "unaligned"]
    after = [*taken, "-c:v", "rawvideo", "-fps_mode", "passthrough", "-enc_time_base", input_time_base()]
    return origin.decoder(before, [*after, "-f", "nut", "-write_index", "0", "-"])


def _unpacked(data: bytearray, info: VideoInfo, index: int, *, deep: bool) -> tuple[Pixels, Alpha | None]:
    channels = 4 if info.has_alpha else 3
    values: Any = np.frombuffer(data, "<u2" if deep else np.uint8)
    if values.size != info.height * info.width * channels:
        raise _broken(info, index, f"it is not {info.width}x{info.height} as the others are")
    picture = values.reshape(info.height, info.width, channels)
    if channels == 3:
        return picture, None
    return np.ascontiguousarray(picture[..., :3]), np.ascontiguousarray(picture[..., 3])
