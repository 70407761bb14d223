"""Stylized frames into a video file, with the source's sound and metadata, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np

from framestyle.errors import OutputError
from framestyle.frames import Pixels
from framestyle.media.ffmpeg import FFmpeg, encoders, input_arguments, output_argument
from framestyle.media.files import atomic_output
from framestyle.media.probe import VideoInfo, probe

LATE_START_S = Fraction(5, 1000)
"""Pictures that begin later than the sound by less than this are taken to begin with it."""
SAME_RATE_GIF = {Fraction(100, delay) for delay in range(2, 101)}
"""GIF counts in hundredths of a second."""


@dataclass(frozen=True)
class SourceStreams:
    """Where sound, subtitles, chapters and metadata come from, and which part of it.

    Seconds count from the source's first picture, as frames' pts do.
    """

    path: Path
    start_s: Fraction | None = None
    end_s: Fraction | None = None


@dataclass(frozen=True)
class VideoSettings:
    """`quality`: draft | good | visually_lossless | lossless, or the codec's own number."""

    codec: str = "h264"
    quality: str | float = "visually_lossless"


@dataclass(frozen=True)
class _Codec:
    """How ffmpeg is told to encode it. `number` names the option that takes a number, and its range."""

    encoder: str
    containers: tuple[str, ...]
    pixel_format: str
    levels: Mapping[str, tuple[str, ...]]
    options: tuple[str, ...] = ()
    number: tuple[str, float, float] | None = None
    odd_pixel_format: str | None = None
    lossless: tuple[str, str, tuple[str, ...]] | None = None  # encoder, RGB pixel format, options
    smallest: tuple[int, int] = (16, 16)


def _crf(draft: int, good: int, visually_lossless: int, speeds: tuple[str, str, str], speed: str) -> _Levels:
    names = ("draft", "good", "visually_lossless")
    values = zip(names, (draft, good, visually_lossless), speeds, strict=True)
    return {name: (speed, pace, "-crf", str(number)) for name, number, pace in values}


_Levels = Mapping[str, tuple[str, ...]]
_ALWAYS: _Levels = dict.fromkeys(("draft", "good", "visually_lossless", "lossless"), ())
_QUIET_X265 = "log-level=error"

