"""What a style statistic is: how a layer's features are read, and how far a reading is from a style's.

A statistic reads parts of a picture (tiles, regions) and adds the readings up, so that a loss of the whole picture
never needs the whole picture's features at once. A reading may be a few sums (sums.py), or hold features themselves,
one part's after another's: it is asked for `+`, and for the tensors in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, cast

from torch import Tensor

from framestyle.nst.network.tiles import Place
from framestyle.registries import STATISTICS


class StyleTarget(Protocol):
    """What one layer should look like, and the loss against it; a frozen dataclass of tensors and numbers.

    It must be a dataclass: a recorded step is replayed with other targets' tensors in its own (optimise/replay.py).
    """

    def read(self, features: Tensor, weight: Tensor | None = None, place: Place | None = None) -> Any:
        """BCHW features of a part of a picture -> a `Reading` with gradients, to be added to those of other parts.

        `weight`, B1HW in [0, 1], says how much each position counts; None: all count in full. `place`: the rows and
        columns of the layer's whole map that the part is; None: all. What a reading keeps may depend on it, so that
        tiles keep what the whole would.
        """

    def loss(self, reading: Any) -> Tensor:
        """The whole picture's reading -> a scalar, 0 where the picture has the style's statistic."""


class Statistic(Protocol):
    """A kind of style loss, for any layer; stateless."""

    as_in_2015: bool
    """Whether losses are the sums of Gatys 2015: the content loss is then the paper's too, and layer weights are used
    as they are, in place of being divided by their sum."""

    def read(self, features: Tensor) -> Any:
        """BCHW features of a part of a style image -> a `Reading`; no gradient is asked of it."""

    def target(self, readings: Sequence[tuple[Any, float]]) -> StyleTarget:
        """The readings of style images and their shares, which sum to 1 -> what a picture is to have of all of them."""

    def needs_bytes(self, channels: int, positions: int) -> int:
        """What reading one layer takes, with its gradient, beyond a few matrices of channels by channels.

        The memory planner adds it to what the network needs.
        """


def statistic_of(name: str) -> Statistic:
    """The registered statistic of that name. PresetError where there is none, or its plugin breaks."""
    return cast("Statistic", STATISTICS.load(name))
