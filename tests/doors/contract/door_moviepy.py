"""`framestyle.moviepy.FrameStyle`, over moviepy's own clips."""

from __future__ import annotations

from typing import Any

import numpy as np
from door import ALPHA, CUTS, ODD, RATE, Door, Frames, Job, Painted, Stopped
from host_programs import missing

from framestyle.errors import Cancelled
from framestyle.events import Event, FrameDone, StepDone


class MoviepyDoor(Door):
    """Eight bits; transparency is the clip's mask."""

    name = "moviepy"
    carries = frozenset({ALPHA, ODD, CUTS})

    def missing(self) -> str | None:
        return missing("moviepy", modules=("moviepy",))

    def paint(self, job: Job) -> Painted:
        progress = [0.0]

        def heard(event: Event) -> None:
            if isinstance(event, FrameDone):
                progress.append(progress[-1] + 1)

        painted = self._applied(job, on_event=heard)
        frames = np.stack(list(painted.iter_frames()))
        if painted.mask is not None:
            mask = [np.rint(one * 255).astype(np.uint8) for one in painted.mask.iter_frames(fps=RATE)]
            frames = np.concatenate([frames, np.stack(mask)[..., None]], axis=3)
        return Painted(frames, progress)

    def cancel(self, job: Job) -> Stopped:
        steps = asked_at = 0

        def heard(event: Event) -> None:
            nonlocal steps
            steps += len(event.losses) if isinstance(event, StepDone) else 0

        def check() -> None:
            nonlocal asked_at
            if steps:
                asked_at = asked_at or steps
                raise Cancelled

        painted = self._applied(job, on_event=heard, check_cancelled=check)
        try:
            painted.write_videofile(str(job.folder / "out.mp4"), logger=None)
        except Cancelled as stop:
            return Stopped(stop.message, steps - asked_at)
        raise AssertionError("it was not cancelled")

    def broken(self, job: Job) -> str:
        from moviepy import VideoFileClip

        (job.folder / "broken.mp4").write_bytes(bytes(500))
        try:
            VideoFileClip(str(job.folder / "broken.mp4"))
        except OSError as error:
            return str(error)
        raise AssertionError("it was taken")

    def _applied(self, job: Job, **changes: Any) -> Any:
        from moviepy import ImageSequenceClip

        from framestyle.moviepy import FrameStyle

        clip = ImageSequenceClip([frame[..., :3] for frame in job.frames], fps=RATE)
        if job.frames.shape[3] == 4:
            mask = ImageSequenceClip([_grey(frame) for frame in job.frames], fps=RATE).to_mask()
            clip = clip.with_mask(mask)
        effect = FrameStyle(job.preset, weights="untrained", device="cpu", **changes)
        return clip.with_effects([effect])


def _grey(frame: Frames) -> Frames:
    return np.repeat(frame[..., 3:], 3, axis=2)


DOORS = [MoviepyDoor()]
