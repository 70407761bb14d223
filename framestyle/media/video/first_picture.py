"""A clip's first picture as ffmpeg shows it: what only decoding tells. Parsed from what its `showinfo` filter says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from framestyle.media.video.description import Description, exact_rate

WHOLE_DEGREES = 1.0
"""Nearer than this to a quarter turn, ffmpeg makes it one."""


@dataclass(frozen=True)
class FirstPicture:
    """Sizes are as players show them: cropped as the codec and the container say, and upright.

    `is_transformed`: whether the file has players turn or mirror its pictures, be it by 0 degrees; `turn_degrees`: how
    far, clockwise, 0 to 359.
    """

    width: int
    height: int
    sample_aspect_ratio: Fraction
    frame_rate: Fraction
    is_interlaced: bool
    is_transformed: bool
    turn_degrees: int

    @property
    def lies_down(self) -> bool:
        """Whether it is shown turned by a quarter, the other way to how it is stored."""
        return min(abs(self.turn_degrees - 90), abs(self.turn_degrees - 270)) <= WHOLE_DEGREES


ARGUMENTS = ("-frames:v", "1", "-vf", "showinfo", "-f", "null", "-")
"""For ffmpeg, after the input and the choice of a stream; the input is to be read with `-noautorotate`."""
_BY_IT = r"^\[Parsed_showinfo_0 @ 0x[0-9a-f]+\] "
"""Nobody else's words begin so: metadata, which anybody can write, is indented."""
_CONFIG = re.compile(
    _BY_IT + r"config in time_base: [0-9]+/[0-9]+, frame_rate: ([0-9]{1,12})/([0-9]{1,12})", re.M
)
_PICTURE = re.compile(
    _BY_IT + r"n: *0 pts:.{0,200}? sar:([0-9]{1,9})/([0-9]{1,9}) s:([0-9]{1,6})x([0-9]{1,6}) i:(.)", re.M
)
_MATRIX = re.compile(
    _BY_IT + r"  side data - [\w ]{0,20}?display ?matrix: rotation of (-?[0-9]{1,4}(?:\.[0-9]+)?)", re.M
)
_NEXT = re.compile(_BY_IT + r"n: *1 pts:", re.M)


def parse_first_picture(said: str, described: Description) -> FirstPicture | None:
    """None where no picture was decoded; never raises. `described`: what ffmpeg `said` of the file before that."""
    said = _NEXT.split(said, 1)[0]
    config, picture = _CONFIG.search(said), _PICTURE.search(said)
    if picture is None:
        return None
    across, down, width, height = (int(number) for number in picture.groups()[:4])
    matrix = _MATRIX.search(said)
    # The codec may say it, in each picture; the container says it before.
    turned = -round(float(matrix[1])) % 360 if matrix else described.rotation_degrees
    aspect = Fraction(across, down) if across and down else Fraction(1)
    if min(abs(turned - 90), abs(turned - 270)) <= WHOLE_DEGREES:
        width, height, aspect = height, width, 1 / aspect
    rate = float(Fraction(int(config[1]), int(config[2]) or 1)) if config else 0.0
    return FirstPicture(
        width,
        height,
        aspect,
        exact_rate(rate),
        is_interlaced=picture[5] in "TB",
        is_transformed=matrix is not None or described.is_transformed,
        turn_degrees=turned,
    )
