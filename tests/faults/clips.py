"""Small clips of ffmpeg's own test pictures."""

from __future__ import annotations

from pathlib import Path

from media_facts import encode


def make_clip(path: Path, *options: str, frames: int = 8, size: str = "32x24", sound: bool = False) -> Path:
    """25 frames a second. `options`: ffmpeg's, for the output."""
    picture = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25,trim=end_frame={frames}")
    tone = ("-f", "lavfi", "-i", f"sine=frequency=440:duration={frames / 25}") if sound else ()
    encode(*picture, *tone, *options, f"file:{path}")
    return path
