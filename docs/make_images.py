"""Makes the pictures of README, docs/presets.md, docs/time.md and docs/measured/looks.md from the project's own samples: python docs/make_images.py.

`--only photos clip presets neighbors time` makes some of them; `--photos canyon …`: those that docs/presets.md shows every preset on. Some
ten minutes on two cores for the README's, a minute for each preset on each photo. Results are written to docs/images/;
nothing else is touched.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from framestyle.context import Context
from framestyle.doors.console import open_console
from framestyle.doors.demo import clip_moments, samples_dir
from framestyle.doors.sheet import picture_row, sheet
from framestyle.jobs.run.job import run
from framestyle.jobs.plan.tasks import Task
from framestyle.kinds import MediaKind, TimeRange
from framestyle.media.photos import PhotoSettings, read_style_image, write_photo
from framestyle.presets import list_presets, load_preset
from framestyle.session import Session

IMAGES = Path(__file__).parent / "images"
PHOTOS = {
    "street": ("nightswirl", "mosaic", "wave", "woodcut"),
    "stilllife": ("sunfield", "stainedglass", "watercolor"),
}
PRESET_PHOTOS = ("canyon", "stilllife")
CLIP_PRESET = "sunfield"
PHOTO_SETTINGS = ("scales.max_side_px=320",)
CLIP_SETTINGS = ("scales.max_side_px=192", "video.steps=12")
PRESET_SETTINGS = ("scales.max_side_px=160", "scales.first_steps=80", "scales.steps=40")
NEIGHBORS = {"portrait": "woodcut", "stilllife": "crosshatch"}
"""Presets of nearest neighbours, beside what Gram matrices make of them."""
GRAM_SETTINGS = ("style.statistic=gram", "content.statistic=features", "content.weight=0.035")
COMPARED_SETTINGS = ("scales.max_side_px=192",)
TIME_PRESETS = ("nightswirl", "mosaic", "sunfield")
"""Of what lies behind the boat of the clip, of the boat, and of the end."""
TIMELINE = "timeline=[{{at: 0s, mix: 0}}, {{at: 0.7s, mix: 1}}, {{at: shot 2, preset: this}}, {{at: 100%, preset: {}}}]"
TIME_SETTINGS = ("scales.max_side_px=192", "scales.first_steps=60", "scales.steps=40", "video.steps=5")
TIME_MOMENTS_S = (0.0, 0.35, 0.7, 1.4, 1.7, 2.3, 2.9)
MOMENTS = (0.1, 0.3, 0.5, 0.6, 0.95)
CELL_PX, PRESET_CELL_PX, TIME_CELL_PX = 320, 200, 192
PARTS = ("photos", "clip", "presets", "neighbors", "time")


def stylize(
    kind: MediaKind, targets: Mapping[Path, Path], preset: str, settings: Sequence[str], device: str
) -> None:
    """Clips or photos, each source into its target."""
    with open_console("auto") as console:
        context = Context(console)
        shop = Session.open(load_preset(preset, settings), device=device, context=context, clips=True)
        tasks = [Task(kind, source, target) for source, target in targets.items()]
        run(tasks, tasks[0].target.parent, TimeRange(), shop, context, alone=True)


def photos(work: Path, device: str) -> None:
    rows = []
    for name, presets in PHOTOS.items():
        source = samples_dir() / "photos" / f"{name}.jpg"
        targets = [work / f"{name}-{preset}.png" for preset in presets]
        for preset, target in zip(presets, targets, strict=True):
            if target.exists():
                continue
            stylize(MediaKind.PHOTO, {source: target}, preset, PHOTO_SETTINGS, device)
        pictures = [read_style_image(path) for path in (source, *targets)]
        rows.append(picture_row(source.name, ["original", *presets], pictures, CELL_PX))
    write_photo(IMAGES / "photos.jpg", sheet(rows), None, {})


def clip(work: Path, device: str) -> None:
    source, target = samples_dir() / "clip.mp4", work / "clip.mp4"
    stylize(MediaKind.VIDEO, {source: target}, CLIP_PRESET, CLIP_SETTINGS, device)
    moments = [f"at {fraction:.0%}" for fraction in MOMENTS]
    rows = [
        picture_row(title, moments, clip_moments(path, MOMENTS), CELL_PX)
        for title, path in ((source.name, source), (f"{source.name} in {CLIP_PRESET}", target))
    ]
    write_photo(IMAGES / "clip.jpg", sheet(rows), None, {})


def presets(work: Path, device: str, names: Sequence[str]) -> None:
    """Every preset of the list on each of these photos, small; but for gatys2015, from noise."""
    sources = [samples_dir() / "photos" / f"{name}.jpg" for name in names]
    shown = (summary for summary in list_presets() if summary.builtin and "reference" not in summary.tags)
    labels = sorted(summary.name for summary in shown)
    targets = {preset: {source: work / f"{source.stem}-{preset}.png" for source in sources} for preset in labels}
    for preset, all_ in targets.items():
        if left := {source: target for source, target in all_.items() if not target.exists()}:
            stylize(MediaKind.PHOTO, left, preset, PRESET_SETTINGS, device)
    for source in sources:
        pictures = [read_style_image(path) for path in (source, *(targets[preset][source] for preset in labels))]
        page = sheet([picture_row(source.name, ["original", *labels], pictures, PRESET_CELL_PX)])
        write_photo(IMAGES / f"presets-{source.stem}.jpg", page, None, {}, PhotoSettings(75, "4:2:0", "srgb"))


def neighbors(work: Path, device: str) -> None:
    """Photos in presets of nearest neighbours, and the same by Gram matrices."""
    rows = []
    for name, preset in NEIGHBORS.items():
        source = samples_dir() / "photos" / f"{name}.jpg"
        made = {way: work / f"{name}-{preset}-{way}.png" for way in ("gram", "neighbors")}
        for way, settings in (("gram", GRAM_SETTINGS), ("neighbors", ())):
            if not made[way].exists():
                stylize(MediaKind.PHOTO, {source: made[way]}, preset, (*COMPARED_SETTINGS, *settings), device)
        labels = ["original", *(f"{preset}, {way}" for way in made)]
        pictures = [read_style_image(path) for path in (source, *made.values())]
        rows.append(picture_row(source.name, labels, pictures, CELL_PX))
    write_photo(IMAGES / "neighbors.jpg", sheet(rows), None, {}, PhotoSettings(75, "4:2:0", "srgb"))


def in_time(work: Path, device: str) -> None:
    """The clip with its matte: it becomes a painting, its boat in another style, and drifts into a third one."""
    source, matte, target = samples_dir() / "clip.mp4", samples_dir() / "matte.mp4", work / "time.mp4"
    back, front, end = TIME_PRESETS
    images = [{"path": load_preset(back).style.images[0].path}]
    images.append({"path": load_preset(front).style.images[0].path, "region": 255})
    parts = (f"style.images={json.dumps(images)}", f"style.mask={json.dumps(str(matte))}", TIMELINE.format(end))
    if not target.exists():
        stylize(MediaKind.VIDEO, {source: target}, back, (*TIME_SETTINGS, *parts), device)
    labels, length_s = [f"{at_s:g} s" for at_s in TIME_MOMENTS_S], 3.0
    moments = [at_s / length_s for at_s in TIME_MOMENTS_S]
    rows = [
        picture_row(title, labels, clip_moments(path, moments), TIME_CELL_PX)
        for title, path in (
            (source.name, source),
            (matte.name, matte),
            (f"{source.name} in {back}, its boat in {front}, then {end}", target),
        )
    ]
    write_photo(IMAGES / "time.jpg", sheet(rows), None, {}, PhotoSettings(80, "4:2:0", "srgb"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the documents' pictures.")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--photos", nargs="+", default=PRESET_PHOTOS)
    parser.add_argument("--work", type=Path, help="where single pictures are kept, and taken from by a later call")
    args = parser.parse_args()
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = args.work or Path(temporary)
        if "photos" in args.only:
            photos(work, args.device)
        if "clip" in args.only:
            clip(work, args.device)
        if "neighbors" in args.only:
            neighbors(work, args.device)
        if "time" in args.only:
            in_time(work, args.device)
        if "presets" in args.only:
            presets(work, args.device, args.photos)


if __name__ == "__main__":
    main()
