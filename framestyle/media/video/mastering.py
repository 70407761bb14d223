"""What ffmpeg says of the display that HDR was graded on, and of its light."""

from __future__ import annotations

import re
from collections.abc import Sequence

from framestyle.media.video.matroska import Mastering

_DISPLAY = re.compile(r"Mastering display(?: metadata)?: (.{1,300})", re.IGNORECASE)
_LIGHT = re.compile(
    r"Content light level (?:metadata|information): MaxCLL=([0-9]{1,9}), MaxFALL=([0-9]{1,9})", re.IGNORECASE
)
_DECIMAL = r"([0-9]{1,9}\.[0-9]{1,9})"


def mastering_in(lines: Sequence[str]) -> Mastering | None:
    """What side data says of the master; the first of each kind counts."""
    display = next((found[1] for line in lines if (found := _DISPLAY.search(line))), "")
    light = next((found for line in lines if (found := _LIGHT.search(line))), None)
    places = re.findall(rf"\({_DECIMAL},? {_DECIMAL}\)|\({_DECIMAL},{_DECIMAL}\)", display)
    chromaticities = tuple(float(value) for place in places for value in place if value)
    least, most = (re.search(rf"{name}_luminance={_DECIMAL}", display) for name in ("min", "max"))
    said = Mastering(
        chromaticities if len(chromaticities) == 8 else None,
        float(least[1]) if least else None,
        float(most[1]) if most else None,
        int(light[1]) if light else None,
        int(light[2]) if light else None,
    )
    return None if said == Mastering() else said
