"""Features as they lie, read piece by piece: for statistics that are no sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from framestyle.nst.network.tiles import Place


@dataclass(frozen=True, eq=False)
class Pieces:
    """Features of one layer, BCHW, piece by piece, each with its place in the whole map."""

    pieces: tuple[tuple[Tensor, Place], ...]

    @classmethod
    def of(cls, features: Tensor, place: Place | None) -> Pieces:
        """One piece; without a place it is a whole map."""
        return cls(((features, place or place_of_all(features)),))

    def __add__(self, other: Pieces) -> Pieces:
        return Pieces(self.pieces + other.pieces)

    @property
    def differentiable(self) -> tuple[Tensor, ...]:
        """All of them."""
        return tuple(features for features, _ in self.pieces)

    def replaced(self, tensors: Sequence[Tensor]) -> Pieces:
        """The same with other features."""
        return Pieces(tuple((one, place) for one, (_, place) in zip(tensors, self.pieces, strict=True)))

    def maps(self) -> list[Tensor]:
        """Each picture's, whole, BCHW: one begins where a piece lies at the origin."""
        found: list[list[tuple[Tensor, Place]]] = []
        for features, place in self.pieces:
            if not place[0].start and not place[1].start:
                found.append([])
            found[-1].append((features, place))
        return [_assembled(pieces) for pieces in found]


def place_of_all(features: Tensor) -> Place:
    """Of a whole map, BCHW."""
    return slice(0, features.shape[2]), slice(0, features.shape[3])


def _assembled(pieces: Sequence[tuple[Tensor, Place]]) -> Tensor:
    if len(pieces) == 1:
        return pieces[0][0]
    first = pieces[0][0]
    height, width = (max(place[side].stop for _, place in pieces) for side in (0, 1))
    whole = first.new_empty((*first.shape[:2], height, width))
    for features, place in pieces:
        whole[..., place[0], place[1]] = features
    return whole
