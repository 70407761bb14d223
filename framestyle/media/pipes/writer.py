"""Stylized frames into a pipe: Matroska with FFV1, which loses nothing, or y4m, which encoders and players read."""

from __future__ import annotations

import re
import select
from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from framestyle.errors import Cancelled, Code, FramestyleError, OutputError
from framestyle.events import Note, Remark
from framestyle.frames import Alpha, Pixels
from framestyle.media.ffmpeg import FFmpeg
from framestyle.media.video.codecs import VideoSettings
from framestyle.media.video.colors import SDR, Colors, with_aspect
from framestyle.media.video.encoding import Encoding, choose_encoding
from framestyle.media.video.feed import FrameFeed, FrameForm
from framestyle.media.video.matroska import Mastering
from framestyle.media.video.metadata import metadata_arguments

STANDARD_OUTPUT = Path("standard output")
"""What a stream is called in messages."""
MATROSKA, Y4M = "matroska", "y4m"
CARRIERS = (MATROSKA, Y4M)
AT_ONCE = ("-cluster_time_limit", "0", "-flush_packets", "1")
"""Each frame leaves when it is done: a cluster for each, where ffmpeg would gather five seconds' worth."""
Y4M_DEPTHS = (8, 10, 12, 16)


def reader_is_gone(descriptor: int) -> bool:
    """Whether nobody reads any more what is written to a pipe; False where the system does not tell."""
    if not hasattr(select, "poll"):
        return False
    asked = select.poll()
    asked.register(descriptor, 0)
    return any(events & (select.POLLERR | select.POLLNVAL) for _, events in asked.poll(0))


class PipeWriter:
    """A FrameWriter into `descriptor`, which stays open: in `carrier`, MATROSKA or Y4M, as the frames come.

    Arguments as for VideoWriter; `stored_as` is the source's pixel format, by which y4m shares chroma; `time_base`:
    what time is counted in, in seconds a tick. Where whoever reads the pipe goes away, `write` raises Cancelled.
    """

    def __init__(
        self,
        descriptor: int,
        carrier: str,
        *,
        width: int,
        height: int,
        frame_rate: Fraction,
        time_base: Fraction,
        stored_as: str = "gbrp",
        bits: int = 8,
        bit_depth: int | None = None,
        alpha: bool = False,
        colors: Colors = SDR,
        mastering: Mastering | None = None,
        sample_aspect_ratio: Fraction = Fraction(1),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self._descriptor, self._rate, self._aspect = descriptor, frame_rate, sample_aspect_ratio
        self._form = FrameForm(width, height, frame_rate, bits, alpha, colors, mastering)
        self._metadata = dict(metadata or {})
        if carrier == Y4M:
            self._encoding, tick = _y4m(stored_as, bit_depth or bits, alpha=alpha), 1 / frame_rate
        else:
            self._encoding = _ffv1(width, height, bits, bit_depth, alpha=alpha, hdr=colors.hdr)
            tick = time_base
        self._carrier = carrier
        self.notes: list[Remark] = list(self._encoding.notes)
        if alpha and not self._encoding.has_alpha:
            self.notes.append("y4m holds transparency of 8 bits alone: laid over black.")
        if carrier == Y4M:
            self.notes.append(_colours_untold(colors))
        self._feed = FrameFeed(self._form, self._encoding, tick=tick)
        self._stack = ExitStack()

    def __enter__(self) -> PipeWriter:
        process = FFmpeg(self._arguments(), STANDARD_OUTPUT, stdout=self._descriptor)
        self._stack.enter_context(self._feed.into(process))
        return self

    def write(self, pixels: Pixels, pts_s: Fraction | None = None, alpha: Alpha | None = None) -> None:
        """The next frame. Y4m holds no times: there, `pts_s` is left out of account."""
        try:
            self._feed.write(pixels, None if self._carrier == Y4M else pts_s, alpha)
        except FramestyleError as error:
            raise self._why(error) from error

    @property
    def frames_written(self) -> int:
        """How many frames it was given."""
        return self._feed.count

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is not None:
                return
            if not self.frames_written:
                raise OutputError("no frame was written", next_step="Check the chosen range.")
            try:
                self._feed.finish(1 / self._rate)
            except FramestyleError as failure:
                raise self._why(failure) from failure

    def _why(self, error: FramestyleError) -> BaseException:
        """A closed reader asks for no more; anything else is a failure."""
        return closed_by_reader(self.frames_written) if reader_is_gone(self._descriptor) else error

    def _arguments(self) -> list[str]:
        filters = with_aspect(self._form.filters(self._encoding), self._aspect)
        arguments = ["-f", "matroska", "-i", "pipe:0", "-map", "0:v:0", "-filter:v:0", filters]
        arguments += [*self._encoding.arguments, *self._feed.exact_times, *metadata_arguments(self._metadata)]
        return [*arguments, "pipe:1"]


def closed_by_reader(frames: int) -> Cancelled:
    """What ends a call whose result nobody reads any more."""
    return Cancelled(
        f"stopped: what reads {STANDARD_OUTPUT} closed it; {frames} frames had been written",
        code=Code.STREAM_CLOSED,
        facts={"frames": frames},
    )


def _ffv1(
    width: int, height: int, bits: int, bit_depth: int | None, *, alpha: bool, hdr: str | None
) -> Encoding:
    """As a file is written with this codec."""
    settings = VideoSettings("ffv1", bit_depth=bit_depth)
    name = STANDARD_OUTPUT.with_suffix(".mkv")
    chosen = choose_encoding(settings, name, width, height, bits=bits, alpha=alpha, hdr=hdr)
    arguments = [*chosen.arguments, *AT_ONCE, "-f", "matroska"]
    return Encoding(arguments, chosen.pixel_format, chosen.bits, chosen.notes)


def _y4m(stored_as: str, bits: int, *, alpha: bool) -> Encoding:
    """With as much chroma as the source has; of RGB, all of it."""
    depth = next(depth for depth in Y4M_DEPTHS if depth >= bits)
    if alpha and depth == 8:
        pixel_format = "yuva444p"
    else:
        shared = re.search(r"42[02]", stored_as)
        twelve = stored_as.startswith(("nv12", "nv21", "p010", "p016", "gray"))
        chroma = shared[0] if shared else "420" if twelve else "444"
        pixel_format = f"yuv{chroma}p{f'{depth}le' if depth > 8 else ''}"
    arguments = ["-c:v:0", "wrapped_avframe", "-pix_fmt:v:0", pixel_format]
    return Encoding(
        [*arguments, "-strict", "-1", "-flush_packets", "1", "-f", "yuv4mpegpipe"], pixel_format, depth, []
    )


def _colours_untold(colors: Colors) -> Note:
    return Note(
        f"y4m does not say what its colours are: tell what reads it that matrix is {colors.matrix}, primaries "
        f"{colors.primaries}, transfer {colors.transfer}, range limited."
    )
