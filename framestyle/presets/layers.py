"""The names of VGG19's layers, and maps of weights by them."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, Field

CONVOLUTIONS = tuple(
    f"{block}_{n}" for block, count in enumerate((2, 2, 4, 4, 4), 1) for n in range(1, count + 1)
)
LAYER_NAMES = (
    *(f"{kind}{place}" for kind in ("relu", "conv") for place in CONVOLUTIONS),
    *(f"pool{block}" for block in range(1, 6)),
)
"""What VGG19's activations are called here: relu1_1 … relu5_4, conv1_1 … conv5_4, pool1 … pool5."""


Value = TypeVar("Value")


class FrozenMap(dict[str, Value]):
    """A map of a preset: cannot be changed, and so can be hashed."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self))  # what it holds need not be hashable

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a preset cannot be changed; load it again with an override")

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse


class LayerWeights(FrozenMap[float]):
    """Layer name -> weight, all above 0."""


def _used_layers(layers: dict[str, float]) -> LayerWeights:
    """Refuses names that VGG19 does not have; drops a weight of 0, which switches an inherited layer off."""
    for name in layers:
        if name not in LAYER_NAMES:
            close = get_close_matches(name[:40], LAYER_NAMES, 1)
            hint = f"did you mean {close[0]}?" if close else "names look like relu4_2"
            raise ValueError(f"VGG19 has no layer {name[:40]!r} ({hint})")
    used = LayerWeights({name: weight for name, weight in layers.items() if weight > 0})
    if not used:
        raise ValueError("at least one layer needs a weight above 0")
    return used


# `strict=False` concerns the container alone: a list may stand for a tuple; what is in it stays strict.
Layers = Annotated[
    dict[str, Annotated[float, Field(ge=0)]], Field(strict=False), AfterValidator(_used_layers)
]
