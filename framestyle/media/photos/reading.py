"""Photos in: upright, sRGB, with all that the result is to have of them."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, UnidentifiedImageError

from framestyle.errors import InputError, foreign_errors
from framestyle.frames import Pixels
from framestyle.kinds import MediaKind
from framestyle.media.files import sniff
from framestyle.media.jpeg import holds_film, holds_more
from framestyle.media.photos.alpha import Alpha, at_depth, over_white, shrunk
from framestyle.media.photos.cicp import Cicp, Coded
from framestyle.media.photos.colors import SRGB_PROFILE, convert, excess_of, space_of
from framestyle.media.photos.deep import decode_deep, decode_deep_still, is_deep
from framestyle.media.photos.exif import (
    ORIENTATION,
    X_RESOLUTION,
    dpi_of,
    orientation,
    tiff_orientation,
    upright_exif,
)
from framestyle.media.photos.floating import Kind, decode_floating, floating_kind
from framestyle.media.photos.formats import FORMATS, HOW_TO_HEIC, READ, format_in, use_heif
from framestyle.media.photos.isobmff import Still, still_in
from framestyle.media.photos.photo import Photo
from framestyle.media.photos.png import CodedTag, color_tag, texts_in
from framestyle.media.photos.stored import turned
from framestyle.media.photos.tone import tone_mapped
from framestyle.media.photos.xmp import upright_xmp

SizeFor = Callable[[int, int], tuple[int, int]]
"""(width, height) as in the file and upright -> the size wanted."""
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1"}
SUBFILE_TYPE, DNG_VERSION, CR2_MARK = 254, 50706, b"CR\x02"
REDUCED = 1


def read_photo(path: Path, size_for: SizeFor | None = None, *, tone_map: bool = False) -> Photo:
    """InputError where it is damaged, too large, or no photo.

    `size_for` makes it smaller before its colours are converted, which takes a moment a megapixel. `tone_map`: HDR
    comes as SDR.
    """
    if sniff(path) is not MediaKind.PHOTO:
        raise InputError(f"{path} is not a photo", next_step="Name a photo.")
    if (kind := floating_kind(path)) is not None:
        return _floating_photo(path, kind, size_for, tone_map=tone_map)
    with opened(path) as image:
        return _photo_from(image, path, size_for, tone_map=tone_map)


def photo_size(path: Path) -> tuple[int, int]:
    """Width and height, upright. InputError where they cannot be read.

    Nothing is decoded but a PNG, whose orientation may stand behind its pixels.
    """
    if (kind := floating_kind(path)) is not None:
        return (kind.height, kind.width) if tiff_orientation(path) >= 5 else (kind.width, kind.height)
    with opened(path) as image:
        width, height = image.size
        return (height, width) if orientation(image, path) >= 5 else (width, height)


def photo_hdr(path: Path) -> str | None:
    """PQ, HLG or None, by the file's head alone."""
    kind = format_in(path)
    coded = color_tag(path).coded if kind == "PNG" else None
    if kind in ("AVIF", "HEIF"):
        coded = still_in(path).cicp
    return None if coded is None else coded.hdr


_one_at_a_time = threading.RLock()
"""What is done with warnings is done for all threads alike."""


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """Pillow's image, not decoded yet; whatever goes wrong with it inside is an InputError."""
    with foreign_errors(partial(_refusal, path)), _one_at_a_time, warnings.catch_warnings():
        # Pillow warns of half the size it refuses (photos of 100 million pixels exist) and of odd EXIF.
        warnings.simplefilter("ignore")
        _refuse_unreadable(path)
        use_heif()
        Image.init()
        formats = [name for name in READ if name in Image.OPEN]
        # As a file, not by name: Pillow would map it, and garble a TIFF that lies on its side.
        with path.open("rb") as file, Image.open(file, formats=formats) as image:
            yield image


_PYTHON_REPR = re.compile(r"<[^<>]*(?:at 0x[0-9a-f]+|name=[^<>]*)>")
"""How Python writes an object down, for programmers."""


def _refusal(path: Path, error: Exception) -> InputError:
    if isinstance(error, Image.DecompressionBombError):
        return InputError(f"{path} is too large: {str(error).rstrip('.')}", next_step="Scale it down first.")
    cause = _PYTHON_REPR.sub("the file", " ".join(str(error).split())).rstrip(".") or type(error).__name__
    if isinstance(error, UnidentifiedImageError):  # whose own words are Python's for an open file
        cause = "it begins as a photo does, and goes on as none that is known"
    next_step = "Copy it again, or save it as JPEG or PNG elsewhere."
    return InputError(f"{path} cannot be decoded: {cause}", next_step=next_step)


