"""Image sequences: `shot.%04d.png` stands for shot.1001.png, shot.1002.png and so on. In and out, numbers kept."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import numpy as np

from framestyle.errors import Code, InputError, OutputError
from framestyle.frames import Alpha, Frame, Pixels
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.files import put_in_place, storage_error
from framestyle.media.photos import FORMATS, Photo, PhotoSettings, check_photo_format, read_photo, write_photo
from framestyle.media.photos.alpha import at_depth
from framestyle.media.photos.cicp import PRIMARIES_NAMES, TRANSFER_NAMES, Cicp, cicp_named
from framestyle.media.photos.formats import WITH_ALPHA, WITH_HDR, most_bits
from framestyle.media.video.colors import SDR, Colors
from framestyle.media.video.probe import VideoInfo
from framestyle.paths import is_there

_PATTERN = re.compile(r"([^%]*)%(?:0([1-9]))?d([^%]*)", re.DOTALL)
_NUMBERED = re.compile(r"(.*?)([0-9]{1,9})([^0-9]*)", re.DOTALL)
MOST_NAMED = 3
"""So many missing numbers are named; of more it is said how many."""
NO_FILES = "Check the path and the number's digits."


@dataclass(frozen=True)
class Numbering:
    """Files in `folder` called `before`, a number of at least so many digits, `after`."""

    folder: Path
    before: str
    digits: int
    after: str

    def path(self, number: int) -> Path:
        """Of one frame."""
        return self.folder / f"{self.before}{number:0{self.digits}d}{self.after}"

    def numbers(self) -> list[int]:
        """Of the files that there are, sorted; names that are padded otherwise are none of them."""
        try:
            with os.scandir(self.folder) as entries:
                found = [number for entry in entries if (number := self.number_in(entry.name)) is not None]
        except OSError:
            return []
        return sorted(found)

    def number_in(self, name: str) -> int | None:
        """None where the file is none of these."""
        digits = name.removeprefix(self.before).removesuffix(self.after)
        if re.fullmatch("[0-9]{1,9}", digits) and self.path(int(digits)).name == name:
            return int(digits)
        return None

    def may_hold(self, path: Path) -> bool:
        """Whether a file, or one that another pattern stands for, can be one of these."""
        other = numbering_of(path)
        if other is not None:
            return (other.folder, other.before, other.after) == (self.folder, self.before, self.after)
        return path.parent == self.folder and self.number_in(path.name) is not None

    def files(self) -> list[Path]:
        """Those that there are."""
        return [self.path(number) for number in self.numbers()]


def numbering_of(path: Path) -> Numbering | None:
    """What a pattern stands for: a name with one `%d` or `%04d` in it, of a photo format. None where it is no pattern.

    A file of that very name comes first.
    """
    found = _PATTERN.fullmatch(path.name)
    if found is None or path.suffix.lower() not in FORMATS or os.path.lexists(path):
        return None
    return Numbering(path.parent, found[1], int(found[2] or 1), found[3])


def sequence_in(folder: Path) -> Path:
    """The pattern of the one sequence in a folder, whose photos it holds all; InputError where there is none."""
    names = [entry.name for entry in os.scandir(folder) if entry.is_file() and not entry.name.startswith(".")]
    pictures = [name for name in names if Path(name).suffix.lower() in FORMATS]
    parts = [found.groups() for name in pictures if (found := _NUMBERED.fullmatch(name))]
    frames = {(before, after) for before, _, after in parts}
    widths = {len(digits) for _, digits, _ in parts}
    padded = any(digits.startswith("0") and len(digits) > 1 for _, digits, _ in parts)
    if len(parts) < len(pictures) or len(frames) != 1 or (padded and len(widths) > 1):
        raise InputError(
            f"{folder} holds no image sequence: its photos differ in more than their number",
            code=Code.SEQUENCE_UNCLEAR,
            facts={"path": str(folder)},
        )
    ((before, after),) = frames
    if "%" in before + after:
        raise InputError(f"{folder} holds names with a % in them", next_step="Rename them.")
    return folder / f"{before}%{f'0{widths.pop()}' if len(widths) == 1 else ''}d{after}"


def existing_files(path: Path) -> list[Path]:
    """The files that a path or a pattern stands for, as far as they are there."""
    numbering = numbering_of(path)
    if numbering is not None:
        return numbering.files()
    return [path] if is_there(path) else []


class SequenceReader:
    """A FrameReader of numbered photos; iterating gives the range's frames.

    Frame n is shown at (its number - the first number) / `frame_rate`: where numbers are missing, the frame before is
    shown for longer. `numbers` are the frames' in the files' names. Each is read as a photo is: upright, in sRGB.
    """

    def __init__(
        self, path: Path, frame_rate: Fraction, span: TimeRange = WHOLE_CLIP, *, tone_map: bool = False
    ) -> None:
        numbering = numbering_of(path)
        self.numbers = numbering.numbers() if numbering else []
        if numbering is None or not self.numbers:
            raise InputError(f"{path} stands for no file", next_step=NO_FILES)
        self._numbering, self._rate = numbering, frame_rate
        self._span, self._tone_map = span, tone_map
        first = self._photo(self.numbers[0])
        self._was_hdr = first.was_hdr
        self._depth, self._has_alpha, self._notes = (
            first.pixels.dtype.type,
            first.alpha is not None,
            first.notes,
        )
        self._colors = _colors_of(first)
        self.info = _info(path, first, frame_rate, self.numbers)
        self.variable_rate = len(self.numbers) != self.numbers[-1] - self.numbers[0] + 1
        self._last_pts = Fraction(0)

    @property
    def bits(self) -> int:
        """How many bits of each value mean something."""
        return self.info.bit_depth

    @property
    def colors(self) -> Colors:
        """Of the frames: SDR's, or what the first one says where it is HDR."""
        return self._colors

    @property
    def doubts(self) -> list[str]:
        """What the user should know of the input."""
        there = set(self.numbers)
        missing = (
            [n for n in range(self.numbers[0], self.numbers[-1]) if n not in there]
            if self.variable_rate
            else []
        )
        notes = [f"{self._numbering.path(self.numbers[0])}: {note}." for note in self._notes]
        if self._was_hdr is not None:
            notes.append(f"{self.info.path} is HDR ({self._was_hdr}), and is made SDR.")
        if missing:
            few = ", ".join(map(str, missing)) if len(missing) <= MOST_NAMED else f"{len(missing)} numbers"
            notes.append(f"{self.info.path} lacks {few}: the frame before is shown for longer.")
        return notes

    def __enter__(self) -> SequenceReader:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[Frame]:
        for index, number in enumerate(self.numbers):
            pts = (number - self.numbers[0]) / self._rate
            if self._span.is_over(pts):
                return
            if self._span.holds(pts):
                self._last_pts = pts
                yield self._frame(index, number, pts)

    def _frame(self, index: int, number: int, pts: Fraction) -> Frame:
        photo = self._photo(number)
        height, width = photo.pixels.shape[:2]
        if (width, height) != (self.info.width, self.info.height):
            cause = f"it is {width}x{height}, the first one is {self.info.width}x{self.info.height}"
            raise self._unlike(number, cause)
        if _colors_of(photo) != self._colors:
            raise self._unlike(
                number, f"it is {photo.hdr or 'SDR'}, the first one {self._colors.hdr or 'SDR'}"
            )
        if photo.alpha is not None and not self._has_alpha:
            raise self._unlike(number, "it has transparency, the first one has none")
        alpha = None if photo.alpha is None else at_depth(photo.alpha, self._depth)
        if alpha is None and self._has_alpha:
            alpha = at_depth(np.full((height, width), 255, np.uint8), self._depth)
        return Frame(index, pts, at_depth(photo.pixels, self._depth), alpha)

    def _photo(self, number: int) -> Photo:
        """Of 8 bits what has 8 in its file: a converted profile has more, for photos on their own."""
        photo = read_photo(self._numbering.path(number), tone_map=self._tone_map)
        if photo.bits == 8:
            photo.pixels = at_depth(photo.pixels, np.uint8)
        return photo

    def _unlike(self, number: int, cause: str) -> InputError:
        path = self._numbering.path(number)
        return InputError(
            f"{path} does not go with the others: {cause}", next_step="Make it like them, or take it out."
        )

    def last_frame(self) -> tuple[Fraction, Fraction] | None:
        """When the last frame of the range is shown and for how long, where the rate is not constant."""
        return (self._last_pts, 1 / self._rate) if self.variable_rate else None


