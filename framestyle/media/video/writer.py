"""Stylized frames into a video file, with the source's sound and metadata, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from framestyle.errors import Code, OutputError
from framestyle.events import Remark
from framestyle.frames import Alpha, Pixels
from framestyle.media.animated import FOR_EVER, gif_repeats, mark_webp_alpha
from framestyle.media.ffmpeg import FFmpeg, output_argument
from framestyle.media.files import atomic_output
from framestyle.media.verify.checking import check_clip
from framestyle.media.video.beside import PLAIN, lost_viewing
from framestyle.media.video.boxes import hide_second_viewing
from framestyle.media.video.carried import SILENT_MUXERS, Carried, SourceStreams, carry
from framestyle.media.video.codecs import (
    CODECS,
    MUXERS,
    VideoSettings,
    check_container,
    video_codecs,
)
from framestyle.media.video.colors import SDR, Colors, with_aspect
from framestyle.media.video.dispositions import switch_subtitles_off
from framestyle.media.video.encoding import choose_encoding
from framestyle.media.video.feed import FrameFeed, FrameForm
from framestyle.media.video.matroska import Mastering
from framestyle.media.video.metadata import MOV_MUXERS, metadata_arguments
from framestyle.media.video.probe import VideoInfo, probe
from framestyle.media.video.webp import set_end

__all__ = [
    "CODECS",
    "SourceStreams",
    "VideoSettings",
    "VideoWriter",
    "check_container",
    "video_codecs",
]

LATE_START_S = Fraction(5, 1000)
"""Pictures that begin later than the sound by less than this are taken to begin with it."""
FINEST_TICK_S = Fraction(1, 1_000_000)
"""MP4 counts in 32 bits; and no clip is shot faster."""
DELAYED_TICK_S = Fraction(1, 90_000)
"""What frames that begin at an odd time are counted in."""
SAME_RATE_GIF = {Fraction(100, delay) for delay in range(2, 101)}
"""GIF counts in hundredths of a second."""
GIF_MOST = 65_535
"""Hundredths of a second that a frame of a GIF can be shown."""
NO_WORDS_IN_H264 = "filter_units=remove_types=6"
"""x264 says in the pictures, too, that they are for two eyes. ffmpeg 9 decodes none that are told of so twice."""
PICTURES_STREAM = 0
"""They are mapped first."""
LOOPS: Mapping[str, tuple[str, Callable[[int], int]]] = {
    "gif": ("-loop", gif_repeats),
    "webp": ("-loop", int),
    "apng": ("-plays", int),
}
"""How ffmpeg is told how often an animation is played, in containers that say so."""


def _of_pictures(given: VideoInfo, muxer: str, codec: str) -> list[Remark]:
    """What pictures lose in such a file, beside colours."""
    notes: list[Remark] = []
    if given.plays is not None and given.plays > 1 and muxer not in LOOPS:
        notes.append(f"It is played {given.plays} times, which {codec} in this container does not say.")
    if given.has_alpha and muxer == "gif" and given.video_codec != "gif":
        notes.append("GIF holds no half-transparent pixels: they become clear or opaque.")
    if lost := lost_viewing(given.viewing, muxer):
        notes.append(f"{lost}.")
    return notes


class VideoWriter:
    """A FrameWriter of a video file: on a normal end the file is finished, checked, put in place; else nothing stays.

    Everything that can be refused is refused on creation, before any work. `write` takes HWC RGB of the given size
    (pixels), uint16 where `bits` is above 8, with `alpha` HW where the writer was made with it. Frame n is shown at
    n / frame_rate, or, where `time_base` says what time is counted in (seconds a tick), when `write` is told;
    `last_frame`: when that will be for the last one, and how long it is shown. `colors` are the frames'. `scratch`: see
    `atomic_output`. `verify_output`: the finished file is decoded once, and put in place only where its pictures are
    whole and all there. `notes` says what was changed on the way.
    """

    def __init__(
        self,
        target: Path,
        *,
        width: int,
        height: int,
        frame_rate: Fraction,
        settings: VideoSettings,
        source: SourceStreams | None = None,
        sample_aspect_ratio: Fraction = Fraction(1),
        metadata: Mapping[str, str] | None = None,
        time_base: Fraction | None = None,
        last_frame: tuple[Fraction, Fraction] | None = None,
        bits: int = 8,
        alpha: bool = False,
        colors: Colors = SDR,
        mastering: Mastering | None = None,
        scratch: Path | None = None,
        verify_output: bool = False,
    ) -> None:
        self.target = target
        self._scratch, self._look_through = scratch, verify_output
        self.notes: list[Remark] = []
        self._form = FrameForm(width, height, frame_rate, bits, alpha, colors, mastering)
        self._rate, self._aspect = frame_rate, sample_aspect_ratio
        self._last_frame, self._codec = last_frame, settings.codec
        self._metadata = dict(metadata or {})
        self._encoding = choose_encoding(
            settings, target, width, height, bits=bits, alpha=alpha, hdr=colors.hdr
        )
        self._source = source
        self._muxer = MUXERS[target.suffix.lower()]
        self._carried, self._plays, self._viewing = Carried(), FOR_EVER, PLAIN
        if source is not None:
            given = probe(source.path)
            self._carried = carry(given, source, self._muxer)
            if lost_viewing(given.viewing, self._muxer) is None:
                self._viewing = given.viewing
            self._plays = FOR_EVER if given.plays is None else given.plays
            self.notes += _of_pictures(given, self._muxer, settings.codec)
        self.notes += [*self._encoding.notes, *self._carried.notes]
        if alpha and not self._encoding.has_alpha:
            self.notes.append(f"{settings.codec} in {target.suffix} holds no transparency: laid over black.")
        if sample_aspect_ratio != 1 and self._muxer in SILENT_MUXERS:
            across, down = sample_aspect_ratio.as_integer_ratio()
            self.notes.append(f"{settings.codec} has square pixels; the input's are {across}:{down}.")
        self._delay_s = self._carried.delay_s if self._carried.delay_s >= LATE_START_S else Fraction(0)
        self._tick = self._choose_tick(time_base)
        self._feed = FrameFeed(self._form, self._encoding, tick=self._tick, viewing=self._viewing)
        self._temporary = target
        self._stack = ExitStack()

    def _choose_tick(self, time_base: Fraction | None) -> Fraction:
        """What the output counts time in."""
        if self._muxer == "gif" and time_base is None and self._rate not in SAME_RATE_GIF:
            self.notes.append(
                f"GIF counts in hundredths of a second: {float(self._rate):g} frames/s is rounded."
            )
        if time_base is not None:
            return max(time_base, FINEST_TICK_S)
        held_oddly = self._last_frame and (self._last_frame[1] * self._rate).denominator != 1
        return DELAYED_TICK_S if self._delay_s or held_oddly else 1 / self._rate

    def __enter__(self) -> VideoWriter:
        with ExitStack() as stack:
            temporary = self._temporary = stack.enter_context(atomic_output(self.target, self._scratch))
            if self._source is not None and self._muxer not in SILENT_MUXERS:
                beside = stack.enter_context(TemporaryDirectory(prefix=".framestyle-", dir=self._scratch))
                self._carried.prepare(Path(beside), self._muxer)
            arguments = [*self._inputs(), *self._outputs(), output_argument(temporary)]
            stack.enter_context(self._feed.into(FFmpeg(arguments, self.target)))
            self._stack = stack.pop_all()
        return self

    def write(self, pixels: Pixels, pts_s: Fraction | None = None, alpha: Alpha | None = None) -> None:
        """The next frame. `pts_s`: when it is shown; needed where the writer was made with a time base."""
        self._feed.write(pixels, pts_s, alpha)

    @property
    def frames_written(self) -> int:
        """How many frames it was given."""
        return self._feed.count

    def _ticks(self, pts_s: Fraction) -> int:
        return round(pts_s / self._tick)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The stack kills ffmpeg where it still runs, then puts the temporary file in place or removes it.
        if error is not None:
            self._stack.__exit__(kind, error, trace)
            return
        with self._stack:
            self._finish()

    def _finish(self) -> None:
        if not self.frames_written:
            raise OutputError(f"{self.target}: no frame was written", next_step="Check the chosen range.")
        end_s = self._feed.finish(self._last_length_s)
        if self._muxer == "webp":
            if self._form.alpha:
                mark_webp_alpha(self._temporary)
            set_end(self._temporary, end_s)
        elif self._muxer in MOV_MUXERS:
            if self._carried.subtitles_off:
                switch_subtitles_off(self._temporary)
            if not self._viewing.is_plain:
                hide_second_viewing(self._temporary)
        if self._look_through:
            self._refuse_damage()

    @property
    def _last_length_s(self) -> Fraction:
        return self._last_frame[1] if self._last_frame else 1 / self._rate

    def _refuse_damage(self) -> None:
        """Of the pictures alone: sound and subtitles are the source's, which may have had damage itself."""
        for problem in check_clip(self._temporary, frames=self.frames_written):
            if problem.stream == PICTURES_STREAM:
                raise OutputError(
                    f"{self.target}: what was encoded is damaged: {problem.text}",
                    code=Code.OUTPUT_DAMAGED,
                    facts={"path": str(self.target)},
                )

    def _inputs(self) -> list[str]:
        # Whatever time a file begins at, ffmpeg takes for 0.
        late = ["-itsoffset", f"{float(self._delay_s):.6f}"] if self._delay_s else []
        return [*late, "-f", "matroska", "-i", "pipe:0", *self._carried.input]

    def _outputs(self) -> list[str]:
        arguments = ["-map", "0:v:0", "-filter:v:0", self._filters(), *self._encoding.arguments]
        arguments += self._carried.output
        arguments += self._feed.exact_times
        if passes := [*self._packet_filters()]:
            arguments += ["-bsf:v:0", ",".join(passes)]
        if self._muxer == "gif":
            arguments += ["-final_delay", str(min(GIF_MOST, max(1, round(self._last_length_s * 100))))]
        elif self._muxer == "apng":
            arguments += ["-final_delay", str(self._last_length_s)]
        arguments += metadata_arguments(self._metadata)
        if self._muxer in LOOPS:
            option, counted = LOOPS[self._muxer]
            arguments += [option, str(counted(self._plays))]
        if self._muxer in MOV_MUXERS:
            arguments += ["-movflags", "+faststart"]
            if not self._viewing.is_plain:
                arguments += ["-strict", "unofficial"]  # as ffmpeg calls the boxes that say so
            if self._tick != 1 / self._rate:
                arguments += ["-video_track_timescale", str(self._tick.denominator)]
        return [*arguments, "-f", self._muxer]

    def _packet_filters(self) -> Iterator[str]:
        if self._viewing.stereo and self._codec == "h264":
            yield NO_WORDS_IN_H264
        if self._last_frame:
            yield self._with_last_length(*self._last_frame)

    def _with_last_length(self, last_s: Fraction, length_s: Fraction) -> str:
        """Some encoders forget how long a frame is; all but the last can be told from the next one.

        MP4 takes its length from the packet that is decoded last, whichever that is.
        """
        at, length = self._ticks(last_s + self._delay_s), max(1, round(length_s / self._tick))
        others = "DURATION"
        if self._muxer in MOV_MUXERS:
            others = f"if(eq(NEXT_DTS\\,NOPTS)\\,{at + length}-PTS\\,DURATION)"
        return f"setts=pts=PTS:dts=DTS:duration=if(eq(PTS\\,{at})\\,{length}\\,{others})"

    def _filters(self) -> str:
        if self._muxer == "gif":
            filters = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1"
        else:
            filters = self._form.filters(self._encoding)
        return with_aspect(filters, self._aspect, always=bool(self._viewing.stereo))
