"""A clip decoded whole, once: when each packet and frame of every stream is shown, and what ffmpeg complains of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from framestyle.media.ffmpeg import FFmpegDecoder, ask, input_arguments, input_time_base
from framestyle.media.video.choices import TEXT_SUBTITLES
from framestyle.media.video.description import Stream
from framestyle.media.video.probe import VideoInfo, alpha_decoder

STRICT = ("-err_detect", "crccheck+explode")
"""What a decoder would otherwise paint over is an error. Not `careful` and above, which take habits for faults."""
UNKNOWN_CODECS = {"none", "unknown", ""}
MOST_COMPLAINTS = 200
PROGRESS_ROWS = 500
CORRUPT = "corrupt decoded frame"
UNFLAGGED = {"gif", "ffv1"}
"""Codecs whose decoders complain, and give the frame as if it were whole."""
TELLING_WARNINGS = re.compile(
    r"corrupt decoded frame|[Pp]acket corrupt|Skipping chunk|[Tt]runcat|partial file|"
    r"Changing (?:video|audio) frame properties"
)
"""Of ffmpeg's warnings, which tell of habits too, these tell of damage."""
CONSEQUENCES = re.compile(
    r"Task finished|Terminating thread|Decode error rate|Error (?:writing trailer|closing file|muxing)|"
    r"Error opening (?:input|output)|Nothing was written"
)
"""Errors that say no more than that there were others."""
_MESSAGE = re.compile(r"((?:\[[^\]]{1,80} @ 0x[0-9a-f]+\] )*)\[(warning|error|fatal|panic)\] (.{1,500})")
_NAMED = re.compile(r"\bstream (?:#0:)?([0-9]{1,6})(?:$|:)")
"""Up to ffmpeg 5, the message itself has the stream."""
_ROW = re.compile(
    r"([0-9]{1,4}), *(-?[0-9]{1,19}), *(-?[0-9]{1,19}), *(-?[0-9]{1,19}), *([0-9]{1,12}), 0x([0-9a-f]{8})"
)
_BASE = re.compile(r"#tb ([0-9]{1,4}): ([0-9]{1,12})/([0-9]{1,12})")
_EXTRA = re.compile(r"#extradata ([0-9]{1,4}): *([0-9]{1,12}), 0x([0-9a-f]{8})")
_GIVEN = re.compile(r"decoder -> pts:\S+ pts_time:(-?[0-9.]+)")


@dataclass(frozen=True)
class Shown:
    """A packet or a frame: when it is shown, for how long (0: not said), and its bytes by count and checksum."""

    at_s: Fraction
    length_s: Fraction
    size_bytes: int
    checksum: str

    @property
    def end_s(self) -> Fraction:
        return self.at_s + self.length_s

    @property
    def content(self) -> tuple[int, str]:
        """The same for the same bytes."""
        return self.size_bytes, self.checksum


@dataclass
class Track:
    """One stream. `packets` as they lie in the file; `frames` as they are decoded, in order, where it can be decoded.

    `tick_s` is what its packets count time in; `head` stands for what lies beside them: a font, a decoder's settings.
    """

    stream: Stream
    packets: list[Shown] = field(default_factory=list)
    frames: list[Shown] = field(default_factory=list)
    tick_s: Fraction = Fraction(0)
    head: tuple[int, str] | None = None
    is_decoded: bool = False

    @property
    def end_s(self) -> Fraction | None:
        """When it is over; None where there is nothing in it."""
        return max((one.end_s for one in self.packets), default=None)


@dataclass(frozen=True)
class Complaint:
    """What ffmpeg said, and of which stream, where that is known."""

    text: str
    stream: int | None
    is_error: bool


@dataclass
class Listing:
    """All tracks, by the stream's index, and each complaint with how often it came."""

    info: VideoInfo
    tracks: dict[int, Track]
    complaints: dict[Complaint, int] = field(default_factory=dict)

    @property
    def pictures(self) -> Track:
        return self.tracks[self.info.video_index]

    def of_kind(self, kind: str) -> list[Track]:
        """In the file's order; covers are no video."""
        return [one for one in self.tracks.values() if one.stream.kind == kind and not one.stream.is_cover]

    @property
    def covers(self) -> list[Track]:
        return [one for one in self.tracks.values() if one.stream.is_cover]