def _colors_of(photo: Photo) -> Colors:
    """What a photo's pixels mean as a clip's: everything but HDR is sRGB by then."""
    if photo.hdr is None or not isinstance(photo.coded, Cicp):
        return SDR
    primaries = PRIMARIES_NAMES.get(photo.coded.primaries, "bt2020")
    return Colors("bt2020nc", primaries, TRANSFER_NAMES[photo.coded.transfer])


def _info(path: Path, first: Photo, frame_rate: Fraction, numbers: Sequence[int]) -> VideoInfo:
    height, width = first.pixels.shape[:2]
    deep = first.pixels.dtype == np.uint16
    return VideoInfo(
        path=path,
        width=width,
        height=height,
        frame_rate=frame_rate,
        frame_count_estimate=len(numbers),
        duration_s=(numbers[-1] - numbers[0] + 1) / frame_rate,
        sample_aspect_ratio=Fraction(1),
        rotation_degrees=0,
        pixel_format="rgb48le" if deep else "rgb24",
        bit_depth=first.bits if deep else 8,
        has_alpha=first.alpha is not None,
        color_range=None,
        color_matrix=None,
        color_primaries=None,
        color_transfer=None,
        audio_codecs=(),
        subtitle_codecs=(),
        container="image sequence",
        video_codec=first.format.lower(),
        time_base=1 / frame_rate,
        colors=_colors_of(first),
    )


