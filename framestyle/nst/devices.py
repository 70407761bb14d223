"""Where the work runs, and how precisely its convolutions are computed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from framestyle.errors import Code, DeviceError, UsageError
from framestyle.nst.network.winograd import Filters

PROBE_CHANNELS, PROBE_SIDE, PROBE_ROUNDS = 256, 32, 5
BFLOAT16_GAIN = 1.2
"""bfloat16 must be faster by this factor to be worth its rounding. See docs/decisions/0008 for what was measured."""
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
"""Precisions by the names that presets give them."""


def choose_device(spec: str) -> torch.device:
    """auto | cpu | cuda[:N] | mps -> a device that is there; else DeviceError."""
    if spec == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", 0)
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(spec)
    except RuntimeError as error:
        raise DeviceError(
            f"no such device: {spec!r}", next_step="Use auto, cpu, cuda, cuda:N or mps."
        ) from error
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }.get(device.type, False)
    if not there:
        raise DeviceError(
            f"device {spec!r} is not on this machine", code=Code.DEVICE_ABSENT, facts={"device": spec}
        )
    return device


def devices_of(spec: str) -> tuple[str, ...]:
    """`cuda:0,cuda:1` -> both; else the one. UsageError where several are not different ones of a kind."""
    names = tuple(one.strip() for one in spec.split(","))
    if len(names) == 1:
        return names
    kinds = {name.partition(":")[0] for name in names}
    if len(set(names)) < len(names) or len(kinds) > 1 or not all(":" in name for name in names):
        raise UsageError(
            f"{spec!r} does not name several devices of a kind", next_step="Name each once: cuda:0,cuda:1."
        )
    return names


def working_dtype(precision: str, device: torch.device) -> torch.dtype:
    """The convolutions' precision. `auto` is measured: see `probe_precision`."""
    return DTYPES[probe_precision(device) if precision == "auto" else precision]


def probe_precision(device: torch.device) -> str:
    """What `auto` comes to on this device now: bfloat16 where it is clearly faster, else float32.

    A measurement, so two processes may get two answers. A job asks once, before its work, and records the answer
    (framestyle/jobs/resume/precision.py): nothing else may depend on it. Tests replace this function.
    """
    if device.type == "cuda":
        faster = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        faster = device.type == "cpu" and _cpu_is_faster_in_bfloat16()
    return "bfloat16" if faster else "float32"


@lru_cache(maxsize=1)
def _cpu_is_faster_in_bfloat16() -> bool:
    """Measured, in less than a tenth of a second: that a CPU lists avx512_bf16 does not tell."""
    if not torch.cpu._is_avx512_bf16_supported():
        return False
    with torch.no_grad():
        return is_clearly_faster(_convolution(torch.bfloat16), _convolution(torch.float32))


def is_clearly_faster(
    work: Callable[[], object],
    other: Callable[[], object],
    clock: Callable[[], float] = time.perf_counter,
) -> bool:
    """Whether the other takes more than `BFLOAT16_GAIN` times as long, each done several times.

    They are done in turn, and the best of each counts, so that other load of a moment decides nothing. Neither's
    first go is timed: it makes what the work keeps.

    :param clock: gives seconds, from any beginning.
    """
    works = (work, other)
    shortest_s = [float("inf")] * len(works)
    for one in works:
        one()
    for _ in range(PROBE_ROUNDS):
        for index, one in enumerate(works):
            started = clock()
            one()
            shortest_s[index] = min(shortest_s[index], clock() - started)
    return shortest_s[1] > BFLOAT16_GAIN * shortest_s[0]


def _convolution(dtype: torch.dtype) -> Callable[[], object]:
    """One like those that take most of a step, computed as they are."""
    image, weight = _ones(PROBE_CHANNELS, PROBE_SIDE, dtype)
    filters = Filters(weight, torch.zeros(PROBE_CHANNELS, dtype=dtype))
    return lambda: filters.forward(image, "constant")


def _ones(
    channels: int, side: int, dtype: torch.dtype, device: torch.device | None = None
) -> tuple[Tensor, Tensor]:
    """A picture's features and filters of as many channels, channels last."""
    image = torch.ones(1, channels, side, side, dtype=dtype, device=device)
    weight = torch.ones(channels, channels, 3, 3, dtype=dtype, device=device)
    last = torch.channels_last
    return image.contiguous(memory_format=last), weight.contiguous(memory_format=last)


MEASURED_CHANNELS, MEASURED_SIDE = 128, 64
MEASURED_S = 0.12
"""So long each measurement takes, roughly; several make a second."""


@dataclass(frozen=True)
class Speed:
    """Of one precision, in GFLOP/s (a multiplication and an addition are two): a 3x3 convolution, a matrix product."""

    dtype: str
    convolution: float
    product: float


def measured_speed(device: torch.device, dtype: torch.dtype) -> Speed:
    """Like the work that steps are made of, for a fifth of a second. RuntimeError where the device does not do it."""
    channels, side = MEASURED_CHANNELS, MEASURED_SIDE * (4 if device.type == "cuda" else 1)
    with torch.no_grad():
        image, weight = _ones(channels, side, dtype, device)
        size = 512 * (8 if device.type == "cuda" else 1)
        matrix = torch.ones(size, size, dtype=dtype, device=device)
        convolution_s = _shortest_s(lambda: F.conv2d(image, weight, padding=1), device)
        product_s = _shortest_s(lambda: matrix @ matrix, device)
    convolution = 2 * 9 * channels**2 * side**2 / convolution_s / 1e9
    return Speed(str(dtype).removeprefix("torch."), convolution, 2 * size**3 / product_s / 1e9)


def _shortest_s(work: Callable[[], object], device: torch.device) -> float:
    """The best of several goes: a moment's other load then decides nothing."""
    work()
    _finish(device)
    shortest_s, until = float("inf"), time.perf_counter() + MEASURED_S
    while True:
        started = time.perf_counter()
        work()
        _finish(device)
        now = time.perf_counter()
        shortest_s = min(shortest_s, now - started)
        if now >= until:
            return shortest_s


def _finish(device: torch.device) -> None:
    """Waits for what was handed to it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
