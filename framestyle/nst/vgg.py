"""VGG19 (Simonyan and Zisserman, arXiv 1409.1556): image -> {layer name: activation}.

Normalisation, pooling and padding live inside; layers are named, never numbered. The network is cut after
the deepest layer in use. Convolutions run at the chosen precision; the first one always in float32, since
bfloat16 would round the image itself to eight bits of mantissa.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from framestyle.errors import WeightsError
from framestyle.nst.weights import CHANNELS, Backbone
from framestyle.presets.schema import CONVOLUTIONS

POOLING_RESCALE = {"max": 1.0, "average": 2.0, "l2": 0.78}
"""What keeps activations at the size that weights trained with max pooling expect (design: measured by others)."""


@dataclass(frozen=True)
class Layer:
    """One operation of the network: `kind` is conv, relu or pool."""

    name: str
    kind: str
    in_channels: int = 0
    out_channels: int = 0


@cache
def vgg19_layers() -> tuple[Layer, ...]:
    """The 16 convolutions, their ReLUs and the 5 poolings, by name.

    Written down rather than asked of torchvision, which takes as long to load as torch itself.
    """
    layers: list[Layer] = []
    inputs = 3
    for block, outputs in CHANNELS.items():
        for place in (place for place in CONVOLUTIONS if place.startswith(f"{block}_")):
            layers += [Layer(f"conv{place}", "conv", inputs, outputs), Layer(f"relu{place}", "relu")]
            inputs = outputs
        layers.append(Layer(f"pool{block}", "pool"))
    return tuple(layers)


def pool(features: Tensor, kind: str) -> Tensor:
    """BCHW -> BCHW at half the size (rounded up, so that a 1-pixel map survives)."""
    if kind == "max":
        return F.max_pool2d(features, 2, ceil_mode=True)
    if kind == "average":
        return F.avg_pool2d(features, 2, ceil_mode=True, count_include_pad=False)
    if kind == "l2":
        squares = F.avg_pool2d(features.float().square(), 2, ceil_mode=True, count_include_pad=False)
        return (squares * 4 + 1e-8).sqrt().to(features.dtype)
    raise ValueError(f"unknown pooling {kind!r}")


def _last_layer(backbone: Backbone) -> str:
    return list(backbone.convolutions)[-1].replace("conv", "relu")


class VGG19(nn.Module):
    """Features by layer name.

    `forward(image)`: BCHW RGB in [0, 1] -> {name: BCHW}, in the network's precision. No gradient reaches
    the weights. `pooling` other than the backbone's own is rescaled unless `rescale_pooling` is False. `padding` is
    that of the first convolution, or of all where the backbone was made so (`pads_deep`).
    """

    def __init__(
        self,
        backbone: Backbone,
        taps: Collection[str],
        *,
        pooling: str = "average",
        rescale_pooling: bool = True,
        padding: str = "replicate",
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__()
        layers = vgg19_layers()
        names = [layer.name for layer in layers]
        unknown = sorted(set(taps) - set(names))
        if unknown or not taps:
            raise ValueError(f"no such layers: {unknown}" if unknown else "no layer is asked for")
        self.taps = frozenset(taps)
        self.layers = layers[: max(names.index(tap) for tap in taps) + 1]
        self.pooling, self.padding, self.dtype = pooling, padding, dtype
        self.gain = 1.0
        if rescale_pooling and pooling != backbone.native_pooling:
            self.gain = POOLING_RESCALE[pooling] / POOLING_RESCALE[backbone.native_pooling]
        self.reverse_channels, self.pads_deep = backbone.reverse_channels, backbone.pads_deep
        self.shift: Tensor
        self.factor: Tensor
        self.register_buffer("shift", torch.tensor(backbone.shift).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("factor", torch.tensor(backbone.factor).view(1, 3, 1, 1), persistent=False)
        for layer in self.layers:
            if layer.kind == "conv":
                self._add_convolution(layer, backbone)
        self.to(device)

    def _add_convolution(self, layer: Layer, backbone: Backbone) -> None:
        if layer.name not in backbone.convolutions:
            raise WeightsError(
                f"the {backbone.kind!r} weights end before layer {layer.name}",
                next_step=f"Use layers up to {_last_layer(backbone)}, or other weights.",
            )
        weight, bias = backbone.convolutions[layer.name]
        if tuple(weight.shape) != (layer.out_channels, layer.in_channels, 3, 3):
            raise WeightsError(
                f"the {backbone.kind!r} weights of {layer.name} have shape {tuple(weight.shape)}",
                next_step="Use other weights: framestyle weights list",
            )
        dtype = torch.float32 if layer.name == "conv1_1" and self.dtype.itemsize < 4 else self.dtype
        weight = weight.to(dtype).contiguous(memory_format=torch.channels_last)
        self.register_buffer(f"{layer.name}_weight", weight, persistent=False)
        self.register_buffer(f"{layer.name}_bias", bias.to(dtype), persistent=False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = image.flip(1) if self.reverse_channels else image
        x = (x - self.shift.to(x.dtype)) * self.factor.to(x.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        found: dict[str, Tensor] = {}
        for layer in self.layers:
            if layer.kind == "conv":
                x = self._convolve(x, layer.name)
            elif layer.kind == "relu":
                # In place only where nobody reads the convolution's own output: torchvision's in-place
                # ReLU makes a conv tap silently read the ReLU.
                x = F.relu(x, inplace=layer.name.replace("relu", "conv") not in self.taps)
            else:
                x = pool(x, self.pooling)
                x = x * self.gain if self.gain != 1.0 else x
            if layer.name in self.taps:
                found[layer.name] = x
        return found

    def _convolve(self, x: Tensor, name: str) -> Tensor:
        weight, bias = getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias")
        # A map of one pixel has nothing to reflect.
        small = self.padding == "reflect" and min(x.shape[2:]) < 2
        if self.padding == "zeros" or not (name == "conv1_1" or self.pads_deep):
            out = F.conv2d(x.to(weight.dtype), weight, bias, padding=1)
        else:
            x = F.pad(x, (1, 1, 1, 1), mode="replicate" if small else self.padding)
            out = F.conv2d(x.to(weight.dtype), weight, bias)
        return out.to(self.dtype)