CODECS: Mapping[str, _Codec] = {
    "h264": _Codec(
        "libx264",
        (".mp4", ".m4v", ".mov", ".mkv"),
        "yuv420p",
        _crf(28, 21, 15, ("veryfast", "medium", "medium"), "-preset"),
        number=("-crf", 0, 51),
        odd_pixel_format="yuv444p",
        lossless=("libx264rgb", "rgb24", ("-crf", "0")),
    ),
    "h265": _Codec(
        "libx265",
        (".mp4", ".m4v", ".mov", ".mkv"),
        "yuv420p",
        _crf(30, 23, 16, ("veryfast", "medium", "medium"), "-preset"),
        options=("-x265-params", _QUIET_X265),
        number=("-crf", 0, 51),
        odd_pixel_format="yuv444p",
        lossless=("libx265", "gbrp", ("-x265-params", f"lossless=1:{_QUIET_X265}")),
    ),
    "vp9": _Codec(
        "libvpx-vp9",
        (".webm", ".mkv", ".mp4"),
        "yuv420p",
        _crf(42, 31, 16, ("6", "3", "2"), "-cpu-used"),
        options=("-b:v", "0", "-row-mt", "1"),
        number=("-crf", 0, 63),
        lossless=("libvpx-vp9", "gbrp", ("-lossless", "1", "-row-mt", "1")),
    ),
    "av1": _Codec(
        "libsvtav1",
        (".webm", ".mkv", ".mp4"),
        "yuv420p",
        _crf(45, 32, 18, ("10", "8", "6"), "-preset"),
        number=("-crf", 1, 63),
    ),
    "prores": _Codec(
        "prores_ks",
        (".mov", ".mkv"),
        "yuv422p10le",
        {
            "draft": ("-profile:v", "0"),
            "good": ("-profile:v", "2"),
            "visually_lossless": ("-profile:v", "3"),
        },
        options=("-vendor", "apl0"),
        number=("-profile:v", 0, 3),
    ),
    "dnxhr": _Codec(
        "dnxhd",
        (".mov", ".mkv"),
        "yuv422p",
        {
            "draft": ("-profile:v", "dnxhr_lb"),
            "good": ("-profile:v", "dnxhr_sq"),
            "visually_lossless": ("-profile:v", "dnxhr_hq"),
        },
        smallest=(256, 120),
    ),
    "ffv1": _Codec("ffv1", (".mkv",), "bgr0", _ALWAYS, options=("-level", "3", "-slicecrc", "1")),
    "gif": _Codec("gif", (".gif",), "pal8", _ALWAYS),
}
MUXERS = {
    ".mp4": "mp4",
    ".m4v": "mp4",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "webm",
    ".gif": "gif",
}
RGB_FORMATS = {"rgb24", "gbrp", "bgr0"}
_MP4_AUDIO = {"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}
COPIED_AUDIO: Mapping[str, set[str]] = {
    "mp4": _MP4_AUDIO,
    "mov": {
        "aac",
        "mp3",
        "ac3",
        "eac3",
        "alac",
        *(f"pcm_s{n}{e}" for n in (16, 24, 32) for e in ("le", "be")),
    },
    "webm": {"opus", "vorbis"},
}
"""Sound that each container keeps as it is; Matroska keeps all."""
TEXT_SUBTITLES = {"subrip", "srt", "ass", "ssa", "mov_text", "webvtt", "text"}
MATROSKA_SUBTITLES = (TEXT_SUBTITLES - {"mov_text"}) | {"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}
STALE_TAGS = ("alpha_mode", "rotate", "BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "DURATION", "encoder")
"""Of the source's picture stream, and untrue of ours."""


def video_codecs() -> tuple[str, ...]:
    """The names that `VideoSettings.codec` takes and this machine's ffmpeg can encode."""
    return tuple(name for name, codec in CODECS.items() if codec.encoder in encoders())


class VideoWriter:
    """A context manager: on a normal end the file is finished, checked, put in place; else nothing stays.

    Everything that can be refused is refused on creation, before any work. `write` takes HWC RGB uint8 of the
    given size (pixels); frame n is shown at n / frame_rate. `notes` says what was changed on the way.
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
    ) -> None:
        self.target, self.width, self.height = target, width, height
        self.notes: list[str] = []
        self.frames_written = 0
        self._rate, self._source, self._aspect = frame_rate, source, sample_aspect_ratio
        self._metadata = dict(metadata or {})
        self._encoding = _choose_encoding(settings, target, width, height)
        self._muxer = MUXERS[target.suffix.lower()]
        self._carried = _Carried([], [])
        if source is not None:
            self._carried = _carry(probe(source.path), source, self._muxer)
        self.notes += [*self._encoding.notes, *self._carried.notes]
        if self._muxer == "gif" and frame_rate not in SAME_RATE_GIF:
            self.notes.append(
                f"GIF counts in hundredths of a second: {float(frame_rate):g} frames/s is rounded."
            )
        self._process: FFmpeg | None = None
        self._stack = ExitStack()

    def __enter__(self) -> VideoWriter:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_output(self.target))
            self._process = FFmpeg([*self._inputs(), *self._outputs(), output_argument(temporary)])
            stack.callback(self._process.kill)
            self._stack = stack.pop_all()
        return self

    def write(self, pixels: Pixels) -> None:
        """The next frame."""
        if pixels.shape != (self.height, self.width, 3) or pixels.dtype != np.uint8:
            raise ValueError(
                f"expected {self.height}x{self.width}x3 uint8, got {pixels.shape} {pixels.dtype}"
            )
        if self._process is None:
            raise ValueError("the writer is not open")
        self._process.write(np.ascontiguousarray(pixels).data.cast("B"))
        self.frames_written += 1

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
        assert self._process is not None
        if self.frames_written == 0:
            raise OutputError(f"{self.target}: no frame was written", next_step="Check the chosen range.")
        self._process.close()

    def _inputs(self) -> list[str]:
        size = f"{self.width}x{self.height}"
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(self._rate), "-i", "pipe:0"]
        return [*self._carried.delay, *raw, *self._carried.input]

    def _outputs(self) -> list[str]:
        arguments = ["-map", "0:v:0", "-vf", self._filters(), *self._encoding.arguments]
        arguments += [*self._carried.output, "-fps_mode", "passthrough"]
        for key, value in self._metadata.items():
            arguments += ["-metadata", f"{key.replace('=', '_')}={value}".replace("\0", "")]
        if self._muxer in ("mp4", "mov"):
            arguments += ["-movflags", "+faststart"]
        return [*arguments, "-f", self._muxer]

    def _filters(self) -> str:
        filters = []
        if self._muxer == "gif":
            filters.append("split[a][b],[a]palettegen=stats_mode=single[p],[b][p]paletteuse=new=1")
        elif self._encoding.pixel_format in RGB_FORMATS:
            filters.append("setparams=range=pc:color_primaries=bt709:color_trc=bt709")
        else:
            # Converting and tagging are two things: scale converts matrix and range, setparams says so.
            filters.append(
                "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd+full_chroma_int,"
                f"format={self._encoding.pixel_format},"
                "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
            )
        if self._aspect != 1:
            filters.append(f"setsar={self._aspect.numerator}/{self._aspect.denominator}:max=1000000")
        return ",".join(filters).replace("split[a][b],", "split[a][b];").replace("[p],[b]", "[p];[b]")


@dataclass(frozen=True)
class _Encoding:
    arguments: list[str]
    pixel_format: str
    notes: list[str]


def _choose_encoding(settings: VideoSettings, target: Path, width: int, height: int) -> _Encoding:
    """ffmpeg's encoder arguments; OutputError where codec, container, size and quality do not go together."""
    codec = _codec_for(settings.codec, target)
    least_width, least_height = codec.smallest
    if width < least_width or height < least_height:
        raise OutputError(
            f"{settings.codec} cannot hold {width}x{height}, less than {least_width}x{least_height}",
            next_step="Choose another --set output.video_codec or a larger --max-side.",
        )
    encoder, pixel_format, quality = _quality(settings, codec)
    notes = []
    odd = bool(width % 2 or height % 2)
    if odd and codec.odd_pixel_format and pixel_format == codec.pixel_format:
        pixel_format = codec.odd_pixel_format
        notes.append(f"{width}x{height} is odd: written as {pixel_format}, which some players do not show.")
    if pixel_format in ("rgb24", "gbrp"):
        notes.append(f"Lossless {settings.codec} keeps RGB, which some players do not show.")
    arguments = ["-c:v", encoder, "-pix_fmt", pixel_format, *quality]
    if settings.codec == "h265" and MUXERS[target.suffix.lower()] in ("mp4", "mov"):
        arguments += ["-tag:v", "hvc1"]  # what QuickTime plays
    return _Encoding(arguments, pixel_format, notes)


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


def _codec_for(name: str, target: Path) -> _Codec:
    check_container(name, target)
    codec = CODECS[name]
    if codec.encoder not in encoders():
        raise OutputError(
            f"this ffmpeg cannot encode {name}: it has no {codec.encoder}",
            next_step=f"Choose another --set output.video_codec: {', '.join(video_codecs())}.",
        )
    return codec


def _quality(settings: VideoSettings, codec: _Codec) -> tuple[str, str, tuple[str, ...]]:
    """Encoder, pixel format and options for a quality, by name or number."""
    quality = settings.quality
    if isinstance(quality, str):
        if quality == "lossless" and codec.lossless is not None:
            return codec.lossless
        if quality in codec.levels:
            return codec.encoder, codec.pixel_format, (*codec.options, *codec.levels[quality])
        raise OutputError(f"{settings.codec} has no quality {quality!r}", next_step=_qualities_of(codec))
    if codec.number is None or not codec.number[1] <= quality <= codec.number[2]:
        raise OutputError(f"{settings.codec} has no quality {quality:g}", next_step=_qualities_of(codec))
    return codec.encoder, codec.pixel_format, (*codec.options, codec.number[0], f"{quality:g}")


def _qualities_of(codec: _Codec) -> str:
    names = [*codec.levels, *(["lossless"] if codec.lossless else [])]
    number = f", or a number from {codec.number[1]:g} to {codec.number[2]:g}" if codec.number else ""
    return f"Choose {', '.join(names)}{number}."


@dataclass(frozen=True)
class _Carried:
    """ffmpeg arguments for what comes from the source: its input, the output, and before our own input."""

    input: list[str]
    output: list[str]
    delay: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _carry(info: VideoInfo, source: SourceStreams, muxer: str) -> _Carried:
    """The source's sound, text, chapters and metadata; what the container cannot hold is said."""
    if muxer == "gif":
        notes = ["GIF holds no sound: it was dropped."] if info.audio_codecs else []
        return _Carried([], [], notes=notes)
    span: list[str] = []
    cut: list[str] = []
    if source.start_s is not None:
        span += ["-ss", _seconds(source.start_s + info.video_start_s)]
        # The seek lands on a key frame before; what is copied must still begin at 0, or it is out of step.
        cut = ["-ss", "0", "-copypriorss:a", "0", "-copypriorss:s", "0"]
    if source.end_s is not None:
        span += ["-to", _seconds(source.end_s + info.video_start_s)]
    late = source.start_s is None and info.video_start_s >= LATE_START_S
    audio, audio_notes = _audio(info.audio_codecs, muxer)
    subtitles, subtitle_notes = _subtitles(info.subtitle_codecs, muxer)
    attachments = ["-map", "1:t?", "-c:t", "copy"] if muxer == "matroska" else []
    return _Carried(
        input=[*span, *input_arguments(source.path)],
        output=[*audio, *subtitles, *attachments, *_metadata_of_source(), *cut],
        delay=["-itsoffset", _seconds(info.video_start_s)] if late else [],
        notes=[*audio_notes, *subtitle_notes],
    )


def _seconds(value: Fraction) -> str:
    return f"{float(value):.6f}"


def _metadata_of_source() -> list[str]:
    arguments = ["-map_metadata", "1", "-map_metadata:s:v", "1:s:v", "-map_chapters", "1"]
    for tag in STALE_TAGS:
        arguments += ["-metadata:s:v", f"{tag}="]
    return arguments


def _audio(codecs: tuple[str, ...], muxer: str) -> tuple[list[str], list[str]]:
    """Each sound stream copied where the container holds its codec, else converted."""
    arguments: list[str] = []
    notes: list[str] = []
    allowed = COPIED_AUDIO.get(muxer)
    encoder, name = ("libopus", "Opus") if muxer == "webm" else ("aac", "AAC")
    count = 0
    for index, codec in enumerate(codecs):
        if codec in ("none", "unknown", ""):
            notes.append(f"Sound stream {index + 1} was dropped: its codec is not known.")
            continue
        arguments += ["-map", f"1:a:{index}"]
        if allowed is None or codec in allowed:
            arguments += [f"-c:a:{count}", "copy"]
        else:
            arguments += [f"-c:a:{count}", encoder, f"-b:a:{count}", "192k"]
            if encoder == "libopus":  # which refuses side-channel layouts
                arguments += [f"-filter:a:{count}", "aformat=channel_layouts=7.1|5.1|stereo|mono"]
            notes.append(f"Sound stream {index + 1} was converted from {codec} to {name} for this container.")
        count += 1
    return arguments, notes


def _subtitles(codecs: tuple[str, ...], muxer: str) -> tuple[list[str], list[str]]:
    """Each subtitle stream copied, or converted from text to text, or dropped with a note."""
    arguments: list[str] = []
    notes: list[str] = []
    count = 0
    for index, codec in enumerate(codecs):
        if muxer == "matroska" and codec in MATROSKA_SUBTITLES:
            chosen = "copy"
        elif codec in TEXT_SUBTITLES:
            chosen = {"matroska": "srt", "webm": "webvtt"}.get(muxer, "mov_text")
        else:
            notes.append(f"Subtitles {index + 1} ({codec}) were dropped: this container cannot hold them.")
            continue
        arguments += ["-map", f"1:s:{index}", f"-c:s:{count}", chosen]
        count += 1
    return arguments, notes
