"""Clips and moving masks for tests: a disc that crosses a textured picture, at any rate and size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from framestyle.media.video.writer import VideoSettings, VideoWriter

Bytes = npt.NDArray[np.uint8]


def disc(
    at: float, size: tuple[int, int] = (32, 24), colors: Sequence[object] = ((0, 0, 0), (255, 255, 255))
) -> Bytes:
    """HWC: a disc, `at` 0 at the left edge and 1 at the right one, in the second colour on the first."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    inside = (x - at * (width - 1)) ** 2 + (y - height / 2) ** 2 <= (height / 3.5) ** 2
    picture = np.empty((height, width, 3), np.uint8)
    picture[:], picture[inside] = colors[0], colors[1]
    return picture


def textured(count: int, size: tuple[int, int] = (32, 24), seed: int = 5) -> list[Bytes]:
    """Pictures of a still texture over which a disc of another one moves."""
    noise = np.random.default_rng(seed)
    back, front = (noise.integers(40, 216, (size[1], size[0], 3)).astype(np.uint8) for _ in range(2))
    frames = []
    for number in range(count):
        is_disc = disc(number / max(1, count - 1), size)[..., :1] > 0
        frames.append(np.where(is_disc, front, back))
    return frames


def write_clip(path: Path, frames: Iterable[Bytes], rate: int = 10, *, alpha: Sequence[Bytes] = ()) -> Path:
    """A lossless Matroska file. `alpha`: HW of each frame."""
    frames = list(frames)
    height, width = frames[0].shape[:2]
    settings = VideoSettings("ffv1", "lossless")
    with VideoWriter(
        path, width=width, height=height, frame_rate=Fraction(rate), settings=settings, alpha=bool(alpha)
    ) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame, None, alpha[number] if alpha else None)
    return path


def write_sequence(folder: Path, frames: Iterable[Bytes], first: int = 1) -> Path:
    """Numbered PNGs; gives their pattern."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, first):
        Image.fromarray(frame).save(folder / f"m{number:04d}.png")
    return folder / "m%04d.png"
