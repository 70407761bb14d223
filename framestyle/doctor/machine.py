"""The machine itself: Python, the system, the CPU and its memory; the packages that FrameStyle works with."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path

import psutil

from framestyle.doctor.finding import OK, WARNING, Finding, failed
from framestyle.errors import Code, DeviceError
from framestyle.jobs.resume.resume_key import versions

PACKAGES = (
    "framestyle",
    "torch",
    "torchvision",
    "opencv-python",
    "numpy",
    "imageio-ffmpeg",
    "pillow",
    "pillow-heif",
    "scenedetect",
    "safetensors",
    "pydantic",
    "pyyaml",
    "rich",
    "filelock",
    "psutil",
)
OPTIONAL = {"pillow-heif": "HEIC photos need it: pip install 'framestyle[heic]'"}
OF_GPUS = ("nvidia-", "cuda-", "triton")
"""What torch brings for NVIDIA's GPUs, by the beginnings of its packages' names."""
WITHOUT_GPU = (
    "No NVIDIA GPU is here: PyTorch's build for the CPU does the same work without them. "
    "Its own page of installs says how to have it."
)
LITTLE_MEMORY_BYTES = 2e9


def system() -> Iterator[Finding]:
    python = platform.python_version()
    text = f"{platform.python_implementation()} {python}"
    yield Finding("system", "Python", OK, text, facts={"version": python})
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    yield Finding(
        "system", "system", OK, system, facts={"system": platform.system(), "machine": platform.machine()}
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    total, free = _memory_bytes()
    facts = {"model": _cpu_model(), "cores": cores, "memory_bytes": total, "free_memory_bytes": free}
    memory = "" if total is None else f", {total / 1e9:.1f} GB memory"
    left = "" if free is None else f", {free / 1e9:.1f} GB free"
    text = f"{facts['model']}, {cores} cores{memory}{left}"
    if free is not None and free < LITTLE_MEMORY_BYTES:
        yield Finding("system", "CPU", WARNING, text, facts=facts, code=Code.MEMORY_LITTLE)
    else:
        yield Finding("system", "CPU", OK, text, facts=facts)


def _cpu_model() -> str:
    """Its maker's words; psutil knows only speeds and counts."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.SubprocessError):
            asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    return platform.processor() or platform.machine()


def _memory_bytes() -> tuple[int | None, int | None]:
    """All, and what is free; None where the system does not tell."""
    with suppress(psutil.Error, OSError, RuntimeError):
        found = psutil.virtual_memory()
        return found.total, found.available
    return None, None


def packages() -> Iterator[Finding]:
    found = versions(PACKAGES)
    text = ", ".join(f"{name} {one}" for name, one in found.items())
    yield Finding("packages", "versions", OK, text, facts=dict(found))
    for name in PACKAGES:
        if name in OPTIONAL and name not in found:
            yield Finding("packages", name, OK, "not installed, and not needed", OPTIONAL[name])
        elif name not in found:
            again = "pip install --force-reinstall framestyle"
            yield failed("packages", name, "is not installed", DeviceError, f"Install it: {again}")
    yield _size_on_disk()


def _size_on_disk() -> Finding:
    """What is large, by what the packages say that they installed."""
    import torch

    sizes = dict(_sizes_bytes())
    facts = {
        "torch_bytes": sizes.get("torch", 0),
        "gpu_bytes": sum(size for name, size in sizes.items() if name.startswith(OF_GPUS)),
        "all_bytes": sum(sizes.values()),
    }
    told = f"{facts['all_bytes'] / 1e9:.1f} GB in this environment, {facts['torch_bytes'] / 1e9:.1f} GB of it torch"
    if not facts["gpu_bytes"]:
        return Finding("packages", "size", OK, told, facts=facts)
    told += f", {facts['gpu_bytes'] / 1e9:.1f} GB its packages for NVIDIA GPUs"
    step = None if torch.cuda.is_available() else WITHOUT_GPU
    return Finding("packages", "size", OK, told, step, facts=facts)


def _sizes_bytes() -> Iterator[tuple[str, int]]:
    for package in distributions():
        sizes = [file.size or 0 for file in package.files or ()]
        yield (package.metadata["Name"] or "").lower(), sum(sizes)
