"""A clip decoded whole, and its facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from framestyle.media.verify.listing import FileMetadata, Listing, Track
from framestyle.media.verify.verdict import made_by, seconds
from framestyle.media.video.codecs import MUXERS
from framestyle.media.video.ends import Ends, stated_length
from framestyle.media.video.probe import VideoInfo


@dataclass(frozen=True)
class Clip:
    """A video, decoded whole."""

    info: VideoInfo
    listing: Listing
    metadata: FileMetadata

    @property
    def times(self) -> list[Fraction]:
        """When each frame is shown, as the file counts."""
        return [frame.at_s for frame in self.listing.pictures.frames]


def length_of_last(clip: Clip) -> Fraction:
    """How long a clip shows its last frame; 0 where it does not say."""
    packets = clip.listing.pictures.packets
    if not packets or not clip.times:
        return Fraction(0)
    to_zero_s = clip.times[0] - clip.info.video_start_s
    last = max(packets, key=lambda one: (one.at_s, one.length_s))
    ends = Ends(len(packets), 0, last.at_s - to_zero_s, last.length_s, Fraction(0))
    return stated_length(clip.info, ends, clip.times[-1] - clip.times[0])


def facts_of(clip: Clip) -> dict[str, Any]:
    """What a clip is, ready for JSON; docs/reliability.md names each."""
    info, times = clip.info, clip.times
    frames = clip.listing.pictures.frames
    return {
        "container": container_of(info),
        "codec": info.video_codec,
        "frames": len(times),
        "frame_rate": str(info.frame_rate),
        "constant_rate": is_constant(times, info),
        "first_s": seconds(times[0] if times else None),
        "last_s": seconds(times[-1] if times else None),
        "end_s": seconds(times[-1] + (length_of_last(clip) or frames[-1].length_s) if times else None),
        "duration_s": seconds(info.duration_s),
        "width": info.width,
        "height": info.height,
        "sample_aspect_ratio": str(info.sample_aspect_ratio),
        "rotation_degrees": info.rotation_degrees,
        "pixel_format": info.pixel_format,
        "bit_depth": info.bit_depth,
        "alpha": info.has_alpha,
        "hdr": info.colors.hdr,
        "color": {
            "range": info.color_range,
            "matrix": info.color_matrix,
            "primaries": info.color_primaries,
            "transfer": info.color_transfer,
        },
        "streams": [_stream_facts(track) for track in clip.listing.tracks.values()],
        "chapters": [
            {"start_s": seconds(start), "end_s": seconds(end), "title": title}
            for start, end, title in clip.metadata.chapters
        ],
        "timecode": info.timecode,
        "made_by": made_by(clip.metadata.values.get("comment")),
    }


def container_of(info: VideoInfo) -> str:
    """As ffmpeg calls what it writes: by the name that FrameStyle would give it, else by what is in it."""
    names = info.container.split(",")
    by_name = MUXERS.get(info.path.suffix.lower())
    if by_name is not None and (by_name in names or len(names) == 1):
        return by_name
    return "mp4" if "mp4" in names else names[0]


def _stream_facts(track: Track) -> dict[str, Any]:
    stream, packets = track.stream, track.packets
    return {
        "index": stream.index,
        "kind": "cover" if stream.is_cover else stream.kind,
        "codec": stream.codec,
        "language": None if stream.language == "und" else stream.language,
        "title": stream.title or stream.name,
        "packets": len(packets),
        "decoded": len(track.frames) if track.is_decoded else None,
        "start_s": seconds(min((one.at_s for one in packets), default=None)),
        "end_s": seconds(track.end_s),
    }


def is_constant(times: Sequence[Fraction], info: VideoInfo) -> bool:
    """Whether each frame is where the rate puts it, to the tick that the file counts in."""
    return all(abs(at - times[0] - n / info.frame_rate) <= info.time_base for n, at in enumerate(times))
