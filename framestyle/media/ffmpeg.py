"""ffmpeg as our own process: an argument list, no shell, its messages drained, its exit code read."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import imageio_ffmpeg

from framestyle.errors import Code, FramestyleError, InputError, OutputError
from framestyle.media.files import storage_error
from framestyle.media.jpeg import JPEG_HEAD

STOP_TIMEOUT_S = 5.0
LAST_LINES = 40
LINE_BYTES = 1000
ASK_TIMEOUT_S = 60.0
FILE_TOO_LARGE = int(getattr(signal, "SIGXFSZ", 0)) or 1 << 16
"""The signal of a file that grew beyond its limit; no signal's number where the system has none."""

FORMATS_READ = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,gif,webp_anim,apng,yuv4mpegpipe,asf,mxf,nut"
    ",ivf,mjpeg"
)
"""The only demuxers that may open an input: none of them opens further files, as concat and HLS do."""
PROTOCOLS_READ = "file,pipe"


def ffmpeg_exe() -> str:
    """The executable that imageio-ffmpeg brings (or that IMAGEIO_FFMPEG_EXE names)."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise _missing(str(error)) from error


def _missing(cause: str) -> OutputError:
    return OutputError(
        f"ffmpeg cannot be run: {cause}", next_step="Install it: pip install --upgrade imageio-ffmpeg"
    )


def input_arguments(path: Path) -> list[str]:
    """`-i` for a local file, whatever its name looks like; only media may be opened through it."""
    allowed = ["-protocol_whitelist", PROTOCOLS_READ, "-format_whitelist", FORMATS_READ]
    return [*allowed, *_as_film(path), "-i", f"file:{path}"]


def _as_film(path: Path) -> list[str]:
    """Of a JPEG that more follow, ffmpeg itself would take the first one for a photo."""
    with suppress(OSError), path.open("rb") as file:
        return ["-f", "mjpeg"] if file.read(3) == JPEG_HEAD else []
    return []


def pipe_arguments(muxer: str, descriptor: int = 0) -> list[str]:
    """`-i` for what comes through a pipe, in a container that is known."""
    return ["-protocol_whitelist", "pipe", "-f", muxer, "-i", f"pipe:{descriptor}"]


def output_argument(path: Path) -> str:
    """An output file's name, so that ffmpeg takes it for nothing but a file."""
    return f"file:{path}"


def ask(arguments: Sequence[str], timeout_s: float = ASK_TIMEOUT_S) -> tuple[str, str]:
    """ffmpeg's stdout and stderr for a question without stdin; TimeoutExpired after `timeout_s`."""
    command = [ffmpeg_exe(), "-hide_banner", "-nostdin", *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            start_new_session=True,
        )
    except OSError as error:
        raise _missing(str(error)) from error
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode < 0:  # it crashed, and could not say so
        said += f"\n[ffmpeg] ffmpeg was stopped by signal {-done.returncode}\n"
    return done.stdout.decode("utf-8", "replace"), said


def filtered(pixels: memoryview | bytes, shape: Sequence[str], filters: str) -> bytes:
    """One raw picture through ffmpeg's filters, raw again. `shape`: its arguments before `-i`.

    InputError where ffmpeg refuses.
    """
    asked = ["-v", "error", *shape, "-i", "pipe:0", "-vf", filters, "-frames:v", "1"]
    return fed(pixels, [*asked, "-f", "rawvideo", "-"])


def fed(data: memoryview | bytes, arguments: Sequence[str]) -> bytes:
    """ffmpeg's stdout for what is on its stdin; InputError with its words where it fails."""
    command = [ffmpeg_exe(), "-hide_banner", *arguments]
    try:
        done = subprocess.run(command, input=data, capture_output=True, check=False, start_new_session=True)
    except OSError as error:
        raise _missing(str(error)) from error
    if done.returncode != 0 or not done.stdout:
        said = " | ".join(last_messages(done.stderr.decode("utf-8", "replace").splitlines())[-2:])
        raise InputError(
            f"ffmpeg cannot convert a picture: {said or 'no message'}",
            next_step="Save it as PNG or JPEG elsewhere.",
        )
    return done.stdout


def lists_a_packet(listed: str) -> bool:
    """Whether a framecrc listing has more than its head."""
    return any(line and not line.startswith("#") for line in listed.splitlines())


@lru_cache(maxsize=1)
def encoders() -> frozenset[str]:
    """The names of the encoders that this ffmpeg was built with."""
    listed, _ = ask(["-encoders"])
    return frozenset(re.findall(r"^ [VAS][A-Z.]{5} (\S+)", listed, re.MULTILINE))


OLDEST_TRIED = (7, 0)
"""Older ones are understood, but encode some formats otherwise, or not at all."""


def version_in(text: str) -> tuple[int, ...] | None:
    """The numbers in the answer to `-version`; None of builds from the trunk, which have none."""
    found = re.match(r"ffmpeg version n?([0-9]{1,4}(?:\.[0-9]{1,4})+)", text)
    return tuple(map(int, found[1].split("."))) if found else None


@lru_cache(maxsize=4)
def _has_demux_time_base(exe: str) -> bool:
    text, _ = ask(["-version"])
    version = version_in(text)
    return version is None or version >= (6, 1)


def input_time_base() -> str:
    """The value of `-enc_time_base` by which a frame's times are counted as its input counts them.

    ffmpeg 6.1 brought the name, ffmpeg 8 took the number away.
    """
    return "demux" if _has_demux_time_base(ffmpeg_exe()) else "-1"