def _refuse_unreadable(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(16)
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS and ".heic" not in FORMATS:
        raise InputError(f"{path} is a HEIC photo, which is not read here", next_step=HOW_TO_HEIC)
    if head[8:11] == CR2_MARK:
        raise _raw(path)


def _raw(path: Path) -> InputError:
    return InputError(
        f"{path} is a camera's raw file, of which only a small preview could be read",
        next_step="Develop it first, and save it as TIFF or JPEG.",
    )


def _floating_photo(path: Path, kind: Kind, size_for: SizeFor | None, *, tone_map: bool) -> Photo:
    """Of floating-point or 32-bit values: 16 bits from here on."""
    with _one_at_a_time:
        found = decode_floating(path, kind, tone_map=tone_map)
    pixels, alpha = found.pixels, found.alpha
    if size_for is not None:
        pixels, alpha = shrunk(pixels, alpha, size_for(pixels.shape[1], pixels.shape[0]))  # type: ignore[assignment]
    photo = Photo(
        pixels, alpha, found.exif, found.profile, dpi_of(found.exif), kind.format, notes=found.notes
    )
    photo.was_hdr = "brighter than white" if found.is_hdr and tone_map else None
    _to_srgb(photo)
    return photo


def _photo_from(image: Image.Image, path: Path, size_for: SizeFor | None, *, tone_map: bool) -> Photo:
    tags = getattr(image, "tag_v2", {})
    if DNG_VERSION in tags or tags.get(SUBFILE_TYPE) == REDUCED:
        raise _raw(path)
    turn, exif, xmp = orientation(image, path), upright_exif(image, path), upright_xmp(image)
    kind = image.format or "PNG"
    dpi = _dpi(image) or dpi_of(exif)
    image.load()
    left = _turn_left(image, turn)
    still = still_in(path) if kind in ("AVIF", "HEIF") else Still()
    notes = _first_notes(image, path, still)
    profile = image.info.get("icc_profile") or None
    tag = color_tag(path) if kind == "PNG" else CodedTag(None if profile else still.cicp)
    pixels, alpha, profile = _decoded(image, path, profile, still, notes)
    if tag.is_narrow:
        pixels = _widened(pixels)
    bits = still.bits if still.bits > 8 and pixels.dtype == np.uint16 else 8 * pixels.dtype.itemsize
    if not (kind == "TIFF" and bits == 16):
        pixels, alpha = turned(pixels, left), None if alpha is None else turned(alpha, left)
    if size_for is not None:
        pixels, alpha = shrunk(pixels, alpha, size_for(pixels.shape[1], pixels.shape[0]))
    if dpi is not None and turn >= 5:
        dpi = dpi[::-1]
    photo = Photo(pixels, alpha, exif, profile, dpi, kind, xmp, bits, notes=notes, texts=texts_in(image))
    photo.coded = _worth_saying(tag.coded, kind)
    if tone_map and photo.hdr is not None and isinstance(photo.coded, Cicp):
        photo.pixels, photo.was_hdr = tone_mapped(photo.pixels, photo.coded), photo.hdr
        photo.coded, photo.icc_profile = None, SRGB_PROFILE
    else:
        _to_srgb(photo)
    return photo


def _worth_saying(coded: Coded | None, kind: str) -> Coded | None:
    """AVIF and HEIC name sRGB where nobody has chosen it; of others it is what a file says on purpose."""
    return None if coded is not None and coded.is_srgb and kind != "PNG" else coded


def _widened(pixels: Pixels) -> Pixels:
    """From 16-235 of 255, as video has it, to all codes."""
    unit = 257 if pixels.dtype == np.uint16 else 1
    wide = (pixels.astype(np.float32) - 16 * unit) * (255 / 219)
    full: Pixels = np.rint(wide.clip(0, 255 * unit)).astype(pixels.dtype)
    return full


def _turn_left(image: Image.Image, turn: int) -> int:
    """What is still to be done of a turn: Pillow turns a TIFF while it loads it, and forgets its orientation."""
    if image.format == "TIFF" and image.getexif().get(ORIENTATION, 1) != turn:
        return 1
    return turn


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    if image.format == "TIFF" and X_RESOLUTION not in getattr(image, "tag_v2", {}):
        return None  # Pillow says 1
    try:
        across, down = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if 0 < across < 1e6 and 0 < down < 1e6 else None


def _first_notes(image: Image.Image, path: Path, still: Still) -> list[str]:
    notes = []
    if getattr(image, "is_animated", False):
        notes.append(f"it holds {getattr(image, 'n_frames', 'several')} pictures; only the first is used")
        if image.format == "MPO":
            notes[0] += ", without gain maps and other views"
    elif image.format == "JPEG" and holds_more(path):
        notes.append("further pictures behind the first one in its file are left out")
    if image.format in ("JPEG", "MPO") and holds_film(path):
        notes.append("the film behind it (a motion photo) is left out")
    notes += [f"it holds {what}, which would not fit what is painted: left out" for what in still.beside]
    return notes


def _decoded(
    image: Image.Image, path: Path, profile: bytes | None, still: Still, notes: list[str]
) -> tuple[Pixels, Alpha | None, bytes | None]:
    """RGB and alpha as stored, and the profile that they are in."""
    if still.bits > 8:
        deeper = decode_deep_still(path, image.format or "", still.bits)
        if deeper is not None:
            return *deeper, profile
        notes.append(f"its {still.bits} bits a channel are read at 8")
    if is_deep(image, path):
        deep = decode_deep(image, path)
        if deep is not None:
            return *deep, profile
        notes.append("its 16 bits a channel are packed in a way that is read at 8")
    if image.mode in ("F", "I"):
        raise InputError(
            f"{path} has floating-point or 32-bit pixels, whose white is not known",
            next_step="Save it with 8 or 16 bits a channel.",
        )
    if image.mode.startswith("I;16"):
        image = Image.fromarray(at_depth(np.asarray(image).astype(np.uint16), np.uint8))
    alpha = None
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.array(image.getchannel("A"))
        image = image.convert("RGB")
    rgb, profile = _as_rgb(image, profile, notes)
    return np.array(rgb, order="C"), alpha, profile


def _as_rgb(image: Image.Image, profile: bytes | None, notes: list[str]) -> tuple[Image.Image, bytes | None]:
    """Print colours, Lab, and greys under a profile of tables become sRGB here; RGB waits for its own conversion."""
    own: bytes | ImageCms.ImageCmsProfile | None = profile
    if image.mode == "LAB" and profile is None:
        own = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    grey_tables = image.mode == "L" and (profile or b"")[16:20] == b"GRAY" and space_of(profile, 16) is None
    if image.mode == "CMYK":
        notes.append("its print colours (CMYK) are written as RGB")
    if image.mode in ("CMYK", "LAB") or grey_tables:
        try:
            if own is not None:
                return convert(image, own, SRGB_PROFILE), SRGB_PROFILE
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
        return image.convert("RGB"), None
    return (image if image.mode == "RGB" else image.convert("RGB")), profile


def _to_srgb(photo: Photo) -> None:
    """For the work. A broken profile is passed over; 16 bits under one that takes 8 are left as they are."""
    space = space_of(photo.icc_profile, photo.bits, photo.coded)
    if photo.coded is not None and photo.coded.profile is None and photo.hdr is None:
        photo.notes.append(
            f"its colours are said by numbers that are not known here ({photo.coded}): left as they are"
        )
    if space is None:
        _without_conversion(photo)
        return
    own, photo.pixels = photo.pixels, space.to_srgb(photo.pixels)
    if space.is_grey:
        photo.icc_profile = SRGB_PROFILE  # the result has colours
    else:
        photo.excess = excess_of(own, photo.pixels, space)


def _without_conversion(photo: Photo) -> None:
    profile = photo.icc_profile or b""
    if photo.bits == 8 or profile[16:20] != b"RGB ":
        photo.pixels, photo.icc_profile = _one_way(photo.pixels, profile)
    elif len(profile) > 128:
        photo.notes.append("its colour profile has tables, made for 8 bits: its colours are left as they are")


def _one_way(pixels: Pixels, profile: bytes) -> tuple[Pixels, bytes | None]:
    """A scanner's profile leads to sRGB and not back; a broken one nowhere."""
    if pixels.dtype != np.uint8 or profile[16:20] != b"RGB ":
        return pixels, None
    try:
        return np.array(convert(Image.fromarray(pixels), profile, SRGB_PROFILE), order="C"), SRGB_PROFILE
    except (ImageCms.PyCMSError, OSError, ValueError):
        return pixels, None


def read_style_image(path: Path) -> npt.NDArray[np.uint8]:
    """HWC RGB uint8, SDR; transparency over white."""
    photo = read_photo(path, tone_map=True)
    pixels = at_depth(photo.pixels, np.uint8)
    return pixels if photo.alpha is None else over_white(pixels, at_depth(photo.alpha, np.uint8))