def list_clip(
    info: VideoInfo, *, strict: bool = True, on_progress: Callable[[float], None] | None = None
) -> Listing:
    """Decodes all of it, in one run of ffmpeg. `strict`: slight damage is complained of too, and not shown.

    No pixels leave ffmpeg: a picture costs its decoding. `on_progress` gets what part of the duration is done.
    """
    listing = Listing(info, {one.index: Track(one) for one in info.streams if one.kind != "data"})
    columns, outputs = _columns(listing)
    complaints = _Complaints(listing)
    process = FFmpegDecoder(
        ["-v", "repeat+level+warning", *_inputs(info, strict=strict), *outputs], complaints
    )
    duration_s, rows_taken = float(info.duration_s or 0), 0
    bases: dict[int, Fraction] = {}
    try:
        for raw in process.output:
            line = raw.decode("ascii", "replace")
            if row := _ROW.match(line):
                _take(row, columns, bases)
                rows_taken += 1
                if on_progress is not None and duration_s and rows_taken % PROGRESS_ROWS == 1:
                    base = bases.get(int(row[1]), Fraction(0))
                    on_progress(min(1.0, max(0.0, int(row[3]) * float(base) / duration_s)))
            elif found := _BASE.match(line):
                column = int(found[1])
                bases[column] = Fraction(int(found[2]), int(found[3]) or 1)
                track, rows = columns[column]
                if rows is track.packets:
                    track.tick_s = bases[column]
            elif found := _EXTRA.match(line):
                track, rows = columns[int(found[1])]
                if rows is track.packets:
                    track.head = int(found[2]), found[3]
        process.process.wait()
    finally:
        process.kill()
    complaints.place()
    return listing


_Columns = list[tuple[Track, list[Shown]]]
"""Of ffmpeg's list: whose packets, or frames."""


def _columns(listing: Listing) -> tuple[_Columns, list[str]]:
    """Every stream as it is, and beside it decoded; with ffmpeg's arguments for that."""
    columns: _Columns = []
    outputs: list[str] = []
    for index, track in listing.tracks.items():
        coders: list[tuple[str, list[Shown]]] = [("copy", track.packets)]
        decoded = _decoded_as(track.stream)
        if decoded is not None:
            track.is_decoded = True
            coders.append((decoded, track.frames))
        for coder, rows in coders:
            outputs += ["-map", f"0:{index}", f"-c:{len(columns)}", coder]
            if coder == "copy" and track.stream.codec == "aac":
                # MPEG-TS has a header on each packet, which other containers take off.
                outputs += [f"-bsf:{len(columns)}", "aac_adtstoasc"]
            columns.append((track, rows))
    timing = ["-fps_mode:v", "passthrough", "-enc_time_base:v", input_time_base(), "-noautoscale"]
    return columns, [*outputs, *timing, "-f", "framecrc", "-"]


def _decoded_as(stream: Stream) -> str | None:
    if stream.codec in UNKNOWN_CODECS:
        return None
    if stream.kind == "subtitle":
        return "ass" if stream.codec in TEXT_SUBTITLES else None
    return {"video": "wrapped_avframe", "audio": "pcm_s16le"}.get(stream.kind)


def _inputs(info: VideoInfo, *, strict: bool) -> list[str]:
    decoder = alpha_decoder(info)
    chosen = [f"-c:{info.video_index}", decoder] if decoder else []
    return [
        "-copyts",
        "-max_error_rate",
        "1",
        *(STRICT if strict else ()),
        *chosen,
        *input_arguments(info.path),
    ]


def _take(row: re.Match[str], columns: _Columns, bases: dict[int, Fraction]) -> None:
    column = int(row[1])
    base = bases[column]
    shown = Shown(int(row[3]) * base, int(row[4]) * base, int(row[5]), row[6])
    columns[column][1].append(shown)


