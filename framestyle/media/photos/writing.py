"""Photos out: with all that their originals had, as far as the format holds it; whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image

from framestyle.errors import Code, OutputError
from framestyle.frames import Pixels
from framestyle.media.files import atomic_output, storage_error
from framestyle.media.photos.alpha import Alpha, at_depth, over_white
from framestyle.media.photos.avif import StillPicture, write_avif
from framestyle.media.photos.cicp import Cicp, Coded
from framestyle.media.photos.colors import SRGB_PROFILE, given_back, space_of
from framestyle.media.photos.exif import ORIENTATION, fitting_block, result_tags
from framestyle.media.photos.formats import (
    FORMATS,
    WITH_ALPHA,
    WITH_HDR,
    WITH_METADATA,
    check_photo_format,
    most_bits,
    use_heif,
)
from framestyle.media.photos.heif import write_heif
from framestyle.media.photos.photo import Photo
from framestyle.media.photos.png import (
    XMP_KEYWORD,
    color_chunks,
    exif_chunk,
    profile_chunk,
    resolution_chunk,
    text_chunks,
    with_chunks,
)
from framestyle.media.photos.tags import Directory
from framestyle.media.photos.tiff import write_tiff
from framestyle.media.photos.xmp import fitting_packet, result_xmp

RECIPE = "framestyle"
"""PNG's keyword of what made the picture; in XMP it is `framestyle:recipe`."""
LARGEST_JPEG_EXIF, LARGEST_JPEG_XMP = 65533, 65533 - 29
PNG_PACKING = 6
WEBP_EFFORT = 50
"""Lossless WebP takes its quality as effort."""


@dataclass(frozen=True)
class PhotoSettings:
    """`quality` 1-100 of lossy formats. `color_profile`: the photo's own, or sRGB."""

    quality: int = 95
    subsampling: Literal["4:4:4", "4:2:2", "4:2:0"] = "4:4:4"
    color_profile: Literal["source", "srgb"] = "source"


@dataclass(frozen=True, eq=False)
class _Result:
    """What an encoder needs. `tags`: EXIF's with their byte order. `bits`: what is in a channel of the pixels."""

    pixels: Pixels
    alpha: Alpha | None
    bits: int
    profile: bytes | None
    coded: Coded | None
    dpi: tuple[float, float] | None
    tags: tuple[str, Directory]
    xmp: bytes | None
    texts: Mapping[str, str]
    settings: PhotoSettings


def write_photo(
    target: Path,
    pixels: Pixels,
    like: Photo | None,
    metadata: Mapping[str, str],
    settings: PhotoSettings | None = None,
    scratch: Path | None = None,
) -> list[str]:
    """HWC sRGB uint8 or uint16 into the format of the target's suffix; whole or not at all.

    With `like`'s EXIF, XMP, profile, resolution, transparency and depth where the format holds them (transparency
    else over white). `metadata`: a `comment`, a `recipe`. `scratch`: see `atomic_output`. Gives what of the photo
    could not be kept, a clause each.
    """
    check_photo_format(target)
    kind = FORMATS[target.suffix.lower()]
    like = like or Photo(pixels)
    check_holds(target, like.hdr)
    result = _prepared(kind, pixels, like, metadata, settings or PhotoSettings())
    with atomic_output(target, scratch) as temporary:
        try:
            _encode(temporary, kind, result)
        except (OSError, ValueError, RuntimeError, cv2.error) as error:
            refused = error if isinstance(error, OSError) else ValueError(" ".join(str(error).split()))
            raise storage_error(refused, target) from error
    return _lost(kind, like)


def check_holds(target: Path, hdr: str | None) -> None:
    """OutputError where the target's format cannot say that a photo is PQ or HLG: before it is painted."""
    kind = FORMATS[target.suffix.lower()]
    if hdr is not None and kind not in WITH_HDR:
        raise OutputError(
            f"{target}: {kind} holds no HDR ({hdr})",
            code=Code.HDR_NOT_IN_IMAGES,
            facts={"path": str(target), "hdr": hdr},
        )


