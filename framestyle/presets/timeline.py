"""`timeline`: what changes from a clip's beginning to its end, point by point. The keys; instants.py works them out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_validator, model_serializer

from framestyle.presets.sections import Content, Section, Style, key

OWN = "this"
"""What a point calls the preset that has the timeline."""
_AT = {
    "s": re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?s"),
    "frame": re.compile(r"frame ([0-9]{1,9})"),
    "shot": re.compile(r"shot ([0-9]{1,9})"),
    "%": re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%"),
}
HOW_AT = "must be a time such as 5s, frame 120, shot 2 or 40%"


@dataclass(frozen=True)
class At:
    """When a point is: in seconds, by a frame from 0 on, by the beginning of a shot from 1 on, or by a percentage."""

    kind: Literal["s", "frame", "shot", "%"]
    number: Fraction

    @classmethod
    def parse(cls, text: str) -> At:
        """ValueError where it is none."""
        kind: Any
        for kind, pattern in _AT.items():
            if found := pattern.fullmatch(text.strip()):
                number = Fraction(found[1])
                if kind == "%" and number > 100:
                    raise ValueError("must be at most 100%")
                if kind == "shot" and number < 1:
                    raise ValueError("shots count from 1")
                return cls(kind, number)
        raise ValueError(HOW_AT)


class Look(Section):
    """What of another preset can be cross-faded to: its style, and what of the content must stay."""

    name: str = key("unnamed", "The preset's name", min_length=1, max_length=255)
    style: Style = Style()
    content: Content = Content()
    tv_weight: float = key(0.2, "Weight of smoothness between neighbouring pixels", ge=0)
    strength: Annotated[float, Field(ge=0, le=1)] | None = key(None, "As in a preset")


_Share = Annotated[float, Field(ge=0, le=1)]
_Weight = Annotated[float, Field(ge=0)]


class TimelinePoint(Section):
    """Values at one time. Each key goes by itself, from the point that names it to the next one that does."""

    at: str = Field(description="When: 5s, frame 120, shot 2 (its beginning), or 40%", min_length=1)
    ease: Literal["linear", "smooth", "hold"] = key("linear", "How values go from here to their next point")
    strength: _Share | None = key(None, "`strength`")
    content_weight: _Weight | None = key(None, "`content.weight`", alias="content.weight")
    style_weight: _Weight | None = key(None, "`style.weight`", alias="style.weight")
    style_images: tuple[_Weight, ...] | None = key(
        None, "The weights of `style.images`, in their order", strict=False, alias="style.images"
    )
    style_scale: Annotated[float, Field(gt=0, le=8)] | None = key(None, "`style.scale`", alias="style.scale")
    color_share: _Share | None = key(None, "`color.share`", alias="color.share")
    regions: dict[str, _Share] | None = key(
        None, "How far regions are painted, by their grey level, colour, or rest: {255: 0.5, rest: 1}"
    )
    mix: _Share | None = key(None, "`mix`")
    preset: str | Look | None = key(
        None, "A preset to be cross-faded to, by name or path; this = the one that the timeline is in"
    )

    @field_validator("at")
    @classmethod
    def _a_time(cls, at: str) -> str:
        At.parse(at)
        return at

    @property
    def when(self) -> At:
        """`at`, understood."""
        return At.parse(self.at)

    @property
    def changes(self) -> tuple[str, ...]:
        """The keys that it gives a value."""
        names = (name for name in CHANGING if getattr(self, name) is not None)
        return tuple(str(TimelinePoint.model_fields[name].alias or name) for name in names)

    @model_serializer(mode="wrap")
    def _as_written(self, inner: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without what it does not name."""
        told: dict[str, Any] = inner(self)
        return {name: value for name, value in told.items() if value is not None}


CHANGING = tuple(name for name in TimelinePoint.model_fields if name not in ("at", "ease"))
"""Attributes of a point that hold values in time."""
POINT_KEYS = [info.alias or name for name, info in TimelinePoint.model_fields.items()]
"""What a point may hold."""
