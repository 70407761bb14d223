"""A video's frames, decoded forward: upright, RGB, with their true timestamps.

OpenCV decodes what it decodes rightly: 8 bits, opaque, progressive, as it is stored, tagged BT.601 or BT.709 or
rightly taken for BT.601, in a container that tells each frame's time. All else goes through an ffmpeg of our own: at 16
bits what has more than 8, with its transparency, HDR, BT.2020, AV1, HD without tags, which players show as BT.709, what
is to be turned, mirrored or cropped, and what OpenCV times wrongly or gives up on, from there on.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from itertools import islice
from pathlib import Path

from framestyle.frames import Frame
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.video.by_ffmpeg import Picture, broken, ffmpeg_pictures
from framestyle.media.video.colors import OPENCV_MATRICES, SDR, Colors, written_as
from framestyle.media.video.ends import Ends, find_ends, last_length, may_be_held, stated_length
from framestyle.media.video.opencv import OpenCVLostError, opencv_pictures
from framestyle.media.video.origin import FileOrigin, Origin
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.stored import crops_at_start

CLOSE_TO_TICK = 0.01
"""OpenCV tells time as a float; within this part of a tick of the file's it is the tick."""
OPENCV_CONTAINERS = {"mov", "mp4", "matroska", "webm", "asf", "nut", "ivf", "yuv4mpegpipe", "gif"}
"""Where OpenCV tells every frame's time. AVI and MPEG-PS leave times to be worked out, and it does not; of Ogg it gives
the first frame alone. In MPEG-TS and FLV, which are recorded from streams, pictures may change in size, depth or
colours on the way: OpenCV converts them without a word."""
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
        self._pictures: Iterator[Picture] = iter(())
        self._last_pts = Fraction(0)
        self._exhausted = False
        self._last_in_range = Fraction(0)
        self._cut_off = self._changes = False

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
        timed = bool(OPENCV_CONTAINERS & set(info.container.split(",")))
        as_stored = not (info.is_transformed or info.is_cropped or info.is_interlaced)
        opens = (
            info.video_codec in OPENCV_CODECS and self._origin.suits_opencv and not info.is_picture_sequence
        )
        suits = opens and first and plain and understood and timed and as_stored
        return suits and not (self._origin.is_repeatable and crops_at_start(info))

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

    def _opencv_pictures(self, info: VideoInfo) -> Generator[Picture, None, None]:
        """Where OpenCV is lost, ffmpeg goes on."""
        count, start_s = 0, Fraction(0)
        try:
            too_dark = info.pixel_format.replace("yuvj", "yuv") in ROUNDED_DOWN
            with closing(opencv_pictures(self._origin.for_opencv(), too_dark=too_dark)) as pictures:
                for picture in pictures:
                    if picture.pixels.shape[:2] != (info.height, info.width):
                        self._changes |= count > 0
                        break
                    at_s = _in_ticks(picture.milliseconds, info.time_base)
                    # Where subtitles begin within the first frame, ffmpeg may take the second for a file's start.
                    start_s = min(Fraction(0), at_s) if count == 0 else start_s
                    yield Picture(at_s - start_s, picture.pixels)
                    count += 1
                else:
                    return
        except OpenCVLostError as lost:
            if not self._origin.is_repeatable:
                raise broken(info, count, str(lost)) from lost
        with closing(self._ffmpeg_pictures(info)) as rest:
            yield from islice(rest, count, None)

    def _ffmpeg_pictures(self, info: VideoInfo) -> Generator[Picture, None, None]:
        return ffmpeg_pictures(
            self._origin, tone_map=self._tone_map, deep=self.bits > 8, on_change=self._changed
        )

    def _changed(self) -> None:
        self._changes = True

    def _frame(self, picture: Picture) -> Frame:
        index, shape = self.frames_read, (self.info.height, self.info.width, 3)
        found = picture.pixels.shape
        if found != shape:
            cause = f"it is {found[1]}x{found[0]}, the others are {shape[1]}x{shape[0]}"
            raise broken(self.info, index, cause)
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
        if self._changes:
            doubts.append(f"{path} changes on the way: its pictures are all read as the first ones are.")
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


def _in_ticks(milliseconds: float, time_base: Fraction) -> Fraction:
    """What the file itself says, which OpenCV has made a float of."""
    ticks = Fraction(milliseconds) / 1000 / time_base
    if abs(ticks - round(ticks)) < CLOSE_TO_TICK:
        return round(ticks) * time_base
    return Fraction(milliseconds).limit_denominator(1_000_000) / 1000
