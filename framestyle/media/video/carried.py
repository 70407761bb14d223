"""What a result takes over from its source beside the pictures: sound, words, chapters, fonts, covers, metadata."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from framestyle.kinds import WHOLE_CLIP, TimeRange
from framestyle.media.ffmpeg import FFmpeg, ask, input_arguments, output_argument
from framestyle.media.video.choices import choices, dropped_beside
from framestyle.media.video.dispositions import dispositions_of, lost_dispositions
from framestyle.media.video.metadata import file_metadata
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.streams import Stream

SILENT_MUXERS = {"gif": "GIF", "webp": "WebP", "apng": "APNG"}
FROM_ZERO = ("-ss", "0", "-copypriorss:a", "0")
"""Of what is copied, nothing of before."""
MOV_CONTAINERS = "mov,mp4"
"""How ffmpeg's name of the family begins."""
NUT_LACKS = {"alac"}
COVER_SUFFIXES = {"mjpeg": ".jpg", "png": ".png"}
MIME_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
MOV_LANGUAGES = {
    "cze": "ces",
    "deu": "ger",
    "ell": "gre",
    "fas": "per",
    "fre": "fra",
    "hye": "arm",
    "isl": "ice",
    "kat": "geo",
    "mkd": "mac",
    "nld": "dut",
    "rum": "ron",
    "slo": "slk",
    "sqi": "alb",
    "swe": "sve",
    "zho": "chi",
}
"""Languages by the names that ffmpeg knows them by when it writes MOV, which numbers a few."""


@dataclass(frozen=True)
class SourceStreams:
    """Where sound, subtitles, chapters and metadata come from, and which part of it.

    Seconds count from the source's first picture, as frames' pts do.
    """

    path: Path
    span: TimeRange = WHOLE_CLIP


@dataclass
class Carried:
    """ffmpeg arguments for what comes from the source, which is input 1: for the inputs, and for the output.

    `delay_s`: how much later than the output's start the pictures begin. `prepare` brings what lies in files of its own
    and gives the arguments for it.
    """

    input: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    delay_s: Fraction = Fraction(0)
    notes: list[str] = field(default_factory=list)
    covers: list[Stream] = field(default_factory=list)
    attachments: int = 0
    chapters: str | None = None
    path: Path = Path()
    sounds: list[int] = field(default_factory=list)
    """The source's sound streams that are kept."""
    subtitles_off: bool = False
    """Whether there are subtitles, and none are shown unless they are asked for."""
    sound_apart: str | None = None
    """The container that they are first copied to, in this order; it is input 2 then."""

    def prepare(self, folder: Path, muxer: str) -> None:
        """The sound and chapters of a part, and covers, as files in `folder`."""
        inputs = 2
        if self.sound_apart is not None and self.sounds:
            self._part_sound(folder / f"sound.{self.sound_apart}", self.sound_apart)
            inputs += 1
        for number, cover in enumerate(self.covers, 1):
            inputs += self._add_cover(cover, number, inputs, folder, muxer)
        if self.chapters is not None:
            (folder / "chapters.txt").write_text(self.chapters, encoding="utf-8")
            self.input += ["-f", "ffmetadata", "-i", str(folder / "chapters.txt")]
            self.output += ["-map_chapters", str(inputs)]
        else:
            self.output += ["-map_chapters", "1"]

    def _part_sound(self, file: Path, muxer: str) -> None:
        """MP4 tells how much of its sound comes before its first instant, by as much as a second where it was cut
        without encoding it again. That is taken for the encoder's delay, and Matroska has players pass over as much
        of whatever it begins with: over all of a short part."""
        taken = [argument for index in self.sounds for argument in ("-map", f"0:{index}")]
        copied = [*taken, "-c", "copy", *FROM_ZERO, "-f", muxer, output_argument(file)]
        process = FFmpeg([*self.input, *copied], file)
        try:
            process.close()
        finally:
            process.kill()
        # Where its first packet is not at 0, it stays there: unasked, ffmpeg would begin with it.
        self.input += ["-ss", "0", "-seek_timestamp", "1", "-f", muxer, "-i", str(file)]

    def _add_cover(self, cover: Stream, number: int, place: int, folder: Path, muxer: str) -> int:
        """How many inputs it takes: `place` is the next one."""
        name = f"cover{number if number > 1 else ''}{COVER_SUFFIXES[cover.codec]}"
        picture = folder / name
        taken = ["-map", f"0:{cover.index}", "-c", "copy", "-f", "image2", "-update", "1"]
        ask(["-v", "error", *input_arguments(self.path), *taken, output_argument(picture)])
        if not picture.exists() or not picture.stat().st_size:
            self.notes.append(f"Cover picture {number} was dropped: it cannot be read.")
            return 0
        if muxer == "matroska":
            spot = f"s:t:{self.attachments}"
            self.output += ["-attach", output_argument(picture)]
            self.output += [f"-metadata:{spot}", f"mimetype={MIME_TYPES[picture.suffix]}"]
            self.output += [f"-metadata:{spot}", f"filename={name}"]
            self.attachments += 1
            return 0
        self.input += ["-f", "image2", "-pattern_type", "none", "-i", str(picture)]
        self.output += ["-map", f"{place}:v", f"-c:v:{number}", "copy"]
        self.output += [f"-disposition:v:{number}", "attached_pic"]
        return 1


