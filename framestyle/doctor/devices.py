"""Devices that torch finds, each measured in both precisions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from framestyle.doctor.finding import OK, Finding, failed
from framestyle.errors import Code, DeviceError


def devices() -> Iterator[Finding]:
    import torch

    yield _device(torch.device("cpu"), "this machine's own")
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        yield _cuda(number)
    if torch.backends.mps.is_available():
        yield _device(torch.device("mps"), "Apple GPU")


def _cuda(number: int) -> Finding:
    import torch

    device = torch.device("cuda", number)
    try:
        free, total = torch.cuda.mem_get_info(device)
        name = torch.cuda.get_device_name(device)
        with torch.cuda.device(device):
            in_hardware = torch.cuda.is_bf16_supported(including_emulation=False)
    except RuntimeError as error:
        return failed("devices", str(device), _first_line(error), DeviceError, Code.DEVICE_DRIVER)
    facts = {"memory_bytes": total, "free_memory_bytes": free, "bfloat16_in_hardware": in_hardware}
    return _device(device, f"{name}, {total / 1e9:.1f} GB, {free / 1e9:.1f} GB free", facts)


def _device(device: Any, text: str, facts: dict[str, Any] | None = None) -> Finding:
    """Its speed in both precisions, measured."""
    import torch

    from framestyle.nst.devices import measured_speed

    facts, parts = dict(facts or {}), [text]
    for dtype in (torch.float32, torch.bfloat16):
        name = str(dtype).removeprefix("torch.")
        try:
            speed = measured_speed(device, dtype)
        except RuntimeError as error:  # torch's out of memory is one
            if dtype == torch.float32:
                return failed("devices", str(device), _first_line(error), DeviceError, Code.DEVICE_UNUSABLE)
            parts.append("no bfloat16")
            facts[name] = None
            continue
        facts[name] = {
            "convolution_gflops": round(speed.convolution, 1),
            "product_gflops": round(speed.product, 1),
        }
        parts.append(f"{name}: convolution {speed.convolution:.0f}, product {speed.product:.0f} GFLOP/s")
    return Finding("devices", str(device), OK, "; ".join(parts), facts=facts)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
