"""The preset schema: every key with type, range, unit, default and a line of help. Defaults live here alone.

Docs, lists of keys and the JSON Schema are made from these models (see reference.py).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from framestyle.presets.choices import OneOf, OneOfOrPath
from framestyle.presets.layers import FrozenMap
from framestyle.presets.sections import Content, Section, Style, key
from framestyle.presets.timeline import TimelinePoint
from framestyle.registries import FLOWS, INITS

SCHEMA_VERSION = 1
SHORTHANDS = {
    "style_weight": "style.weight",
    "content_weight": "content.weight",
    "temporal_weight": "video.temporal_weight",
    "max_side_px": "scales.max_side_px",
}
"""Short names that overrides may use."""

COARSE_COST = 0.25
"""Of a step at half the size, as a part of a step."""
UNSEEN_SIDE_PX = 2048
"""The size that a cost is estimated for where the input's own size is kept."""
DRAFT_BELOW, SLOW_FROM = 20.0, 300.0
"""Bounds of the cost classes, in steps at one megapixel."""


class Network(Section):
    """How VGG19 is run."""

    pooling: Literal["average", "max", "l2"] = key("max", "Pooling between blocks")
    rescale_pooling: bool = key(True, "Keep activations at the size that the weights expect")
    padding: Literal["replicate", "zeros", "reflect"] = key(
        "replicate", "What convolutions see beyond the edge; zeros leave a dark frame"
    )
    places: int = key(
        4,
        "Places on the pooling grid that steps take turns at; 1 leaves a lattice of dots and ripples",
        ge=1,
        le=4,
    )


_Beta = Annotated[float, Field(ge=0, lt=1)]
_Betas = tuple[_Beta, _Beta]


class Optimizer(Section):
    """How the pixels are moved."""

    name: Literal["adam", "lbfgs"] = key("adam", "Optimiser")
    learning_rate: float = key(0.015, "Step size, in units of the full pixel range", gt=0, le=1)
    init: Annotated[str, OneOfOrPath(INITS)] = key(
        "content", "content | noise | style_stats | gray | path of an image", min_length=1
    )
    average_decay: float = key(0.8, "Averaging of the iterates; 0 switches it off", ge=0, lt=1)
    betas: _Betas = key((0.9, 0.9), "Adam's decays of its two moments", strict=False)
    precondition: bool = key(
        True, "Even out what Adam is given over frequencies and directions; without, fine detail is a weave"
    )
    precision: Literal["auto", "float32", "bfloat16"] = key("auto", "Precision of the convolutions")


class Scales(Section):
    """Coarse to fine, each √2 larger."""

    min_px: int = key(128, "Longer side of the smallest scale", "px", ge=16, le=4096)
    max_side_px: int = key(1024, "Longer side of the result; 0 = the input's own", "px", ge=0, le=32768)
    first_steps: int = key(100, "Steps at the smallest scale", "steps", ge=0, le=100_000)
    between_steps: int = key(
        30, "Steps at each scale between, where that is less than `steps`", "steps", ge=0, le=100_000
    )
    steps: int = key(80, "Steps at the largest scale, where there are several", "steps", ge=0, le=100_000)

    def steps_at(self, number: int, scales: int) -> int:
        """At scale `number` of so many, from 0 on."""
        if number == 0:
            return self.first_steps
        return self.steps if number == scales - 1 else min(self.between_steps, self.steps)


class Color(Section):
    """Whose colours the result has."""

    preserve: Literal["none", "luminance", "histogram", "content_stats", "style_stats"] = key(
        "none", "Keep the content's colours, and how"
    )
    match: bool = key(
        False,
        "Move the content's colours to the style's mean and spread, and paint in these; not with `preserve`",
    )
    share: float = key(1.0, "How far colours are kept or moved; 0 = not at all", ge=0, le=1)

    @model_validator(mode="after")
    def _of_one_mind(self) -> Color:
        if self.match and self.preserve != "none":
            raise ValueError(
                "match gives the style's colours and preserve keeps the content's: set one of them"
            )
        return self


