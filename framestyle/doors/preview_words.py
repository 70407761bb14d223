"""What a preview says at its end: what was made, and how much longer the full render would take."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from framestyle.doors.text import counted, roughly
from framestyle.jobs.preview.cells import LookDone
from framestyle.jobs.preview.moving import Moving
from framestyle.jobs.preview.pictures import Picture
from framestyle.jobs.preview.times import Estimate, Source
from framestyle.nst.image import Size, fit_within
from framestyle.presets import Preset


def picture_name(picture: Picture) -> str:
    """`clip.mp4 at 0:01.50`, or a photo's path."""
    return str(picture.path) if picture.at_s is None else f"{picture.path} at {clock(picture.at_s)}"


def words_of_sheet(
    titles: Sequence[str], looks: Sequence[LookDone], pictures: Sequence[Picture]
) -> list[str]:
    """A line for each look."""
    sources = list({picture.path: picture.source for picture in pictures}.values())
    known = [(titles[done.look], done.seconds, done.render) for done in looks]
    return _estimates(known, sources)


def words_of_moving(made: Moving, preset: Preset) -> list[str]:
    """What the clip shows, and the estimate."""
    parts = ", ".join(f"{clock(start)} to {clock(end)}" for start, end in made.parts_s)
    size = f"twice {made.size.width}x{made.size.height} px"
    head = f"wrote {made.done.output}: {parts} of {made.done.path}, before and after, {size}"
    full = fit_within(made.source.size, preset.scales.max_side_px)
    return [head, *_estimates([(preset.name, made.done.seconds, made.render)], [made.source], full)]


def _estimates(
    known: Sequence[tuple[str, float, Estimate | None]], sources: Sequence[Source], full: Size | None = None
) -> list[str]:
    rows = [(title, took, render) for title, took, render in known if render is not None and took > 0]
    if not rows:
        return []
    at = f" at {full.width}x{full.height} px" if full is not None else ""
    lines = [f"Full renders of {_named(sources)}{at}, estimated from the steps measured here:"]
    wide = max(len(title) for title, _, _ in rows)
    for title, took, render in rows:
        most = "at most " if render.at_most else ""
        factor = times(render.seconds / took)
        lines.append(
            f"  {title:{wide}}  {most}{roughly(render.seconds)}, {factor} the {took:.1f} s of its preview"
        )
    return lines


def _named(sources: Sequence[Source]) -> str:
    """`2 photos and 1 clip of 72 frames`."""
    clips = [source for source in sources if source.frames > 1]
    photos = len(sources) - len(clips)
    parts = [counted(photos, "photo")] if photos else []
    if clips:
        parts.append(
            f"{counted(len(clips), 'clip')} of {counted(sum(clip.frames for clip in clips), 'frame')}"
        )
    return " and ".join(parts)


def times(factor: float) -> str:
    """`18 times`, `1.3 times`."""
    return f"{factor:.0f} times" if factor >= 9.5 else f"{factor:.1f} times"


def clock(seconds: Fraction) -> str:
    """75.5 -> 1:15.50, to the hundredth."""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"
