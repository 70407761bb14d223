"""Photos in and out: upright, RGB, with their EXIF, colour profile, transparency and 16 bits."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, TiffImagePlugin

from framestyle.errors import FramestyleError, InputError, OutputError
from framestyle.frames import Pixels
from framestyle.media.files import InputKind, atomic_output, sniff, storage_error

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the stored picture upright."""
WITH_ALPHA = {"PNG", "WEBP", "TIFF"}
STRUCTURE_TAGS = {254, 255, 256, 257, 258, 259, 262, 266, 273, 277, 278, 279, 282, 283, 284, 296, 317, 320}
STRUCTURE_TAGS |= {
    322,
    323,
    324,
    325,
    330,
    338,
    339,
    347,
    513,
    514,
    529,
    530,
    531,
    532,
    700,
    33723,
    34377,
    34675,
}
"""TIFF tags that tell how this very file is laid out; untrue of any other file."""
Alpha = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass
class Photo:
    """`pixels` HWC RGB uint8 or uint16, upright; `alpha` HW of the same depth, or None.

    Pixels are sRGB unless `icc_profile` says otherwise (16-bit photos keep their own). `exif` is upright and
    without thumbnail; `dpi` across, down; `format` is Pillow's name.
    """

    pixels: Pixels
    alpha: Alpha | None = None
    exif: bytes | None = None
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    format: str = "PNG"


def read_photo(path: Path) -> Photo:
    """InputError where it is damaged, too large, or no photo."""
    if sniff(path) is not InputKind.PHOTO:
        raise InputError(f"{path} is not a photo", next_step="Name a photo.")
    try:
        with warnings.catch_warnings():
            # Pillow warns of half the size it refuses (photos of 100 million pixels exist) and of odd EXIF.
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                return _photo_from(image, path)
    except Image.DecompressionBombError as error:
        raise InputError(f"{path} is too large: {error}", next_step="Scale it down first.") from error
    except FramestyleError:
        raise
    except Exception as error:  # decoders raise whatever they like on damaged files
        cause = " ".join(str(error).split()) or type(error).__name__
        next_step = "Copy it again, or save it as JPEG or PNG elsewhere."
        raise InputError(f"{path} cannot be decoded: {cause}", next_step=next_step) from error


def _photo_from(image: Image.Image, path: Path) -> Photo:
    exif, orientation = _upright_exif(image)  # before loading, which closes a TIFF
    image.load()
    dpi = _dpi(image, turned=orientation >= 5)
    kind = image.format or "PNG"
    profile = image.info.get("icc_profile")
    if _is_deep(image) and (deep := _decode_deep(path)) is not None:
        pixels, alpha = _rgb_and_alpha(deep, orientation)
        return Photo(pixels, alpha, exif, profile, dpi, kind)
    upright = image.transpose(TURNS[orientation]) if orientation in TURNS else image
    rgb, alpha8 = _split_alpha(upright)
    rgb, kept_profile = _to_srgb(rgb, profile)
    return Photo(np.array(rgb.convert("RGB"), order="C"), alpha8, exif, kept_profile, dpi, kind)


def _upright_exif(image: Image.Image) -> tuple[bytes | None, int]:
    """The EXIF block of the picture once it is upright, and the orientation (1–8) it was stored in."""
    try:
        exif = image.getexif()
        orientation = exif.get(ExifTags.Base.Orientation, 1)
        for tag in STRUCTURE_TAGS & set(exif):
            del exif[tag]
        if not len(exif):
            return None, 1
        exif[ExifTags.Base.Orientation] = 1
        block = exif.tobytes()  # without the thumbnail, which would show the old picture
    except Exception:  # a damaged EXIF block does not make the picture unusable
        return None, 1
    return block, orientation if orientation in range(1, 9) else 1


def _dpi(image: Image.Image, *, turned: bool) -> tuple[float, float] | None:
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    if not (0 < across < 1e6 and 0 < down < 1e6):
        return None
    return (down, across) if turned else (across, down)


def _is_deep(image: Image.Image) -> bool:
    """16 bits a channel, grey or RGB: Pillow would give 8 bits of RGB."""
    if image.mode.startswith("I;16") or image.mode == "I":
        return True
    if isinstance(image, PngImagePlugin.PngImageFile) and image.filename:
        with Path(str(image.filename)).open("rb") as file:
            return file.read(25)[24:] == b"\x10"
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tags = image.tag_v2
        return set(tags.get(258, (8,))) == {16} and tags.get(262) in (0, 1, 2)
    return False


