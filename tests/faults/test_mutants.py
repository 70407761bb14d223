"""No damage to a file makes a decoder crash, hang, or raise what is no error of ours.

Decoding happens in a child process, which is started again after a crash. FRAMESTYLE_FUZZ_EACH and FRAMESTYLE_FUZZ_SEED
make more of each file, and others.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import make_clip
from photo_makers import DISPLAY_P3, XMP, camera_exif, deep_png, deep_tiff, picture
from PIL import Image, features

EACH = os.environ.get("FRAMESTYLE_FUZZ_EACH")
SEED = int(os.environ.get("FRAMESTYLE_FUZZ_SEED", "0"))
HANGS_AFTER_S = 120.0
CLIPS: dict[str, tuple[str, ...]] = {
    "h264.mp4": ("-c:a", "aac"),
    "h264.mkv": ("-bf", "2"),
    "h264.ts": (),
    "h265.mp4": ("-c:v", "libx265", "-x265-params", "log-level=error"),
    "h265-10.mkv": ("-c:v", "libx265", "-x265-params", "log-level=error", "-pix_fmt", "yuv420p10le"),
    "vp8.webm": ("-c:v", "libvpx"),
    "vp9-alpha.webm": ("-c:v", "libvpx-vp9", "-pix_fmt", "yuva420p"),
    "vp9.ivf": ("-c:v", "libvpx-vp9"),
    "av1.mp4": ("-c:v", "libsvtav1", "-svtav1-params", "lp=1"),
    "mpeg4.avi": ("-c:v", "mpeg4"),
    "mjpeg.mov": ("-c:v", "mjpeg"),
    "mpeg2.mpg": ("-c:v", "mpeg2video"),
    "mpeg2.mxf": ("-c:v", "mpeg2video"),
    "wmv2.wmv": ("-c:v", "wmv2"),
    "flv.flv": ("-c:v", "flv"),
    "ffv1.mkv": ("-c:v", "ffv1"),
    "ffv1.nut": ("-c:v", "ffv1"),
    "prores.mov": ("-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"),
    "dnxhr.mov": ("-c:v", "dnxhd", "-profile:v", "dnxhr_sq", "-vf", "scale=256:120"),
    "qtrle.mov": ("-c:v", "qtrle", "-pix_fmt", "argb"),
    "png.mov": ("-c:v", "png"),
    "raw.y4m": (),
    "anim.gif": (),
    "anim.webp": ("-c:v", "libwebp_anim", "-lossless", "0"),
}


def _make_clips(folder: Path) -> None:
    for name, options in CLIPS.items():
        try:
            make_clip(folder / name, *options, frames=6, size="64x48", sound="-c:a" in options)
        except subprocess.CalledProcessError:  # an ffmpeg without this encoder
            (folder / name).unlink(missing_ok=True)
    assert len(list(folder.iterdir())) > len(CLIPS) * 0.7


def _make_photos(folder: Path) -> None:
    shown = picture(height=24, width=32)
    image, alpha = Image.fromarray(shown), np.full((24, 32), 99, np.uint8)
    see_through = Image.fromarray(np.dstack([shown, alpha]))
    words: dict[str, Any] = {"exif": camera_exif(6), "icc_profile": DISPLAY_P3}
    image.save(folder / "camera.jpg", **words, xmp=XMP)
    image.save(folder / "progressive.jpg", progressive=True)
    image.convert("CMYK").save(folder / "print.jpg")
    image.save(folder / "words.png", **words)
    image.quantize(16).save(folder / "palette.png")
    image.save(folder / "moving.png", save_all=True, append_images=[image.rotate(90)])
    (folder / "deep.png").write_bytes(deep_png(picture(np.uint16), icc_profile=DISPLAY_P3))
    (folder / "deep.tif").write_bytes(deep_tiff(picture(np.uint16), orientation=6))
    for packing in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        image.save(folder / f"{packing}.tif", compression=packing)
    image.convert("1").save(folder / "fax.tif", compression="group4")
    see_through.save(folder / "lossless.webp", lossless=True, **words)
    image.save(folder / "lossy.webp", xmp=XMP)
    image.save(folder / "plain.bmp")
    image.save(folder / "still.gif")
    if features.check("avif"):
        see_through.save(folder / "alpha.avif")


@dataclass
class Found:
    """What came of the mutants: how often what, and what should not have come, with number and file."""

    came: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    next: int = 0


def _run(folder: Path, end: int, found: Found) -> None:
    """One child, until it ends, crashes or hangs."""
    script = Path(__file__).with_name("decode_mutants.py")
    command = [sys.executable, str(script), str(folder), str(SEED), str(found.next), str(end)]
    said: queue.Queue[str] = queue.Queue()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:

        def listen() -> None:
            assert child.stdout is not None
            for line in child.stdout:
                said.put(line.rstrip("\n"))
            said.put("end")

        listener = threading.Thread(target=listen)
        listener.start()
        at = ""
        try:
            while (line := said.get(timeout=HANGS_AFTER_S)) != "end":
                if not line.startswith(" "):
                    at = line
                    found.next = int(at.split()[0]) + 1
                    continue
                found.came[" ".join(line.split()[:2]) if "refused" in line else line.split()[0]] += 1
                if "ODD" in line:
                    found.bad.append(f"{at}:{line}")
        except queue.Empty:
            found.bad.append(f"{at}: hangs")
        finally:
            _end(child)
            listener.join()
    if child.returncode not in (0, -9):
        found.bad.append(f"{at}: ended with code {child.returncode}")


def _end(child: subprocess.Popen[str]) -> None:
    try:
        child.wait(5)
    except subprocess.TimeoutExpired:
        child.kill()


@pytest.mark.slow
@pytest.mark.parametrize(("make", "each"), [(_make_clips, 3), (_make_photos, 40)])
def test_no_damage_crashes_a_decoder(tmp_path: Path, make: Any, each: int) -> None:
    """So many mutants of each file, one after another."""
    make(tmp_path)
    found, end = Found(), len(list(tmp_path.iterdir())) * int(EACH or each)
    while found.next < end and len(found.bad) < 100:
        before = found.next
        _run(tmp_path, end, found)
        assert found.next > before, "the child did not begin"
    assert found.bad == [], found.came
    # None decoded, or none refused, would mean that the mutants are of no use.
    assert 0 < found.came["refused InputError"] < sum(found.came.values())
