"""3×3 convolutions of frozen filters with a quarter of the multiplications: Winograd's minimal filtering.

After Lavin and Gray, "Fast algorithms for convolutional neural networks" (arXiv 1509.09308), F(4×4, 3×3): a tile of 4×4
outputs is made from 6×6 inputs, at 36 points where the convolution is a product; over all channels and tiles, 36 matrix
products. Libraries for CPUs do not do this in float32. The paper's points are 0, ±1, ±2 and infinity; ours 0, ±1, ½, -2
and infinity, which halves the rounding: 6e-7 of the result, where a plain sum has 2e-7.
"""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

OUT_PX, IN_PX = 4, 6
POINTS = IN_PX**2
FEWEST_CHANNELS, FEWEST_TILES = 128, 16
"""With fewer, the way to the points and back costs more than it saves (measured: docs/benchmarks.md)."""
TILES_AT_ONCE = 64
"""Inputs, points and products of so many stay in a processor's cache."""

# Of one dimension, by the points in turn. Rows of _FILTER are in fifteenths.
_OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 0.5, -2, 0), (0, 1, 1, 0.25, 4, 0), (0, 1, -1, 0.125, -8, 1))
_FILTER = ((15, 0, 0), (5, 5, 5), (-5, 5, -5), (-16, -8, -4), (1, -2, 4), (0, 0, 15))
_INPUT = (
    (1, -1.5, -2, 1.5, 1, 0),
    (0, -1, 0.5, 2.5, 1, 0),
    (0, 1, -2.5, 0.5, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 0.5, -1, -0.5, 1, 0),
    (0, 1, -1.5, -2, 1.5, 1),
)


@cache
def _both_ways(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Inputs to points, 36x36, and products to outputs, 16x36: each the one dimension's matrix with itself."""
    inputs, outputs = torch.tensor(_INPUT, dtype=dtype), torch.tensor(_OUTPUT, dtype=dtype)
    return torch.kron(inputs, inputs).contiguous(), torch.kron(outputs, outputs).contiguous()


def at_points(weight: Tensor) -> Tensor:
    """Filters OI33 -> 36IO, four times the size."""
    of_filter = torch.tensor(_FILTER, dtype=torch.float64) / 15
    points = of_filter @ weight.double() @ of_filter.T
    in_turn = points.permute(2, 3, 1, 0).reshape(POINTS, weight.shape[1], weight.shape[0])
    return in_turn.to(weight.dtype).contiguous()


def pays(weight: Tensor, height: int, width: int) -> bool:
    """Whether to convolve so with filters OI33, for an output of this size."""
    tiles = -(-height // OUT_PX) * -(-width // OUT_PX)
    known = weight.device.type == "cpu" and weight.dtype == torch.float32
    return known and min(weight.shape[:2]) >= FEWEST_CHANNELS and tiles >= FEWEST_TILES


def convolve(x: Tensor, points: Tensor) -> Tensor:
    """BIHW -> BO(H-2)(W-2), channels last: what `F.conv2d` gives without padding. `points`: `at_points(weight)`."""
    height, width = x.shape[2] - 2, x.shape[3] - 2
    down, across = -(-height // OUT_PX), -(-width // OUT_PX)
    beyond = (0, across * OUT_PX - width, 0, down * OUT_PX - height)
    rows = (F.pad(x, beyond) if any(beyond) else x).permute(0, 2, 3, 1)
    if rows.stride(3) != 1:
        rows = rows.contiguous()
    out = x.new_empty(x.shape[0], down * OUT_PX, across * OUT_PX, points.shape[2])
    for given, made in zip(rows, out, strict=True):
        _convolve_one(given, points, made)
    return out[:, :height, :width].contiguous().permute(0, 3, 1, 2)


def _convolve_one(rows: Tensor, points: Tensor, out: Tensor) -> None:
    """Rows HWI, two more each way than the `out` HWO, which is filled; some rows of tiles at a time."""
    (height, width, outputs), inputs = out.shape, points.shape[1]
    down, across = height // OUT_PX, width // OUT_PX
    to_points, to_output = _both_ways(rows.dtype)
    y, x, _ = rows.stride()
    strides = (y, x, OUT_PX * y, OUT_PX * x, 1)
    at_once = min(down, -(-TILES_AT_ONCE // across))
    # Fresh memory for each would cost as much as the products.
    wide = (POINTS * inputs, POINTS * inputs, POINTS * outputs, OUT_PX**2 * outputs)
    room = [rows.new_empty(at_once * across * one) for one in wide]
    for first in range(0, down, at_once):
        count = min(at_once, down - first)
        tiles = count * across
        seen, taken, products, made = (part[: tiles * one] for part, one in zip(room, wide, strict=True))
        shape = (IN_PX, IN_PX, count, across, inputs)
        seen.view(shape).copy_(rows[first * OUT_PX :].as_strided(shape, strides))
        torch.mm(to_points, seen.view(POINTS, -1), out=taken.view(POINTS, -1))
        torch.bmm(taken.view(POINTS, tiles, inputs), points, out=products.view(POINTS, tiles, outputs))
        torch.mm(to_output, products.view(POINTS, -1), out=made.view(OUT_PX**2, -1))
        band = out[first * OUT_PX : (first + count) * OUT_PX]
        tiled = made.view(OUT_PX, OUT_PX, count, across, outputs).permute(2, 0, 3, 1, 4)
        band.view(count, OUT_PX, across, OUT_PX, outputs).copy_(tiled)


class Filters:
    """A convolution's frozen filters OI33 and bias, and, once they are needed, its filters at the points, both ways."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self.bias = weight, bias
        self._points: dict[bool, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        """BIHW -> BO(H-2)(W-2)."""
        if not pays(self.weight, x.shape[2] - 2, x.shape[3] - 2):
            return F.conv2d(x, self.weight, self.bias)
        return convolve(x, self._at_points(back=False)).add_(self.bias[:, None, None])

    def back(self, grad: Tensor, padding: int) -> Tensor:
        """The gradient of the input, less `padding` each way: BOHW -> BI(H+2-2p)(W+2-2p)."""
        more = 2 - 2 * padding
        if not pays(self.weight, grad.shape[2] + more, grad.shape[3] + more):
            # Autograd's own function for it would want the convolution's input, if only for its size.
            return F.conv_transpose2d(grad, self.weight, padding=padding)
        return convolve(F.pad(grad, (2 - padding,) * 4), self._at_points(back=True))

    def _at_points(self, back: bool) -> Tensor:
        if back not in self._points:
            weight = self.weight.flip(2, 3).transpose(0, 1) if back else self.weight
            self._points[back] = at_points(weight)
        return self._points[back]

    @property
    def coming_bytes(self) -> int:
        """Of the filters at the points, as far as they were not needed yet."""
        share = 2 - len(self._points) if pays(self.weight, OUT_PX * FEWEST_TILES, OUT_PX) else 0
        return share * POINTS * self.weight.shape[0] * self.weight.shape[1] * self.weight.itemsize
