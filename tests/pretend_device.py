"""A second device where there is none: tensors that say they lie elsewhere, and are computed on the CPU.

What a GPU would refuse is refused: operations on tensors of two devices. What would hold it up is counted: reads by the
host, copies from and to it, results whose size only the device knows. So code for GPUs is run, in every value, without
one; how fast it is there, and what a driver thinks of it, only a GPU tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

DEVICE = torch.device("lazy", 0)
"""A device type that torch knows by name, without anything behind it."""
_HOST = torch.device("cpu")
_HELD_UP_BY = ("_local_scalar_dense", "nonzero", "masked_select", "_linalg_eigh", "unique", "linalg_inv_ex")
"""What the host waits for: a value, or a result's size, or whether it worked."""


class Elsewhere(Tensor):
    """A tensor that says it lies on the pretended device; `held` is what it holds, on the CPU."""

    held: Tensor
    place: PretendedDevice

    @staticmethod
    def __new__(cls, held: Tensor, place: PretendedDevice) -> Elsewhere:
        made: Elsewhere = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            held.shape,
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=DEVICE,
        )
        made.held, made.place = held, place
        return made

    def __repr__(self) -> str:  # type: ignore[override]
        return f"Elsewhere({self.held})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        place = next(one.place for one in _tensors((args, kwargs or {})) if isinstance(one, cls))
        return place.compute(func, args, kwargs or {})


class PretendedDevice(TorchDispatchMode):
    """Entered, it is where tensors of `DEVICE` are made and computed."""

    def __init__(self) -> None:
        super().__init__()
        self.held_up: Counter[str] = Counter()
        """How often the host waited for it, or it for the host, by operation."""
        self.on_compute: Callable[[Any, Any, Any, Any], None] | None = None
        """Told of each operation: itself, its arguments, and its result, all of them the pretended tensors."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.compute(func, args, kwargs or {})

    def compute(self, func: Any, args: Any, kwargs: Any) -> Any:
        """One operation, where its tensors lie; RuntimeError where they lie apart."""
        name = func.overloadpacket.__name__
        tensors = [*_tensors((args, kwargs))]
        theirs = [tensor for tensor in tensors if isinstance(tensor, Elsewhere)]
        ours = [tensor for tensor in tensors if not isinstance(tensor, Elsewhere)]
        asked = kwargs.get("device")
        here = bool(theirs) if asked is None else torch.device(asked).type == DEVICE.type
        if name == "copy_":
            here = isinstance(args[0], Elsewhere)
        elif theirs and any(tensor.dim() for tensor in ours):  # a number may be from anywhere
            raise RuntimeError(f"tensors of two devices in {func}")
        if (
            (theirs and name in _HELD_UP_BY)
            or (tensors and here != bool(theirs))
            or (name == "copy_" and ours and theirs)
        ):
            self.held_up[name] += 1
        result = _computed(func, args, kwargs)
        if not here:
            return result
        result = _each(lambda one: Elsewhere(one, self), result)
        if _gives_what_it_was_given(func):
            result = return_and_correct_aliasing(func, args, kwargs, result)
        if self.on_compute is not None:
            self.on_compute(func, args, kwargs, result)
        return result


def _computed(func: Any, args: Any, kwargs: Any) -> Any:
    """By the host, of what the pretended tensors hold."""
    plain_args, plain_kwargs = _each(_held, (args, kwargs))
    if plain_kwargs.get("device") is not None:
        plain_kwargs["device"] = _HOST
    return func(*plain_args, **plain_kwargs)


@cache
def _gives_what_it_was_given(func: Any) -> bool:
    """Whether its result is one of its arguments, or a view of it."""
    return any(one.alias_info is not None for one in func._schema.returns)


def _held(one: Tensor) -> Tensor:
    return one.held if isinstance(one, Elsewhere) else one


def _tensors(given: Any) -> Iterator[Tensor]:
    """All in an operation's arguments: torch's own way through any tree takes longer than the operations."""
    if isinstance(given, Tensor):
        yield given
    elif isinstance(given, (tuple, list)):
        for one in given:
            yield from _tensors(one)
    elif isinstance(given, dict):
        yield from _tensors(list(given.values()))


def _each(change: Callable[[Tensor], Tensor], given: Any) -> Any:
    """The same, each tensor in it changed."""
    if isinstance(given, Tensor):
        return change(given)
    if type(given) in (tuple, list):
        return type(given)([_each(change, one) for one in given])
    if type(given) is dict:
        return {name: _each(change, one) for name, one in given.items()}
    return given


class PretendedRecording:
    """What a CUDA graph does: the same operations on the same memory, whatever lies there by then.

    Unlike there, what is recorded is also done.
    """

    def __init__(self, place: PretendedDevice) -> None:
        self._place = place
        self._operations: list[tuple[Any, Any, Any, Any]] = []
        self.replayed = 0

    def record(self, work: Callable[[], None]) -> None:
        """RuntimeError where something in it waits for the host, as CUDA has it."""
        held_up = self._place.held_up.copy()
        self._place.on_compute = lambda *one: self._operations.append(one)
        try:
            work()
        finally:
            self._place.on_compute = None
        if waited := self._place.held_up - held_up:
            raise RuntimeError(f"operation not permitted when stream is capturing: {waited}")

    def replay(self) -> None:
        """From the tensors' memory into the tensors' memory."""
        self.replayed += 1
        for func, args, kwargs, result in self._operations:
            computed = _computed(func, args, kwargs)
            for was, now in zip(_tensors(result), _tensors(computed), strict=True):
                if isinstance(was, Elsewhere) and was.held.data_ptr() != now.data_ptr():
                    was.held.copy_(now)


@contextmanager
def pretended_device() -> Iterator[PretendedDevice]:
    """Within, `DEVICE` can be computed on."""
    before = torch._C._only_lift_cpu_tensors()  # type: ignore[attr-defined]
    torch._C._set_only_lift_cpu_tensors(True)  # type: ignore[attr-defined]
    try:
        with PretendedDevice() as place:
            yield place
    finally:
        torch._C._set_only_lift_cpu_tensors(before)  # type: ignore[attr-defined]


def held(tensor: Tensor) -> Tensor:
    """What a tensor of the pretended device holds."""
    assert isinstance(tensor, Elsewhere)
    return tensor.held
