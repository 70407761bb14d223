"""Devices and precisions by name, and what `auto` takes."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch

from framestyle.doors.advice import next_step
from framestyle.errors import DeviceError
from framestyle.nst import devices
from framestyle.nst.devices import choose_device, working_dtype


def test_devices_by_name() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    for spec in ("gpu", "cuda:99", "", "meta"):
        with pytest.raises(DeviceError) as caught:
            choose_device(spec)
        assert caught.value.exit_code == 9 and next_step(caught.value)


def test_precision_by_name() -> None:
    cpu = torch.device("cpu")
    assert working_dtype("float32", cpu) == torch.float32
    assert working_dtype("bfloat16", cpu) == torch.bfloat16
    assert working_dtype("auto", torch.device("mps")) == torch.float32


def _best_s(work: Callable[[], object]) -> float:
    times = []
    with torch.no_grad():
        for _ in range(10):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
    return min(times)


def test_auto_on_the_cpu_is_what_was_measured_to_be_faster() -> None:
    if not torch.cpu._is_avx512_bf16_supported():
        wanted = torch.float32
    else:
        fast, slow = (_best_s(devices._convolution(dtype)) for dtype in (torch.bfloat16, torch.float32))
        if 0.8 < slow / fast / devices.BFLOAT16_GAIN < 1.25:
            pytest.skip("neither is clearly faster here")
        wanted = torch.bfloat16 if slow > devices.BFLOAT16_GAIN * fast else torch.float32
    found = []
    for _ in range(5):  # it is a measurement: other work on the machine may mislead one of them
        devices._cpu_is_faster_in_bfloat16.cache_clear()
        found.append(working_dtype("auto", torch.device("cpu")))
    assert wanted in found


def test_auto_is_what_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, dtype in devices.DTYPES.items():
        monkeypatch.setattr(devices, "probe_precision", lambda device, name=name: name)
        assert working_dtype("auto", torch.device("cpu")) == dtype
