"""Devices and precisions by name, and what `auto` takes."""

from __future__ import annotations

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


class Clock:
    """Seconds that pass only where a work says so."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def work(self, *seconds: float) -> Callable[[], None]:
        """One that takes so long, each time in turn; the last of them from then on."""
        left = list(seconds)

        def taken() -> None:
            self.now_s += left.pop(0) if len(left) > 1 else left[0]

        return taken


GAIN = devices.BFLOAT16_GAIN


@pytest.mark.parametrize(
    ("work", "other", "faster"),
    [
        pytest.param([1.0], [GAIN * 1.01], True, id="clearly"),
        pytest.param([1.0], [GAIN * 0.99], False, id="not clearly"),
        pytest.param([1.0], [0.5], False, id="slower"),
        pytest.param([90.0, 1.0], [2.0], True, id="its first makes what it keeps"),
        pytest.param([1.0], [90.0, 1.0], False, id="the other's first does"),
        pytest.param([1.0, 9.0, 9.0, 1.0], [2.0], True, id="other load while it works"),
        pytest.param([1.0], [1.0, 9.0, 9.0, 1.0], False, id="other load while the other does"),
    ],
)
def test_the_best_of_several_decides(work: list[float], other: list[float], faster: bool) -> None:
    clock = Clock()
    found = devices.is_clearly_faster(clock.work(*work), clock.work(*other), lambda: clock.now_s)
    assert found is faster


def test_auto_on_the_cpu_is_one_that_the_cpu_computes_itself() -> None:
    found = working_dtype("auto", torch.device("cpu"))
    assert found == torch.float32 or (found == torch.bfloat16 and torch.cpu._is_avx512_bf16_supported())


def test_auto_is_what_is_probed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, dtype in devices.DTYPES.items():
        monkeypatch.setattr(devices, "probe_precision", lambda device, name=name: name)
        assert working_dtype("auto", torch.device("cpu")) == dtype
