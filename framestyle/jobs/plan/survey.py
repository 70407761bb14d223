"""What a clip holds: one pass over all of its frames before the work, kept for the next command. Loads no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from framestyle.context import Context
from framestyle.errors import Code, InputError
from framestyle.events import Note, Preparing
from framestyle.jobs.plan.mask_survey import survey_mask
from framestyle.jobs.plan.survey_cache import keep_survey, kept_survey, survey_key
from framestyle.jobs.plan.timeline_times import ClipTimes, point_times
from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.video.clips import open_clip
from framestyle.media.video.description import exact_rate
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.protocols import FrameReader
from framestyle.motion.shots import Shot, ShotFinder
from framestyle.presets import Preset

VERSION, VERSION_KEY = 2, "framestyle_survey"
"""Raised where a survey holds something else, or finds something else in the same frames."""


@dataclass(frozen=True)
class Survey:
    """What a first pass over a clip found: its shots, and how many frames it really has.

    `first_s` is the pts of the first frame, `starts_s` are those of each shot's; `time_base` what a variable rate is
    counted in, None for a constant one; `last_frame` when the last frame is then shown, and for how long; `doubts` what
    the reader doubts, in sentences.
    """

    info: VideoInfo
    shots: tuple[Shot, ...]
    frames: int
    first_s: Fraction = Fraction(0)
    time_base: Fraction | None = None
    last_frame: tuple[Fraction, Fraction] | None = None
    doubts: tuple[str, ...] = ()
    starts_s: tuple[Fraction, ...] = ()
    timeline_s: tuple[Fraction, ...] = ()
    """When the points of the preset's timeline are, in the clip; of the preset that it was asked for with."""

    @property
    def last(self) -> tuple[int, Fraction]:
        """The last frame's index, and when it is shown."""
        index = self.shots[-1].end - 1
        return index, index / self.info.frame_rate if self.last_frame is None else self.last_frame[0]

    def to_json(self) -> str:
        """All but `info`, which a probe tells again without decoding it, and `timeline_s`; `from_json` reads it."""
        data = {
            VERSION_KEY: VERSION,
            "shots": [[shot.first, shot.end] for shot in self.shots],
            "first_s": str(self.first_s),
            "time_base": None if self.time_base is None else str(self.time_base),
            "last_frame": None if self.last_frame is None else [str(one) for one in self.last_frame],
            "doubts": self.doubts,
            "starts_s": [str(start_s) for start_s in self.starts_s],
        }
        return json.dumps(data)

    @classmethod
    def from_json(cls, text: str, info: VideoInfo) -> Survey:
        """What `to_json` wrote of the clip that `info` is of. ValueError where it is none, or of another version."""
        try:
            data = json.loads(text)
            if data[VERSION_KEY] != VERSION:
                raise ValueError(f"its version is {data[VERSION_KEY]!r}")
            shots = tuple(Shot(_whole(first), _whole(end)) for first, end in data["shots"])
            return cls(
                info,
                shots,
                _frames_in(shots),
                Fraction(data["first_s"]),
                None if data["time_base"] is None else Fraction(data["time_base"]),
                None if data["last_frame"] is None else _two_times(*data["last_frame"]),
                tuple(map(str, data["doubts"])),
                _starts(data["starts_s"], shots),
            )
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            raise ValueError(f"this is no survey: {error}") from error


def survey(path: Path, span: TimeRange, preset: Preset, context: Context) -> Survey:
    """The survey of a clip's part: as it was kept where nothing has changed since, else taken and kept.

    What the user should know of the clip is told either way. InputError where the clip cannot be read, or has no
    frames in the part; or where its mask moves and is no good (`mask_survey`).
    """
    found = _of_frames(path, span, preset, context)
    context.on_event(Preparing("shots", 1.0, f"{found.frames} frame{'' if found.frames == 1 else 's'}"))
    for note in _to_know(found, preset.output.hdr):
        context.on_event(note)
    first = (found.shots[0].first, found.first_s)
    survey_mask(preset, path, found.info, context, first, found.last)
    if not preset.timeline:
        return found
    times_s, notes = point_times(preset, path, clip_times(found, path, span, preset, context))
    for note in notes:
        context.on_event(note)
    return replace(found, timeline_s=times_s)