def _lost(kind: str, like: Photo) -> list[str]:
    lost = []
    if like.alpha is not None and kind not in WITH_ALPHA and not _opaque(like.alpha):
        lost.append(f"{kind} holds no transparency: it was laid over white")
    if like.bits > most_bits(kind):
        lost.append(f"{kind} holds {most_bits(kind)} bits a channel, not {like.bits}")
    if kind not in WITH_METADATA and (like.exif or like.xmp):
        lost.append(f"{kind} holds no EXIF and XMP")
    if kind != "PNG" and like.texts:
        lost.append(f"{kind} holds no PNG text: {', '.join(_few(list(like.texts)))} was left out")
    if like.coded is not None and like.coded.profile is None and not _says(kind, like.coded):
        lost.append(f"{kind} does not say colours by numbers: {like.coded} was left out")
    return lost


def _few(names: list[str]) -> list[str]:
    shown = [name if len(name) <= 40 else f"{name[:40]}…" for name in names[:4]]
    return [*shown, f"{len(names) - 4} more"] if len(names) > 4 else shown


def _opaque(alpha: Alpha) -> bool:
    return bool((alpha == np.iinfo(alpha.dtype).max).all())


def _prepared(
    kind: str, pixels: Pixels, like: Photo, metadata: Mapping[str, str], settings: PhotoSettings
) -> _Result:
    tag = tag_for(kind, like, settings)
    profile, coded = (like.icc_profile, like.coded) if tag.is_own else (tag.profile, None)
    space = space_of(profile, like.bits, coded)
    if space is not None:
        pixels = given_back(pixels, like.pixels, like.excess if tag.is_own else None, space)
    depth = np.uint16 if like.bits > 8 and most_bits(kind) > 8 else np.uint8
    alpha = _fitting_alpha(like.alpha, pixels, depth)
    pixels = np.ascontiguousarray(at_depth(pixels, depth))
    if alpha is not None and kind not in WITH_ALPHA:
        pixels, alpha = over_white(at_depth(pixels, np.uint8), at_depth(alpha, np.uint8)), None
    size = (pixels.shape[1], pixels.shape[0])
    tagged = tag.profile is not None or tag.coded is not None
    tags = result_tags(
        like.exif,
        size=size,
        dpi=like.dpi,
        srgb=space.is_srgb and like.hdr is None if tagged and space is not None else None,
        comment=None if kind == "PNG" else metadata.get("comment"),
    )
    texts = dict(like.texts) if kind == "PNG" else {}
    for key, text in metadata.items():
        own = "comment" if key == "comment" else RECIPE
        texts[own] = f"{texts[own]}\n{text}" if own in texts else text
    properties = {"recipe": metadata["recipe"]} if "recipe" in metadata and kind != "PNG" else {}
    xmp = result_xmp(like.xmp, size, properties)
    bits = _coded_bits(kind, like.bits)
    return _Result(pixels, alpha, bits, tag.profile, tag.coded, like.dpi, tags, xmp, texts, settings)


def _coded_bits(kind: str, bits: int) -> int:
    """What of a photo's bits a format is written with: AVIF and HEIC have 8, 10 and 12, others 8 and 16."""
    steps = (8, 10, 12) if most_bits(kind) == 12 else (8, 16) if most_bits(kind) == 16 else (8,)
    return next((step for step in steps if step >= bits), steps[-1])


@dataclass(frozen=True)
class Tagging:
    """How a result says what its colours are. `is_own`: as the photo's own are; else they are converted."""

    profile: bytes | None = None
    coded: Coded | None = None
    is_own: bool = False


def tag_for(kind: str, like: Photo, settings: PhotoSettings) -> Tagging:
    """What the result is tagged with, and so converted to; nothing: not tagged, which means sRGB."""
    coded = like.coded
    if coded is not None and _says(kind, coded) and (coded.hdr or coded.profile is None):
        return Tagging(like.icc_profile, coded, is_own=True)
    if kind not in WITH_METADATA:
        return Tagging()
    if coded is not None:
        if settings.color_profile == "srgb" and coded.profile is not None and not coded.profile.is_srgb:
            return Tagging(SRGB_PROFILE)
        if _says(kind, coded):
            return Tagging(like.icc_profile, coded, is_own=True)
        return Tagging(coded.icc_profile, is_own=True)
    own = space_of(like.icc_profile, like.bits)
    if own is None:
        return Tagging(like.icc_profile, is_own=True)  # its colours were left as they are
    if settings.color_profile == "source" or (like.icc_profile is not None and own.is_srgb):
        return Tagging(like.icc_profile, is_own=True)
    return Tagging(SRGB_PROFILE)


def _says(kind: str, coded: Coded) -> bool:
    """Whether a format can say it as it was said."""
    return kind == "PNG" or (kind in WITH_HDR and isinstance(coded, Cicp))


