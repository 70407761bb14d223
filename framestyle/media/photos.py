"""Photos in and out: upright, RGB, with EXIF, transparency and 16 bits where they have them."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from framestyle.errors import InputError, OutputError
from framestyle.frames import Pixels
from framestyle.media.files import atomic_output, sniff, storage_error

ORIENTATION, DESCRIPTION = 0x0112, 0x010E
FORMATS = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP"}


@dataclass
class Photo:
    """`pixels` HWC RGB uint8 or uint16, upright, sRGB; `alpha` HW of the same depth, or None."""

    pixels: Pixels
    alpha: npt.NDArray[Any] | None = None
    exif: bytes | None = None
    dpi: tuple[float, float] | None = None


def read_photo(path: Path) -> Photo:
    """InputError where it is damaged, too large, or no photo."""
    sniff(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()
                return _from_pillow(image, path)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{path} is larger than photos are ({Image.MAX_IMAGE_PIXELS} pixels)") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path} is damaged or no photo: {error}") from error


def _from_pillow(image: Image.Image, path: Path) -> Photo:
    exif = image.getexif()
    orientation = exif.get(ORIENTATION, 1)
    dpi = image.info.get("dpi")
    # 16-bit RGB comes out of Pillow as 8 bits; OpenCV keeps it.
    deep = cv2.imread(str(path), cv2.IMREAD_UNCHANGED) if image.format in ("PNG", "TIFF") else None
    if deep is not None and deep.dtype == np.uint16:
        return _from_deep(deep, _without_orientation(exif), dpi)
    upright = ImageOps.exif_transpose(image) if orientation != 1 else image
    upright = _to_srgb(upright, image.info.get("icc_profile"))
    alpha = None
    if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        alpha = np.asarray(upright)[..., 3].copy()
    pixels = np.ascontiguousarray(np.asarray(upright.convert("RGB")))
    return Photo(pixels, alpha, _without_orientation(exif), dpi)


def _from_deep(pixels: npt.NDArray[np.uint16], exif: bytes | None, dpi: tuple[float, float] | None) -> Photo:
    if pixels.ndim == 2:
        return Photo(np.repeat(pixels[..., None], 3, axis=2), None, exif, dpi)
    alpha = pixels[..., 3].copy() if pixels.shape[2] == 4 else None
    return Photo(np.ascontiguousarray(pixels[..., 2::-1]), alpha, exif, dpi)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Converted from the photo's own profile; a profile that cannot be read is passed over."""
    if profile is None or image.mode not in ("RGB", "CMYK", "L"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except ImageCms.PyCMSError:
        return image
    return converted or image


def _without_orientation(exif: Image.Exif) -> bytes | None:
    """The EXIF block of a picture that is upright now; Pillow leaves the stale thumbnail out."""
    if not len(exif):
        return None
    exif[ORIENTATION] = 1
    return exif.tobytes()


def read_style_image(path: Path) -> Pixels:
    """HWC RGB uint8; transparency over white."""
    photo = read_photo(path)
    pixels = photo.pixels if photo.pixels.dtype == np.uint8 else (photo.pixels >> 8).astype(np.uint8)
    if photo.alpha is None:
        return pixels
    cover = (photo.alpha / np.iinfo(photo.alpha.dtype).max)[..., None]
    return np.rint(pixels * cover + 255 * (1 - cover)).astype(np.uint8)


def write_photo(target: Path, pixels: Pixels, like: Photo | None, metadata: Mapping[str, str]) -> None:
    """HWC RGB into the format of the target's suffix, with `like`'s EXIF, DPI and transparency; whole or not at all."""
    kind = FORMATS.get(target.suffix.lower())
    if kind is None:
        raise OutputError(f"{target}: no photo format ends in {target.suffix!r}", next_step=f"Known: {', '.join(FORMATS)}")
    alpha = like.alpha if like is not None and kind in ("PNG", "WEBP", "TIFF") else None
    with atomic_output(target) as temporary:
        if pixels.dtype == np.uint16 and kind in ("PNG", "TIFF"):
            _write_deep(temporary, pixels, alpha)
            return
        eight = pixels if pixels.dtype == np.uint8 else np.rint(pixels / 257).astype(np.uint8)
        if alpha is not None:
            eight = np.dstack([eight, alpha if alpha.dtype == np.uint8 else (alpha >> 8).astype(np.uint8)])
        try:
            Image.fromarray(eight).save(temporary, kind, **_options(kind, like, metadata))
        except OSError as error:
            raise storage_error(error, target) from error


def _write_deep(path: Path, pixels: Pixels, alpha: npt.NDArray[Any] | None) -> None:
    channels = [pixels[..., 2], pixels[..., 1], pixels[..., 0]] + ([alpha] if alpha is not None else [])
    if not cv2.imwrite(str(path), np.dstack(channels)):
        raise OutputError(f"{path} cannot be written")


def _options(kind: str, like: Photo | None, metadata: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    exif = Image.Exif()
    if like is not None and like.exif:
        exif.load(like.exif)
    if metadata and kind != "PNG":
        exif[DESCRIPTION] = "; ".join(metadata.values())
    if kind != "BMP" and len(exif):
        options["exif"] = exif.tobytes()
    if like is not None and like.dpi is not None and kind in ("JPEG", "PNG", "TIFF", "BMP"):
        options["dpi"] = tuple(float(value) for value in like.dpi)
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": 0}
    if kind == "WEBP":
        options |= {"quality": 95, "method": 4}
    if kind == "PNG" and metadata:
        info = PngImagePlugin.PngInfo()
        for key, value in metadata.items():
            info.add_text(key, value)
        options["pnginfo"] = info
    return options
