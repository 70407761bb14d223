"""Pictures in floating point or 32 bits: TIFF by OpenCV, it or OpenEXR and Radiance by ffmpeg; 16 bits of sRGB in work.

TIFFs mean what their profile says, else sRGB's codes with white at 1. OpenEXR and Radiance hold light, in sRGB's
primaries, with white at 1.
"""

from __future__ import annotations

import mmap
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from framestyle.errors import InputError
from framestyle.frames import Pixels
from framestyle.media.ffmpeg import ask, fed, filtered
from framestyle.media.photos.alpha import Alpha, unpremultiplied
from framestyle.media.photos.deep import BITS, EXTRA, ONE_PLANE, PLANES, PREMULTIPLIED
from framestyle.media.photos.exif import tiff_block, tiff_orientation
from framestyle.media.photos.icc import srgb_code
from framestyle.media.photos.stored import decode_stored
from framestyle.media.photos.tags import Directory, Value, parse, whole_number

Floats = npt.NDArray[np.float32]
TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
LIGHT_HEADS = {b"\x76\x2f\x31\x01": "EXR", b"#?RADIANCE": "HDR", b"#?RGBE": "HDR"}
"""Pictures of light; by Pillow's way of naming formats, though it opens none of them."""
WIDTH, HEIGHT, TILE_WIDTH, SAMPLE_FORMAT, PROFILE, XMP = 256, 257, 322, 339, 34675, 700
UNSIGNED, SIGNED, FLOATING = 1, 2, 3
CLIPPED_SHARE = 0.5
"""Where more of a TIFF than this is brighter than white, its white is elsewhere."""
LEAST_CLIPPED = 1e-4


@dataclass(frozen=True)
class Kind:
    """`format`: TIFF, EXR or HDR. Size as stored. `planes`: of pictures of light, ffmpeg's name of how they lie."""

    format: str
    width: int
    height: int
    planes: str | None = None


@dataclass(frozen=True, eq=False)
class Floating:
    """A decoded one, upright: HWC uint16, alpha HW, its profile; EXIF and XMP of a TIFF; what was clipped, in words."""

    pixels: npt.NDArray[np.uint16]
    alpha: Alpha | None
    profile: bytes | None
    exif: bytes | None
    xmp: bytes | None
    notes: list[str]
    is_hdr: bool = False


def floating_kind(path: Path) -> Kind | None:
    """None where the file is no such picture. InputError where its size cannot be read, or is too large."""
    with path.open("rb") as file:
        head = file.read(16)
    for start, name in LIGHT_HEADS.items():
        if head.startswith(start):
            return _checked(_kind_of_light(path, name), path)
    if not head.startswith(TIFF_HEADS):
        return None
    order, tags = _directory(path)
    depth = whole_number(tags.get(BITS), order) or 1
    sample = whole_number(tags.get(SAMPLE_FORMAT), order) or UNSIGNED
    if sample not in (SIGNED, FLOATING) and depth < 32:
        return None
    width, height = (whole_number(tags.get(tag), order) or 0 for tag in (WIDTH, HEIGHT))
    return _checked(Kind("TIFF", width, height), path)


def _directory(path: Path) -> tuple[str, Directory]:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
            return parse(whole)
    except (ValueError, OSError):
        return "<", {}


def _light_input(path: Path, name: str) -> list[str]:
    return ["-protocol_whitelist", "file", "-f", f"{name.lower()}_pipe", "-i", f"file:{path}"]


def _kind_of_light(path: Path, name: str) -> Kind:
    _, said = ask(_light_input(path, name))
    found = re.search(rf"Video: {name.lower()}, (gbra?pf32le)\b.*?, ([0-9]{{1,6}})x([0-9]{{1,6}})\b", said)
    if found is None:
        raise _undecodable(path, name)
    return Kind(name, int(found[2]), int(found[3]), found[1])


def _checked(kind: Kind, path: Path) -> Kind:
    if not kind.width or not kind.height:
        raise _undecodable(path, kind.format)
    if kind.width * kind.height > 2 * (Image.MAX_IMAGE_PIXELS or 1 << 62):
        raise InputError(
            f"{path} is too large: {kind.width}x{kind.height} pixels", next_step="Scale it down first."
        )
    return kind


def _undecodable(path: Path, name: str) -> InputError:
    named = {
        "EXR": "it is damaged, or an OpenEXR of a kind",
        "HDR": "it is damaged, or a Radiance HDR of a kind",
        "TIFF": "its pixels are signed, or packed in a way",
    }
    return InputError(
        f"{path} cannot be decoded: {named[name]} that is not read here",
        next_step="Save it with 16 bits a channel, as TIFF or PNG.",
    )


def decode_floating(path: Path, kind: Kind, *, tone_map: bool) -> Floating:
    """InputError where it cannot be decoded, or where its white cannot be told.

    `tone_map`: what is brighter than white is bent into what is left below it, as in HDR clips; else it is clipped.
    """
    return _light(path, kind, tone_map=tone_map) if kind.planes is not None else _tiff(path, kind)