def _decode_deep(path: Path) -> npt.NDArray[np.uint16] | None:
    """As stored, in OpenCV's channel order; None where it is not of 16 bits after all."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    return decoded if decoded is not None and decoded.dtype == np.uint16 else None


def _rgb_and_alpha(decoded: npt.NDArray[np.uint16], orientation: int) -> tuple[Pixels, Alpha | None]:
    upright = _turned(decoded, orientation)
    if upright.ndim == 2:
        return np.repeat(upright[..., None], 3, axis=2), None
    alpha = np.ascontiguousarray(upright[..., 3]) if upright.shape[2] == 4 else None
    return np.ascontiguousarray(upright[..., 2::-1]), alpha


def _turned(pixels: npt.NDArray[np.uint16], orientation: int) -> npt.NDArray[np.uint16]:
    """HW or HWC as stored -> upright, for EXIF orientation 1–8 (JEITA CP-3451, tag 274)."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Alpha | None]:
    """The colours in a mode that profiles know, and the transparency."""
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return rgba.convert("RGB"), np.array(rgba.getchannel("A"))
    return (image, None) if image.mode in ("RGB", "L", "CMYK", "LAB") else (image.convert("RGB"), None)


def _to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, bytes | None]:
    """Converted from the photo's own profile; an sRGB profile is kept, an unusable one passed over."""
    if profile is None:
        return image, None
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if image.mode == "RGB" and "srgb" in ImageCms.getProfileDescription(own).lower():
            return image, profile
        converted = ImageCms.profileToProfile(
            image,
            own,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image, None
    return (converted or image), None


def read_style_image(path: Path) -> npt.NDArray[np.uint8]:
    """HWC RGB uint8; transparency over white."""
    photo = read_photo(path)
    pixels = _at_depth(photo.pixels, np.uint8)
    return pixels if photo.alpha is None else _over_white(pixels, _at_depth(photo.alpha, np.uint8))


def _at_depth(values: Any, dtype: type[np.uint8] | type[np.uint16]) -> Any:
    """uint8 <-> uint16, full range to full range: 255 is 65535."""
    if values.dtype == dtype:
        return values
    if dtype is np.uint16:
        return values.astype(np.uint16) * 257
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _over_white(pixels: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    cover = alpha[..., None].astype(np.float32) / 255
    return np.rint(pixels * cover + 255 * (1 - cover)).astype(np.uint8)


def check_photo_format(target: Path) -> None:
    """OutputError where the target's suffix names no photo format."""
    if target.suffix.lower() not in FORMATS:
        raise OutputError(
            f"{target}: no photo format ends in {target.suffix!r}", next_step=f"Known: {', '.join(FORMATS)}."
        )


def write_photo(target: Path, pixels: Pixels, like: Photo | None, metadata: Mapping[str, str]) -> None:
    """HWC RGB uint8 or uint16 into the format of the target's suffix; whole or not at all.

    With `like`'s EXIF, profile, resolution and transparency where the format holds them (else over white).
    16 bits are kept in PNG and TIFF (whose EXIF is then left out).
    """
    check_photo_format(target)
    kind = FORMATS[target.suffix.lower()]
    like = like or Photo(pixels)
    alpha = _fitting_alpha(like.alpha, pixels)
    with atomic_output(target) as temporary:
        try:
            if pixels.dtype == np.uint16 and kind in ("PNG", "TIFF"):
                temporary.write_bytes(_encode_deep(kind, pixels, alpha, like, metadata))
            else:
                _save_eight_bits(temporary, kind, pixels, alpha, like, metadata)
        except (OSError, ValueError, RuntimeError, cv2.error) as error:
            refused = error if isinstance(error, OSError) else ValueError(" ".join(str(error).split()))
            raise storage_error(refused, target) from error


def _fitting_alpha(alpha: Alpha | None, pixels: Pixels) -> Any:
    """Of the pixels' depth and size: the result may be smaller than the photo was."""
    if alpha is None:
        return None
    height, width = pixels.shape[:2]
    if alpha.shape != (height, width):
        alpha = cv2.resize(alpha, (width, height), interpolation=cv2.INTER_AREA)
    return _at_depth(alpha, np.uint16 if pixels.dtype == np.uint16 else np.uint8)


def _save_eight_bits(
    path: Path, kind: str, pixels: Pixels, alpha: Any, like: Photo, metadata: Mapping[str, str]
) -> None:
    eight = _at_depth(pixels, np.uint8)
    if alpha is not None:
        alpha = _at_depth(alpha, np.uint8)
        eight = np.dstack([eight, alpha]) if kind in WITH_ALPHA else _over_white(eight, alpha)
    Image.fromarray(np.ascontiguousarray(eight)).save(path, kind, **_options(kind, like, metadata))


def _options(kind: str, like: Photo, metadata: Mapping[str, str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    exif = _exif_with(like.exif, {} if kind == "PNG" else metadata)
    if kind != "BMP":
        options |= {"exif": exif} if exif else {}
        options |= {"icc_profile": like.icc_profile} if like.icc_profile else {}
    if like.dpi is not None and kind != "WEBP":
        options["dpi"] = like.dpi
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": 0, "optimize": True}
    elif kind == "WEBP":
        options |= {"quality": 95, "method": 4}
    elif kind == "TIFF" and "exif" not in options:  # libtiff cannot write EXIF beside compressed pixels
        options["compression"] = "tiff_adobe_deflate"
    elif kind == "PNG" and metadata:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        for key, value in metadata.items():
            options["pnginfo"].add_itxt(_keyword(key), value.replace("\0", ""))
    return options


def _exif_with(block: bytes | None, metadata: Mapping[str, str]) -> bytes | None:
    """The EXIF block with `metadata` added to its user comment; the photographer's own words stay."""
    exif = Image.Exif()
    if block:
        exif.load(block)
    if metadata:
        said = "; ".join(f"{key}: {value}" for key, value in metadata.items())
        details = exif.get_ifd(ExifTags.IFD.Exif)
        before = details.get(ExifTags.Base.UserComment)
        own = _comment(before)
        text = f"{own}\n{said}" if own else said
        details[ExifTags.Base.UserComment] = b"UNICODE\0" + text.encode("utf-16-be")
        exif[ExifTags.IFD.Exif] = details
    return exif.tobytes() if len(exif) else None


def _comment(value: object) -> str:
    """EXIF's user comment: eight bytes that name the character code, then the text."""
    if not isinstance(value, bytes):
        return ""
    code, text = value[:8], value[8:]
    return text.decode("utf-16-be" if code.startswith(b"UNICODE") else "latin-1", "replace").strip("\0 ")


def _encode_deep(kind: str, pixels: Pixels, alpha: Any, like: Photo, metadata: Mapping[str, str]) -> bytes:
    """16-bit PNG or TIFF as bytes: Pillow writes 16-bit grey only."""
    channels = [pixels[..., 2], pixels[..., 1], pixels[..., 0], *([] if alpha is None else [alpha])]
    done, data = cv2.imencode(f".{kind.lower()}", np.dstack(channels))
    if not done:
        raise ValueError(f"16-bit {kind} cannot be encoded")
    encoded = bytes(data)
    return _with_png_chunks(encoded, like, metadata) if kind == "PNG" else encoded


def _with_png_chunks(png: bytes, like: Photo, metadata: Mapping[str, str]) -> bytes:
    """Profile, resolution, EXIF and text put right after the header chunk (PNG specification, 11.3)."""
    chunks = b""
    if like.icc_profile:
        chunks += _chunk(b"iCCP", b"profile\0\0" + zlib.compress(like.icc_profile))
    if like.dpi is not None:
        per_metre = [round(value / 0.0254) for value in like.dpi]
        chunks += _chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))
    if exif := _exif_with(like.exif, {}):
        chunks += _chunk(b"eXIf", exif.removeprefix(b"Exif\0\0"))
    for key, value in metadata.items():
        text = value.replace("\0", "").encode()
        chunks += _chunk(b"iTXt", _keyword(key).encode("latin-1") + b"\0\0\0\0\0" + text)
    after_header = 8 + 25
    return png[:after_header] + chunks + png[after_header:]


def _keyword(key: str) -> str:
    """PNG keywords are 1–79 Latin-1 characters."""
    return key.encode("latin-1", "replace").decode("latin-1").replace("\0", "")[:79] or "Comment"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
