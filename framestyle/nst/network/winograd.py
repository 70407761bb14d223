"""3×3 convolutions of frozen filters with a quarter of the multiplications: Winograd's minimal filtering.

After Lavin and Gray, "Fast algorithms for convolutional neural networks" (arXiv 1509.09308), F(4×4, 3×3): a tile of 4×4
outputs is made from 6×6 inputs, at 36 points where the convolution is a product; over all channels and tiles, 36 matrix
products. Libraries for CPUs do not do this in float32. The customary points are 0, ±1, ±2 and infinity; ours 0, ±1, ½,
-2 and infinity, which halves the rounding: 1.3e-6 of the result; a plain sum has 4e-7 to 9e-7 (128 to 512 channels).
They have another virtue: one set of filters at them serves both ways (`_turned`).
"""

from __future__ import annotations

import threading
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

OUT_PX, IN_PX = 4, 6
POINTS = IN_PX**2
AT_ONE = IN_PX + 1
"""The point 1 both ways: what is added there comes to all outputs alike."""
FEWEST_CHANNELS, FEWEST_TILES = 128, 12
"""With fewer, the way to the points and back costs more than it saves (docs/measured/benchmarks.md)."""
TILES_AT_A_TIME = 4
"""Products are made of so many rows at a time: 15 take longer than 16."""
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

# Of each point a the place of -1/a, and by what a filter's value there differs from the turned one's at a.
_PARTNERS = (5, 2, 1, 4, 3, 0)
_OF_PARTNER = (1, -1, -1, -4, -0.25, 1)


@cache
def _matrices(dtype: torch.dtype, turned: bool) -> tuple[Tensor, Tensor]:
    """Inputs to points in one dimension, 6x6; products to outputs in both, 16x36."""
    inputs, outputs = torch.tensor(_INPUT, dtype=dtype), torch.tensor(_OUTPUT, dtype=dtype)
    if turned:
        inputs, outputs = _turned(inputs, outputs)
    return inputs, torch.kron(outputs, outputs).contiguous()