class _Complaints:
    """Takes ffmpeg's messages, and keeps those that tell of damage."""

    def __init__(self, listing: Listing) -> None:
        self._kept = listing.complaints
        by_codec: dict[str, list[int]] = {}
        for index, track in listing.tracks.items():
            by_codec.setdefault(track.stream.codec, []).append(index)
        self._by_codec = by_codec
        self._unplaced: dict[Complaint, list[int]] = {}

    def __call__(self, line: str) -> None:
        complaint = self._understood(line)
        if complaint is not None and (complaint in self._kept or len(self._kept) < MOST_COMPLAINTS):
            self._kept[complaint] = self._kept.get(complaint, 0) + 1

    def _understood(self, line: str) -> Complaint | None:
        found = _MESSAGE.fullmatch(line)
        if found is None or CONSEQUENCES.search(found[3]):
            return None
        is_error = found[2] != "warning"
        if not is_error and not TELLING_WARNINGS.search(found[3]):
            return None
        named = re.search(r"#0:([0-9]+)", found[1]) or _NAMED.search(found[3])
        codec = re.match(r"\[([^\]]+) @", found[1])
        places = [int(named[1])] if named else self._by_codec.get(codec[1], []) if codec else []
        complaint = Complaint(found[3], places[0] if len(places) == 1 else None, is_error)
        if len(places) > 1:
            self._unplaced[complaint] = places
        return complaint

    def place(self) -> None:
        """A decoder names its codec alone: of several such streams, the one is meant that ffmpeg complains of."""
        named = {complaint.stream for complaint in self._kept}
        for complaint, places in self._unplaced.items():
            meant = [place for place in places if place in named]
            if len(meant) == 1 and complaint in self._kept:
                self._kept[replace(complaint, stream=meant[0])] = self._kept.pop(complaint)


def corrupt_frames(info: VideoInfo, stream: int) -> Iterator[Fraction]:
    """When frames are shown that a decoder calls corrupt and gives nevertheless. Decodes once more, on one thread."""
    shown: list[Fraction] = []
    process = FFmpegDecoder(
        [
            *("-v", "repeat+level+info", "-debug_ts", "-threads", "1"),
            *_inputs(info, strict=True),
            *("-map", f"0:{stream}", "-c", "wrapped_avframe", "-fps_mode", "passthrough", "-f", "null", "-"),
        ],
        _CorruptTimes(shown, any_error=info.video_codec in UNFLAGGED),
    )
    try:
        process.process.wait()
    finally:
        process.kill()
    yield from shown


class _CorruptTimes:
    """A decoder complains of a frame just before it gives it, or does not."""

    def __init__(self, shown: list[Fraction], *, any_error: bool) -> None:
        self._shown, self._any_error, self._is_corrupt = shown, any_error, False

    def __call__(self, line: str) -> None:
        if CORRUPT in line or (self._any_error and "[error]" in line):
            self._is_corrupt = CORRUPT in line or "Error submitting packet" not in line
        elif self._is_corrupt and (found := _GIVEN.search(line)):
            self._shown.append(Fraction(found[1]))
            self._is_corrupt = False


@dataclass(frozen=True)
class FileMetadata:
    """A file's own metadata, keys in small letters, and its chapters: start, end, title."""

    values: dict[str, str]
    chapters: list[tuple[Fraction, Fraction, str]]
    text: str


def metadata_of(path: Path) -> FileMetadata:
    """What ffmpeg reads of them; nothing where it reads nothing."""
    text, _ = ask(["-v", "error", *input_arguments(path), "-f", "ffmetadata", "-"])
    return parsed_metadata(text)


def parsed_metadata(text: str) -> FileMetadata:
    """ffmpeg's metadata text."""
    head, *rest = re.split(r"^\[(?=CHAPTER\]|STREAM\])", text, flags=re.MULTILINE)
    chapters = []
    for section in rest:
        numbers = re.match(
            r"CHAPTER\]\nTIMEBASE=(\d{1,12})/(\d{1,12})\nSTART=(-?\d{1,19})\nEND=(-?\d{1,19})\n", section
        )
        if numbers is not None and int(numbers[2]):
            base = Fraction(int(numbers[1]), int(numbers[2]))
            title = _values(section).get("title", "")
            chapters.append((int(numbers[3]) * base, int(numbers[4]) * base, title))
    return FileMetadata(_values(head), chapters, text)


def _values(section: str) -> dict[str, str]:
    """`key=value` lines, where a backslash takes the meaning from what follows it."""
    found = re.findall(r"^((?:[^=;#\[\\\n]|\\.)+)=((?:[^\\\n]|\\[\s\S])*)$", section, re.MULTILINE)
    return {
        re.sub(r"\\([\s\S])", r"\1", key).lower(): re.sub(r"\\([\s\S])", r"\1", value) for key, value in found
    }