def clip_times(found: Survey, path: Path, span: TimeRange, preset: Preset, context: Context) -> ClipTimes:
    """Of the whole clip, of which `found` is the survey of a part: timelines count in it."""
    return ClipTimes.of(found if span.is_all else _of_frames(path, WHOLE_CLIP, preset, context))


def _of_frames(path: Path, span: TimeRange, preset: Preset, context: Context) -> Survey:
    """As it was kept, else taken and kept."""
    reader = clip_reader(path, span, preset)
    key = survey_key(reader.info, span, preset)
    found = _kept(key, reader.info)
    if found is None:
        found = _taken(reader, preset.video.cuts, context)
        keep_survey(key, found.to_json())
    return found


def clip_reader(path: Path, span: TimeRange, preset: Preset) -> FrameReader:
    """A clip's frames within `span`, as the preset wants them."""
    return open_clip(
        path,
        span,
        tone_map=preset.output.hdr == "tonemap",
        sequence_rate=exact_rate(preset.video.sequence_rate),
    )


def _kept(key: str | None, info: VideoInfo) -> Survey | None:
    text = kept_survey(key)
    try:
        return None if text is None else Survey.from_json(text, info)
    except ValueError:
        return None


def _taken(reader: FrameReader, cuts: str, context: Context) -> Survey:
    """Decode once, at full speed: counting frames and finding cuts costs little beside a single optimised frame."""
    with reader:
        finder = ShotFinder(cuts, reader.info.frame_rate)
        first, pts = 0, list[Fraction]()
        for frame in reader:
            context.check_cancelled()
            finder.add(frame)
            first = first if pts else frame.index
            pts.append(frame.pts)
            count = len(pts)
            expected = reader.info.frame_count_estimate
            if expected and count % 50 == 0:
                context.on_event(Preparing("shots", min(1.0, count / expected), f"frame {count}"))
        if not pts:
            raise InputError(
                f"{reader.info.path} has no frames in the chosen range",
                code=Code.RANGE_EMPTY,
                facts={"path": str(reader.info.path)},
            )
        shots = tuple(finder.shots())
        return Survey(
            reader.info,
            shots,
            len(pts),
            pts[0],
            reader.info.time_base if reader.variable_rate else None,
            reader.last_frame(),
            tuple(reader.doubts),
            tuple(pts[shot.first - first] for shot in shots),
        )


def _to_know(found: Survey, hdr: str) -> Iterator[Note]:
    yield from (Note(doubt, "warning") for doubt in found.doubts)
    kind = found.info.colors.hdr
    yield from hdr_notes(found.info.path, *((kind, None) if hdr == "keep" else (None, kind)))


def hdr_notes(path: Path, is_hdr: str | None, was_hdr: str | None) -> Iterator[Note]:
    """What becomes of a clip or a photo that is HDR, or was it: PQ, HLG, light above white."""
    if is_hdr is not None:
        yield Note(
            f"{path} is HDR ({is_hdr}), and stays so.",
            code=Code.HDR_KEPT,
            facts={"path": str(path), "hdr": is_hdr},
        )
    elif was_hdr is not None:
        yield Note(f"{path} is HDR ({was_hdr}), and is made SDR.")


def _frames_in(shots: tuple[Shot, ...]) -> int:
    """ValueError where there are none, or they are not one after another."""
    if (
        not shots
        or any(shot.frames < 1 for shot in shots)
        or any(a.end != b.first for a, b in pairwise(shots))
    ):
        raise ValueError("its shots do not follow one another")
    return shots[-1].end - shots[0].first


def _starts(data: list[str], shots: tuple[Shot, ...]) -> tuple[Fraction, ...]:
    """ValueError where there is not one for each shot, or they do not rise."""
    starts_s = tuple(map(Fraction, data))
    if starts_s and (len(starts_s) != len(shots) or any(a >= b for a, b in pairwise(starts_s))):
        raise ValueError("its shots do not begin one after another")
    return starts_s


def _two_times(at_s: str, length_s: str) -> tuple[Fraction, Fraction]:
    return Fraction(at_s), Fraction(length_s)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r} is no whole number")
    return value
