"""Where the work on a clip stands, and all that the next frame depends on: to go on from later, as if never stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from framestyle.motion.carry import Painted, kept_regions
from framestyle.nst.optimise.state import PixelState
from framestyle.nst.stylizer import Stylized

STATE = tuple(field.name for field in fields(PixelState))


@dataclass(frozen=True, eq=False)
class Bookmark:
    """`next_frame`: the index of the frame that comes next in this pass over this shot.

    That may lie just beyond the shot: after its end, or, in a second pass, which goes backwards, before its beginning.
    `painted`: the finished frames that it goes on from, the latest first.
    """

    shot: int
    pass_number: int
    next_frame: int
    painted: tuple[Painted, ...]

    @property
    def size_bytes(self) -> int:
        """Of its tensors, together."""
        return sum(one.nbytes for painted in self.painted for one in _tensors_of(painted).values())

    def tensors(self) -> dict[str, Tensor]:
        """Of the painted frames, by name, on the CPU; each a copy of its own."""
        return {
            f"{number}.{name}": tensor.detach().to("cpu", copy=True).contiguous()
            for number, painted in enumerate(self.painted)
            for name, tensor in _tensors_of(painted).items()
        }

    @classmethod
    def of(
        cls,
        shot: int,
        pass_number: int,
        next_frame: int,
        tensors: Mapping[str, Tensor],
        device: torch.device | str = "cpu",
    ) -> Bookmark:
        """From what `tensors` gave. KeyError where one is missing."""
        count = 1 + max((int(name.partition(".")[0]) for name in tensors), default=-1)
        painted = tuple(
            _painted(
                {name: tensors[f"{number}.{name}"].to(device) for name in NAMES}
                | {name: tensors[key].to(device) for name in LATER if (key := f"{number}.{name}") in tensors}
            )
            for number in range(count)
        )
        return cls(shot, pass_number, next_frame, painted)


OnBookmark = Callable[[Bookmark], None]
"""Called between frames, once whoever takes the frames has all that were finished."""

NAMES = (*STATE, "content", "shown", "anchor", "level", "loss")
LATER = ("regions",)
"""What bookmarks of earlier versions lack: a frame without it had none."""


def unmarked(bookmark: Bookmark) -> None:
    """For callers who will not go on later."""


def _tensors_of(painted: Painted) -> dict[str, Tensor]:
    return {
        **{name: getattr(painted.result.state, name) for name in STATE},
        "content": painted.content,
        "shown": painted.result.image,
        "anchor": painted.anchor,
        "level": painted.level,
        "regions": painted.regions,
        "loss": torch.tensor(painted.result.loss),
    }


def _painted(tensors: Mapping[str, Tensor]) -> Painted:
    state = PixelState(**{name: tensors[name] for name in STATE})
    result = Stylized(tensors["shown"], state, 0, float(tensors["loss"]))
    content = tensors["content"]
    regions = kept_regions(content, tensors.get("regions"))
    return Painted(content, result, tensors["anchor"], tensors["level"], regions)
