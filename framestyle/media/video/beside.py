"""What ffmpeg says that comes with a clip's pictures: how they are to be looked at, and what lies in their stream.

Pictures all around (360°) and pictures for two eyes look like others; only what is said of them tells a player.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

ALL_AROUND = "equirectangular"
STEREO: Mapping[tuple[str, bool], int] = {
    ("side by side", False): 1,
    ("top and bottom", True): 2,
    ("top and bottom", False): 3,
    ("side by side", True): 11,
}
"""ffmpeg's name of how two eyes' pictures lie in one, and whether the right one comes first -> Matroska's number."""
EYES = {1: "side by side", 2: "one above the other", 3: "one above the other", 11: "side by side"}


@dataclass(frozen=True)
class Viewing:
    """`stereo`: Matroska's number of how the pictures of two eyes lie in one, 0: there is one. `pose`: of pictures all
    around, by how many degrees they are turned (yaw, pitch, roll); None: they are flat. `other`: what else is said,
    which no result says."""

    stereo: int = 0
    pose: tuple[float, float, float] | None = None
    other: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Flat, and for both eyes alike."""
        return self.stereo == 0 and self.pose is None

    def __str__(self) -> str:
        around = ["all around (360°)"] if self.pose is not None else []
        eyes = [f"for two eyes, {EYES[self.stereo]}"] if self.stereo else []
        return " and ".join([*around, *eyes]) or "flat"


PLAIN = Viewing()
VIEWING_MUXERS = {"mp4", "matroska", "webm"}
"""Containers in which ffmpeg says how pictures are to be looked at, as players read it."""


def lost_viewing(viewing: Viewing, muxer: str) -> str | None:
    """What a container does not say, in a sentence; None: it says all."""
    if viewing.is_plain or muxer in VIEWING_MUXERS:
        return None
    return f"This container does not say that the pictures are {viewing}: MP4, MKV and WebM do"


_SAID = r"^(?: {6,8}|\[Parsed_showinfo_0 @ 0x[0-9a-f]+\]   side data - )"
"""Below a stream, or of a picture."""
_SPHERE = re.compile(_SAID + r"spherical(?: mapping| information)?: ([a-z -]{1,40})(.{0,200})", re.I | re.M)
_EYES = re.compile(_SAID + r"stereo ?3d: (?:type - )?([\w ]{1,40})(.{0,200})", re.I | re.M)
_POSE = re.compile(r"\(?(-?[0-9.]{1,20})/(-?[0-9.]{1,20})/(-?[0-9.]{1,20})")
_NONE = {"2d", "monoscopic", "unspecified"}


def viewing_in(said: str) -> Viewing:
    """How pictures are to be looked at: what the container says, else what the codec does."""
    found = PLAIN
    if sphere := _SPHERE.search(said):
        kind, rest = sphere[1].strip(), sphere[2]
        if kind == ALL_AROUND:
            turned = _POSE.search(rest)
            yaw, pitch, roll = (float(one) for one in turned.groups()) if turned else (0.0, 0.0, 0.0)
            found = Viewing(pose=(yaw, pitch, roll))
        elif kind != "rectilinear":
            found = Viewing(other=(f"a projection ({kind})",))
    if eyes := _EYES.search(said):
        kind = eyes[1].strip()
        number = STEREO.get((kind, "inverted" in eyes[2]), 0)
        if not number and kind.lower() not in _NONE:
            found = replace(found, other=(*found.other, f"pictures for two eyes ({kind})"))
        found = replace(found, stereo=number)
    return found


_IN_PICTURES: Mapping[str, re.Pattern[str]] = {
    "Dolby Vision's metadata": re.compile(_SAID + r"(?:DOVI configuration record|Dolby Vision)", re.M),
    "HDR10+ metadata": re.compile(_SAID + r"HDR Dynamic Metadata SMPTE2094-40", re.M),
    "HDR Vivid metadata": re.compile(_SAID + r"HDR Dynamic Metadata CUVA", re.M),
    "captions within the pictures' stream (CEA-608 or 708)": re.compile(
        _SAID + r"ATSC A53|^  Stream #0:[^\n]{1,400}, Closed Captions\b", re.M
    ),
}


def beside_in(said: str, viewing: Viewing) -> tuple[str, ...]:
    """What lies in the pictures' own stream and is of the source's pictures alone, in words."""
    return (*(words for words, pattern in _IN_PICTURES.items() if pattern.search(said)), *viewing.other)
