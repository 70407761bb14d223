"""VGG19's weights as the network takes them: the value, and how it comes of torchvision's keys and of kept files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from framestyle.errors import WeightsError
from framestyle.nst.weights.hashes import sha256_of
from framestyle.nst.weights.store import NO_WEIGHTS, keep, load_kept, open_file

Convolutions = Mapping[str, tuple[Tensor, Tensor]]
"""Weight (outputs, inputs, 3, 3) and bias (outputs) by convolution."""
CONVOLUTION_INDICES = {
    f"conv{block}_{number}": index
    for (block, number), index in zip(
        [(b, n) for b, count in enumerate((2, 2, 4, 4, 4), 1) for n in range(1, count + 1)],
        (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
        strict=True,
    )
}
"""torchvision's index in `features` of each convolution."""
Channels = tuple[int, int, int, int, int]
"""Outputs of a convolution of each block."""
CHANNELS: Channels = (64, 128, 256, 512, 512)
"""VGG19's own (Simonyan and Zisserman, arXiv 1409.1556)."""


def convolution_shapes(channels: Channels = CHANNELS) -> dict[str, tuple[int, int]]:
    """Outputs and inputs of each convolution."""
    shapes, inputs = {}, 3
    for name in CONVOLUTION_INDICES:
        outputs = channels[int(name[4]) - 1]
        shapes[name] = (outputs, inputs)
        inputs = outputs
    return shapes


OWN_SHIFT, OWN_FACTOR = (0.5, 0.5, 0.5), (2.0, 2.0, 2.0)
"""Of what is made here: images in [-1, 1]."""
IMAGENET_SHIFT, IMAGENET_FACTOR = (0.485, 0.456, 0.406), (1 / 0.229, 1 / 0.224, 1 / 0.225)
CAFFE_SHIFT, CAFFE_FACTOR = (103.939 / 255, 116.779 / 255, 123.68 / 255), (255.0, 255.0, 255.0)
"""For BGR in [0, 1]: 0-255 minus the mean, as the original network wants it."""


@dataclass(frozen=True, eq=False)
class Backbone:
    """Convolutions by name and how an RGB image in [0, 1] enters them: (x - shift) · factor, BGR if reversed."""

    kind: str
    convolutions: Convolutions
    shift: tuple[float, float, float]
    factor: tuple[float, float, float]
    reverse_channels: bool = False
    native_pooling: str = "max"
    fingerprint: str = ""
    description: str = ""

    @cached_property
    def channels(self) -> Channels:
        """Of each block; of a block that these weights lack, VGG19's own."""
        found = {int(name[4]): len(bias) for name, (_, bias) in self.convolutions.items()}
        one, two, three, four, five = (found.get(number, own) for number, own in enumerate(CHANNELS, 1))
        return one, two, three, four, five


def from_torchvision(state: Mapping[str, Any], origin: str) -> dict[str, tuple[Tensor, Tensor]]:
    """`features.N.weight` keys -> convolutions by name, shapes and values checked."""
    convolutions: dict[str, tuple[Tensor, Tensor]] = {}
    for name, (outputs, inputs) in convolution_shapes().items():
        index = CONVOLUTION_INDICES[name]
        pair = state.get(f"features.{index}.weight"), state.get(f"features.{index}.bias")
        shapes = [tuple(t.shape) if isinstance(t, Tensor) else None for t in pair]
        if shapes != [(outputs, inputs, 3, 3), (outputs,)]:
            raise WeightsError(
                f"{origin} is no VGG19: features.{index} has shapes {shapes}", next_step=NO_WEIGHTS
            )
        weight, bias = (t.float() for t in pair if isinstance(t, Tensor))
        if not (weight.isfinite().all() and bias.isfinite().all()):
            raise WeightsError(f"{origin}: {name} holds values that are not finite", next_step=NO_WEIGHTS)
        convolutions[name] = (weight, bias)
    return convolutions


def keep_convolutions(
    path: Path,
    convolutions: Convolutions,
    kind: str,
    dtype: torch.dtype = torch.float32,
) -> Path:
    """Write safetensors and, beside it, its SHA-256; each whole or not at all. StorageError where that cannot be."""
    return keep(path, _tensors_of(convolutions, dtype), kind)


def _tensors_of(convolutions: Convolutions, dtype: torch.dtype) -> dict[str, Tensor]:
    tensors = {}
    for name, (weight, bias) in convolutions.items():
        tensors[f"{name}.weight"] = weight.to(dtype).contiguous()
        tensors[f"{name}.bias"] = bias.float().contiguous()
    return tensors


def kept_convolutions(path: Path) -> tuple[Convolutions, str]:
    """Those of a file that was kept, and its SHA-256. WeightsError where it is not what was kept."""
    return _convolutions_in(*load_kept(path))


def unkept_convolutions(
    convolutions: Convolutions, kind: str, dtype: torch.dtype
) -> tuple[Convolutions, str]:
    """What `kept_convolutions` gives of these once they are kept: the same values, the same SHA-256, and no file."""
    file = save(_tensors_of(convolutions, dtype), {"kind": kind})
    return _convolutions_in(load(file), hashlib.sha256(file).hexdigest())


def _convolutions_in(tensors: Mapping[str, Tensor], digest: str) -> tuple[Convolutions, str]:
    names = [name for name in CONVOLUTION_INDICES if f"{name}.weight" in tensors]
    return {n: (tensors[f"{n}.weight"].float(), tensors[f"{n}.bias"].float()) for n in names}, digest


def import_torchvision(path: Path, source: Path, kind: str) -> Path:
    """Keep a user's own file of torchvision's keys at `path`."""
    return keep_convolutions(path, from_torchvision(open_file(source), str(source)), kind)


def imagenet_backbone(convolutions: Convolutions, fingerprint: str) -> Backbone:
    """Weights that were trained on ImageNet by torchvision: RGB, by mean and deviation."""
    return Backbone("imagenet", convolutions, IMAGENET_SHIFT, IMAGENET_FACTOR, False, "max", fingerprint)


def caffe_backbone(kind: str, convolutions: Convolutions, fingerprint: str) -> Backbone:
    """Weights of the original network: BGR, 0 to 255 less the mean."""
    return Backbone(kind, convolutions, CAFFE_SHIFT, CAFFE_FACTOR, True, "max", fingerprint)


def own_backbone(kind: str, convolutions: Convolutions, fingerprint: str) -> Backbone:
    """Weights that are made here: images in [-1, 1], average pooling."""
    return Backbone(kind, convolutions, OWN_SHIFT, OWN_FACTOR, False, "average", fingerprint)


def backbone_from_file(path: Path, *, kinds: Sequence[str] = ()) -> Backbone:
    """torchvision-style keys (taken as ImageNet weights) in .pth or .safetensors. `kinds`: what else could be named."""
    otherwise = f"Name a file that is there, or a kind: {', '.join(kinds)}."
    convolutions = from_torchvision(open_file(path, next_step=otherwise), str(path))
    return imagenet_backbone(convolutions, sha256_of(path))
