"""Whether an encoder works on this machine: one small frame, or a little sound, is tried."""

from __future__ import annotations

from functools import lru_cache
from subprocess import TimeoutExpired

from framestyle.media.ffmpeg import ask, last_messages, lists_a_packet

PROBE_SIDE_PX = 256


@lru_cache(maxsize=32)
def refusal(arguments: tuple[str, ...], pixel_format: str) -> str | None:
    """Why one small frame cannot be encoded so; None where it can. Being listed is not being usable."""
    picture = f"color=black:size={PROBE_SIDE_PX}x{PROBE_SIDE_PX}:rate=25,format={pixel_format}"
    source = ["-v", "error", "-f", "lavfi", "-i", picture, "-frames:v", "1"]
    return _said_no([*source, *arguments])


SOUND_ENCODERS = ("aac", "libopus")
"""That sound is converted with where a container does not take it as it is."""


def sound_refusal(encoder: str) -> str | None:
    """The same for a tenth of a second of sound."""
    source = ["-v", "error", "-f", "lavfi", "-i", "sine=duration=0.1:sample_rate=48000"]
    return _said_no([*source, "-c:a", encoder])


def _said_no(arguments: list[str]) -> str | None:
    try:
        listed, said = ask([*arguments, "-f", "framecrc", "-"])
    except TimeoutExpired:
        return "it does not answer"
    if lists_a_packet(listed):
        return None
    return next(iter(last_messages(said.splitlines())), "it gave no frame")
