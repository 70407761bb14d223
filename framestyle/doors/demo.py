"""`framestyle demo`: the bundled samples painted as `stylize` paints folders, a photo first, and a contact sheet.

Loads no torch where all is painted already: the same command then makes the sheet alone.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from framestyle.context import SILENT, Context
from framestyle.doors.advice import next_step
from framestyle.doors.sheet import Shown, picture_row, sheet
from framestyle.errors import BatchError, Cancelled, InputError
from framestyle.events import Event, Note, OnEvent, TaskDone, TaskFailed, TaskSkipped, together
from framestyle.jobs.run.batch import Order, paint, prepare
from framestyle.media.photos import read_style_image, write_photo
from framestyle.media.video.reader import VideoReader
from framestyle.media.writable import check_writable
from framestyle.presets import Preset, builtin_presets_dir, load_preset

PHOTO, CLIP, MATTE = "canyon.jpg", "clip.mp4", "matte.mp4"
FIRST_PRESET, OTHER_PRESETS = "nightswirl", ("mosaic", "inkwash")
TIMELINE = "timeline=[{at: 0s, mix: 0}, {at: 0.75s, mix: 1}]"
"""The clip becomes a painting while it runs."""
MOMENTS = (0.2, 0.45, 0.7, 0.95)
"""Parts of the clip that the contact sheet shows."""
CELL_PX = 512
SHEET = "contact-sheet.jpg"

# Promised on two idle cores: the first result within 60 s of the command, all of it within 240. Measured without
# AVX-512 (docs/measured/startup.md): 54 s, 82 s more for the clip, 29 and 30 s for the other photos, 195 s in all.
PHOTO_SETTINGS = (
    "scales.max_side_px=384", "scales.first_steps=36", "scales.between_steps=8", "scales.steps=24",
)  # fmt: skip
OTHER_SETTINGS = (
    "scales.max_side_px=384", "scales.first_steps=32", "scales.between_steps=6", "scales.steps=20",
)  # fmt: skip
CLIP_SETTINGS = (
    "scales.max_side_px=192", "scales.first_steps=20", "scales.steps=10", "video.steps=3", "video.min_steps=3",
    "output.quality=good", "output.save_every_s=10",
)  # fmt: skip

NEXT = """
Next, with pictures of your own:
  framestyle presets list
  framestyle preview YOUR.jpg -o looks.jpg --all --live
  framestyle stylize YOUR.jpg -o painted.jpg -p nightswirl
  framestyle stylize YOUR.mp4 -o painted.mp4 -p nightswirl --max-side 512
And with a painting of your own as the style:
  framestyle presets new mine --style PAINTING.jpg
  framestyle stylize YOUR.jpg -o painted.jpg -p mine