def carry(info: VideoInfo, source: SourceStreams, muxer: str) -> Carried:
    """The source's sound, text, chapters and metadata; what the container cannot hold is said."""
    carried = Carried(path=source.path)
    if muxer in SILENT_MUXERS:
        if info.audio_codecs:
            carried.notes.append(f"{SILENT_MUXERS[muxer]} holds no sound: it was dropped.")
        return carried
    if source.span.start_s is not None:
        carried.input += ["-ss", _seconds(source.span.start_s + info.video_start_s)]
    else:
        carried.delay_s = info.video_start_s
    if source.span.end_s is not None:
        carried.input += ["-to", _seconds(source.span.end_s + info.video_start_s)]
    carried.input += input_arguments(source.path)
    from_mov = source.span.start_s is not None and info.container.startswith(MOV_CONTAINERS)
    if from_mov and muxer in ("matroska", "webm"):
        carried.sound_apart = "mp4" if NUT_LACKS.intersection(info.audio_codecs) else "nut"
    _add_each(carried, info, "audio", muxer)
    _add_each(carried, info, "subtitle", muxer)
    carried.attachments = _add_each(carried, info, "attachment", muxer)
    _add_covers(carried, info, muxer)
    _add_metadata(carried, info, source, muxer)
    carried.notes += dropped_beside(info)
    if source.span.start_s is not None:
        # The seek lands on a key frame before; what is copied must still begin at 0, or it is out of step.
        carried.output += [*FROM_ZERO, "-copypriorss:s", "0"]
    return carried


def _add_each(carried: Carried, info: VideoInfo, kind: str, muxer: str) -> int:
    """All streams of a kind, and how many are kept."""
    letter, count = {"audio": "a", "subtitle": "s", "attachment": "t"}[kind], 0
    for choice in choices(info, kind, muxer):
        if choice.note is not None:
            carried.notes.append(choice.note)
        if choice.coder is not None:
            place = f"{letter}:{count}"
            apart = kind == "audio" and carried.sound_apart is not None
            taken = f"2:{count}" if apart else f"1:{choice.stream.index}"
            carried.output += ["-map", taken, f"-c:{place}", choice.coder]
            for name, value in choice.options.items():
                carried.output += [f"-{name}:{place}", value]
            # Named one by one: metadata named for one stream switches off the copying of all others'.
            carried.output += _metadata_of(choice.stream, f"s:{place}", muxer)
            carried.output += _dispositions_of(carried, info, choice.stream, place, muxer)
            if kind == "audio":
                carried.sounds.append(choice.stream.index)
            elif kind == "subtitle":
                is_on = "default" in dispositions_of(info, choice.stream)
                carried.subtitles_off = not is_on and (carried.subtitles_off or not count)
            count += 1
    return count