class SequenceWriter:
    """A FrameWriter of numbered files: all of them in their places, or none.

    `numbers`: of the coming frames. `source`: the sequence they come from, whose words, profile and resolution each
    file takes over. `scratch`: a folder of the same file system for what is not finished. Everything that can be
    refused is refused on creation.
    """

    def __init__(
        self,
        target: Path,
        *,
        numbers: Sequence[int],
        settings: PhotoSettings,
        source: Path | None = None,
        metadata: Mapping[str, str] | None = None,
        bits: int = 8,
        alpha: bool = False,
        colors: Colors = SDR,
        scratch: Path | None = None,
    ) -> None:
        check_photo_format(target)
        numbering = numbering_of(target)
        if numbering is None:
            raise OutputError(
                f"{target} has no number in it", next_step="Name it as in frames/shot.%04d.png."
            )
        kind = FORMATS[target.suffix.lower()]
        self._coded = cicp_named(colors.primaries, colors.transfer) if colors.hdr else None
        if colors.hdr and (kind not in WITH_HDR or self._coded is None):
            raise OutputError(
                f"{target}: {kind} holds no HDR ({colors.hdr})",
                code=Code.HDR_NOT_IN_IMAGES,
                facts={"path": str(target), "hdr": colors.hdr},
            )
        self.target, self.frames_written = target, 0
        self.notes = _lost(target, bits, alpha, colors)
        self._numbering, self._numbers = numbering, list(numbers)
        self._source = None if source is None else numbering_of(source)
        self._settings, self._metadata, self._bits = settings, dict(metadata or {}), bits
        self._folder = (scratch or numbering.folder) / f".framestyle-{secrets.token_hex(6)}"

    def __enter__(self) -> SequenceWriter:
        try:
            self._folder.mkdir(parents=True)
        except OSError as error:
            raise storage_error(error, self.target) from error
        return self

    def write(self, pixels: Pixels, pts_s: Fraction | None = None, alpha: Alpha | None = None) -> None:
        """The next frame, HWC RGB uint8 or uint16; time is in its number."""
        number = self._numbers[self.frames_written]
        if self._source is None:
            like = Photo(pixels, alpha, bits=self._bits, coded=self._coded)
        else:
            like = read_photo(self._source.path(number), tone_map=self._coded is None)
        name = self._numbering.path(number).name
        write_photo(self._folder / name, pixels, like, self._metadata, self._settings)
        self.frames_written += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._finish()
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _finish(self) -> None:
        if not self.frames_written:
            raise OutputError(f"{self.target}: no frame was written", next_step="Check the chosen range.")
        for number in self._numbers[: self.frames_written]:
            place = self._numbering.path(number)
            put_in_place(self._folder / place.name, place)


def _lost(target: Path, bits: int, alpha: bool, colors: Colors) -> list[str]:
    kind, notes = FORMATS[target.suffix.lower()], []
    if bits > most_bits(kind):
        notes.append(f"{kind} holds {most_bits(kind)} bits a channel, not {bits}.")
    if alpha and kind not in WITH_ALPHA:
        notes.append(f"{kind} holds no transparency: it is laid over white.")
    if colors.primaries == "bt2020" and not colors.hdr:
        notes.append("The clip's colours are BT.2020's, which images do not say: viewers show them paler.")
    return notes