"""


@dataclass(frozen=True)
class Made:
    """What the demo wrote: the photo in each preset, the clip, and the sheet; `painted`: how many of them now."""

    photos: tuple[Path, ...]
    clip: Path
    sheet: Path
    painted: int

    def lines(self) -> list[str]:
        """The closing words."""
        head = [] if self.painted else ["All was painted before; the contact sheet is made anew."]
        names = ["A photo in three styles:", *[""] * (len(self.photos) - 1)]
        return [
            *head,
            *(f"{name:25}{path}" for name, path in zip(names, self.photos, strict=True)),
            f"{'A clip in two of them:':25}{self.clip}",
            f"{'Side by side:':25}{self.sheet}",
            *NEXT.splitlines(),
        ]


def samples_dir() -> Path:
    """Where the samples lie: in the wheel, or in the checkout; beside the presets either way."""
    return builtin_presets_dir().parent / "samples"


def demo(
    folder: Path,
    *,
    weights: str,
    device: str,
    seed: int,
    context: Context = SILENT,
    overwrite: bool = False,
    fresh: bool = False,
) -> Made:
    """One photo in one preset, a clip in the same with its boat in another, the photo in two more, and a contact sheet.

    Results lie in a folder for each preset, with its manifest: what is finished is not done again, and a clip that was
    stopped is resumed. `overwrite` and `fresh` are as in `Order`. BatchError where something could not be painted.
    """
    of_all = Order([], folder, [], weights, device, seed, into_folder=True, overwrite=overwrite, fresh=fresh)
    orders = _orders(of_all)
    # All that can be refused is refused before the first step.
    jobs = [job for order in orders for job in prepare(order)]
    check_writable(folder / SHEET)
    recorder = _Recorder(context.on_event)
    try:
        paint(jobs, orders[0], replace(context, on_event=together(context.on_event, recorder)))
    except Cancelled as stop:
        raise Cancelled(stop.message, next_step=_resumes(folder)) from stop
    except KeyboardInterrupt:
        raise Cancelled("stopped; no half-written file was left", next_step=_resumes(folder)) from None
    if recorder.failures:
        raise BatchError(
            f"{len(recorder.failures)} of {sum(job.tasks for job in jobs)} failed; the rest is done: "
            f"{recorder.failures[0].message}",
            next_step=next_step(recorder.failures[0]),
        )
    photos = tuple(folder / name / PHOTO for name in (FIRST_PRESET, *OTHER_PRESETS))
    made = Made(photos, folder / FIRST_PRESET / CLIP, folder / SHEET, recorder.painted)
    write_photo(made.sheet, _sheet_of(made), None, {})
    return made


def _orders(of_all: Order) -> list[Order]:
    """In the order in which they are painted, each a part of `of_all`. InputError where a sample is missing."""
    photo, clip = sample_photo(), samples_dir() / CLIP
    for path in (photo, clip, samples_dir() / MATTE):
        if not path.is_file():
            raise InputError(f"the sample {path} is missing", next_step="Install FrameStyle again.")

    def order(sample: Path, preset: Preset) -> Order:
        return replace(of_all, inputs=[sample], output=of_all.output / preset.name, presets=[preset])

    return [
        order(photo, load_preset(FIRST_PRESET, PHOTO_SETTINGS)),
        order(clip, _clip_preset()),
        *(order(photo, load_preset(name, OTHER_SETTINGS)) for name in OTHER_PRESETS),
    ]


def _clip_preset() -> Preset:
    """The first preset, which comes in time, with what the matte shows, a boat, in the style of another one."""
    own, other = (load_preset(name).style.images[0].path for name in (FIRST_PRESET, OTHER_PRESETS[0]))
    images = [{"path": own}, {"path": other, "region": 255}]
    parts = [f"style.images={json.dumps(images)}", f"style.mask={json.dumps(str(samples_dir() / MATTE))}"]
    return load_preset(FIRST_PRESET, [*CLIP_SETTINGS, *parts, TIMELINE])


def sample_photo() -> Path:
    """The photo that is painted."""
    return samples_dir() / "photos" / PHOTO


def _resumes(folder: Path) -> str:
    return f"What is finished is kept in {folder}, and the same command resumes."


class _Recorder:
    """Says where the first picture is as soon as it is there, and collects what failed."""

    def __init__(self, on_event: OnEvent) -> None:
        self._on_event = on_event
        self.painted = 0
        self.was_there = False
        self.failures: list[TaskFailed] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, TaskFailed):
            self.failures.append(event)
        elif isinstance(event, TaskSkipped):
            self.was_there = True
        elif isinstance(event, TaskDone):
            self.painted += 1
            if self.painted == 1 and not self.was_there:
                self._on_event(Note(f"The first result is there: {event.output}"))


def _sheet_of(made: Made) -> Shown:
    photo, clip = sample_photo(), samples_dir() / CLIP
    pictures = [read_style_image(path) for path in (photo, *made.photos)]
    moments = [f"at {fraction:.0%}" for fraction in MOMENTS]
    labels = ["original", FIRST_PRESET, *OTHER_PRESETS]
    return sheet(
        [
            picture_row(PHOTO, labels, pictures, CELL_PX),
            picture_row(CLIP, moments, clip_moments(clip, MOMENTS), CELL_PX),
            picture_row(
                f"{CLIP} in {FIRST_PRESET}, its boat in {OTHER_PRESETS[0]}",
                moments,
                clip_moments(made.clip, MOMENTS),
                CELL_PX,
            ),
        ]
    )


def clip_moments(clip: Path, fractions: Sequence[float]) -> list[Shown]:
    """The frames at these fractions of a short clip."""
    with VideoReader(clip) as reader:
        frames = [frame.pixels.astype("uint8", copy=False) for frame in reader]
    return [frames[min(len(frames) - 1, int(fraction * len(frames)))] for fraction in fractions]
