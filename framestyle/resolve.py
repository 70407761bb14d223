"""A preset and wishes -> a RenderSpec: digests of pictures, the kind of weights, what `auto` comes to. Loads no torch
but to measure.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from framestyle.errors import Code, PresetError
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.files import walk
from framestyle.nst.weights.hashes import sha256_of
from framestyle.nst.weights.paths import WeightsStore, choose_kind, weights_identity
from framestyle.presets import Preset, pictures_of
from framestyle.spec import AUTO, Digest, RenderSpec, with_precision

if TYPE_CHECKING:
    import torch


def render_spec(
    preset: Preset,
    *,
    weights: str = "auto",
    seed: int = 0,
    device: str = "",
    precision: str | None = None,
    span: TimeRange = WHOLE_CLIP,
    store: WeightsStore | None = None,
) -> RenderSpec:
    """What a render with this preset depends on: its pictures are read, its weights found, not opened.

    `weights` are a kind, a path, or `auto`. `device` is a kind, or empty where none is chosen yet.
    """
    return RenderSpec(
        preset,
        choose_kind(weights),
        weights_identity(weights, store),
        picture_digests(preset),
        seed,
        device,
        precision,
        span,
    )


def refuse_styleless(preset: Preset) -> None:
    """PresetError where the preset names no style image."""
    if not preset.style.images:
        raise PresetError(
            f"preset {preset.name!r} names no style image",
            code=Code.STYLE_MISSING,
            facts={"preset": preset.name},
        )


def picture_digests(preset: Preset) -> dict[str, Digest]:
    """Of every picture that a preset names, by path; those that cannot be read are left out."""
    from framestyle.media.video.sequences import existing_files

    digests: dict[str, Digest] = {}
    for path in pictures_of(preset):
        try:
            digests[path] = sha256_of(Path(path))
        except OSError:
            if Path(path).is_dir():
                digests[path] = _listing(Path(path), walk(Path(path)).files)
            elif files := existing_files(Path(path)):
                digests[path] = _listing(Path(path).parent, files)
    return digests


def _listing(folder: Path, files: Iterable[Path]) -> Digest:
    """Of a folder or a sequence of masks, by names, sizes and times: one that is drawn anew counts as another."""
    stats = [(file.relative_to(folder).as_posix(), file.stat()) for file in files]
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


class PrecisionChoice:
    """What `auto` comes to on a device, for all that one command does: measured when it is first asked for, once."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._measured: str | None = None

    def resolve(self, preset: Preset) -> Preset:
        """The preset with a precision that is decided; nothing is measured for one that names its own."""
        if preset.optimizer.precision != AUTO:
            return preset
        if self._measured is None:
            from framestyle.nst import devices

            self._measured = devices.probe_precision(self._device)
        return with_precision(preset, self._measured)
