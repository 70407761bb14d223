"""`framestyle demo`: the main job on the bundled samples, at preview size, with the best weights at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from framestyle.errors import InputError
from framestyle.events import OnEvent
from framestyle.frames import Pixels
from framestyle.jobs.engines.local import run
from framestyle.jobs.plan import Task, TimeRange
from framestyle.jobs.workshop import open_workshop
from framestyle.media.photos import read_photo, write_photo
from framestyle.media.video_reader import VideoReader
from framestyle.presets import builtin_presets_dir, load_preset

CLIP_PRESET = "nightswirl"
PHOTO = "canyon"
PHOTO_PRESETS = ("nightswirl", "mosaic", "inkwash")
MOMENTS = (0.2, 0.45, 0.7, 0.95)
"""Parts of the clip that the contact sheet shows."""
CLIP_SETTINGS = (
    "scales.max_side_px=160", "scales.first_steps=60", "scales.steps=30", "video.steps=6", "video.tolerance=0.01",
    "output.quality=good",
)  # fmt: skip
PHOTO_SETTINGS = ("scales.max_side_px=192", "scales.first_steps=60", "scales.steps=30")
CELL_PX = 320
LABEL_PX = 22


@dataclass(frozen=True)
class Made:
    """What the demo wrote."""

    clip: Path
    photos: tuple[Path, ...]
    sheet: Path

    def lines(self) -> list[str]:
        """The closing words."""
        return [
            f"A stylized clip:   {self.clip}",
            f"Stylized photos:   {', '.join(str(path) for path in self.photos)}",
            f"Side by side:      {self.sheet}",
            "Next: framestyle presets list",
            "      framestyle stylize YOUR.mp4 -o painted.mp4 -p nightswirl --max-side 512",
        ]


def samples_dir() -> Path:
    """Where the samples lie: in the wheel, or in the checkout; beside the presets either way."""
    return builtin_presets_dir().parent / "samples"


def demo(folder: Path, *, weights: str, device: str, seed: int, on_event: OnEvent) -> Made:
    """One clip in one preset, one photo in three, and a contact sheet. Replaces an earlier demo's files."""
    clip_source, photo_source = samples_dir() / "clip.mp4", samples_dir() / "photos" / f"{PHOTO}.jpg"
    for path in (clip_source, photo_source):
        if not path.is_file():
            raise InputError(f"the sample {path} is missing", next_step="Install FrameStyle again.")
    folder.mkdir(parents=True, exist_ok=True)

    def make(task: Task, preset: str, settings: Sequence[str]) -> Path:
        nonlocal weights
        loaded = load_preset(preset, settings)
        shop = open_workshop(loaded, weights=weights, device=device, seed=seed, on_event=on_event)
        weights = shop.weights  # `auto` says once what it took
        run([task], task.target, TimeRange(), shop)
        return task.target

    clip = make(Task("video", clip_source, folder / "clip.mp4"), CLIP_PRESET, CLIP_SETTINGS)
    photos = tuple(
        make(Task("photo", photo_source, folder / f"{PHOTO}-{name}.jpg"), name, PHOTO_SETTINGS)
        for name in PHOTO_PRESETS
    )
    sheet = folder / "contact-sheet.jpg"
    write_photo(sheet, _sheet_of(photo_source, photos, clip_source, clip), None, {})
    return Made(clip, photos, sheet)


def _sheet_of(photo: Path, photos: Sequence[Path], clip: Path, stylized_clip: Path) -> Pixels:
    pictures = [read_photo(path).pixels for path in (photo, *photos)]
    labels = ["photo", *PHOTO_PRESETS]
    pictures += [*clip_moments(clip, MOMENTS), *clip_moments(stylized_clip, MOMENTS)]
    labels += ["clip"] * len(MOMENTS) + [CLIP_PRESET] * len(MOMENTS)
    return contact_sheet(pictures, labels, columns=4)


def clip_moments(clip: Path, fractions: Sequence[float]) -> list[Pixels]:
    """The frames at these fractions of a short clip."""
    with VideoReader(clip) as reader:
        frames = [frame.pixels for frame in reader]
    return [frames[min(len(frames) - 1, int(fraction * len(frames)))] for fraction in fractions]


def contact_sheet(pictures: Sequence[Pixels], labels: Sequence[str], columns: int) -> Pixels:
    """Labelled cells, row by row; HWC uint8."""
    cells = []
    for picture, label in zip(pictures, labels, strict=True):
        height = round(picture.shape[0] * CELL_PX / picture.shape[1])
        small = cv2.resize(picture, (CELL_PX, height), interpolation=cv2.INTER_AREA)
        strip = np.full((LABEL_PX, CELL_PX, 3), 255, np.uint8)
        cv2.putText(
            strip, label, (4, LABEL_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA
        )
        cells.append(np.concatenate([strip, small]))
    rows = []
    for start in range(0, len(cells), columns):
        row = cells[start : start + columns]
        tallest = max(cell.shape[0] for cell in row)
        padded = [np.pad(c, ((0, tallest - len(c)), (0, 0), (0, 0)), constant_values=255) for c in row]
        padded += [np.full_like(padded[0], 255)] * (columns - len(row))
        rows.append(np.concatenate(padded, axis=1))
    sheet: Pixels = np.concatenate(rows)
    return sheet
