"""`framestyle demo`: the main job on the bundled samples, at preview size, with the best weights at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from framestyle.doors.sheet import Shown, picture_row, sheet
from framestyle.errors import InputError
from framestyle.events import OnEvent
from framestyle.jobs.engines.local import run
from framestyle.jobs.plan import Task, TimeRange
from framestyle.jobs.precision import PrecisionChoice
from framestyle.jobs.workshop import load_weights, open_workshop
from framestyle.media.photos import read_style_image, write_photo
from framestyle.media.video_reader import VideoReader
from framestyle.nst.devices import choose_device
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
    choice = PrecisionChoice(choose_device(device))
    kind, backbone = load_weights(weights, on_event=on_event)

    def make(task: Task, preset: str, settings: Sequence[str]) -> Path:
        loaded = choice.resolve(load_preset(preset, settings))
        shop = open_workshop(
            loaded, weights=kind, device=device, seed=seed, on_event=on_event, backbone=backbone
        )
        run([task], task.target, TimeRange(), shop)
        return task.target

    clip = make(Task("video", clip_source, folder / "clip.mp4"), CLIP_PRESET, CLIP_SETTINGS)
    photos = tuple(
        make(Task("photo", photo_source, folder / f"{PHOTO}-{name}.jpg"), name, PHOTO_SETTINGS)
        for name in PHOTO_PRESETS
    )
    target = folder / "contact-sheet.jpg"
    write_photo(target, _sheet_of(photo_source, photos, clip_source, clip), None, {})
    return Made(clip, photos, target)


def _sheet_of(photo: Path, photos: Sequence[Path], clip: Path, stylized_clip: Path) -> Shown:
    pictures = [read_style_image(path) for path in (photo, *photos)]
    moments = [f"at {fraction:.0%}" for fraction in MOMENTS]
    return sheet(
        [
            picture_row(photo.name, ["original", *PHOTO_PRESETS], pictures, CELL_PX),
            picture_row(clip.name, moments, clip_moments(clip, MOMENTS), CELL_PX),
            picture_row(
                f"{clip.name} in {CLIP_PRESET}", moments, clip_moments(stylized_clip, MOMENTS), CELL_PX
            ),
        ]
    )


def clip_moments(clip: Path, fractions: Sequence[float]) -> list[Shown]:
    """The frames at these fractions of a short clip."""
    with VideoReader(clip) as reader:
        frames = [frame.pixels.astype("uint8", copy=False) for frame in reader]
    return [frames[min(len(frames) - 1, int(fraction * len(frames)))] for fraction in fractions]
