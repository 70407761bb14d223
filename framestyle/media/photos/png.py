"""PNG chunks: how colours, resolution, EXIF, XMP and words get into an encoded picture, and colours out of one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from framestyle.media.photos.cicp import Cicp, Coded, GammaTag
from framestyle.media.png_chunks import heads_of

BEFORE_CHUNKS = 8 + 25
"""Signature and header chunk: what everything else stands behind (PNG specification, 5.6)."""
XMP_KEYWORD = "XML:com.adobe.xmp"
OWN_KEYWORDS = ("framestyle", "comment")
"""What made a picture: for programs, and in words that begin with the program's name."""
PROFILE_KEYWORD = "Raw profile type "
"""How ImageMagick keeps EXIF, XMP and IPTC blocks as text: carried, if at all, as what they are."""
LONG_TEXT = 1000
"""Characters from which a text is worth compressing."""


def with_chunks(png: bytes, chunks: Iterable[bytes]) -> bytes:
    """The chunks put right after the header; resolution and text of the encoder's own are not expected."""
    return png[:BEFORE_CHUNKS] + b"".join(chunks) + png[BEFORE_CHUNKS:]


def profile_chunk(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def resolution_chunk(dpi: tuple[float, float]) -> bytes:
    per_metre = [round(value / 0.0254) for value in dpi]
    return chunk(b"pHYs", struct.pack(">IIB", *per_metre, 1))


def exif_chunk(block: bytes) -> bytes:
    return chunk(b"eXIf", block.removeprefix(b"Exif\0\0"))


def text_chunks(texts: Mapping[str, str]) -> list[bytes]:
    """UTF-8 under a keyword each."""
    return [
        _text_chunk(key, text.replace("\0", "").encode("utf-8", "replace")) for key, text in texts.items()
    ]


def _text_chunk(key: str, text: bytes) -> bytes:
    packed = len(text) >= LONG_TEXT and key != XMP_KEYWORD  # XMP is to be found by programs that scan for it
    data = zlib.compress(text) if packed else text
    return chunk(b"iTXt", _keyword(key) + b"\0" + bytes([packed, 0]) + b"\0\0" + data)


def _keyword(key: str) -> bytes:
    """1-79 Latin-1 characters."""
    return key.encode("latin-1", "replace").replace(b"\0", b"")[:79] or b"Comment"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@dataclass(frozen=True)
class CodedTag:
    """`coded`: what a PNG says of its colours beside an ICC profile. `is_narrow`: black is 16 of 255, and white 235."""

    coded: Coded | None = None
    is_narrow: bool = False


def color_tag(path: Path) -> CodedTag:
    """cICP, else gAMA and cHRM where no profile stands above them (PNG specification, third edition, 4.3)."""
    found = {
        kind: data for kind, data in heads_of(path) if kind in (b"cICP", b"gAMA", b"cHRM", b"sRGB", b"iCCP")
    }
    cicp = found.get(b"cICP", b"")
    if len(cicp) == 4:
        return CodedTag(Cicp(cicp[0], cicp[1]), is_narrow=cicp[3] == 0)
    gamma, places = found.get(b"gAMA", b""), found.get(b"cHRM", b"")
    if b"sRGB" in found or b"iCCP" in found or (len(gamma) != 4 and len(places) != 32):
        return CodedTag()
    gamma_value = int.from_bytes(gamma, "big") if len(gamma) == 4 else 0
    return CodedTag(
        GammaTag(gamma_value or None, struct.unpack(">8L", places) if len(places) == 32 else None)
    )


def color_chunks(coded: Coded) -> list[bytes]:
    """What says so in a PNG of RGB."""
    if isinstance(coded, Cicp):
        return [chunk(b"cICP", bytes((coded.primaries, coded.transfer, 0, 1)))]
    gamma = [] if coded.gamma is None else [chunk(b"gAMA", struct.pack(">L", coded.gamma))]
    places = coded.chromaticities
    return [*gamma, *([] if places is None else [chunk(b"cHRM", struct.pack(">8L", *places))])]


def texts_in(image: Image.Image) -> dict[str, str]:
    """A PNG's texts by keyword, once it is loaded: without what is carried in other ways, and without ours."""
    texts = getattr(image, "text", None)
    if image.format != "PNG" or not isinstance(texts, dict):
        return {}
    return {
        str(key): str(text)
        for key, text in texts.items()
        if key != XMP_KEYWORD
        and not key.startswith(PROFILE_KEYWORD)
        and not (key in OWN_KEYWORDS and _is_ours(key, text))
    }


def _is_ours(key: str, text: str) -> bool:
    return key == OWN_KEYWORDS[0] or text.startswith("framestyle ")
