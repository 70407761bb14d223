"""One stream of a file, as ffmpeg's line about it says."""

from __future__ import annotations

import re
from dataclasses import dataclass

DISPOSITIONS = {
    *(
        "default",
        "forced",
        "original",
        "dub",
        "comment",
        "lyrics",
        "karaoke",
        "hearing_impaired",
        "visual_impaired",
    ),
    *("clean_effects", "captions", "descriptions"),
}
"""What players are told of a stream, by the names of ffmpeg's options."""


@dataclass(frozen=True)
class Stream:
    """One stream of a file: `kind` is video, audio, subtitle, attachment or data; `index` counts all of the file's.

    `name` is what MP4 calls it: ffmpeg reads it as `name`, and writes what it is told as `title`, which is what
    Matroska calls it. `dispositions` are what players are told of it, as ffmpeg's options are called: default, forced,
    hearing_impaired, and so on. `tag`: the four letters by which the container names its form; of sound, `layout` is
    ffmpeg's name of its channels, `rate_hz` its samples a second.
    """

    index: int
    kind: str
    codec: str
    is_cover: bool = False
    name: str | None = None
    language: str | None = None
    title: str | None = None
    dispositions: frozenset[str] = frozenset()
    tag: str | None = None
    layout: str | None = None
    rate_hz: int | None = None


# Two spaces and no more: metadata, which anybody can write, is indented further. Streams in a group have four, where
# metadata has six.
STREAM = re.compile(
    r"Stream #0:([0-9]{1,6})(?:\[\w+\])?(?:\(([^)]*)\))?: (Video|Audio|Subtitle|Attachment|Data): ([^\s,]*)(.*)"
)
"""ffmpeg's line about a stream, without its indent."""
_TAG = re.compile(r"(?: \([^()/]{1,60}\)){0,2} \((\S{4}) / 0x[0-9A-Fa-f]{1,8}\)")
_SOUND = re.compile(r", ([0-9]{1,7}) Hz, ([^,]{1,60})")


def stream_of(found: re.Match[str]) -> Stream:
    """Of what STREAM has matched."""
    head, kind = found[5], found[3].lower()
    tag, sound = _TAG.match(head), _SOUND.search(head) if kind == "audio" else None
    return Stream(
        int(found[1]),
        kind,
        found[4],
        "(attached pic)" in head,
        language=found[2],
        dispositions=_dispositions(head),
        tag=tag[1] if tag else None,
        layout=sound[2] if sound else None,
        rate_hz=int(sound[1]) if sound else None,
    )


def _dispositions(head: str) -> frozenset[str]:
    """From the end of a stream's line: `(default) (hearing impaired)`."""
    last = re.search(r"(?: \([a-z -]{1,30}\))*$", head)
    named = re.findall(r"\(([a-z -]+)\)", last[0]) if last else []
    return frozenset(re.sub("[ -]", "_", name) for name in named) & DISPOSITIONS
