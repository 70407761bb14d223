"""ICC profiles that are a matrix and curves, and grey ones that are a curve, as numpy at full precision.

Nearly every photo's profile is one: sRGB, Display P3, Adobe RGB, ProPhoto, cameras, most monitors. Pillow's
LittleCMS gives 8 bits; here are 16 (ICC.1:2022, 8.3, 10.6, 10.18, 10.30).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

SRGB_COLORANTS = np.array(
    [[0.436066, 0.385147, 0.143066], [0.222488, 0.716873, 0.060608], [0.013916, 0.097076, 0.714096]]
)
"""XYZ (D50) of sRGB's red, green, blue: as in every sRGB profile."""
D50 = np.array((0.9642, 1.0, 0.8249))
BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""To the cones' responses, in which one white is adapted to another (ICC.1:2022, annex E)."""
CURVE_POINTS = 4096
MOST_TAGS = 1000
CODES = np.arange(65536) / 65535.0
SRGB_LIGHT = np.where(CODES <= 0.04045, CODES / 12.92, ((CODES + 0.055) / 1.055) ** 2.4)
"""The light of each 16-bit code of sRGB."""
PARAMETERS = (1, 3, 4, 5, 7)
"""How many numbers each kind of parametric curve has."""
NEAR_SRGB_MATRIX, NEAR_SRGB_CURVE = 0.004, 1 / 512
ROWS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class MatrixProfile:
    """`curves`: the light (0 to 1) of each 16-bit code, a channel. `to_srgb`: linear light -> linear sRGB."""

    curves: tuple[Doubles, ...]
    to_srgb: Doubles
    is_grey: bool = False

    @property
    def is_srgb(self) -> bool:
        """As near as makes no difference."""
        if self.is_grey or np.abs(self.to_srgb - np.eye(3)).max() > NEAR_SRGB_MATRIX:
            return False
        return all(np.abs(srgb_code(curve) - CODES).max() < NEAR_SRGB_CURVE for curve in self.curves)

    def decode(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.uint16]:
        """HWC codes, uint8 or uint16 -> HWC sRGB codes; what lies beyond sRGB is clipped, a channel at a time."""
        scale = 257 if pixels.dtype == np.uint8 else 1
        tables = [curve[::scale].astype(np.float32) for curve in self.curves]
        matrix = self.to_srgb.T.astype(np.float32)
        codes = np.empty(pixels.shape, np.uint16)
        for rows in _bands(len(pixels)):
            light = np.stack([table[pixels[rows, :, c]] for c, table in enumerate(tables)], axis=-1)
            codes[rows] = np.rint(srgb_code((light @ matrix).clip(0, 1)) * 65535)
        return codes

    def encode(self, codes: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint16]:
        """The inverse: HWC sRGB codes -> the profile's, nearest; clipped where the profile ends."""
        matrix = np.linalg.inv(self.to_srgb).T
        own = np.empty(codes.shape, np.uint16)
        for rows in _bands(len(codes)):
            light = SRGB_LIGHT[codes[rows]] @ matrix
            for c, curve in enumerate(self.curves):
                own[rows, :, c] = np.rint(np.interp(light[..., c], curve, CODES) * 65535)
        return own


def _bands(height: int) -> list[slice]:
    return [slice(top, top + ROWS_AT_ONCE) for top in range(0, height, ROWS_AT_ONCE)]


def srgb_code(light: Any) -> Any:
    """Linear light, 0 to 1 -> sRGB's code (IEC 61966-2-1)."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def read_profile(profile: bytes) -> MatrixProfile | None:
    """None where it is another kind of profile, or broken."""
    try:
        return _read(profile)
    except (ValueError, struct.error, IndexError, np.linalg.LinAlgError):
        return None


def _read(profile: bytes) -> MatrixProfile | None:
    space, connection = profile[16:20], profile[20:24]
    tags = _tags(profile)
    if profile[36:40] != b"acsp" or any(name.startswith(b"A2B") for name in tags):
        return None  # tables come first where there are any
    if space == b"GRAY" and b"kTRC" in tags and connection in (b"XYZ ", b"Lab "):
        return None if connection == b"Lab " else _grey(_curve(tags[b"kTRC"]))
    if space != b"RGB " or connection != b"XYZ ":
        return None
    colorants = np.array([_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ") if name in tags]).T
    curves = tuple(_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC") if name in tags)
    if colorants.shape != (3, 3) or len(curves) != 3:
        return None
    return profile_of(colorants, curves)


def profile_of(colorants: Doubles, curves: tuple[Doubles, ...]) -> MatrixProfile:
    """`colorants`: 3x3, XYZ (D50) of red, green, blue in columns. LinAlgError where they span no colours."""
    matrix = np.linalg.inv(SRGB_COLORANTS) @ colorants
    white = matrix.sum(1)
    if np.abs(white - 1).max() < 0.01:
        matrix = matrix / white[:, None]  # rounding in the profile: white is white
    np.linalg.inv(matrix)
    return MatrixProfile(curves, matrix)


def colorants_of(chromaticities: Sequence[float]) -> Doubles:
    """x and y of red, green, blue and white -> 3x3 colorants, adapted to D50 by Bradford's method."""
    xyz = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in np.reshape(chromaticities, (4, 2))]).T
    columns, white = xyz[:, :3], xyz[:, 3]
    adapt = np.linalg.inv(BRADFORD) @ np.diag((BRADFORD @ D50) / (BRADFORD @ white)) @ BRADFORD
    found: Doubles = adapt @ (columns * np.linalg.solve(columns, white))
    return found


