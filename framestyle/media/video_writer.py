"""Stylized frames into a video file, with the source's sound and metadata, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from framestyle.errors import OutputError
from framestyle.frames import Pixels
from framestyle.media.ffmpeg import FFmpeg, input_arguments
from framestyle.media.files import atomic_output
from framestyle.media.probe import probe


@dataclass(frozen=True)
class SourceStreams:
    """Where sound, subtitles, chapters and metadata come from, and which part of it (seconds)."""

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
    encoder: tuple[str, ...]
    pixel_format: str
    odd_format: str
    containers: tuple[str, ...]
    levels: Mapping[str, float] = field(default_factory=dict)
    option: str = "-crf"


_X26X = {"draft": 28, "good": 22, "visually_lossless": 16, "lossless": 0}
CODECS: Mapping[str, _Codec] = {
    "h264": _Codec(("libx264", "-preset", "medium"), "yuv420p", "yuv444p", (".mp4", ".mov", ".mkv"), _X26X),
    "h265": _Codec(
        ("libx265", "-preset", "medium", "-x265-params", "log-level=error", "-tag:v", "hvc1"),
        "yuv420p",
        "yuv444p",
        (".mp4", ".mov", ".mkv"),
        _X26X,
    ),
    "vp9": _Codec(
        ("libvpx-vp9", "-b:v", "0", "-row-mt", "1"),
        "yuv420p",
        "yuv420p",
        (".webm", ".mkv", ".mp4"),
        {"draft": 40, "good": 30, "visually_lossless": 18, "lossless": 4},
    ),
    "prores": _Codec(
        ("prores_ks",),
        "yuv422p10le",
        "yuv422p10le",
        (".mov", ".mkv"),
        {"draft": 0, "good": 2, "visually_lossless": 3, "lossless": 4},
        "-profile:v",
    ),
    "ffv1": _Codec(("ffv1", "-level", "3"), "bgr0", "bgr0", (".mkv",), {}, ""),
}
COPIED_AUDIO = {
    ".mp4": {"aac", "mp3", "ac3", "eac3", "alac"},
    ".mov": {"aac", "mp3", "ac3", "alac", "pcm_s16le", "pcm_s24le"},
    ".webm": {"opus", "vorbis"},
}
"""Codecs that each container keeps as they are; MKV keeps all."""
TEXT_SUBTITLES = {"subrip", "ass", "ssa", "mov_text", "webvtt", "text"}


class VideoWriter:
    """A context manager: on a normal end the file is finished, checked and put in its place; on an error nothing stays.

    `write` takes HWC RGB uint8 of the given size. `notes` says what was changed on the way.
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
        self.target, self.size = target, (width, height)
        self.notes: list[str] = []
        self.frames_written = 0
        self._rate, self._settings, self._source = frame_rate, settings, source
        self._aspect, self._metadata = sample_aspect_ratio, dict(metadata or {})
        self._codec = _codec_for(settings.codec, target)
        self._process: FFmpeg | None = None
        self._stack = ExitStack()

    def __enter__(self) -> VideoWriter:
        temporary = self._stack.enter_context(atomic_output(self.target))
        try:
            self._process = FFmpeg([*self._inputs(), *self._outputs(), f"file:{temporary}"])
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def write(self, pixels: Pixels) -> None:
        """The next frame."""
        width, height = self.size
        if pixels.shape != (height, width, 3) or pixels.dtype.itemsize != 1:
            raise ValueError(f"expected {height}x{width} RGB uint8, got {pixels.shape} {pixels.dtype}")
        assert self._process is not None
        self._process.write(pixels.tobytes())
        self.frames_written += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        assert self._process is not None
        if kind is not None:
            self._process.kill()
            self._stack.__exit__(kind, error, None)
            return
        try:
            self._process.close()
        except BaseException as failed:
            self._process.kill()
            self._stack.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._stack.close()

    def _inputs(self) -> list[str]:
        width, height = self.size
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(self._rate), "-i", "pipe:0"]
        if self._source is None:
            return raw
        span: list[str] = []
        if self._source.start_s is not None:
            span += ["-ss", f"{float(self._source.start_s):.6f}"]
        if self._source.end_s is not None:
            span += ["-to", f"{float(self._source.end_s):.6f}"]
        return [*raw, *span, *input_arguments(self._source.path)]

    def _outputs(self) -> list[str]:
        codec, (width, height) = self._codec, self.size
        odd = width % 2 or height % 2
        pixel_format = codec.odd_format if odd else codec.pixel_format
        if odd and codec.odd_format != codec.pixel_format:
            self.notes.append(f"{width}x{height} is odd: written as {pixel_format}, which some players do not show.")
        # Converting and tagging are two things: scale converts the matrix and range, setparams says so.
        filters = "scale=out_color_matrix=bt709:out_range=tv,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
        if codec.pixel_format == "bgr0":
            filters = "null"
        if self._aspect != 1:
            filters += f",setsar={self._aspect.numerator}/{self._aspect.denominator}"
        arguments = ["-map", "0:v:0", "-vf", filters, "-pix_fmt", pixel_format, "-c:v", *codec.encoder]
        arguments += self._quality()
        if self._source is not None:
            arguments += self._carried(self._source.path)
        for key, value in self._metadata.items():
            arguments += ["-metadata", f"{key}={value}"]
        if self.target.suffix.lower() in (".mp4", ".mov"):
            arguments += ["-movflags", "+faststart"]
        return arguments

    def _quality(self) -> list[str]:
        quality, codec = self._settings.quality, self._codec
        if not codec.option:
            return []
        number = codec.levels[quality] if isinstance(quality, str) else quality
        return [codec.option, f"{number:g}"]

    def _carried(self, path: Path) -> list[str]:
        """The source's sound, text, chapters and metadata; what the container cannot hold is said."""
        info, suffix = probe(path), self.target.suffix.lower()
        arguments = ["-map", "1:a?", "-map_metadata", "1", "-map_chapters", "1", "-c:a", "copy"]
        allowed = COPIED_AUDIO.get(suffix)
        if allowed is not None and not set(info.audio_codecs) <= allowed:
            encoder = "libopus" if suffix == ".webm" else "aac"
            arguments[-1] = encoder
            arguments += ["-b:a", "192k"]
            self.notes.append(f"The sound was converted to {encoder}: {suffix} does not hold {info.audio_codecs[0]}.")
        if info.subtitle_codecs:
            if suffix == ".mkv":
                arguments += ["-map", "1:s?", "-c:s", "copy"]
            elif set(info.subtitle_codecs) <= TEXT_SUBTITLES:
                arguments += ["-map", "1:s?", "-c:s", "webvtt" if suffix == ".webm" else "mov_text"]
            else:
                self.notes.append(f"Bitmap subtitles were dropped: {suffix} cannot hold them, .mkv can.")
        return arguments


def _codec_for(name: str, target: Path) -> _Codec:
    codec, suffix = CODECS.get(name), target.suffix.lower()
    if codec is None:
        raise OutputError(f"no video codec is called {name!r}", next_step=f"Known: {', '.join(CODECS)}")
    if suffix not in codec.containers:
        fits = [other for other, entry in CODECS.items() if suffix in entry.containers]
        hint = f" or --set output.video_codec={fits[0]}" if fits else ""
        raise OutputError(
            f"{target} cannot hold {name} video",
            next_step=f"Name the output {' or '.join(target.stem + end for end in codec.containers)}{hint}.",
        )
    return codec