def _fitting_alpha(alpha: Alpha | None, pixels: Pixels, depth: type[np.uint8] | type[np.uint16]) -> Any:
    """Of the pixels' size: the result may be smaller than the photo was."""
    if alpha is None:
        return None
    height, width = pixels.shape[:2]
    if alpha.shape != (height, width):
        alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    return at_depth(alpha, depth)


def _encode(path: Path, kind: str, result: _Result) -> None:
    if kind == "PNG":
        path.write_bytes(_png(result))
    elif kind == "TIFF":
        write_tiff(
            path,
            result.pixels,
            result.alpha,
            result.tags,
            dpi=result.dpi,
            profile=result.profile,
            xmp=result.xmp,
        )
    elif kind in WITH_HDR and (result.bits > 8 or result.coded is not None):
        _encode_still(path, kind, result)
    else:
        use_heif()
        _as_image(result).save(path, kind, **_options(kind, result))


def _encode_still(path: Path, kind: str, result: _Result) -> None:
    """AVIF and HEIC beyond what Pillow writes of them: more than 8 bits, other colours than sRGB's."""
    order, tags = result.tags
    block = fitting_block(order, {tag: value for tag, value in tags.items() if tag != ORIENTATION}, None)
    coded = result.coded if isinstance(result.coded, Cicp) else None
    bits = max(result.bits, 10) if coded is not None and coded.hdr else result.bits
    picture = StillPicture(result.pixels, result.alpha, bits, coded, result.profile, block, result.xmp)
    write = write_avif if kind == "AVIF" else write_heif
    write(path, picture, result.settings.quality, result.settings.subsampling)


def _as_image(result: _Result) -> Image.Image:
    layers = result.pixels if result.alpha is None else np.dstack([result.pixels, result.alpha])
    return Image.fromarray(np.ascontiguousarray(layers))


def _png(result: _Result) -> bytes:
    chunks = [] if result.coded is None else color_chunks(result.coded)
    if result.profile:
        chunks.append(profile_chunk(result.profile))
    if result.dpi is not None:
        chunks.append(resolution_chunk(result.dpi))
    if block := fitting_block(*result.tags, None):
        chunks.append(exif_chunk(block))
    texts = dict(result.texts) | ({XMP_KEYWORD: result.xmp.decode()} if result.xmp else {})
    return with_chunks(_bare_png(result), [*chunks, *text_chunks(texts)])


def _bare_png(result: _Result) -> bytes:
    """Pillow writes 16 bits of grey alone."""
    if result.pixels.dtype == np.uint8:
        buffer = io.BytesIO()
        _as_image(result).save(buffer, "PNG")
        return buffer.getvalue()
    channels = [result.pixels[..., ::-1], *([] if result.alpha is None else [result.alpha])]
    done, data = cv2.imencode(".png", np.dstack(channels), [cv2.IMWRITE_PNG_COMPRESSION, PNG_PACKING])
    if not done:
        raise ValueError("16-bit PNG cannot be encoded")
    return bytes(data)


def _options(kind: str, result: _Result) -> dict[str, Any]:
    """Pillow's."""
    options: dict[str, Any] = {}
    settings, jpeg = result.settings, kind == "JPEG"
    if kind in WITH_METADATA:
        order, tags = result.tags
        if kind == "AVIF":  # upright already, and Pillow would rewrite the block to take it out
            tags = {tag: value for tag, value in tags.items() if tag != ORIENTATION}
        options["exif"] = fitting_block(order, tags, LARGEST_JPEG_EXIF if jpeg else None)
        options["xmp"] = fitting_packet(result.xmp, LARGEST_JPEG_XMP if jpeg else None)
        options["icc_profile"] = result.profile
    if jpeg:
        options |= {"quality": settings.quality, "subsampling": settings.subsampling, "optimize": True}
    elif kind == "AVIF":
        options |= {"quality": settings.quality, "subsampling": settings.subsampling}
    elif kind == "HEIF":
        options |= {"quality": settings.quality, "chroma": settings.subsampling.replace(":", "")}
    elif kind == "WEBP":
        # Its lossy form halves the chroma, whatever one asks for.
        lossless = settings.subsampling == "4:4:4"
        options |= {
            "lossless": lossless,
            "quality": WEBP_EFFORT if lossless else settings.quality,
            "method": 4,
        }
    if result.dpi is not None and kind in ("JPEG", "BMP"):
        options["dpi"] = result.dpi
    return {name: value for name, value in options.items() if value is not None}
