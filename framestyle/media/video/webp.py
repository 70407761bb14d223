"""Animated WebP, as far as ffmpeg leaves it undone. Format: https://developers.google.com/speed/webp/docs/riff_container."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

DURATION_AT, DURATION_BYTES = 12, 3
"""In a frame's chunk: milliseconds, the lowest byte first."""
MOST_MS = (1 << 8 * DURATION_BYTES) - 1


def set_end(path: Path, end_s: Fraction) -> None:
    """Has the last frame shown until then; the encoder shows it as long as others on average. A picture stays one."""
    with path.open("r+b") as file:
        size, at = file.seek(0, 2), 12
        before_ms = last_ms = last = 0
        while at + 8 <= size:
            file.seek(at)
            head = file.read(8)
            length = int.from_bytes(head[4:], "little")
            if head[:4] == b"ANMF":
                before_ms += last_ms
                last = at + 8 + DURATION_AT
                file.seek(last)
                last_ms = int.from_bytes(file.read(DURATION_BYTES), "little")
            at += 8 + length + length % 2
        if last:
            left_ms = min(MOST_MS, max(1, round(end_s * 1000) - before_ms))
            file.seek(last)
            file.write(left_ms.to_bytes(DURATION_BYTES, "little"))
