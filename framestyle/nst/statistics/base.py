"""What a style statistic is: how a layer's features are read, and how far a reading is from a style's.

A statistic reads parts of a picture (tiles, regions) and adds the readings up, so that a loss of the whole picture
never needs the whole picture's features at once. A reading may be a few sums (sums.py), or hold features themselves,
one part's after another's: it is asked for `+`, and for the tensors in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

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

    def read(self, features: Tensor, place: Place | None = None) -> Any:
        """BCHW features of a part of a style image -> a `Reading`; no gradient is asked of it.

        `place`: where the part lies in the layer's whole map; None: it is the whole.
        """

    def target(self, readings: Sequence[tuple[Any, float]]) -> StyleTarget:
        """The readings of style images and their shares, which sum to 1 -> what a picture is to have of all of them."""

    def needs_bytes(self, channels: int, positions: int) -> int:
        """What reading one layer takes, with its gradient, beyond a few matrices of channels by channels.

        The memory planner adds it to what the network needs.
        """


LayerMaps = Mapping[str, Tensor]
"""By layer, a map of the layer's size."""


@dataclass(frozen=True, eq=False)
class Compared:
    """What a picture is compared by when its places are matched.

    `features`: by layer, 1CHW. `weights`: by layer, how much each position counts, 11HW; None: in full.
    `layer_weights`: how much each layer counts where places are compared. `before`: the matches that were there, 1HW at
    the finest matched layer, to be changed only for better ones (`NONE_BEFORE` where none was); None: there are none.
    """

    features: LayerMaps
    weights: LayerMaps | None
    layer_weights: Mapping[str, float]
    before: Tensor | None = None


@runtime_checkable
class Matching(Statistic, Protocol):
    """A statistic whose targets hang on the picture: what a place is to show is found among the style's places.

    Matches are found from several layers together, and stay for a scale or a frame; against them a layer's loss is a
    reading's as any other.
    """

    def at(self, layer: str) -> Statistic | None:
        """What that layer is held by: this statistic, or another that matches nothing; None: it is left out."""

    def joined(self, targets: Mapping[str, StyleTarget]) -> Mapping[str, StyleTarget]:
        """The targets of all layers of one style -> the same, ready to be matched with pictures."""

    def matched(self, targets: Mapping[str, StyleTarget], picture: Compared) -> Mapping[str, StyleTarget]:
        """`joined` targets -> those of a picture that looks like `picture`."""


def statistic_at(statistic: Statistic, layer: str) -> Statistic | None:
    """What a layer is held by; None: the statistic leaves it out."""
    return statistic.at(layer) if isinstance(statistic, Matching) else statistic


def statistic_of(name: str) -> Statistic:
    """The registered statistic of that name. PresetError where there is none, or its plugin breaks."""
    return cast("Statistic", STATISTICS.load(name))