def _turned(inputs: Tensor, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """The same two for filters turned around, from the values at the points of the filters as they are.

    Turned around, f(x) = f0 + f1 x + f2 x² is x² f(1/x); with every other value's sign changed it is x² f(-1/x), and
    a -> -1/a takes our points to each other. The signs are changed of inputs and outputs, which comes to the same.
    """
    partners = list(_PARTNERS)
    signs = torch.tensor((1.0, -1.0), dtype=inputs.dtype).repeat(IN_PX // 2)
    of_partner = torch.tensor(_OF_PARTNER, dtype=inputs.dtype)
    return (inputs * signs)[partners], (signs[:OUT_PX, None] * outputs * of_partner)[:, partners]


def at_points(weight: Tensor) -> Tensor:
    """Filters OI33 -> 36IO, four times the size."""
    of_filter = torch.tensor(_FILTER, dtype=torch.float64) / 15
    points = of_filter @ weight.double() @ of_filter.T
    in_turn = points.permute(2, 3, 1, 0).reshape(POINTS, weight.shape[1], weight.shape[0])
    return in_turn.to(weight.dtype).contiguous()


def pays(weight: Tensor, height: int, width: int) -> bool:
    """Whether to convolve so with filters OI33, for an output of this size."""
    return _may_pay(weight) and -(-height // OUT_PX) * -(-width // OUT_PX) >= FEWEST_TILES


def _may_pay(weight: Tensor) -> bool:
    """At some size."""
    known = weight.device.type == "cpu" and weight.dtype == torch.float32
    return known and min(weight.shape[:2]) >= FEWEST_CHANNELS


def convolve(
    x: Tensor,
    points: Tensor,
    edge: int = 0,
    mode: str = "constant",
    *,
    bias: Tensor | None = None,
    rectified: Tensor | None = None,
    back: bool = False,
) -> Tensor:
    """BIHW -> BO(H+2e-2)(W+2e-2), channels last: what `F.conv2d` gives without padding of `x` with so wide an edge.

    `points`: `at_points(weight)`. `mode` is the edge's, as in `F.pad`. `rectified`: what a ReLU gave, as large as `x`;
    of `x`, its gradient, only what has gone through counts. `back`: BOHW -> BI(H+2e-2)(W+2e-2), with the same filters
    turned around: what `F.conv_transpose2d` gives, with a padding of 2-e.
    """
    if back:
        points = points.mT
    height, width = (side + 2 * edge - 2 for side in x.shape[2:])
    down, across = -(-height // OUT_PX), -(-width // OUT_PX)
    if edge and mode != "constant":
        x, edge = F.pad(x, (edge,) * 4, mode=mode), 0
    rows = _framed(x, edge, down * OUT_PX + 2, (across + 1) * OUT_PX, rectified)
    out = x.new_empty(x.shape[0], down * OUT_PX, across * OUT_PX, points.shape[2])
    for given, made in zip(rows, out, strict=True):
        _convolve_one(given, points, _matrices(x.dtype, back), bias, made)
    return out[:, :height, :width].contiguous().permute(0, 3, 1, 2)


def _framed(x: Tensor, edge: int, height: int, width: int, rectified: Tensor | None) -> Tensor:
    """BCHW -> BHWC of that size, zeros around `x`; in one way over it."""
    rows = x.new_empty(x.shape[0], height, width, x.shape[1])
    bottom, right = edge + x.shape[2], edge + x.shape[3]
    for beside in (
        rows[:, :edge],
        rows[:, bottom:],
        rows[:, edge:bottom, :edge],
        rows[:, edge:bottom, right:],
    ):
        beside.zero_()
    inner = rows[:, edge:bottom, edge:right].permute(0, 3, 1, 2)
    if rectified is None:
        inner.copy_(x)
    else:
        torch.ops.aten.threshold_backward.grad_input(x, rectified, 0, grad_input=inner)
    return rows


def _convolve_one(
    rows: Tensor, points: Tensor, matrices: tuple[Tensor, Tensor], bias: Tensor | None, out: Tensor
) -> None:
    """Rows HWI, two more down than the `out` HWO, and a tile more across; some rows of tiles at a time.

    To the points first downwards, for whole rows at once, then across. Each row has a tile too many: so do tiles follow
    each other at one distance, through all rows, and are one batch of products.
    """
    (height, width, outputs), inputs = out.shape, points.shape[1]
    down, across = height // OUT_PX, width // OUT_PX
    to_points, to_output = matrices
    in_row = (across + 1) * OUT_PX * inputs
    at_once = min(down, -(-TILES_AT_ONCE // across))
    # Fresh memory for each would cost as much as the products. The last tile looks beyond its row.
    most = _in_full(at_once * (across + 1))
    lines = rows.new_empty(IN_PX * most * OUT_PX * inputs + (IN_PX - OUT_PX) * inputs)
    lines[IN_PX * most * OUT_PX * inputs :] = 0
    taken, products = rows.new_empty(most * POINTS * inputs), rows.new_empty(most * POINTS * outputs)
    made = rows.new_empty(most * OUT_PX**2 * outputs)
    for first in range(0, down, at_once):
        count = min(at_once, down - first)
        tiles = _in_full(count * (across + 1))
        of_lines = lines[: IN_PX * tiles * OUT_PX * inputs].view(IN_PX, -1)
        of_lines[:, count * in_row :] = 0
        downwards = of_lines[:, : count * in_row].view(IN_PX, count, in_row)
        for number in range(count):
            top = (first + number) * OUT_PX
            torch.mm(to_points, rows[top : top + IN_PX].view(IN_PX, in_row), out=downwards[:, number])
        seen = lines.as_strided((IN_PX * tiles, IN_PX, inputs), (OUT_PX * inputs, inputs, 1))
        by_tile = taken[: tiles * POINTS * inputs].view(IN_PX * tiles, IN_PX, inputs)
        torch.bmm(to_points.expand(IN_PX * tiles, IN_PX, IN_PX), seen, out=by_tile)
        multiplied = products[: tiles * POINTS * outputs].view(POINTS, tiles, outputs)
        for line, of_line in enumerate(by_tile.view(IN_PX, tiles, IN_PX, inputs)):
            place = slice(line * IN_PX, (line + 1) * IN_PX)
            torch.bmm(of_line.transpose(0, 1), points[place], out=multiplied[place])
        if bias is not None:
            multiplied[AT_ONE] += bias
        result = made[: tiles * OUT_PX**2 * outputs].view(OUT_PX**2, -1)
        torch.mm(to_output, multiplied.view(POINTS, -1), out=result)
        of_rows = result.view(OUT_PX, OUT_PX, tiles, outputs)[:, :, : count * (across + 1)]
        tiled = of_rows.view(OUT_PX, OUT_PX, count, across + 1, outputs)[:, :, :, :across]
        band = out[first * OUT_PX : (first + count) * OUT_PX]
        band.view(count, OUT_PX, across, OUT_PX, outputs).copy_(tiled.permute(2, 0, 3, 1, 4))


def _in_full(tiles: int) -> int:
    return -(-tiles // TILES_AT_A_TIME) * TILES_AT_A_TIME


class Filters:
    """A convolution's frozen filters OI33 and bias, and, once they are needed, its filters at the points."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, self.bias = weight, bias
        self._at_points: Tensor | None = None
        self._making = threading.Lock()

    def forward(self, x: Tensor, mode: str) -> Tensor:
        """BIHW -> BOHW, with an edge of one pixel; its `mode` is as in `F.pad`."""
        if pays(self.weight, *x.shape[2:]):
            return convolve(x, self._points(), 1, mode, bias=self.bias)
        if mode == "constant":
            return F.conv2d(x, self.weight, self.bias, padding=1)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode=mode), self.weight, self.bias)

    def back(self, grad: Tensor, padding: int, rectified: Tensor | None = None) -> Tensor:
        """The gradient of the input, less `padding` each way: BOHW -> BI(H+2-2p)(W+2-2p).

        Where a ReLU came after the convolution, `rectified` is what it gave, and `grad` the gradient of that.
        """
        more = 2 - 2 * padding
        if pays(self.weight, grad.shape[2] + more, grad.shape[3] + more):
            return convolve(grad, self._points(), 2 - padding, rectified=rectified, back=True)
        if rectified is not None:
            grad = torch.ops.aten.threshold_backward(grad, rectified, 0)
        # Autograd's own function for it would want the convolution's input, if only for its size.
        return F.conv_transpose2d(grad.to(self.weight.dtype), self.weight, padding=padding)

    def _points(self) -> Tensor:
        with self._making:  # pictures side by side would each make them
            if self._at_points is None:
                self._at_points = at_points(self.weight)
            return self._at_points

    @property
    def coming_bytes(self) -> int:
        """Of the filters at the points, where they were not needed yet."""
        if self._at_points is not None or not _may_pay(self.weight):
            return 0
        return POINTS * self.weight.shape[:2].numel() * self.weight.itemsize
