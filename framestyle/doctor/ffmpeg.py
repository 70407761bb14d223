"""ffmpeg, every encoder by one small frame, and two clips there and back."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from framestyle.doctor.finding import FAILURE, OK, WARNING, Finding, failed
from framestyle.errors import Code, FramestyleError, OutputError


def ffmpeg() -> Iterator[Finding]:
    found = _ffmpeg_itself()
    yield found
    if found.state == FAILURE:
        return
    yield _round_trip()
    yield from _encoders()


def _ffmpeg_itself() -> Finding:
    from framestyle.media.ffmpeg import OLDEST_TRIED, ask, ffmpeg_exe, version_in

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
    full_version, version = said.split()[2], version_in(said)
    facts = {"version": full_version, "from": where}
    if version is not None and version < OLDEST_TRIED:
        tried = ".".join(map(str, OLDEST_TRIED))
        text = f"{full_version}, {where}: older than {tried}, with which FrameStyle is tried; some formats may fail"
        return Finding("ffmpeg", "ffmpeg", WARNING, text, next_step=again, facts=facts)
    return Finding("ffmpeg", "ffmpeg", OK, f"{full_version}, {where}", facts=facts)


def _where(path: Path) -> str:
    if os.environ.get("IMAGEIO_FFMPEG_EXE"):
        return "named by IMAGEIO_FFMPEG_EXE"
    return "brought by imageio-ffmpeg" if "imageio_ffmpeg" in path.parts else "this system's own"


def _encoders() -> Iterator[Finding]:
    """Every codec that a preset can ask for, each by one small frame."""
    from framestyle.media.video.codecs import CODECS
    from framestyle.media.video.encoder_trials import SOUND_ENCODERS, refusal, sound_refusal
    from framestyle.media.video.encoding import trials

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

    from framestyle.media.verify.checking import check_clip
    from framestyle.media.video.reader import VideoReader
    from framestyle.media.video.writer import VideoSettings, VideoWriter

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
