"""A clip that comes through a pipe, told what it is from its beginning, and handed whole to whoever decodes it."""

from __future__ import annotations

import os
import select
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, BinaryIO, cast

from framestyle.errors import Code, InputError
from framestyle.media.ffmpeg import FFmpegDecoder, pipe_arguments
from framestyle.media.pipes.framing import MATROSKA_HEAD, Y4M_HEAD, FramingError, framing_of
from framestyle.media.video.colors import colors_of
from framestyle.media.video.probe import VideoInfo, probe

STANDARD_INPUT = Path("standard input")
"""What a stream is called in messages."""
CHUNK_BYTES = 1 << 16
HEAD_BYTES = max(len(Y4M_HEAD), len(MATROSKA_HEAD))
LOOK_AGAIN_S = 0.05
GIVEN_UP_S = 5.0
"""A decoder that has nothing more to give and has not read on for so long does not come back."""
OF_THE_SENDER = "See what the program says that sends it: a signal or a full disk may have ended it."
CARRIERS = "Send y4m or Matroska: ffmpeg -i INPUT -f matroska -c:v ffv1 - | …"


@dataclass(frozen=True)
class ColorTags:
    """What is known of a stream's colours beside what it says itself, by ffmpeg's names; None: nothing more."""

    matrix: str | None = None
    primaries: str | None = None
    transfer: str | None = None
    range: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said."""
        return self == ColorTags()


class StreamOrigin:
    """An Origin: what comes through `descriptor`, which is read from the first byte to the last, once.

    InputError where it is neither y4m nor Matroska, or ends before its first picture. `tags` outweigh the stream's own.
    `abort` may be called from any thread: whoever waits for the stream finds it at its end.
    """

    is_repeatable = False

    def __init__(self, descriptor: int, tags: ColorTags | None = None) -> None:
        self._source, self._tags = descriptor, tags or ColorTags()
        self._aborted, self._ended, self._trouble = False, False, ""
        self._wake, self._awake = os.pipe()
        self._feeder: threading.Thread | None = None
        self._folder: TemporaryDirectory[str] | None = None
        self._fifo: Path | None = None
        try:
            beginning = self._beginning()
            found = framing_of(beginning)
            if found is None:
                what = "is neither y4m nor Matroska" if beginning else "is empty"
                raise InputError(f"{STANDARD_INPUT} {what}", code=Code.STREAM_UNKNOWN, next_step=CARRIERS)
            self._muxer, self._framing = found
            self._head = [beginning]
            self._framed(beginning)
            self._read_head()
            self.info = self._probed()
        except BaseException:
            self.close()
            raise

    # -- its beginning -------------------------------------------------------------------------------------

    def _beginning(self) -> bytes:
        data = b""
        while len(data) < HEAD_BYTES and (more := self._read()):
            data += more
        return data

    def _read_head(self) -> None:
        """As much as tells what it is: of y4m a frame, of Matroska what ffmpeg wants to see."""
        if self._muxer == "matroska":
            self._read_with_ffmpeg()
        while not self._framing.has_begun and (data := self._taken()):
            self._head.append(data)

    def _read_with_ffmpeg(self) -> None:
        one = ["-map", "0:v:0?", "-frames:v", "1", "-f", "null", "-"]
        process = FFmpegDecoder([*pipe_arguments(self._muxer), *one], stdin=subprocess.PIPE)
        taker = cast(BinaryIO, process.process.stdin)
        try:
            with suppress(BrokenPipeError):
                taker.write(self._head[0])
                # Its output ends with it: what has not come yet is not waited for, once it has seen enough.
                while process.process.poll() is None and (data := self._taken(process.output)):
                    self._head.append(data)
                    taker.write(data)
                    taker.flush()
                taker.close()
            process.process.wait()
        finally:
            process.kill()

    def _probed(self) -> VideoInfo:
        """As a file of these bytes would be; what only a whole file can tell is left open."""
        if not self._framing.has_begun:
            raise self._cut_short(0)
        with TemporaryDirectory(prefix="framestyle-") as folder:
            begun = Path(folder) / f"stream{'.mkv' if self._muxer == 'matroska' else '.y4m'}"
            begun.write_bytes(b"".join(self._head))
            try:
                info = probe(begun)
            except InputError as error:
                message = error.message.replace(str(begun), str(STANDARD_INPUT))
                raise InputError(message, code=Code.STREAM_UNKNOWN, next_step=CARRIERS) from error
        info = replace(
            info,
            path=STANDARD_INPUT,
            frame_count_estimate=self._framing.frames_promised(info.frame_rate),
            duration_s=None,
            video_end_s=None,
        )
        return info if self._tags.is_empty else _tagged(info, self._tags)

    # -- its bytes -----------------------------------------------------------------------------------------

    def _read(self, ends_with: IO[bytes] | None = None) -> bytes:
        """What has come, at least a byte; nothing at the end, or once it was aborted or `ends_with` has an end."""
        if os.name == "posix":
            others = [self._wake, *([] if ends_with is None else [ends_with.fileno()])]
            ready, _, _ = select.select([self._source, *others], [], [])
            if self._source not in ready or self._wake in ready:
                return b""
        try:
            return os.read(self._source, CHUNK_BYTES)
        except OSError as error:
            raise InputError(
                f"{STANDARD_INPUT} cannot be read: {error.strerror}", next_step=CARRIERS
            ) from error

    def _taken(self, ends_with: IO[bytes] | None = None) -> bytes:
        data = self._read(ends_with)
        self._ended = not data and ends_with is None
        self._framed(data)
        return data

    def _framed(self, data: bytes) -> None:
        try:
            self._framing.take(data)
        except FramingError as error:
            raise InputError(
                f"{STANDARD_INPUT} cannot be read on: {error}", code=Code.STREAM_UNKNOWN, next_step=CARRIERS
            ) from error

    def _feed(self, opened: Callable[[], BinaryIO]) -> None:
        """On a thread: the head, then all that comes, until it ends or the decoder does."""

        def fed() -> None:
            try:
                with opened() as pipe:
                    for data in self._head:
                        _write_all(pipe, data)
                    self._head.clear()
                    while data := self._taken():
                        _write_all(pipe, data)
            except InputError as error:
                self._trouble = error.message
            except (OSError, ValueError):
                pass  # the decoder is gone, and says why

        self._feeder = threading.Thread(target=fed, name="stream", daemon=True)
        self._feeder.start()

    # -- an Origin -----------------------------------------------------------------------------------------

    @property
    def suits_opencv(self) -> bool:
        """See `Origin`, here and below. OpenCV reads colours as the stream says them, and no others."""
        return hasattr(os, "mkfifo") and self._tags.is_empty

    def for_opencv(self) -> Path:
        """A pipe that has a name, as files have one: OpenCV decodes in a process of its own."""
        self._folder = TemporaryDirectory(prefix="framestyle-")
        fifo = self._fifo = Path(self._folder.name) / "stream"
        os.mkfifo(fifo)

        def opened() -> BinaryIO:
            return fifo.open("wb", buffering=0)  # waits until it is opened on the other side

        self._feed(opened)
        return fifo

    def decoder(self, before: Sequence[str], after: Sequence[str]) -> FFmpegDecoder:
        process = FFmpegDecoder([*before, *pipe_arguments(self._muxer), *after], stdin=subprocess.PIPE)
        self._feed(lambda: cast(BinaryIO, process.process.stdin))
        return process

    def check_end(self, frames: int) -> None:
        """InputError, too, where the decoder gave up before the end."""
        if self._feeder is not None:
            self._feeder.join(GIVEN_UP_S)
        if self._trouble or self._aborted:
            raise InputError(
                self._trouble or f"{STANDARD_INPUT} was closed",
                code=Code.STREAM_CUT_SHORT,
                next_step=OF_THE_SENDER,
            )
        if not self._ended:
            raise InputError(
                f"{STANDARD_INPUT} cannot be decoded beyond frame {frames}",
                code=Code.STREAM_UNKNOWN,
                next_step=CARRIERS,
            )
        if self._framing.cut_short is not None:
            raise self._cut_short(frames)

    def _cut_short(self, frames: int) -> InputError:
        return InputError(
            f"{STANDARD_INPUT} ended in the middle of {self._framing.cut_short}, after {frames} whole frames",
            code=Code.STREAM_CUT_SHORT,
            facts={"frames": frames},
            next_step=OF_THE_SENDER,
        )

    def abort(self) -> None:
        """Have it end here, for all who wait for it; may be repeated."""
        if not self._aborted:
            self._aborted = True
            os.write(self._awake, b"\0")

    def close(self) -> None:
        """Ends its thread. The decoder must be gone."""
        if self._wake < 0:
            return
        self.abort()
        if self._feeder is not None and os.name == "posix":
            while self._feeder.is_alive():
                self._let_feeder_go()
        if self._folder is not None:
            self._folder.cleanup()
        for side in (self._wake, self._awake):
            os.close(side)
        self._wake = -1

    def _let_feeder_go(self) -> None:
        """Where the decoder never opened its end, the feeder still waits for that."""
        assert self._feeder is not None
        other_end = None if self._fifo is None else os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK)
        self._feeder.join(LOOK_AGAIN_S)
        if other_end is not None:
            os.close(other_end)


def _write_all(pipe: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[pipe.write(view) :]
    pipe.flush()


def _tagged(info: VideoInfo, tags: ColorTags) -> VideoInfo:
    """With what is known of its colours."""
    matrix, primaries = tags.matrix or info.color_matrix, tags.primaries or info.color_primaries
    transfer, kind = tags.transfer or info.color_transfer, tags.range or info.color_range
    return replace(
        info,
        color_matrix=matrix,
        color_primaries=primaries,
        color_transfer=transfer,
        color_range=kind,
        colors=colors_of(
            pixel_format=info.pixel_format,
            width=info.width,
            height=info.height,
            matrix=matrix,
            primaries=primaries,
            transfer=transfer,
            color_range=kind,
        ),
    )
