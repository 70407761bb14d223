"""XMP packets: carried as they are but for what the result makes untrue, and given properties of our own.

They are edited as text: a parser would write back other prefixes, and drop what it does not know. Edits are few.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from PIL import Image

NAMESPACE = "https://framestyle.invalid/xmp/1.0/"
"""A name, not an address."""
LARGEST_BYTES = 16 << 20
UNTRUE_ELEMENTS = ("xmp:Thumbnails", "Container:Directory", "xmpNote:HasExtendedXMP")
"""Old pictures, and places in the source's file: of thumbnails, gain maps, motion photos, further XMP."""
UNTRUE_ATTRIBUTES = (r"hdrgm:\w+", r"GCamera:(?:Micro|Motion)\w+", "xmpNote:HasExtendedXMP")
PANORAMA_PIXELS = (
    "FullPanoWidthPixels|CroppedAreaImageWidthPixels|CroppedAreaLeftPixels|LargestValidInteriorRect(?:Left|Width)",
    "FullPanoHeightPixels|CroppedAreaImageHeightPixels|CroppedAreaTopPixels|LargestValidInteriorRect(?:Top|Height)",
)
"""Across and down."""
_BOM = "\ufeff"
_EMPTY = (
    f'<?xpacket begin="{_BOM}" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n</rdf:RDF>\n</x:xmpmeta>\n'
    '<?xpacket end="w"?>'
)


def upright_xmp(image: Image.Image) -> bytes | None:
    """The photo's packet as that of an upright picture; None where there is none, or none that can be read."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    if isinstance(packet, str):
        packet = packet.encode()
    if not isinstance(packet, bytes) or _root(packet) is None:
        return None
    text = packet.decode("utf-8").rstrip("\0")
    text = re.sub(r"(tiff:Orientation\s*(?:=\s*[\"']|>))\s*\d+", r"\g<1>1", text)
    text = _without("|".join(UNTRUE_ELEMENTS), text)
    for name in UNTRUE_ATTRIBUTES:
        text = re.sub(rf"\s{name}\s*=\s*(?:\"[^\"]*\"|'[^']*')", "", text)
    return text.encode() if _root(text.encode()) is not None else None


def result_xmp(packet: bytes | None, size: tuple[int, int], properties: dict[str, str]) -> bytes | None:
    """The packet made true of a result of `size` (width, height), with `properties` in place of older ones of ours."""
    if packet is None and not properties:
        return None
    text = (packet or _EMPTY.encode()).decode("utf-8")
    for axis, value in zip("XY", size, strict=True):
        text = re.sub(rf"(exif:Pixel{axis}Dimension\s*(?:=\s*[\"']|>))\s*\d+", rf"\g<1>{value}", text)
    text = _as_large_a_panorama(text, size)
    text = _without(r"framestyle:\w+", text)
    text = re.sub(r"\sframestyle:\w+\s*=\s*(?:\"[^\"]*\"|'[^']*')", "", text)
    before, end, after = text.rpartition("</rdf:RDF>")
    if end and properties:
        text = before + _description(properties) + end + after
    elif properties:
        return result_xmp(
            None, size, properties
        )  # a packet with other prefixes than everyone's: not to be edited
    return text.encode()


def _as_large_a_panorama(text: str, size: tuple[int, int]) -> str:
    """Which part of what is all around a picture shows is told in its pixels: as of a picture of that size."""
    before = [_panorama_pixels(f"CroppedAreaImage{axis}Pixels", text) for axis in ("Width", "Height")]
    for names, was, now in zip(PANORAMA_PIXELS, before, size, strict=True):
        if was and was != now:
            text = _scaled(rf"(GPano:(?:{names})\s*(?:=\s*[\"']|>))\s*(\d{{1,9}})", now / was, text)
    return text


def _scaled(pattern: str, ratio: float, text: str) -> str:
    return re.sub(pattern, lambda found: f"{found[1]}{round(int(found[2]) * ratio)}", text)


def _panorama_pixels(name: str, text: str) -> int:
    found = re.search(rf"GPano:{name}\s*(?:=\s*[\"']|>)\s*(\d{{1,9}})", text)
    return int(found[1]) if found else 0


def _without(names: str, text: str) -> str:
    """Without elements of such names (a pattern), and the space before them.

    In one way through the text, whatever it holds: a stranger's packet may have megabytes of spaces, or of beginnings
    of elements (in a comment, say), and to look from each for an end would take days.
    """
    begun: dict[str, int] = {}
    """Where the first beginning of each name is that has no end yet, in order."""
    cuts: list[tuple[int, int]] = []
    for tag in re.finditer(rf"(?<!\s)\s*<(/?)({names})(?=[\s/>])[^<>]*?(/?)>", text):
        closes, name, is_empty = tag.groups()
        if not closes and not is_empty:
            begun.setdefault(name, tag.start())
        elif is_empty or name in begun:
            start = begun.get(name, tag.start()) if closes else tag.start()
            while begun and next(reversed(begun.values())) >= start:
                begun.popitem()
            while cuts and cuts[-1][0] >= start:
                cuts.pop()
            cuts.append((start, tag.end()))
    edges = [0, *(edge for cut in cuts for edge in cut), len(text)]
    return "".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))


def _description(properties: dict[str, str]) -> str:
    lines = "".join(
        f"<framestyle:{key}>{escape(_fit(text))}</framestyle:{key}>\n" for key, text in properties.items()
    )
    return f'<rdf:Description rdf:about="" xmlns:framestyle="{NAMESPACE}">\n{lines}</rdf:Description>\n'


def _fit(text: str) -> str:
    """Without what XML cannot hold."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


