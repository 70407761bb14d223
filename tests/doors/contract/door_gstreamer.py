"""The element `framestyle` in a pipeline of `gst-launch-1.0`."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Sequence

import numpy as np
from door import ALPHA, CUTS, DEEP, ODD, RATE, Door, Frames, Job, Painted, Stopped
from host_programs import gstreamer_environment, gstreamer_missing

BROKEN = """
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
wanted = f"framestyle name=it preset={sys.argv[1]} weights=untrained device=cpu"
line = Gst.parse_launch(f"appsrc name=source format=time ! {wanted} ! fakesink")
caps = Gst.Caps.from_string("video/x-raw,format=RGB,width=32,height=24,framerate=25/1")
source = line.get_by_name("source")
source.set_property("caps", caps)
line.set_state(Gst.State.PLAYING)
source.emit("push-buffer", Gst.Buffer.new_wrapped(bytes(100)))
told = line.get_bus().timed_pop_filtered(30 * Gst.SECOND, Gst.MessageType.ERROR | Gst.MessageType.EOS)
line.set_state(Gst.State.NULL)
assert told.type == Gst.MessageType.ERROR and told.src.get_name() == "it"
error, _ = told.parse_error()
assert error.matches(Gst.StreamError.quark(), Gst.StreamError.FORMAT)
print(error.message)
"""


class GStreamerDoor(Door):
    """GStreamer 1.22 has no RGB of 16 bits without alpha: that goes as an opaque one with."""

    name = "gstreamer"
    carries = frozenset({ALPHA, CUTS, DEEP, ODD})
    paints_together = True

    def missing(self) -> str | None:
        return gstreamer_missing()

    def paint(self, job: Job) -> Painted:
        (painted,) = self.paint_together([job])
        return painted

    def paint_together(self, jobs: Sequence[Job]) -> list[Painted]:
        """Each a line of its own in one pipeline."""
        lines = [part for number, job in enumerate(jobs) for part in self._through_files(job, f"it{number}")]
        done = self._launch(jobs[0], *lines).communicate(timeout=120)[0]
        told = re.findall(r'from element "it(\d+)".*framestyle-frame, frame=\(int\)(\d+)', done)
        progress: list[list[float]] = [[] for _ in jobs]
        for number, frame in told:
            progress[int(number)].append(float(frame))
        return [Painted(self._read(job), frames) for job, frames in zip(jobs, progress, strict=True)]

    def cancel(self, job: Job) -> Stopped:
        process = self._launch(job, *self._through_files(job))
        assert process.stdout is not None
        for line in process.stdout:
            if "framestyle-step" in line:
                break
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
        process.wait(60)
        process.stdout.close()
        # After "Setting pipeline to NULL" nobody reads messages any more: a step that went on would show as a hang.
        steps = sum(10 for line in said.splitlines() if "framestyle-step" in line)
        assert "Freeing pipeline" in said
        return Stopped(said, steps)

    def broken(self, job: Job) -> str:
        """A buffer that is cut short. By a program of its own: gst-launch-1.0 may miss an error that comes soon."""
        asked = ["/usr/bin/python3", "-c", BROKEN, str(job.preset)]
        environment = gstreamer_environment(job.folder)
        return subprocess.run(
            asked, capture_output=True, text=True, check=True, env=environment, timeout=60
        ).stdout

    def _through_files(self, job: Job, name: str = "it") -> list[str]:
        frames = _with_alpha_if_deep(job.frames)
        (job.folder / "in.raw").write_bytes(_padded(frames))
        _, height, width, channels = frames.shape
        format_name = "rgba64-le" if frames.dtype == np.uint16 else {3: "rgb", 4: "rgba"}[channels]
        parse = ["rawvideoparse", f"format={format_name}", f"width={width}", f"height={height}"]
        source = ["filesrc", f"location={job.folder / 'in.raw'}", "!", *parse, f"framerate={RATE}/1"]
        element = ["framestyle", f"name={name}", f"preset={job.preset}", "weights=untrained", "device=cpu"]
        return [*source, "!", *element, "!", "filesink", f"location={job.folder / 'out.raw'}"]

    def _launch(self, job: Job, *pipeline: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["gst-launch-1.0", "-m", *pipeline],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=gstreamer_environment(job.folder),
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def _read(self, job: Job) -> Frames:
        like = _with_alpha_if_deep(job.frames)
        _, height, width, channels = like.shape
        row = width * channels * like.itemsize
        stride = -row % 4 + row
        flat = np.frombuffer((job.folder / "out.raw").read_bytes(), np.uint8)
        rows = flat.reshape(-1, height, stride)[..., :row]
        frames = np.ascontiguousarray(rows).view(like.dtype).reshape(-1, height, width, channels)
        return frames[..., : job.frames.shape[3]]


def _with_alpha_if_deep(frames: Frames) -> Frames:
    if frames.dtype == np.uint8 or frames.shape[3] == 4:
        return frames
    return np.concatenate([frames, np.full_like(frames[..., :1], np.iinfo(frames.dtype).max)], axis=3)


def _padded(frames: Frames) -> bytes:
    """Rows of a multiple of four bytes, as GStreamer has them."""
    rows = np.ascontiguousarray(frames).view(np.uint8).reshape(*frames.shape[:2], -1)
    return np.pad(rows, ((0, 0), (0, 0), (0, -rows.shape[2] % 4))).tobytes()


DOORS = [GStreamerDoor()]
