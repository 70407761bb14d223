"""ffmpeg as our own process: an argument list, no shell, its messages drained, its exit code read."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import imageio_ffmpeg

from framestyle.errors import FramestyleError, OutputError, StorageError

STOP_TIMEOUT_S = 5.0
LAST_LINES = 40


def ffmpeg_exe() -> str:
    """The executable that imageio-ffmpeg brings."""
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise OutputError("ffmpeg is missing", next_step="Install it: pip install imageio-ffmpeg") from error


def input_arguments(path: Path) -> list[str]:
    """`-i` for a local file, whatever its name looks like; nothing but files may be opened from inside it."""
    return ["-protocol_whitelist", "file,pipe", "-i", f"file:{path}"]


class FFmpeg:
    """A running ffmpeg that reads from `stdin`. `close` waits for it; `kill` ends it; both are safe to repeat."""

    def __init__(self, arguments: Sequence[str]) -> None:
        command = [ffmpeg_exe(), "-hide_banner", "-loglevel", "warning", "-y", *arguments]
        # Its own session: a Ctrl-C in the terminal reaches us alone, and we decide what ffmpeg does.
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._reader = threading.Thread(target=self._drain, name="ffmpeg-messages", daemon=True)
        self._reader.start()

    def _drain(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line.decode("utf-8", "replace").strip())
        self.process.stderr.close()

    def write(self, data: memoryview | bytes) -> None:
        """To its standard input; OutputError with its last words where it has died."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(data)
        except (BrokenPipeError, ValueError) as error:
            self.kill()
            raise self.failure() from error

    def close(self) -> None:
        """End of input; waits; raises where ffmpeg failed."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        code = self.process.wait()
        self._reader.join()
        if code != 0:
            raise self.failure()

    def kill(self) -> None:
        """Ends the process, gently first; leaves nothing behind."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdin is not None:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        self._reader.join()

    def failure(self) -> FramestyleError:
        """Why it ended, from its own messages."""
        said = " | ".join(line for line in list(self._lines)[-3:] if line) or "no message"
        if any("No space left" in line for line in self._lines):
            return StorageError("the disk is full", next_step="Free some space, then give the same command again.")
        return OutputError(f"ffmpeg ended with code {self.process.poll()}: {said}")
