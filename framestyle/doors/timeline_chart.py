"""A preset's timeline as a small chart for a terminal: a line for each key, its points at equal distances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from framestyle.events import Note
from framestyle.presets import Preset
from framestyle.presets.instants import Instant, Timeline, looks_of
from framestyle.presets.timeline import Look

WIDTH = 32
BARS = "▁▂▃▄▅▆▇█"


def chart_lines(preset: Preset) -> Iterator[str]:
    """None where nothing changes in time. Points lie side by side, whatever time is between them."""
    points = preset.timeline
    if not points:
        return
    times = [Fraction(number) for number in range(len(points))]
    timeline = Timeline(preset, times, Fraction(1))
    last = max(1, len(points) - 1)
    instants = [timeline.at(Fraction(number * last, WIDTH - 1)) for number in range(WIDTH)]
    yield f"timeline: {', '.join(point.at for point in points)}"
    rows = list(_rows(preset, instants))
    widest = max((len(name) for name, _ in rows), default=0)
    for name, values in rows:
        yield f"  {name:{widest}}  {_bars(values)}  {min(values):g} to {max(values):g}"


def chart_notes(presets: Iterable[Preset], progress: str) -> Iterator[Note]:
    """The charts of presets, line by line, for whoever watches a job; by `progress`, not for programs."""
    if progress not in ("json", "openjd"):
        for preset in presets:
            yield from map(Note, chart_lines(preset))


def _rows(preset: Preset, instants: list[Instant]) -> Iterator[tuple[str, list[float]]]:
    """Of each key that a point names, and each preset that is faded to, its values."""
    named = {name for point in preset.timeline for name in point.changes}
    for name, values in (
        ("strength", [one.strength for one in instants]),
        ("content.weight", [one.content_weight for one in instants]),
        ("style.weight", [one.style_weight for one in instants]),
        ("color.share", [one.color_share for one in instants]),
        ("mix", [one.mix for one in instants]),
    ):
        if name in named:
            yield name, [value for value in values if value is not None]
    if "style.scale" in named:
        yield "style.scale", [sum(scale * share for scale, share in one.scales or ()) for one in instants]
    for number, image in enumerate(preset.style.images if "style.images" in named else ()):
        name = image.path.replace("\\", "/").rpartition("/")[2]
        yield name, [(one.images or (0.0,) * (number + 1))[number] for one in instants]
    for name in dict.fromkeys(name for one in instants for name, _ in one.regions):
        yield f"region {name}", [dict(one.regions).get(name, 1.0) for one in instants]
    looks: tuple[Look, ...] = looks_of(preset)
    for number, look in enumerate(looks, 1):
        yield f"preset {look.name}", [one.looks[number] for one in instants]


def _bars(values: list[float]) -> str:
    """Higher ones for larger values; weights and scales from their least to their greatest."""
    least, greatest = min(0.0, *values) if max(values) <= 1 else min(values), max(1.0, *values)
    span = (greatest - least) or 1.0
    return "".join(BARS[round((value - least) / span * (len(BARS) - 1))] for value in values)