def _metadata_of(stream: Stream, place: str, muxer: str) -> list[str]:
    named = [] if stream.name is None else [f"-metadata:{place}", f"title={stream.name}"]
    if muxer == "mov" and stream.language in MOV_LANGUAGES:
        named += [f"-metadata:{place}", f"language={MOV_LANGUAGES[stream.language]}"]
    return [f"-map_metadata:{place}", f"1:s:{stream.index}", *named]


def _dispositions_of(carried: Carried, info: VideoInfo, stream: Stream, place: str, muxer: str) -> list[str]:
    """Said for every stream: for one that nothing is said of, ffmpeg makes them up."""
    if stream.kind == "attachment":
        return []
    if lost := lost_dispositions(info, stream, muxer):
        named = ", ".join(sorted(lost)).replace("_", " ")
        carried.notes.append(
            f"Stream {stream.index} ({stream.kind}) is marked {named}: this container has no place for that."
        )
    return [f"-disposition:{place}", "+".join(sorted(dispositions_of(info, stream))) or "0"]


def _seconds(value: Fraction) -> str:
    return f"{float(value):.6f}"


def keeps_cover(stream: Stream, muxer: str) -> bool:
    """Whether a still picture that players show for the file comes along."""
    return muxer in ("mp4", "matroska") and stream.codec in COVER_SUFFIXES


def _add_covers(carried: Carried, info: VideoInfo, muxer: str) -> None:
    for number, stream in enumerate((one for one in info.streams if one.is_cover), 1):
        if keeps_cover(stream, muxer):
            carried.covers.append(stream)
        else:
            carried.notes.append(f"Cover picture {number} was dropped: this container cannot hold it.")


def _add_metadata(carried: Carried, info: VideoInfo, source: SourceStreams, muxer: str) -> None:
    """The file's and the pictures' metadata; of a part, its own chapters and timecode."""
    pictures = next((one for one in info.streams if one.index == info.video_index), None)
    arguments, notes = file_metadata(info, muxer, source.span)
    carried.output += arguments
    carried.notes += notes
    if pictures is not None:
        of_pictures = _metadata_of(pictures, "s:v:0", muxer)
        carried.output += [
            *of_pictures,
            "-disposition:v:0",
            "+".join(sorted(dispositions_of(info, pictures))) or "0",
        ]
    if info.has_chapters and not source.span.is_all:
        text, _ = ask(["-v", "error", *input_arguments(source.path), "-f", "ffmetadata", "-"])
        carried.chapters = chapters_within(text, source.span.later(info.video_start_s))


def chapters_within(metadata: str, span: TimeRange) -> str:
    """The chapters of ffmpeg's metadata text in a part of the file's own time, cut to it, counted from its start."""
    start_s = span.start_s or Fraction(0)
    kept = [";FFMETADATA1"]
    for section in re.split(r"^\[CHAPTER\]\n", metadata, flags=re.MULTILINE)[1:]:
        numbers = re.match(
            r"TIMEBASE=([0-9]{1,12})/([0-9]{1,12})\nSTART=(-?[0-9]{1,19})\nEND=(-?[0-9]{1,19})\n", section
        )
        if numbers is None or not int(numbers[2]):
            continue
        base = Fraction(int(numbers[1]), int(numbers[2]))
        first, last = max(int(numbers[3]) * base, start_s), int(numbers[4]) * base
        last = last if span.end_s is None else min(last, span.end_s)
        if first < last:
            times = f"START={round((first - start_s) * 1000)}\nEND={round((last - start_s) * 1000)}\n"
            kept.append(f"[CHAPTER]\nTIMEBASE=1/1000\n{times}{section[numbers.end() :]}")
    return "\n".join(kept)
