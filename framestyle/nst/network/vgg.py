"""VGG19 (Simonyan and Zisserman, arXiv 1409.1556): image -> {layer name: activation}.

Normalisation, pooling and padding live inside; layers are named, never numbered. The network is cut after
the deepest layer in use. Convolutions run at the chosen precision; the first one always in float32, since
bfloat16 would round the image itself to eight bits of mantissa.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from framestyle.errors import Code, WeightsError
from framestyle.nst.image import Size, bands
from framestyle.nst.network.winograd import Filters
from framestyle.nst.weights.backbone import CHANNELS, Backbone, Channels
from framestyle.nst.weights.kind import weights_end
from framestyle.presets.layers import CONVOLUTIONS

POOLING_RESCALE = {"max": 1.0, "average": 2.0, "l2": 0.78}
"""What keeps activations at the size that weights trained with max pooling expect (design: measured by others)."""

CONVOLVED_BANDS = 4
"""Convolutions take more rows at once than sums do: with few they are slower."""


@dataclass(frozen=True)
class Layer:
    """One operation of the network: `kind` is conv, relu or pool."""

    name: str
    kind: str
    in_channels: int = 0
    out_channels: int = 0


@cache
def vgg19_layers(channels: Channels = CHANNELS) -> tuple[Layer, ...]:
    """The 16 convolutions, their ReLUs and the 5 poolings, by name. Weights may be narrower than VGG19's own.

    Written down rather than asked of torchvision, which takes as long to load as torch itself.
    """
    layers: list[Layer] = []
    inputs = 3
    for block, outputs in enumerate(channels, 1):
        for place in (place for place in CONVOLUTIONS if place.startswith(f"{block}_")):
            layers += [Layer(f"conv{place}", "conv", inputs, outputs), Layer(f"relu{place}", "relu")]
            inputs = outputs
        layers.append(Layer(f"pool{block}", "pool"))
    return tuple(layers)


@dataclass(frozen=True)
class Stage:
    """One step of the forward pass: a convolution, alone or with its ReLU; a ReLU alone; a pooling."""

    name: str
    """Of its output."""
    kind: str
    convolution: str = ""
    channels: int = 0
    """Of its output, where it is a convolution's."""

    @property
    def block(self) -> int:
        """1 to 5: the convolutions before a pooling, and the pooling."""
        return int(next(filter(str.isdigit, self.name)))


def stride_of(name: str) -> int:
    """How many pixels a position of that layer covers, each way."""
    block = int(next(filter(str.isdigit, name)))
    return 1 << (block if name.startswith("pool") else block - 1)


def stages_up_to(taps: Collection[str], channels: Channels = CHANNELS) -> tuple[Stage, ...]:
    """What has to be computed for these layers. A ReLU goes with its convolution, unless somebody reads that one."""
    layers = vgg19_layers(channels)
    names = [layer.name for layer in layers]
    deepest = max(names.index(tap) for tap in taps)
    stages: list[Stage] = []
    for layer, following in zip(layers[: deepest + 1], [*layers[1 : deepest + 1], None], strict=True):
        if layer.kind == "conv":
            with_relu = following is not None and layer.name not in taps
            name = layer.name.replace("conv", "relu") if with_relu else layer.name
            stages.append(Stage(name, "conv", layer.name, layer.out_channels))
        elif layer.kind == "pool" or stages[-1].name != layer.name:
            stages.append(Stage(layer.name, layer.kind))
    return tuple(stages)


