"""The colours of words in a terminal: each is read on black and on white, whatever the terminal's theme is.

The sixteen of a theme are not: yellow and cyan of most are lost on white, blue on black. These are of the 256 whose
values are fixed; where a terminal has but sixteen, rich takes the nearest.
"""

from __future__ import annotations

GOOD = "color(28)"
DOUBTFUL = "color(130)"
BAD = "color(161)"
AT_WORK = "color(30)"
LEFT = "color(243)"
"""Of a bar: what is not done yet."""
QUIET = "dim"
"""In the terminal's own colour of words, and fainter."""