def fitting_packet(packet: bytes | None, most_bytes: int | None) -> bytes | None:
    """The packet where it is small enough, without its padding where that helps, else None."""
    if packet is None or most_bytes is None or len(packet) <= most_bytes:
        return packet
    packet = re.sub(rb"(?<!\s)\s+(<\?xpacket end)", rb"\n\1", packet)
    return packet if len(packet) <= most_bytes else None


def own_property(packet: bytes | str | None, key: str) -> str | None:
    """A property of ours, whichever way other programs have written it down again."""
    root = _root(packet.encode() if isinstance(packet, str) else packet or b"")
    if root is None:
        return None
    name = f"{{{NAMESPACE}}}{key}"
    for element in root.iter():
        if element.tag == name:
            return "".join(element.itertext())
        if name in element.attrib:
            return element.attrib[name]
    return None


def properties_of(packet: bytes | None) -> set[tuple[str, str]]:
    """A packet's properties, each with its text: but for ours, and for what a result makes true of itself."""
    root = _root(packet or b"")
    found = set()
    for element in [] if root is None else root.iter():
        found |= {(_short(name), value.strip()) for name, value in element.attrib.items()}
        found.add((_short(element.tag), (element.text or "").strip()))
    return {one for one in found if one[1] and not one[0].startswith((f"{{{NAMESPACE}", *MADE_TRUE))}


MADE_TRUE = (
    *("Orientation", "PixelXDimension", "PixelYDimension", "xmptk", "about"),
    *("FullPano", "CroppedArea", "LargestValidInteriorRect"),
)


def _short(name: str) -> str:
    """`{namespace}name` without its namespace, but for ours."""
    return name if name.startswith(f"{{{NAMESPACE}") else name.rpartition("}")[2]


def _root(packet: bytes) -> ElementTree.Element | None:
    """Parsed; None where it is no XML, too large, or defines entities, which XMP never does."""
    if (
        not packet
        or len(packet) > LARGEST_BYTES
        or b"<!" in packet.replace(b"<!--", b"").replace(b"<![CDATA[", b"")
    ):
        return None
    try:
        return ElementTree.fromstring(packet.decode("utf-8").rstrip("\0 \n\r\t").lstrip(_BOM))
    except (ElementTree.ParseError, UnicodeDecodeError, ValueError):
        return None
