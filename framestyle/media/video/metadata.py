"""What each container has a place for of a file's metadata, and how ffmpeg is told to keep it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from framestyle.kinds import TimeRange
from framestyle.media.video.probe import VideoInfo
from framestyle.media.video.timecode import later_timecode, why_not_in_mp4

APPLE = "com.apple.quicktime."
"""How the keys of Apple's cameras begin: place, make, model, local date. MP4 and MOV have a form of their own for them,
in which all other keys lie then too."""
MOV_MUXERS = {"mp4": "MP4", "mov": "MOV"}
MP4_KEYS = {
    *(
        "title",
        "artist",
        "album_artist",
        "composer",
        "album",
        "date",
        "comment",
        "genre",
        "copyright",
        "grouping",
    ),
    *("lyrics", "description", "synopsis", "show", "episode_id", "network", "keywords", "episode_sort"),
    *("season_number", "media_type", "hd_video", "gapless_playback", "compilation", "track", "disc"),
    *("location", "creation_time"),
}
HELD_KEYS: Mapping[str, set[str]] = {
    "mp4": MP4_KEYS,
    "mov": {
        *("title", "artist", "album", "date", "comment", "genre", "copyright", "make", "model", "location"),
        "creation_time",
    },
}
"""What ffmpeg writes of keys by name; Matroska and WebM take any."""
NUMBERED_KEYS = {
    *(
        "track",
        "disc",
        "media_type",
        "hd_video",
        "gapless_playback",
        "compilation",
        "episode_sort",
        "season_number",
    ),
    "date",
}
"""Containers write these in ways of their own."""
OWN_KEYS = {
    *("major_brand", "minor_version", "compatible_brands", "encoder", "timecode", "comment"),
    *("duration", "software", "handler_name", "vendor_id"),
}
"""What a container says of itself, what is compared by itself, and what FrameStyle says."""
STALE_TAGS = ("alpha_mode", "rotate", "BPS", "NUMBER_OF_FRAMES", "NUMBER_OF_BYTES", "DURATION", "encoder")
"""Of the source's picture stream, and untrue of ours."""
BRAND_TAGS = ("major_brand", "minor_version", "compatible_brands")
"""MP4 says of itself what is nothing to another file."""


def own_metadata(info: VideoInfo) -> dict[str, str]:
    """A file's own metadata that a result is to keep, by key; each once, by its shortest name."""
    found = {key.lower().replace(" ", "_"): value for key, value in info.metadata}
    return {
        key: value
        for key, value in found.items()
        if key not in OWN_KEYS and not (re.fullmatch(r".*-[a-z]{3}", key) and key[:-4] in found)
    }


def has_apple_keys(info: VideoInfo) -> bool:
    """Whether there is any of Apple's, in whatever case it is kept."""
    return any(key.lower().startswith(APPLE) for key, _ in info.metadata)


def kept_metadata(info: VideoInfo, muxer: str, *, apple: bool) -> dict[str, str]:
    """Those that a container has a place for. `apple`: in the form that Apple's cameras write."""
    metadata = own_metadata(info)
    held = None if apple else HELD_KEYS.get(muxer)
    return metadata if held is None else {key: value for key, value in metadata.items() if key in held}


def keeps_as_apple(info: VideoInfo, muxer: str) -> bool:
    """Whether all keys go in the form of Apple's, in which MP4 has no place for a cover picture."""
    covers = muxer == "mp4" and any(stream.is_cover for stream in info.streams)
    return muxer in MOV_MUXERS and has_apple_keys(info) and not covers


def metadata_arguments(metadata: Mapping[str, str]) -> list[str]:
    """ffmpeg's arguments for what FrameStyle itself says in a file."""
    said = (f"{key.replace('=', '_')}={value}".replace("\0", "") for key, value in metadata.items())
    return [argument for one in said for argument in ("-metadata", one)]


def file_metadata(info: VideoInfo, muxer: str, span: TimeRange) -> tuple[list[str], list[str]]:
    """ffmpeg's arguments for the whole file's metadata and timecode, which come from input 1; and what is lost."""
    arguments, notes = ["-map_metadata", "1"], []
    for tag in STALE_TAGS:
        arguments += ["-metadata:s:v:0", f"{tag}="]
    apple = keeps_as_apple(info, muxer)
    if apple:
        arguments += ["-movflags", "+use_metadata_tags"]
        for key, value in info.metadata:
            if key.lower().startswith(APPLE) and key != (right := _as_apple(key)):
                arguments += ["-metadata", f"{key}=", "-metadata", f"{right}={value}"]
    if apple or muxer not in MOV_MUXERS:
        for tag in BRAND_TAGS:
            arguments += ["-metadata", f"{tag}="]
    if lost := sorted(own_metadata(info).keys() - kept_metadata(info, muxer, apple=apple).keys()):
        notes.append(f"Metadata that {MOV_MUXERS[muxer]} has no place for was dropped: {', '.join(lost)}.")
    if info.timecode is not None:
        of_timecode, lost_timecode = _timecode(info, info.timecode, muxer, span)
        arguments += of_timecode
        notes += lost_timecode
    return arguments, notes


def _as_apple(key: str) -> str:
    """Matroska writes keys in capitals."""
    return key.lower().replace("iso6709", "ISO6709")


def _timecode(info: VideoInfo, timecode: str, muxer: str, span: TimeRange) -> tuple[list[str], list[str]]:
    why_not = why_not_in_mp4(timecode, info.frame_rate) if muxer in MOV_MUXERS else None
    if why_not is not None:
        return ["-write_tmcd", "0"], [f"The timecode {timecode} was dropped: {why_not}."]
    if not span.start_s:
        return [], []
    later = later_timecode(timecode, round(span.start_s * info.frame_rate), info.frame_rate)
    return ["-metadata", f"timecode={later}", "-metadata:s:v:0", f"timecode={later}"], []
