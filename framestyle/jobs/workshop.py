"""What every task of a job shares: the preset, the network with its style targets, the flow, the device. Built once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

import framestyle
from framestyle.errors import PresetError
from framestyle.events import Note, OnEvent, Preparing
from framestyle.jobs.recipes import Recipe, image_digests
from framestyle.media.photos import read_style_image
from framestyle.motion.flow import OpticalFlow
from framestyle.motion.methods import make_flow
from framestyle.nst.devices import choose_device, working_dtype
from framestyle.nst.image import to_tensor
from framestyle.nst.store import WeightsStore
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights import Backbone, choose_kind, load_backbone
from framestyle.presets import OWN_INITS, Preset


@dataclass(frozen=True, eq=False)
class Workshop:
    """A stylizer ready to work, and what it was made from, in words."""

    preset: Preset
    stylizer: Stylizer
    weights: str
    device: str
    seed: int
    on_event: OnEvent
    flow: OpticalFlow | None = None
    """What measures motion; None: the preset asks for none, or whoever stylizes a clip makes it."""
    weights_fingerprint: str = ""

    def provenance(self) -> dict[str, str]:
        """What the output's metadata says of how it was made."""
        return provenance(self.preset.name, self.weights, self.seed, self.device)

    @cached_property
    def recipe(self) -> str:
        """The same and the whole preset, for programs: what `framestyle presets from` reads."""
        versions = {"framestyle": framestyle.__version__, "torch": torch.__version__}
        recipe = Recipe(
            self.preset,
            self.weights,
            self.weights_fingerprint,
            self.seed,
            self.device,
            versions,
            image_digests(self.preset),
        )
        return recipe.text()


def provenance(preset: str, weights: str, seed: int, device: str) -> dict[str, str]:
    """How an output was made, in words, for its metadata."""
    used = f"framestyle {framestyle.__version__}, torch {torch.__version__}"
    return {"comment": f"{used}; preset {preset}; weights {weights}; seed {seed}; {device}"}


@dataclass(frozen=True, eq=False)
class Weights:
    """A backbone in memory, and the kind or path that it was asked for by; several workshops can share it."""

    name: str
    backbone: Backbone


def load_weights(spec: str, *, on_event: OnEvent, store: WeightsStore | None = None) -> Weights:
    """Load, learn or fetch what `spec` names; says what `auto` took, and what is not to be expected of it."""
    kind = choose_kind(spec, store)
    if spec == "auto" and kind == "learned":
        on_event(
            Note(
                "Using the learned weights, made on this machine. For the pretrained ones: framestyle weights fetch"
            )
        )
    if kind == "untrained":
        on_event(Note("Untrained weights: colours and mottle, but no strokes to expect.", "warning"))
    backbone = load_backbone(
        kind,
        seed=0,
        store=store,
        on_progress=lambda fraction, detail: on_event(Preparing("weights", fraction, detail)),
    )
    return Weights(kind, backbone)


def open_workshop(
    preset: Preset,
    *,
    weights: str | Weights,
    device: str,
    seed: int,
    on_event: OnEvent,
    store: WeightsStore | None = None,
    clips: bool = True,
) -> Workshop:
    """Load or learn the weights, read the style images, build the network, and for `clips` what measures motion.

    `weights`: what to load, or what `load_weights` gave, where several workshops are to share it.
    """
    if not preset.style.images:
        raise PresetError(
            f"preset {preset.name!r} names no style image",
            next_step="Add one: --set style.images=PATH, or choose another: framestyle presets list",
        )
    chosen = choose_device(device)
    # First: it can lack weights, which should be said before others are learned or fetched.
    wanted = clips and preset.video.warm_start == "flow"
    flow = make_flow(preset.video, chosen, store) if wanted else None
    if isinstance(weights, str):
        weights = load_weights(weights, on_event=on_event, store=store)
    backbone = weights.backbone
    images = [to_tensor(read_style_image(Path(image.path))) for image in preset.style.images]
    init = preset.optimizer.init
    init_image = None if init in OWN_INITS else to_tensor(read_style_image(Path(init)))
    stylizer = Stylizer(
        preset, backbone, images, device=chosen, seed=seed, init_image=init_image, on_event=on_event
    )
    precision = str(working_dtype(preset.optimizer.precision, chosen)).removeprefix("torch.")
    return Workshop(
        preset, stylizer, weights.name, f"{chosen} {precision}", seed, on_event, flow, backbone.fingerprint
    )