class Video(Section):
    """How one frame follows from the last."""

    method: Literal["optimized", "key_frames"] = key(
        "optimized",
        "Which frames are optimised: all, or key frames, those between being warped from both sides",
    )
    key_frame_gap: int = key(
        12,
        "Most frames from one key frame to the next; fewer where they do not show the same",
        "frames",
        ge=1,
        le=250,
    )
    coarse_steps: int = key(
        20,
        "Most steps at half the size that a key frame takes first, for what came into the picture lately",
        "steps",
        ge=0,
        le=100_000,
    )
    polish_steps: int = key(
        4, "Steps for a frame between key frames where these do not show all of it", "steps", ge=0, le=100_000
    )
    warm_start: Literal["flow", "previous", "none"] = key("flow", "What a frame starts from")
    steps: int = key(10, "Most steps for a warm frame", "steps", ge=0, le=100_000)
    min_steps: int = key(5, "Fewest steps for a warm frame", "steps", ge=0, le=100_000)
    tolerance: float = key(
        0.001, "A frame is done when a window of steps improves less than this", ge=0, le=1
    )
    temporal_weight: float = key(160.0, "Weight of staying near the warped last frame", ge=0)
    leash_weight: float = key(
        400.0, "Weight of keeping the broad colours that a part of the scene was first painted in", ge=0
    )
    long_term: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = key(
        (1,),
        "Distances of earlier frames to stay near, such as [1, 2, 4]",
        "frames",
        {"minItems": 1, "uniqueItems": True},
        strict=False,
        max_length=8,
    )
    passes: int = key(
        1, "Passes over a shot; a second one, from its end, is the steadiest, at twice the time", ge=1, le=2
    )
    flow: Annotated[str, OneOf(FLOWS)] = key("dis", "Optical flow method; raft needs weights")
    carry_moments: bool = key(True, "Carry the optimiser's moments along the flow")
    average_decay: float = key(0.95, "Averaging of the iterates of warm frames", ge=0, lt=1)
    gradient_at: float = key(
        0.8, "Where gradients of warm frames are taken, from the iterate (0) to the average (1)", ge=0, le=1
    )
    betas: _Betas = key((0.5, 0.99), "Adam's decays for warm frames", strict=False)
    carry_average: bool = key(True, "Carry the average of the iterates along the flow")
    anneal: bool = key(True, "Let what has long been in the picture come to rest")
    flow_max_side_px: int = key(
        640, "Longer side at which flow is computed; it is scaled up to larger frames", "px", ge=32, le=32768
    )
    flow_quality: Literal["ultrafast", "fast", "medium", "fine"] = key(
        "medium", "Effort spent on flow, by either method"
    )
    cuts: Literal["adaptive", "content", "none"] = key("adaptive", "How cuts are found")
    sequence_rate: float = key(
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

    @model_validator(mode="after")
    def _of_one_mind(self) -> Video:
        if self.method == "key_frames" and self.passes > 1:
            raise ValueError("passes: 2 optimises every frame twice: set it to 1, or method to optimized")
        return self

    @property
    def painted_times(self) -> int:
        """How often each frame is painted: a second pass goes by the flow."""
        return self.passes if self.warm_start == "flow" else 1

    @property
    def frames_a_key_frame(self) -> int:
        """Of how many frames one is a key frame, at most: 1 where all are optimised, as they are without flow."""
        return self.key_frame_gap if self.method == "key_frames" and self.warm_start == "flow" else 1

    @property
    def warm_steps(self) -> float:
        """Steps of a warm frame, at most; by key frames in the mean, if they lie as far apart as they may."""
        gap = self.frames_a_key_frame
        if gap == 1:
            return self.steps
        key = self.steps + self.coarse_steps * COARSE_COST
        return (key + (gap - 1) * self.polish_steps) / gap


class Output(Section):
    """What is written."""

    video_codec: Literal["h264", "h265", "vp9", "av1", "prores", "dnxhr", "ffv1", "gif", "webp", "apng"] = (
        key("h264", "Video codec")
    )
    quality: (
        Literal["draft", "good", "visually_lossless", "lossless"] | Annotated[float, Field(ge=0, le=63)]
    ) = key("visually_lossless", "Quality by name, or the codec's own number")
    bit_depth: Literal[8, 10] | None = key(
        None, "Bits a channel of clips; null = the input's, as far as the codec holds them"
    )
    hdr: Literal["keep", "tonemap"] = key(
        "keep", "HDR (PQ, HLG): kept, with its tags and 10 bits or more, or made SDR"
    )
    hardware: Literal["none", "nvenc"] = key(
        "none", "Encode h264, h265 and av1 on the GPU where a trial frame shows that it can"
    )
    save_every_s: float = key(
        60.0,
        "How often the work on a clip is checkpointed, so that it can be resumed; 0 = each frame",
        "s",
        ge=0,
        le=86400,
    )
    photo_format: Literal["jpg", "png", "webp", "tif", "bmp", "avif", "heic"] | None = key(
        None, "Photo format; null = as the input"
    )
    photo_quality: int = key(95, "Quality of JPEG, AVIF, HEIC, and of WebP with less chroma", ge=1, le=100)
    photo_subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = key(
        "4:4:4", "Chroma that those keep; all of it makes a WebP lossless"
    )
    color_profile: Literal["source", "srgb"] = key(
        "source", "Colour profile of photos: the input's own, or sRGB"
    )


_Map = Annotated[dict[str, Any], AfterValidator(FrozenMap)]


class Worth(Section):
    """What a preset says of a quality: keys of these sections, as in the preset itself."""

    scales: _Map = key(FrozenMap(), "Keys of `scales`")
    video: _Map = key(FrozenMap(), "Keys of `video`")


class Preset(Section):
    """A named style, complete: everything that a render depends on beside its inputs, weights and seed."""

    schema_version: int = key(
        SCHEMA_VERSION, "Version of this format", alias="schema", ge=1, le=SCHEMA_VERSION
    )
    name: str = key(
        "unnamed", "The preset's name; its file's name where not given", min_length=1, max_length=255
    )
    description: str = key("", "One line for the list")
    tags: tuple[str, ...] = key((), "Words to find it by", strict=False)
    extends: str | None = key(None, "A preset to start from, by name, or by path relative to this file")
    style: Style = Style()
    content: Content = Content()
    tv_weight: float = key(0.2, "Weight of smoothness between neighbouring pixels", ge=0)
    strength: Annotated[float, Field(ge=0, le=1)] | None = key(
        None, "0 = mostly content, 0.5 = as the weights say, 1 = mostly style"
    )
    mix: float = key(1.0, "0 = the content itself, 1 = the painted picture; colours are mixed", ge=0, le=1)
    timeline: tuple[TimelinePoint, ...] = key(
        (), "What changes from the clip's beginning to its end, point by point", strict=False, max_length=1000
    )
    quality: Annotated[dict[Literal["draft", "good", "best"], Worth], AfterValidator(FrozenMap)] = key(
        FrozenMap(),
        "What a quality (`quality=draft`) sets for this preset beside its own: keys of `scales` and `video`",
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
