"""The nodes. What they look like stands here, what they do in painting.py."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from comfy_api.latest import ComfyExtension, InputImpl, io

from framestyle import Preset, list_presets, load_preset
from framestyle.registries import FLOW, WEIGHTS

from . import painting

PresetIO = io.Custom("FRAMESTYLE_PRESET")
CATEGORY = "image/FrameStyle"
DEVICES = ["auto", "cpu", "cuda", "mps"]
BASE = "base"
"""The preset that a style by image extends: everything at its default."""


def preset_inputs() -> list[Any]:
    """A preset by name and its settings."""
    names = [summary.name for summary in list_presets() if not summary.is_broken]
    return [
        io.Combo.Input(
            "preset",
            options=names,
            default="mosaic",
            tooltip="A named style. Your own lie in FrameStyle's presets folder; press R to see new ones.",
        ),
        io.String.Input(
            "settings",
            multiline=True,
            default="",
            optional=True,
            tooltip="KEY=VALUE of the preset, a line each, such as strength=0.7; 'framestyle presets keys' lists all.",
        ),
    ]


def painting_inputs() -> list[Any]:
    """What Paint and Video have in common."""
    return [
        *preset_inputs(),
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=2**31 - 1,
            control_after_generate=False,
            tooltip="The same seed paints the same picture.",
        ),
        io.Combo.Input(
            "device",
            options=DEVICES,
            default="auto",
            optional=True,
            tooltip="auto: the best of this machine.",
        ),
        io.Combo.Input(
            "weights",
            options=["auto", *(kind for kind in WEIGHTS.names() if kind not in WEIGHTS.names(FLOW))],
            default="auto",
            optional=True,
            tooltip="The network's weights; auto: the original ones, where they are installed.",
        ),
        PresetIO.Input(
            "style",
            optional=True,
            tooltip="A preset from the nodes Preset or Style by image: it takes the place of the name above.",
        ),
        io.Mask.Input(
            "mask",
            optional=True,
            tooltip="Painted where it is white. Where the preset has regions it says where those lie.",
        ),
    ]


def preset_fingerprint(preset: str = "", settings: str = "", **_: Any) -> str:
    """What ComfyUI compares to know whether a node must be run again: the preset's file may have changed."""
    return painting.wished_preset(preset, settings).model_dump_json() if preset else ""


class PresetNode(io.ComfyNode):
    """A preset by name, and its style images to look at."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FrameStylePreset",
            display_name="FrameStyle Preset",
            category=CATEGORY,
            description="A named style with its settings, and what its style images look like.",
            inputs=preset_inputs(),
            outputs=[PresetIO.Output(display_name="style"), io.Image.Output(display_name="thumbnail")],
        )

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> str:
        return preset_fingerprint(**inputs)

    @classmethod
    def execute(cls, preset: str, settings: str = "") -> io.NodeOutput:
        loaded = painting.wished_preset(preset, settings)
        return io.NodeOutput(loaded, painting.style_pictures(loaded))


class StyleByImageNode(io.ComfyNode):
    """A style of one's own pictures."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FrameStyleByImage",
            display_name="FrameStyle Style by image",
            category=CATEGORY,
            description="A style from pictures of your own; the pictures of a batch blend.",
            inputs=[
                io.Image.Input("image", tooltip="The style image, or a batch of them."),
                io.Float.Input(
                    "strength",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    tooltip="How much of the style: 0 keeps the picture, 1 keeps little of it.",
                ),
                io.Float.Input(
                    "scale",
                    default=1.0,
                    min=0.1,
                    max=4.0,
                    step=0.05,
                    tooltip="Size of the style image relative to the picture: larger makes larger strokes.",
                ),
                io.String.Input(
                    "settings", multiline=True, default="", optional=True, tooltip="KEY=VALUE, a line each."
                ),
            ],
            outputs=[PresetIO.Output(display_name="style")],
        )

    @classmethod
    def execute(cls, image: Any, strength: float, scale: float, settings: str = "") -> io.NodeOutput:
        quoted = (str(path).replace("'", "''") for path in painting.kept_style(image))
        paths = ", ".join(f"{{path: '{path}'}}" for path in quoted)
        own = [line.strip() for line in settings.splitlines() if line.strip()]
        wishes = [f"style.images=[{paths}]", f"strength={strength}", f"style.scale={scale}", *own]
        return io.NodeOutput(load_preset(BASE, wishes))


class PaintNode(io.ComfyNode):
    """Pictures painted, each by itself, or as the frames of a clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FrameStylePaint",
            display_name="FrameStyle Paint",
            category=CATEGORY,
            description="Paints pictures in a named style. They keep their size: time grows with their pixels.",
            inputs=[
                io.Image.Input("image"),
                io.Boolean.Input(
                    "is_clip",
                    default=False,
                    tooltip="The batch is a clip: each frame goes on from the one before it, and cuts are found.",
                ),
                *painting_inputs(),
            ],
            outputs=[io.Image.Output()],
        )

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> str:
        return preset_fingerprint(**inputs)

    @classmethod
    def execute(
        cls,
        image: Any,
        is_clip: bool,
        preset: str,
        seed: int,
        settings: str = "",
        device: str = "auto",
        weights: str = "auto",
        style: Preset | None = None,
        mask: Any = None,
    ) -> io.NodeOutput:
        wish = painting.Wish(style or painting.wished_preset(preset, settings), seed, device, weights, mask)
        paint = painting.paint_clip if is_clip else painting.paint_photos
        return io.NodeOutput(paint(image, wish))


class VideoNode(io.ComfyNode):
    """A video painted; its sound and frame rate stay."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FrameStyleVideo",
            display_name="FrameStyle Video",
            category=CATEGORY,
            description="Paints a video steadily in a named style. Sound and frame rate stay.",
            inputs=[io.Video.Input("video"), *painting_inputs()],
            outputs=[io.Video.Output()],
        )

    @classmethod
    def fingerprint_inputs(cls, **inputs: Any) -> str:
        return preset_fingerprint(**inputs)

    @classmethod
    def execute(
        cls,
        video: Any,
        preset: str,
        seed: int,
        settings: str = "",
        device: str = "auto",
        weights: str = "auto",
        style: Preset | None = None,
        mask: Any = None,
    ) -> io.NodeOutput:
        wish = painting.Wish(style or painting.wished_preset(preset, settings), seed, device, weights, mask)
        parts = video.get_components()
        painted = painting.paint_clip(parts.images, wish)
        return io.NodeOutput(InputImpl.VideoFromComponents(replace(parts, images=painted)))


class FrameStyleExtension(ComfyExtension):
    """What ComfyUI's loader asks for."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [PaintNode, VideoNode, PresetNode, StyleByImageNode]


async def comfy_entrypoint() -> FrameStyleExtension:
    """The entry point of V3 nodes."""
    return FrameStyleExtension()
