"""Pixels confined to a selection, by their alpha. No Qt, no Krita, and no numpy, which Krita's Python may not have."""

from __future__ import annotations

ALL = 255
"""Of a selection's byte: wholly selected."""


def confine(pixels: bytes, selection: bytes, depth_bytes: int) -> bytes:
    """Four channels of 1 or 2 bytes, alpha last, the lower byte first; alpha times what is selected of each pixel."""
    confined, stride = bytearray(pixels), 4 * depth_bytes
    planes = [slice(at, None, stride) for at in range(3 * depth_bytes, stride)]
    alphas = [pixels[plane] for plane in planes]
    if all(one.count(ALL) == len(selection) for one in alphas):
        new = [selection] * depth_bytes  # of 16 bits both bytes: 255 is 65535
    elif set(selection) <= {0, ALL}:
        new = [_both(one, selection) for one in alphas]
    else:
        new = _products(alphas, selection)
    for plane, one in zip(planes, new):  # noqa: B905 - Krita may bring Python 3.8
        confined[plane] = one
    return bytes(confined)


def _both(alpha: bytes, selection: bytes) -> bytes:
    """As one large number each: millions of pixels at once."""
    together = int.from_bytes(alpha, "little") & int.from_bytes(selection, "little")
    return together.to_bytes(len(alpha), "little")


def _products(alphas: list[bytes], selection: bytes) -> list[bytes]:
    """Rounded; of 16 bits by both bytes."""
    if len(alphas) == 1:
        return [bytes((a * s + ALL // 2) // ALL for a, s in zip(alphas[0], selection))]  # noqa: B905
    whole = [((low + 256 * high) * s + ALL // 2) // ALL for low, high, s in zip(*alphas, selection)]  # noqa: B905
    return [bytes(one & 255 for one in whole), bytes(one >> 8 for one in whole)]
