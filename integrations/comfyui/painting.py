"""What the nodes do: tensors in and out, sessions that are kept, progress and interrupts in ComfyUI's own way."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import folder_paths
import numpy as np
import torch
from PIL import Image

from framestyle import Context, Preset, RenderSpec, Session, load_preset
from framestyle.events import Event, StepDone
from framestyle.masks import has_regions
from framestyle.resolve import render_spec

MOST_SESSIONS = 2
"""Kept between prompts. Each holds the network's weights on its device, about 60 MB."""
PARTS = 100
"""Of the progress bar, for each picture."""
PREVIEW_PX = 512

_sessions: OrderedDict[tuple[str, str], Session] = OrderedDict()


@dataclass(frozen=True)
class Wish:
    """What a node was asked for. `mask`: BHW in [0, 1], 1 where the picture is to be painted."""

    preset: Preset
    seed: int
    device: str
    weights: str
    mask: torch.Tensor | None = None

    @property
    def has_regions(self) -> bool:
        """Whether the preset's style images are for regions: then the mask says where those lie."""
        return has_regions(self.preset)


def wished_preset(name: str, settings: str) -> Preset:
    """A preset by name, with a setting `KEY=VALUE` a line."""
    return load_preset(name, [line.strip() for line in settings.splitlines() if line.strip()])


def paint_photos(images: torch.Tensor, wish: Wish) -> torch.Tensor:
    """BHWC in [0, 1]; each by itself."""
    progress = Progress(len(images))
    with at_work(wish) as session:
        masks = _region_masks(images, wish)
        pairs = zip(_arrays(images), masks, strict=True)
        painted = (session.image(array, progress.context, mask=mask) for array, mask in pairs)
        return _blended(images, progress.watched(painted), wish)


def paint_clip(images: torch.Tensor, wish: Wish) -> torch.Tensor:
    """BHWC in [0, 1]; each goes on from the one before it, and starts afresh after a cut."""
    progress = Progress(len(images))
    with at_work(wish) as session:
        masks = list(_region_masks(images, wish)) if wish.has_regions and wish.mask is not None else None
        painted = session.frames(list(_arrays(images)), progress.context, mask=masks)
        return _blended(images, progress.watched(painted), wish)


class Progress:
    """The node's progress bar, with each finished picture as its preview."""

    def __init__(self, pictures: int) -> None:
        self._bar = comfy.utils.ProgressBar(pictures * PARTS)
        self._pictures, self._done = pictures, 0
        interrupted = comfy.model_management.throw_exception_if_processing_interrupted
        self.context = Context(self._hear, interrupted)
        self._tell(0.0)

    def watched(self, painted: Iterable[Any]) -> Iterator[Any]:
        """The pictures, each shown as it comes."""
        for picture in painted:
            self._done += 1
            self._tell(0.0, ("JPEG", _preview(picture), PREVIEW_PX))
            yield picture

    def _hear(self, event: Event) -> None:
        if isinstance(event, StepDone):
            self._tell((event.scale_index + event.step / event.steps) / event.scales)

    def _tell(self, share: float, preview: Any = None) -> None:
        # A clip's frame comes out one later than it goes in: its steps are told of before it is counted.
        value = min(self._done + share, self._pictures)
        self._bar.update_absolute(round(value * PARTS), self._pictures * PARTS, preview)


@contextmanager
def at_work(wish: Wish) -> Iterator[Session]:
    """A session for what was asked; what its work leaves on the device is given back to ComfyUI."""
    try:
        yield _session(render_spec(wish.preset, weights=wish.weights, seed=wish.seed), wish.device)
    finally:
        comfy.model_management.soft_empty_cache()


def _session(spec: RenderSpec, device: str) -> Session:
    key = (spec.to_json(), device)
    if key not in _sessions:
        while len(_sessions) >= MOST_SESSIONS:
            _sessions.popitem(last=False)[1].close()
        _sessions[key] = Session(spec, device=device)
    _sessions.move_to_end(key)
    return _sessions[key]


def kept_style(images: torch.Tensor) -> list[Path]:
    """Pictures of a batch as files of the temp folder, named by what they hold: a preset names its style by path."""
    folder = Path(folder_paths.get_temp_directory()) / "framestyle"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for array in _arrays(images):
        levels = np.rint(array[..., :3].clip(0, 1) * 255).astype(np.uint8)
        digest = hashlib.sha256(repr(levels.shape).encode() + levels.tobytes()).hexdigest()[:24]
        path = folder / f"{digest}.png"
        if not path.exists():
            part = path.with_suffix(".part")
            Image.fromarray(levels).save(part, "PNG")
            part.replace(path)
        paths.append(path)
    return paths


def style_pictures(preset: Preset, side_px: int = 512) -> torch.Tensor:
    """1HW3: the preset's style images beside each other, each `side_px` high."""
    shown = []
    for image in preset.style.images:
        with Image.open(image.path) as opened:
            picture = opened.convert("RGB")
        width = max(1, round(picture.width * side_px / picture.height))
        shown.append(np.asarray(picture.resize((width, side_px), Image.Resampling.LANCZOS)))
    return torch.from_numpy(np.concatenate(shown, axis=1).astype(np.float32) / 255)[None]


def _arrays(images: torch.Tensor) -> Iterator[Any]:
    for image in images:
        yield image.detach().cpu().float().numpy()


def _preview(array: Any) -> Image.Image:
    picture = Image.fromarray(np.rint(array[..., :3] * 255).astype(np.uint8))
    picture.thumbnail((PREVIEW_PX, PREVIEW_PX))
    return picture


def _region_masks(images: torch.Tensor, wish: Wish) -> Iterator[Any]:
    for number in range(len(images)):
        mask = _mask_of(wish.mask, number) if wish.has_regions else None
        yield None if mask is None else mask.cpu().float().numpy()


def _mask_of(masks: torch.Tensor | None, number: int) -> torch.Tensor | None:
    """A batch of masks may be shorter than that of the pictures: the last one goes on, as ComfyUI's own nodes do."""
    return None if masks is None else masks[min(number, len(masks) - 1)]


def _blended(images: torch.Tensor, painted: Iterable[Any], wish: Wish) -> torch.Tensor:
    """Painted where the mask is 1, the picture itself where it is 0."""
    results = []
    for number, array in enumerate(painted):
        result, content = torch.from_numpy(array), images[number].detach().cpu().float()
        mask = None if wish.has_regions else _mask_of(wish.mask, number)
        if mask is not None:
            size = tuple(content.shape[:2])
            stretched = torch.nn.functional.interpolate(
                mask.detach().cpu().float()[None, None], size, mode="bilinear", align_corners=False
            )
            result = torch.lerp(content, result, stretched[0, 0, :, :, None].clamp(0, 1))
        results.append(result)
    return torch.stack(results).to(images.device)
