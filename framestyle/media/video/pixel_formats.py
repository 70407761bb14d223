"""What the names of ffmpeg's pixel formats say."""

from __future__ import annotations

import re


def bit_depth(pixel_format: str) -> int:
    """Bits a channel of ffmpeg's pixel format: yuv420p10le -> 10, p010le -> 10, rgb48le -> 16; else 8."""
    found = re.fullmatch(r"(.*?)([0-9]+)(?:le|be)", pixel_format)
    if found is None:
        return 8
    name, digits = found[1], int(found[2][-2:])
    if name in ("rgb", "bgr") and digits in (44, 55, 65):
        return 8
    by_pixel = {("rgb", 48): 16, ("bgr", 48): 16, ("rgba", 64): 16, ("bgra", 64): 16, ("ayuv", 64): 16}
    by_pixel |= {("xv", 30): 10, ("xv", 36): 12, ("xv", 48): 16, ("nv", 20): 10}
    return by_pixel.get((name, digits), digits if 8 <= digits <= 32 else 8)


def has_alpha(pixel_format: str) -> bool:
    """By ffmpeg's name of the pixel format."""
    return re.match(r"yuva|gbrap|ya[0-9]|rgba|bgra|argb|abgr|ayuv|vuya", pixel_format) is not None
