"""What players are told of a stream: which is the default, which subtitles are forced, what is a commentary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from framestyle.media.video.boxes import inside, movie
from framestyle.media.video.description import DISPOSITIONS, Stream
from framestyle.media.video.probe import VideoInfo

SILENT_CONTAINERS = {"avi", "flv", "mpegts", "mpeg", "ogg", "asf", "mxf", "nut", "ivf", "yuv4mpegpipe"}
"""That do not say which streams are the default."""
HELD: Mapping[str, set[str]] = {
    "matroska": {"default", "forced", "original", "comment", "hearing_impaired", "visual_impaired"},
    "webm": {"default", "forced", "original", "comment", "hearing_impaired", "visual_impaired"},
    "mp4": {"default", "forced", "comment", "dub", "hearing_impaired", "visual_impaired"},
    "mov": {"default"},
}
"""What comes back from each container as ffmpeg writes it."""
TEXT_HANDLERS = {b"sbtl", b"text", b"subt", b"clcp"}
ENABLED = 1


def dispositions_of(info: VideoInfo, stream: Stream) -> frozenset[str]:
    """What is to be said of a stream in a result. Where its own file says nothing, the first of pictures and of sounds
    is the default; subtitles are not."""
    if not SILENT_CONTAINERS & set(info.container.split(",")):
        return stream.dispositions
    alike = [one.index for one in info.streams if one.kind == stream.kind and not one.is_cover]
    is_default = stream.kind in ("video", "audio") and alike[:1] == [stream.index]
    return stream.dispositions | ({"default"} if is_default else frozenset())


def lost_dispositions(info: VideoInfo, stream: Stream, muxer: str) -> frozenset[str]:
    """What a container has no place for."""
    return dispositions_of(info, stream) - HELD.get(muxer, DISPOSITIONS)


def switch_subtitles_off(path: Path) -> None:
    """In an MP4 or MOV, where ffmpeg makes the first of each kind the default if none is: no subtitles are, then."""
    with path.open("r+b") as file:
        moov = movie(file)
        for track in inside(file, moov, b"trak") if moov else ():
            handler = next(inside(file, track, b"mdia", b"hdlr"), None)
            head = next(inside(file, track, b"tkhd"), None)
            if handler is None or head is None:
                continue
            file.seek(handler.start + 8)
            if file.read(4) in TEXT_HANDLERS:
                file.seek(head.start + 3)  # the last byte of the flags
                flags = file.read(1)[0]
                file.seek(head.start + 3)
                file.write(bytes([flags & ~ENABLED]))
