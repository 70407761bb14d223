"""`framestyle stylize - -o -`, as a process between two pipes: by Matroska and by y4m."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

import numpy as np
from door import ALPHA, CUTS, DEEP, ODD, RATE, RAW, Door, Frames, Job, Painted, Stopped, read_clip, write_clip
from pipe_ends import at_the_ends_of_pipes

from framestyle.doors import cli
from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.video.opencv import end_waiting
from framestyle.media.video.reader import VideoReader
from tests import warm

COMMAND = (sys.executable, "-m", "framestyle", "stylize", "-", "-o", "-")
OPTIONS = ("--weights", "untrained", "--device", "cpu", "--progress", "json")
BT601 = "scale={}_color_matrix=smpte170m:flags=accurate_rnd+full_chroma_int+bitexact"
"""What y4m of this size is taken for."""
PLANES = {(3, 1): "yuv444p", (3, 2): "yuv444p16le", (4, 1): "yuva444p"}


def _ffmpeg(*arguments: str, given: bytes = b"") -> bytes:
    command = [ffmpeg_exe(), "-v", "error", "-y", *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


class MatroskaPipe(Door):
    """FFV1 both ways: nothing is rounded."""

    name = "pipe-matroska"
    format = "matroska"
    carries = frozenset({ALPHA, CUTS, DEEP, ODD})

    def packed(self, frames: Frames, folder: Path) -> bytes:
        """The clip as a stream."""
        return write_clip(folder / "in.mkv", frames).read_bytes()

    def unpacked(self, stream: bytes, like: Frames, folder: Path) -> Frames:
        """A result's frames."""
        (folder / "out.mkv").write_bytes(stream)
        return read_clip(folder / "out.mkv", like)

    def paint(self, job: Job) -> Painted:
        """In this process, which has torch already; the other two are processes of their own."""
        told = io.StringIO()
        with at_the_ends_of_pipes(self.packed(job.frames, job.folder)) as out, redirect_stderr(told):
            assert cli.main([*self._command(job)[3:]]) == 0, told.getvalue()
        events = [json.loads(line) for line in told.getvalue().splitlines()]
        done = sum(event["event"] == "frame_done" for event in events)
        assert events[-1]["event"] == "job_done"
        return Painted(self.unpacked(b"".join(out), job.frames, job.folder), range(done + 1))

    def cancel(self, job: Job) -> Stopped:
        with self._running(job) as process:
            assert process.stdin is not None and process.stdout is not None and process.stderr is not None
            process.stdin.write(self.packed(job.frames, job.folder))
            process.stdin.close()
            for line in process.stderr:
                if b'"step_done"' in line:
                    break
            process.stdout.close()
            rest = process.stderr.read().decode()
            assert process.wait(60) == 130
        steps = [json.loads(line) for line in rest.splitlines() if '"step_done"' in line]
        return Stopped(rest.splitlines()[-1], sum(len(event["losses"]) for event in steps))

    def broken(self, job: Job) -> str:
        with self._running(job) as process:
            whole = self.packed(job.frames, job.folder)
            _, told = process.communicate(whole[: len(whole) * 5 // 8], timeout=120)
        assert process.returncode == 5
        said = told.decode().splitlines()
        assert json.loads(said[-3])["code"] == "stream-cut-short"
        return "\n".join(said[-2:])

    def _command(self, job: Job) -> list[str]:
        return [*COMMAND, "--pipe-format", self.format, "-p", str(job.preset), *OPTIONS]

    @contextmanager
    def _running(self, job: Job) -> Iterator[subprocess.Popen[bytes]]:
        command = self._command(job)
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = warm.Popen(command, **pipes, env=os.environ | {"OMP_NUM_THREADS": "1"})
        try:
            yield process
        finally:
            process.kill()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None and not pipe.closed:
                    pipe.close()
            process.wait()


class Y4MPipe(MatroskaPipe):
    """Luma and chroma, whole: rounded once on each side."""

    name = "pipe-y4m"
    format = "y4m"
    levels = 2.0

    def packed(self, frames: Frames, folder: Path) -> bytes:
        _, height, width, channels = frames.shape
        kind = channels, frames.dtype.itemsize
        raw = ["-f", "rawvideo", "-pix_fmt", RAW[kind], "-s", f"{width}x{height}", "-r", str(RATE), "-i", "-"]
        y4m = [
            "-vf",
            BT601.format("out"),
            "-pix_fmt",
            PLANES[kind],
            "-strict",
            "-1",
            "-f",
            "yuv4mpegpipe",
            "-",
        ]
        return _ffmpeg(*raw, *y4m, given=frames.tobytes())

    def unpacked(self, stream: bytes, like: Frames, folder: Path) -> Frames:
        _, height, width, channels = like.shape
        raw = ["-f", "rawvideo", "-pix_fmt", RAW[channels, like.dtype.itemsize], "-"]
        given = _ffmpeg("-f", "yuv4mpegpipe", "-i", "-", "-vf", BT601.format("in"), *raw, given=stream)
        return np.frombuffer(given, like.dtype).reshape(-1, height, width, channels)

    def as_carried(self, frames: Frames) -> Frames:
        """As this program reads y4m from a file."""
        path = Path(os.environ["FRAMESTYLE_CACHE"]).parent / "carried.y4m"
        path.write_bytes(self.packed(frames, path.parent))
        with VideoReader(path) as reader:
            given = [
                frame.pixels if frame.alpha is None else np.dstack([frame.pixels, frame.alpha])
                for frame in reader
            ]
        end_waiting()
        return np.stack(given)


DOORS = [MatroskaPipe(), Y4MPipe()]