def _light(path: Path, kind: Kind, *, tone_map: bool) -> Floating:
    decode = ["-v", "error", *_light_input(path, kind.format), "-frames:v", "1", "-f", "rawvideo", "-"]
    try:
        data = fed(b"", decode)
    except InputError as error:
        raise _undecodable(path, kind.format) from error
    values, planes = np.frombuffer(data, "<f4"), 4 if kind.planes == "gbrapf32le" else 3
    if values.size != planes * kind.width * kind.height:
        raise _undecodable(path, kind.format)
    green, blue, red, *cover = np.nan_to_num(values).reshape(planes, kind.height, kind.width)
    light = np.dstack([red, green, blue])
    alpha: Alpha | None = None
    if cover and cover[0].min() < 1:  # colours are multiplied by it
        shown = cover[0].clip(0, 1)
        light = np.divide(light, shown[..., None], out=np.zeros_like(light), where=shown[..., None] > 0)
        alpha = np.rint(shown * 65535).astype(np.uint16)
    is_hdr = bool(light.max(initial=0) > 1)
    if is_hdr and tone_map:
        return Floating(_bent(light), alpha, None, None, None, [], is_hdr)
    pixels = np.rint(srgb_code(light.clip(0, 1)) * 65535).astype(np.uint16)
    return Floating(pixels, alpha, None, None, None, _clipped(light), is_hdr)


def _bent(light: Floats) -> npt.NDArray[np.uint16]:
    """Linear light above white, as HDR clips' is."""
    height, width = light.shape[:2]
    planes = np.ascontiguousarray(light.clip(0, None)[..., [1, 2, 0]].transpose(2, 0, 1), dtype="<f4")
    found = "transferin=linear:primariesin=bt709:matrixin=gbr:rangein=full"
    bend = f"tonemap=mobius:param=0.6:desat=0:peak={max(1.0, float(light.max())):.4f}"
    code = f"zscale={found}:transfer=iec61966-2-1:primaries=bt709:matrix=gbr:range=full,format=gbrp16le"
    shape = ["-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-s", f"{width}x{height}"]
    # Tagged first: the bending takes what is not linear for what is.
    tagged = "setparams=color_trc=linear:color_primaries=bt709:colorspace=gbr:range=pc"
    done = filtered(planes.data.cast("B"), shape, f"{tagged},{bend},{code},format=rgb48le")
    return np.frombuffer(done, "<u2").astype(np.uint16).reshape(height, width, 3)


def _clipped(values: Floats) -> list[str]:
    share = float((values > 1).any(axis=2).mean())
    if share < LEAST_CLIPPED:
        return []
    return [f"{share:.1%} of it is brighter than white, and was clipped"]


def _tiff(path: Path, kind: Kind) -> Floating:
    order, tags = _directory(path)
    decoded: Any = None
    is_half = (
        whole_number(tags.get(SAMPLE_FORMAT), order) == FLOATING and whole_number(tags.get(BITS), order) == 16
    )
    if is_half or (whole_number(tags.get(PLANES), order) or ONE_PLANE) != ONE_PLANE:
        if TILE_WIDTH not in tags:
            decoded = decode_stored(path, tiff_orientation(path), half=is_half)
        if decoded is not None and decoded.dtype == np.float16:
            decoded = decoded.astype(np.float32)
    else:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            decoded = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            decoded = None
        finally:
            cv2.utils.logging.setLogLevel(level)
    if decoded is None or decoded.dtype not in (np.float32, np.float64, np.uint32):
        raise _undecodable(path, kind.format)
    values = decoded / np.float64(0xFFFFFFFF) if decoded.dtype == np.uint32 else np.nan_to_num(decoded)
    channels = np.atleast_3d(values)
    colours = channels[..., 2::-1] if channels.shape[2] >= 3 else np.repeat(channels[..., :1], 3, axis=2)
    if (colours > 1).mean() > CLIPPED_SHARE:
        raise InputError(
            f"{path} has floating-point pixels, most of them above 1, where white is taken to be",
            next_step="Divide them by their white, or save it with 8 or 16 bits a channel.",
        )
    notes = [*_clipped(colours), "its floating-point or 32-bit values are written with 16 bits"]
    pixels: Pixels = np.ascontiguousarray(np.rint(colours.clip(0, 1) * 65535)).astype(np.uint16)
    alpha: Alpha | None = None
    if channels.shape[2] == 4:
        alpha = np.rint(channels[..., 3].clip(0, 1) * 65535).astype(np.uint16)
        if whole_number(tags.get(EXTRA), order) == PREMULTIPLIED:
            pixels = unpremultiplied(pixels, alpha)
    block = tiff_block(path)
    return Floating(
        pixels.astype(np.uint16, copy=False), alpha, _data(tags, PROFILE), block, _data(tags, XMP), notes
    )


def _data(tags: Directory, tag: int) -> bytes | None:
    value = tags.get(tag)
    return value.data if isinstance(value, Value) else None