class _Process:
    """A running ffmpeg whose messages are drained. `kill` ends it, and may be repeated."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        stdin: int,
        stdout: int,
        on_line: Callable[[str], None] | None = None,
    ) -> None:
        command = [ffmpeg_exe(), "-hide_banner", "-nostats", "-loglevel", "warning", "-y", *arguments]
        try:
            # Its own session: a Ctrl-C in the terminal reaches us alone, and we decide what ffmpeg does.
            self.process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                start_new_session=True,
                env={**os.environ, "SVT_LOG": "1"},  # SVT-AV1 talks on stderr otherwise
            )
        except OSError as error:
            raise _missing(str(error)) from error
        except ValueError as error:  # a zero byte in an argument
            raise _missing(str(error)) from error
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._on_line = on_line or self._lines.append
        self._reader = threading.Thread(target=self._drain, name="ffmpeg-messages", daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as messages:
            while line := messages.readline(LINE_BYTES):
                self._on_line(line.decode("utf-8", "replace").strip())

    def kill(self) -> None:
        """Ends the process at once; leaves nothing behind.

        What it has written is thrown away, so there is nothing to be gentle for: asked to terminate, it would first
        wait for its standard input.
        """
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._reader.join()

    def _ended(self) -> tuple[str, list[str]]:
        """How it ended, and its last messages."""
        code = self.process.poll()
        how = f"was stopped by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        return how, last_messages(self._lines)


class FFmpeg(_Process):
    """A running ffmpeg that reads its stdin. `close` waits for it, `kill` ends it; both may be repeated.

    `target`: what it makes, in messages. `stdout`: a descriptor that it may write to.
    """

    def __init__(self, arguments: Sequence[str], target: Path, *, stdout: int = subprocess.DEVNULL) -> None:
        self._target = target
        super().__init__(arguments, stdin=subprocess.PIPE, stdout=stdout)

    def write(self, data: memoryview | bytes) -> None:
        """To its standard input; OutputError with its last words where it has died."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
        except (OSError, ValueError) as error:
            # Its own end first: only then is its exit code its own, and its last message read.
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT_S)
            self.kill()
            raise self.failure() from error

    def close(self) -> None:
        """End of input; waits as long as encoding takes; raises where ffmpeg failed."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()
        code = self.process.wait()
        self._reader.join()
        if code != 0:
            raise self.failure()

    def failure(self) -> FramestyleError:
        """Why it ended, in one line, from its own messages."""
        how, lines = self._ended()
        if any("No space left on device" in line or "Disk quota exceeded" in line for line in lines):
            return storage_error(OSError(errno.ENOSPC, ""), self._target)
        if self.process.poll() == -FILE_TOO_LARGE or any("File too large" in line for line in lines):
            return storage_error(OSError(errno.EFBIG, ""), self._target)
        causes = [line for line in lines if not line.startswith("Error opening output")]
        said = " | ".join(dict.fromkeys(causes[-3:])) or "no message"
        return OutputError(
            f"ffmpeg {how} while encoding: {said}",
            code=Code.ENCODER_FAILED,
            facts={"path": str(self._target)},
        )


TELLING_CHANGES = ("-loglevel", "level+info")
"""For an FFmpegDecoder: it is to hear where pictures change on the way, which ffmpeg tells among much else."""
_LEVEL = re.compile(r"^((?:\[[^]]{1,100}\] )?)\[(info|warning|error|fatal|panic)\] ")
_CHANGED = "Reconfiguring filter graph because video parameters changed"


class FFmpegDecoder(_Process):
    """A running ffmpeg whose stdout is read, from `output`. `kill` ends it.

    `has_changed`: whether its pictures changed on the way in size, format or colours, once its output has ended; only
    with TELLING_CHANGES among its arguments.

    `on_line` is given each message, on a thread of its own; else the last ones are kept for `failure`. `stdin`: a
    descriptor that it may read from.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        on_line: Callable[[str], None] | None = None,
        *,
        stdin: int = subprocess.DEVNULL,
    ) -> None:
        self._heard_change = False
        super().__init__(
            ["-nostdin", *arguments], stdin=stdin, stdout=subprocess.PIPE, on_line=on_line or self._hear
        )
        assert self.process.stdout is not None
        self.output = self.process.stdout

    @property
    def has_changed(self) -> bool:
        """See the class."""
        self._reader.join(STOP_TIMEOUT_S)
        return self._heard_change

    def _hear(self, line: str) -> None:
        """What is information alone is heard, and not kept."""
        level = _LEVEL.match(line)
        self._heard_change |= _CHANGED in line
        if level is None or level[2] != "info":
            self._lines.append(line if level is None else level[1] + line[level.end() :])

    def failure(self) -> str:
        """How it ended and why, once its output has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_TIMEOUT_S)
        still_there = self.process.poll() is None
        self.kill()
        how, lines = self._ended()
        if still_there:  # by us it was stopped
            how = "sent what is no picture"
        return f"ffmpeg {how}: {' | '.join(dict.fromkeys(lines[-2:])) or 'no message'}"


def last_messages(lines: Iterable[str]) -> list[str]:
    """ffmpeg's messages without the addresses that it puts before them."""
    return [re.sub(r"^\[[^]]* @ 0x[0-9a-f]+\] ", "", line) for line in lines if line]