class _Convolution(torch.autograd.Function):
    """A 3×3 convolution of frozen weights with its edge and, if asked, its ReLU.

    For the gradient it keeps none of its input, since no gradient reaches the weights, nor the padded copy of it: only
    the ReLU's output, which the next layer holds anyway.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, filters: Filters, edge: str, dtype: torch.dtype, rectified: bool
    ) -> Tensor:
        mode = "constant" if edge == "zeros" else edge
        out = filters.forward(x.to(filters.weight.dtype), mode).to(dtype)
        if rectified:
            out.relu_()
        ctx.save_for_backward(*([out] if rectified else []))
        ctx.filters, ctx.edge, ctx.dtype = filters, edge, x.dtype
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        rectified = ctx.saved_tensors[0] if ctx.saved_tensors else None
        grad = _input_gradient(grad, rectified, ctx.filters, 1 if ctx.edge == "zeros" else 0)
        grad = grad if ctx.edge == "zeros" else _without_edge(grad, ctx.edge)
        return grad.to(ctx.dtype), None, None, None, None


def _input_gradient(grad: Tensor, rectified: Tensor | None, filters: Filters, padding: int) -> Tensor:
    """The gradient of a convolution's input and an edge of one around it, less `padding`.

    Nothing comes from where its ReLU, if there was one, gave `rectified` as 0.

    In bands of rows: of the largest maps of all there is no further copy. A picture's own gradient is small, and what
    it is made from, in float32, is such a map.
    """
    batch, _, height, width = grad.shape
    inputs = filters.weight.shape[1]
    parts = list(bands(grad, 1 if inputs == 3 else CONVOLVED_BANDS))
    if len(parts) == 1:
        return filters.back(grad, padding, rectified)
    total = filters.weight.new_zeros(batch, height + 2, width + 2, inputs).permute(0, 3, 1, 2)
    for rows in parts:
        of_rows = None if rectified is None else rectified[..., rows, :]
        part = filters.back(grad[..., rows, :], 0, of_rows)
        total[..., rows.start : rows.start + part.shape[2], :] += part
    return total[..., padding : height + 2 - padding, padding : width + 2 - padding]


def _without_edge(grad: Tensor, edge: str) -> Tensor:
    """The gradient of what was padded by one: that of the edge goes to the pixels that it was made from."""
    inwards = 1 if edge == "replicate" else 2
    for rows in (grad, grad.transpose(2, 3)):
        rows[:, :, inwards] += rows[:, :, 0]
        rows[:, :, -1 - inwards] += rows[:, :, -1]
    return grad[:, :, 1:-1, 1:-1]


def pool(features: Tensor, kind: str) -> Tensor:
    """BCHW -> BCHW at half the size (rounded up, so that a 1-pixel map survives)."""
    if kind == "max":
        return F.max_pool2d(features, 2, ceil_mode=True)
    if kind == "average":
        return F.avg_pool2d(features, 2, ceil_mode=True, count_include_pad=False)
    if kind == "l2":
        wide = features.to(torch.promote_types(features.dtype, torch.float32))
        squares = F.avg_pool2d(wide.square(), 2, ceil_mode=True, count_include_pad=False)
        return (squares * 4 + 1e-8).sqrt().to(features.dtype)
    raise ValueError(f"unknown pooling {kind!r}")


def _last_layer(backbone: Backbone) -> str:
    return list(backbone.convolutions)[-1].replace("conv", "relu")


class VGG19(nn.Module):
    """Features by layer name.

    `forward(image)`: BCHW RGB in [0, 1] -> {name: BCHW}, in the network's precision. No gradient reaches
    the weights. `pooling` other than the backbone's own is rescaled unless `rescale_pooling` is False. `padding` is
    that of all convolutions.
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
        unknown = sorted(set(taps) - {layer.name for layer in vgg19_layers()})
        if unknown or not taps:
            raise ValueError(f"no such layers: {unknown}" if unknown else "no layer is asked for")
        self.taps = frozenset(taps)
        self.stages = stages_up_to(self.taps, backbone.channels)
        self.pooling, self.padding, self.dtype = pooling, padding, dtype
        self.gain = 1.0
        if rescale_pooling and pooling != backbone.native_pooling:
            self.gain = POOLING_RESCALE[pooling] / POOLING_RESCALE[backbone.native_pooling]
        self.reverse_channels = backbone.reverse_channels
        self.shift: Tensor
        self.factor: Tensor
        self.register_buffer("shift", torch.tensor(backbone.shift).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("factor", torch.tensor(backbone.factor).view(1, 3, 1, 1), persistent=False)
        self.filters: dict[str, Filters] = {}
        for layer in vgg19_layers(backbone.channels):
            if any(stage.convolution == layer.name for stage in self.stages):
                self._add_convolution(layer, backbone, device)
        self.to(device)

    def _add_convolution(self, layer: Layer, backbone: Backbone, device: torch.device | str) -> None:
        if layer.name not in backbone.convolutions:
            raise weights_end(backbone.kind, layer.name, _last_layer(backbone))
        weight, bias = backbone.convolutions[layer.name]
        if tuple(weight.shape) != (layer.out_channels, layer.in_channels, 3, 3):
            raise WeightsError(
                f"the {backbone.kind!r} weights of {layer.name} have shape {tuple(weight.shape)}",
                code=Code.WEIGHTS_SHAPES,
                facts={"kind": backbone.kind, "layer": layer.name},
            )
        dtype = torch.float32 if layer.name == "conv1_1" and self.dtype.itemsize < 4 else self.dtype
        weight = weight.to(dtype).contiguous(memory_format=torch.channels_last)
        self.filters[layer.name] = Filters(weight.to(device), bias.to(dtype).to(device))

    @property
    def blocks(self) -> int:
        """How many of the five are in use."""
        return self.stages[-1].block

    @property
    def coming_bytes(self) -> int:
        """What it will hold besides, once pictures have been large enough: see `winograd`."""
        return sum(filters.coming_bytes for filters in self.filters.values())

    def map_size(self, name: str, size: Size) -> Size:
        """Of a layer's features for a picture of that size."""
        for stage in self.stages:
            if stage.kind == "pool":
                size = Size(-(-size.width // 2), -(-size.height // 2))
            if stage.name == name:
                return size
        raise KeyError(name)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        self.run(self.entered(image), self.stages, found.__setitem__)
        return found

    def entered(self, image: Tensor) -> Tensor:
        """The image as the first convolution takes it."""
        x = image.flip(1) if self.reverse_channels else image
        x = (x - self.shift.to(x.dtype)) * self.factor.to(x.dtype)
        return x.contiguous(memory_format=torch.channels_last)

    def run(self, x: Tensor, stages: Sequence[Stage], read: Callable[[str, Tensor], None]) -> Tensor:
        """`x` through some of the stages; `read` is given the features of each tap among them, once they are there."""
        for stage in stages:
            if stage.kind == "conv":
                x = self._convolve(x, stage)
            elif stage.kind == "relu":
                x = F.relu(x)
            else:
                x = pool(x, self.pooling)
                x = x * self.gain if self.gain != 1.0 else x
            if stage.name in self.taps:
                read(stage.name, x)
        return x

    def _convolve(self, x: Tensor, stage: Stage) -> Tensor:
        edge = self.padding
        if edge == "reflect" and min(x.shape[2:]) < 2:
            edge = "replicate"  # a map of one pixel has nothing to reflect
        out: Tensor = _Convolution.apply(
            x, self.filters[stage.convolution], edge, self.dtype, stage.name != stage.convolution
        )
        return out
