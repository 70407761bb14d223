"""The preset schema: every key with type, range, unit, default and a line of help. Defaults live here alone.

Docs, lists of keys and the JSON Schema are made from these models (see reference.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from framestyle.presets.choices import OneOf, OneOfOrPath
from framestyle.presets.layers import Layers, LayerWeights
from framestyle.registries import FLOWS, INITS, STATISTICS

SCHEMA_VERSION = 1
SHORTHANDS = {
    "style_weight": "style.weight",
    "content_weight": "content.weight",
    "temporal_weight": "video.temporal_weight",
    "max_side_px": "scales.max_side_px",
}
"""Short names that overrides may use."""

UNSEEN_SIDE_PX = 2048
"""The size that a cost is estimated for where the input's own size is kept."""
DRAFT_BELOW, SLOW_FROM = 20.0, 300.0
"""Bounds of the cost classes, in steps at one megapixel."""


class Section(BaseModel):
    """One map of keys: immutable, no unknown keys, no type taken for another (but int passes for float)."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def _key(
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
    weight: float = _key(1.0, "Its share where several images blend", gt=0)
    region: (
        Literal["rest"]
        | Annotated[int, Field(ge=0, le=255)]
        | Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
    ) = _key("rest", 'Where it is used: a grey level of the mask, or a colour such as "#ff8000", in quotes')

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

    images: tuple[StyleImage, ...] = _key(
        (), "The style images; none = abstract, to be extended", strict=False
    )
    statistic: Annotated[str, OneOf(STATISTICS)] = _key(
        "gram", "Which statistics of the style's features are matched"
    )
    layers: Layers = _key(
        LayerWeights({"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.5, "relu5_1": 2.0}),
        "Style layers and their relative weights; 0 switches an inherited one off",
    )
    weight: float = _key(1.0, "Weight of the style loss", ge=0)
    scale: float = _key(1.0, "Size of the style image relative to the content", gt=0, le=8)
    turned: bool = _key(
        False, "Read the style images by quarter turns and mirrored too: strokes of all directions"
    )
    mask: Annotated[str, Field(min_length=1)] | None = _key(
        None,
        "The content's regions: an image, a clip or an image sequence (shot.%04d.png) that moves with it, a folder of "
        "such, named as the inputs are, or alpha: the input's own transparency",
    )
    mask_start: float = _key(0.0, "When in a clip its moving mask begins", "s", ge=-86400, le=86400)


class Content(Section):
    """What of the content must stay."""

    layers: Layers = _key(
        LayerWeights({"relu3_2": 0.35, "relu4_2": 1.0, "relu5_2": 0.5}),
        "Content layers and their weights; 0 switches an inherited one off",
    )
    weight: float = _key(0.035, "Weight of the content loss", ge=0)
    statistic: Literal["features", "self_similarity"] = _key(
        "features",
        "What of them stays: the features themselves, or how its own places differ from each other; colours may go",
    )


class Network(Section):
    """How VGG19 is run."""

    pooling: Literal["average", "max", "l2"] = _key("max", "Pooling between blocks")
    rescale_pooling: bool = _key(True, "Keep activations at the size that the weights expect")
    padding: Literal["replicate", "zeros", "reflect"] = _key(
        "replicate", "What convolutions see beyond the edge; zeros leave a dark frame"
    )
    places: int = _key(
        4,
        "Places on the pooling grid that steps take turns at; 1 leaves a lattice of dots and ripples",
        ge=1,
        le=4,
    )


_Beta = Annotated[float, Field(ge=0, lt=1)]
_Betas = tuple[_Beta, _Beta]


class Optimizer(Section):
    """How the pixels are moved."""

    name: Literal["adam", "lbfgs"] = _key("adam", "Optimiser")
    learning_rate: float = _key(0.015, "Step size, in units of the full pixel range", gt=0, le=1)
    init: Annotated[str, OneOfOrPath(INITS)] = _key(
        "content", "content | noise | style_stats | gray | path of an image", min_length=1
    )
    average_decay: float = _key(0.8, "Averaging of the iterates; 0 switches it off", ge=0, lt=1)
    betas: _Betas = _key((0.9, 0.9), "Adam's decays of its two moments", strict=False)
    precision: Literal["auto", "float32", "bfloat16"] = _key("auto", "Precision of the convolutions")


class Scales(Section):
    """Coarse to fine, each √2 larger."""

    min_px: int = _key(128, "Longer side of the smallest scale", "px", ge=16, le=4096)
    max_side_px: int = _key(1024, "Longer side of the result; 0 = the input's own", "px", ge=0, le=32768)
    first_steps: int = _key(100, "Steps at the smallest scale", "steps", ge=0, le=100_000)
    between_steps: int = _key(
        30, "Steps at each scale between, where that is less than `steps`", "steps", ge=0, le=100_000
    )
    steps: int = _key(80, "Steps at the largest scale, where there are several", "steps", ge=0, le=100_000)

    def steps_at(self, number: int, scales: int) -> int:
        """At scale `number` of so many, from 0 on."""
        if number == 0:
            return self.first_steps
        return self.steps if number == scales - 1 else min(self.between_steps, self.steps)


class Color(Section):
    """Whose colours the result has."""

    preserve: Literal["none", "luminance", "histogram", "content_stats", "style_stats"] = _key(
        "none", "Keep the content's colours, and how"
    )
    match: bool = _key(
        False,
        "Move the content's colours to the style's mean and spread, and paint in these; not with `preserve`",
    )

    @model_validator(mode="after")
    def _of_one_mind(self) -> Color:
        if self.match and self.preserve != "none":
            raise ValueError(
                "match gives the style's colours and preserve keeps the content's: set one of them"
            )
        return self


class Video(Section):
    """How one frame follows from the last."""

    warm_start: Literal["flow", "previous", "none"] = _key("flow", "What a frame starts from")
    steps: int = _key(10, "Most steps for a warm frame", "steps", ge=0, le=100_000)
    min_steps: int = _key(5, "Fewest steps for a warm frame", "steps", ge=0, le=100_000)
    tolerance: float = _key(
        0.001, "A frame is done when a window of steps improves less than this", ge=0, le=1
    )
    temporal_weight: float = _key(27.0, "Weight of staying near the warped last frame", ge=0)
    leash_weight: float = _key(
        400.0, "Weight of keeping the broad colours that a part of the scene was first painted in", ge=0
    )
    long_term: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = _key(
        (1,),
        "Distances of earlier frames to stay near, such as [1, 2, 4]",
        "frames",
        {"minItems": 1, "uniqueItems": True},
        strict=False,
        max_length=8,
    )
    passes: int = _key(
        1, "Passes over a shot; a second one, from its end, is the steadiest, at twice the time", ge=1, le=2
    )
    flow: Annotated[str, OneOf(FLOWS)] = _key("dis", "Optical flow method; raft needs weights")
    carry_moments: bool = _key(True, "Carry the optimiser's moments along the flow")
    average_decay: float = _key(0.95, "Averaging of the iterates of warm frames", ge=0, lt=1)
    betas: _Betas = _key((0.9, 0.99), "Adam's decays for warm frames", strict=False)
    carry_average: bool = _key(True, "Carry the average of the iterates along the flow")
    anneal: bool = _key(True, "Let what has long been in the picture come to rest")
    flow_max_side_px: int = _key(
        640, "Longer side at which flow is computed; it is scaled up to larger frames", "px", ge=32, le=32768
    )
    flow_quality: Literal["ultrafast", "fast", "medium", "fine"] = _key(
        "medium", "Effort spent on flow, by either method"
    )
    cuts: Literal["adaptive", "content", "none"] = _key("adaptive", "How cuts are found")
    sequence_rate: float = _key(
        24.0, "Rate of image sequences, which have none; 23.976 is 24000/1001", "frames/s", gt=0, le=1000
    )

    @field_validator("long_term")
    @classmethod
    def _distinct(cls, distances: tuple[int, ...]) -> tuple[int, ...]:
        if not distances:
            raise ValueError("must hold at least one distance, such as [1]")
        if len(set(distances)) < len(distances):
            raise ValueError("each distance may stand here once")
        return distances

    @property
    def painted_times(self) -> int:
        """How often each frame is painted: a second pass goes by the flow."""
        return self.passes if self.warm_start == "flow" else 1


class Output(Section):
    """What is written."""

    video_codec: Literal["h264", "h265", "vp9", "av1", "prores", "dnxhr", "ffv1", "gif", "webp"] = _key(
        "h264", "Video codec"
    )
    quality: (
        Literal["draft", "good", "visually_lossless", "lossless"] | Annotated[float, Field(ge=0, le=63)]
    ) = _key("visually_lossless", "Quality by name, or the codec's own number")
    bit_depth: Literal[8, 10] | None = _key(
        None, "Bits a channel of clips; null = the input's, as far as the codec holds them"
    )
    hdr: Literal["keep", "tonemap"] = _key(
        "keep", "HDR (PQ, HLG): kept, with its tags and 10 bits or more, or made SDR"
    )
    hardware: Literal["none", "nvenc"] = _key(
        "none", "Encode h264, h265 and av1 on the GPU where a trial frame shows that it can"
    )
    save_every_s: float = _key(
        60.0,
        "How often the work on a clip is checkpointed, so that it can be resumed; 0 = each frame",
        "s",
        ge=0,
        le=86400,
    )
    photo_format: Literal["jpg", "png", "webp", "tif", "bmp", "avif", "heic"] | None = _key(
        None, "Photo format; null = as the input"
    )
    photo_quality: int = _key(95, "Quality of JPEG, AVIF, HEIC, and of WebP with less chroma", ge=1, le=100)
    photo_subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = _key(
        "4:4:4", "Chroma that those keep; all of it makes a WebP lossless"
    )
    color_profile: Literal["source", "srgb"] = _key(
        "source", "Colour profile of photos: the input's own, or sRGB"
    )


class Preset(Section):
    """A named style, complete: everything that a render depends on beside its inputs, weights and seed."""

    schema_version: int = _key(
        SCHEMA_VERSION, "Version of this format", alias="schema", ge=1, le=SCHEMA_VERSION
    )
    name: str = _key(
        "unnamed", "The preset's name; its file's name where not given", min_length=1, max_length=255
    )
    description: str = _key("", "One line for the list")
    tags: tuple[str, ...] = _key((), "Words to find it by", strict=False)
    extends: str | None = _key(None, "A preset to start from, by name, or by path relative to this file")
    style: Style = Style()
    content: Content = Content()
    tv_weight: float = _key(0.2, "Weight of smoothness between neighbouring pixels", ge=0)
    strength: Annotated[float, Field(ge=0, le=1)] | None = _key(
        None, "0 = mostly content, 0.5 = as the weights say, 1 = mostly style"
    )
    network: Network = Network()
    optimizer: Optimizer = Optimizer()
    scales: Scales = Scales()
    color: Color = Color()
    video: Video = Video()
    output: Output = Output()

    @property
    def is_abstract(self) -> bool:
        """Without a style image: to be extended or shown, not used alone."""
        return not self.style.images

    @property
    def cost_class(self) -> Literal["draft", "standard", "slow"]:
        """By the work of one photo (or a shot's first frame)."""
        cost = _cost(self.scales)
        return "draft" if cost < DRAFT_BELOW else "standard" if cost < SLOW_FROM else "slow"


def _cost(scales: Scales) -> float:
    """Steps times megapixels, summed over the scales of a square picture."""
    sides = [float(scales.max_side_px or UNSEEN_SIDE_PX)]
    while sides[0] > scales.min_px:
        sides.insert(0, sides[0] / 2**0.5)
    return sum(scales.steps_at(n, len(sides)) * (side / 1024) ** 2 for n, side in enumerate(sides))
