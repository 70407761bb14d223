"""Makes the README's pictures from the project's own samples: python docs/make_images.py [--device D].

Some ten minutes on two cores. Results are written to docs/images/; nothing else is touched.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from framestyle.doors.console import open_console
from framestyle.doors.demo import clip_moments, samples_dir
from framestyle.doors.sheet import picture_row, sheet
from framestyle.jobs.engines.local import run
from framestyle.jobs.plan import Task, TimeRange
from framestyle.jobs.workshop import open_workshop
from framestyle.media.photos import read_style_image, write_photo
from framestyle.presets import load_preset

IMAGES = Path(__file__).parent / "images"
PHOTOS = {
    "canyon": ("nightswirl", "mosaic", "wave", "woodcut"),
    "stilllife": ("sunfield", "stainedglass", "inkwash", "cubist"),
}
CLIP_PRESET = "sunfield"
PHOTO_SETTINGS = ("scales.max_side_px=240",)
CLIP_SETTINGS = ("scales.max_side_px=192", "video.steps=12")
MOMENTS = (0.1, 0.3, 0.5, 0.6, 0.95)
CELL_PX = 320


def stylize(kind: str, source: Path, target: Path, preset: str, settings: Sequence[str], device: str) -> None:
    """One clip or photo into `target`."""
    with open_console("auto") as console:
        shop = open_workshop(
            load_preset(preset, settings), weights="auto", device=device, seed=0, on_event=console
        )
        run([Task(kind, source, target)], target, TimeRange(), shop)


def photos(work: Path, device: str) -> None:
    rows = []
    for name, presets in PHOTOS.items():
        source = samples_dir() / "photos" / f"{name}.jpg"
        targets = [work / f"{name}-{preset}.png" for preset in presets]
        for preset, target in zip(presets, targets, strict=True):
            stylize("photo", source, target, preset, PHOTO_SETTINGS, device)
        pictures = [read_style_image(path) for path in (source, *targets)]
        rows.append(picture_row(source.name, ["original", *presets], pictures, CELL_PX))
    write_photo(IMAGES / "photos.jpg", sheet(rows), None, {})


def clip(work: Path, device: str) -> None:
    source, target = samples_dir() / "clip.mp4", work / "clip.mp4"
    stylize("video", source, target, CLIP_PRESET, CLIP_SETTINGS, device)
    moments = [f"at {fraction:.0%}" for fraction in MOMENTS]
    rows = [
        picture_row(title, moments, clip_moments(path, MOMENTS), CELL_PX)
        for title, path in ((source.name, source), (f"{source.name} in {CLIP_PRESET}", target))
    ]
    write_photo(IMAGES / "clip.jpg", sheet(rows), None, {})


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the README's pictures.")
    parser.add_argument("--device", default="auto")
    device = parser.parse_args().device
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        photos(Path(work), device)
        clip(Path(work), device)


if __name__ == "__main__":
    main()
