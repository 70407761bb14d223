"""What `draft`, `good` and `best` set, in one word each: how much work a picture or a clip is worth. Loads nothing.

`good` is the preset's own picture, and of a clip its key frames; `draft` is for a look at what it will be; `best` is
for who has the time. This is in place of what the preset says, and any other setting in place of this; a preset's own
`quality` says what a word means for it beside that.
"""

from __future__ import annotations

from collections.abc import Mapping

QUALITIES: Mapping[str, Mapping[str, str | int]] = {
    "draft": {
        "scales.max_side_px": 512,
        "scales.first_steps": 60,
        "scales.between_steps": 15,
        "scales.steps": 30,
        "video.method": "key_frames",
        "video.passes": 1,
        "video.key_frame_gap": 24,
        "video.polish_steps": 2,
    },
    "good": {"video.method": "key_frames", "video.passes": 1},
    "best": {
        "scales.steps": 160,
        "video.method": "optimized",
        "video.steps": 20,
    },
}
