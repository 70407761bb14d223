"""`framestyle watch IN -o OUT`: a clip that arrives in a folder."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr

from door import ALPHA, CUTS, DEEP, ODD, Door, Job, Painted, Stopped, read_clip, write_clip

from framestyle.doors import cli
from tests import warm

OPTIONS = ("--settle", "0.05", "--once", "--weights", "untrained", "--device", "cpu", "--progress", "json")
LOSSLESS = ("--set", "output.video_codec=ffv1")


class WatchDoor(Door):
    """With `--once`, as cron calls it."""

    name = "watch"
    carries = frozenset({ALPHA, CUTS, DEEP, ODD})

    def paint(self, job: Job) -> Painted:
        told = io.StringIO()
        write_clip(self._arrived(job) / "clip.mkv", job.frames)
        with redirect_stderr(told):
            assert cli.main(self._command(job)[3:]) == 0, told.getvalue()
        events = [json.loads(line) for line in told.getvalue().splitlines()]
        done = sum(event["event"] == "frame_done" for event in events)
        return Painted(read_clip(job.folder / "out" / "clip.mkv", job.frames), range(done + 1))

    def cancel(self, job: Job) -> Stopped:
        write_clip(self._arrived(job) / "clip.mkv", job.frames)
        env = os.environ | {"OMP_NUM_THREADS": "1"}
        process = warm.Popen(self._command(job), stderr=subprocess.PIPE, env=env)
        try:
            assert process.stderr is not None
            for line in process.stderr:
                if b'"step_done"' in line:
                    break
            process.send_signal(signal.SIGINT)
            rest = process.stderr.read().decode()
            assert process.wait(60) == 130
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
        steps = [json.loads(line) for line in rest.splitlines() if '"step_done"' in line]
        assert not (job.folder / "out" / "clip.mkv").exists()
        return Stopped(rest.splitlines()[-1], sum(len(event["losses"]) for event in steps))

    def broken(self, job: Job) -> str:
        clip = write_clip(job.folder / "clip.mkv", job.frames).read_bytes()
        (self._arrived(job) / "clip.mkv").write_bytes(clip[: len(clip) // 2])
        with redirect_stderr(io.StringIO()):
            assert cli.main(self._command(job)[3:]) == 4
        return (job.folder / "out" / "failed" / "clip.mkv.txt").read_text()

    def _arrived(self, job: Job):  # type: ignore[no-untyped-def]
        (job.folder / "in").mkdir()
        return job.folder / "in"

    def _command(self, job: Job) -> list[str]:
        folders = [str(job.folder / "in"), "-o", str(job.folder / "out")]
        return [
            sys.executable,
            "-m",
            "framestyle",
            "watch",
            *folders,
            "-p",
            str(job.preset),
            *OPTIONS,
            *LOSSLESS,
        ]


DOORS = [WatchDoor()]
