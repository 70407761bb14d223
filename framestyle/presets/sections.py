"""Sections of the schema that a style may be cross-faded to in time, and what all sections are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from framestyle.presets.choices import OneOf
from framestyle.presets.layers import Layers, LayerWeights
from framestyle.registries import STATISTICS


class Section(BaseModel):
    """One map of keys: immutable, no unknown keys, no type taken for another (but int passes for float)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def key(
    default: Any,
    help_text: str,
    unit: str | None = None,
    for_editors: dict[str, Any] | None = None,
    **limits: Any,
) -> Any:
    """`for_editors`: what a validator checks, said in JSON Schema."""
    extra = {**({"unit": unit} if unit else {}), **(for_editors or {})}
    return Field(default, description=help_text, json_schema_extra=extra or None, **limits)


# Our losses are relative: each style layer's is divided by its target's own energy, the content's by the
# content's variance. So the weights below are near 1 where Gatys' are 1e-3, and they hold across sizes.


class StyleImage(Section):
    """One picture to take the style from."""

    path: str = Field(description="An image, relative to this file", min_length=1)
    weight: float = key(1.0, "Its share where several images blend", gt=0)
    region: (
        Literal["rest"]
        | Annotated[int, Field(ge=0, le=255)]
        | Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
    ) = key("rest", 'Where it is used: a grey level of the mask, or a colour such as "#ff8000", in quotes')

    @property
    def region_color(self) -> tuple[int, int, int] | None:
        """The region as the mask shows it; None: what no image names."""
        if self.region == "rest":
            return None
        if isinstance(self.region, int):
            return (self.region, self.region, self.region)
        red, green, blue = bytes.fromhex(self.region[1:])
        return red, green, blue


class Style(Section):
    """What the result should look like."""

    images: tuple[StyleImage, ...] = key(
        (), "The style images; none = abstract, to be extended", strict=False
    )
    statistic: Annotated[str, OneOf(STATISTICS)] = key(
        "gram", "Which statistics of the style's features are matched"
    )
    layers: Layers = key(
        LayerWeights({"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.5, "relu5_1": 2.0}),
        "Style layers and their relative weights; 0 switches an inherited one off",
    )
    weight: float = key(1.0, "Weight of the style loss", ge=0)
    scale: float = key(1.0, "Size of the style image relative to the content", gt=0, le=8)
    turned: bool = key(
        False, "Read the style images by quarter turns and mirrored too: strokes of all directions"
    )
    mask: Annotated[str, Field(min_length=1)] | None = key(
        None,
        "The content's regions: an image, a clip or an image sequence (shot.%04d.png) that moves with it, a folder of "
        "such, named as the inputs are, or alpha: the input's own transparency",
    )
    mask_start: float = key(0.0, "When in a clip its moving mask begins", "s", ge=-86400, le=86400)


class Content(Section):
    """What of the content must stay."""

    layers: Layers = key(
        LayerWeights({"relu3_2": 0.35, "relu4_2": 1.0, "relu5_2": 0.5}),
        "Content layers and their weights; 0 switches an inherited one off",
    )
    weight: float = key(0.035, "Weight of the content loss", ge=0)
    focus: float = key(
        1.5,
        "How much more of what stands out in the content, as faces do, stays than of flat places; 0 = all alike, "
        "1 = by its energy. In the deepest layer, and at the smallest scale in all; not beside gram2015",
        ge=0,
        le=4,
    )
    statistic: Literal["features", "self_similarity"] = key(
        "features",
        "What of them stays: the features themselves, or how its own places differ from each other; colours may go",
    )