def profile_bytes(colorants: Doubles, curve: Doubles) -> bytes:
    """An ICC profile (version 2) of these colorants and of a curve, the light of each 16-bit code."""
    name = b"FrameStyle: from the source's own tags"
    described = b"desc" + bytes(4) + struct.pack(">L", len(name) + 1) + name + bytes(1 + 78)
    fixed = [tuple(round(value * 65536) for value in column) for column in (*colorants.T, D50)]
    xyz = [b"XYZ " + bytes(4) + struct.pack(">3l", *column) for column in fixed]
    table = np.rint(np.interp(np.linspace(0, 1, CURVE_POINTS), CODES, curve) * 65535).astype(int)
    points = b"curv" + bytes(4) + struct.pack(f">L{len(table)}H", len(table), *table)
    tags = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), xyz, strict=True))
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), points)
    tags |= {b"desc": described, b"cprt": b"text" + bytes(4) + b"CC0\0"}
    place, entries, body = 128 + 4 + 12 * len(tags), b"", b""
    places: dict[bytes, int] = {}
    for tag, value in tags.items():
        if value not in places:
            places[value] = place + len(body)
            body += value + bytes(-len(value) % 4)
        entries += struct.pack(">4sLL", tag, places[value], len(value))
    head = struct.pack(">L4sL4s4s4s", place + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">3l", *fixed[3])
    return head.ljust(128, b"\0") + struct.pack(">L", len(tags)) + entries + body


def _grey(curve: Doubles) -> MatrixProfile:
    return MatrixProfile((curve,) * 3, np.eye(3), is_grey=True)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">L", profile, 128)
    found = {}
    for index in range(min(count, MOST_TAGS)):
        name, offset, size = struct.unpack_from(">4sLL", profile, 132 + 12 * index)
        found[name] = profile[offset : offset + size]
    return found


def _xyz(tag: bytes) -> list[float]:
    if tag[:4] != b"XYZ ":
        raise ValueError("no XYZ")
    return [number / 65536 for number in struct.unpack_from(">3l", tag, 8)]


def _curve(tag: bytes) -> Doubles:
    """The light of each 16-bit code; ValueError where it does not rise, for then it has no inverse."""
    if tag[:4] == b"curv":
        curve = _table(tag)
    elif tag[:4] == b"para":
        curve = _parametric(tag)
    else:
        raise ValueError("an unknown curve")
    if not np.isfinite(curve).all() or (np.diff(curve) < 0).any() or curve[-1] - curve[0] < 0.5:
        raise ValueError("a curve that does not rise")
    return np.clip(curve, 0, 1)


def _table(tag: bytes) -> Doubles:
    (count,) = struct.unpack_from(">L", tag, 8)
    if count == 0:
        return CODES.copy()
    if count == 1:
        gamma: Doubles = CODES ** (struct.unpack_from(">H", tag, 12)[0] / 256)
        return gamma
    if count > 65536:
        raise ValueError("too long a curve")
    values = np.array(struct.unpack_from(f">{count}H", tag, 12)) / 65535
    return np.interp(CODES, np.linspace(0, 1, count), values)


def _parametric(tag: bytes) -> Doubles:
    """(a·x + b)^g + e from d on, c·x + f below it (ICC.1:2022, table 68)."""
    (kind,) = struct.unpack_from(">H", tag, 8)
    numbers = [number / 65536 for number in struct.unpack_from(f">{PARAMETERS[kind]}l", tag, 12)]
    g, a, b, c, d, e, f = numbers + [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0][len(numbers) :]
    if kind in (1, 2):
        # Constant below where the power begins; kind 2 gives the constant in the place of c.
        constant, c, d = c, 0.0, -b / a if a else 0.0
        e = f = constant
    power: Doubles = np.maximum(a * CODES + b, 0) ** g + e
    return np.where(d <= CODES, power, c * CODES + f)
