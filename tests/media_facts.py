"""What a file really holds, asked of ffmpeg in other ways than the program does."""

from __future__ import annotations

import re
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

from framestyle.media.ffmpeg import ffmpeg_exe
from framestyle.media.video.boxes import inside, movie


def encode(*arguments: str, data: bytes | None = None) -> None:
    """ffmpeg, with `data` on its standard input."""
    command = [ffmpeg_exe(), "-v", "error", *([] if data else ["-nostdin"]), "-y", *arguments]
    subprocess.run(command, check=True, input=data)


def ask(*arguments: str) -> bytes:
    """What ffmpeg writes to its output."""
    return subprocess.run(
        [ffmpeg_exe(), "-v", "error", "-nostdin", *arguments], check=True, capture_output=True
    ).stdout


def told_of(path: Path) -> str:
    """ffmpeg's description."""
    command = [ffmpeg_exe(), "-hide_banner", "-nostdin", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def packets(path: Path, stream: str = "0:v:0") -> tuple[Fraction, list[Fraction], list[Fraction]]:
    """The time base, when each packet of a stream is shown, in order, and for how long; as the file counts, from 0."""
    listed = ask("-copyts", "-i", str(path), "-map", stream, "-c", "copy", "-f", "framecrc", "-").decode()
    found = re.search(r"^#tb 0: (\d+)/(\d+)$", listed, re.MULTILINE)
    assert found is not None, listed
    tick = Fraction(int(found[1]), int(found[2]))
    rows = [line.split(",") for line in listed.splitlines() if not line.startswith("#")]
    shown = sorted((int(row[2]) * tick, int(row[3]) * tick) for row in rows)
    return tick, [at for at, _ in shown], [length for _, length in shown]


def sound_md5(path: Path, stream: str = "0:a") -> bytes:
    """Over the sound's packets as they are."""
    return ask("-i", str(path), "-map", stream, "-c", "copy", "-f", "md5", "-")


def decoded_times(path: Path) -> tuple[Fraction, list[Fraction]]:
    """The time base, and when ffmpeg's own decoder shows each frame."""
    listed = ask(
        *("-copyts", "-i", str(path), "-map", "0:v:0", "-fps_mode", "passthrough"),
        *("-enc_time_base", "demux", "-f", "framecrc", "-"),
    ).decode()
    found = re.search(r"^#tb 0: (\d+)/(\d+)$", listed, re.MULTILINE)
    assert found is not None, listed
    tick = Fraction(int(found[1]), int(found[2]))
    rows = [line.split(",") for line in listed.splitlines() if not line.startswith("#")]
    return tick, [int(row[2]) * tick for row in rows]


def pictures_as_subtitles(path: Path) -> None:
    """A PGS stream, as Blu-rays have it: one black pixel for a second."""

    def segment(at_s: int, kind: int, body: str) -> bytes:
        data = bytes.fromhex(body)
        return (
            b"PG"
            + (at_s * 90_000).to_bytes(4, "big")
            + bytes(4)
            + bytes([kind])
            + len(data).to_bytes(2, "big")
            + data
        )

    window = segment(1, 0x17, "01 00 0000 0000 0001 0001")
    palette = segment(1, 0x14, "00 00 01 10 80 80 ff")
    thing = segment(1, 0x15, "0000 00 c0 000008 0001 0001 01 00 00 00")
    shown = segment(1, 0x16, "0040 0030 10 0000 80 00 00 01 0000 00 00 0000 0000")
    gone = segment(2, 0x16, "0040 0030 10 0001 00 00 00 00")
    path.write_bytes(shown + window + palette + thing + segment(1, 0x80, "") + gone + segment(2, 0x80, ""))


def crop_in_container(path: Path, width: int = 48, height: int = 32) -> None:
    """A `clap` box for the first stream of an MP4 or MOV without faststart: players show so much of its middle."""
    data = bytearray(path.read_bytes())
    clap = struct.pack(">I4s8I", 40, b"clap", width, 1, height, 1, 0, 1, 0, 1)
    kinds = (b"mdia", b"minf", b"stbl", b"stsd")
    with path.open("rb") as file:
        moov = movie(file)
        assert moov is not None
        track = next(inside(file, moov, b"trak"))
        chain = [next(inside(file, track, *kinds[: n + 1])) for n in range(len(kinds))]
    entry = chain[-1].start + 8
    at = entry + struct.unpack(">I", data[entry : entry + 4])[0]
    for start in (moov.start - 8, track.start - 8, *(box.start - 8 for box in chain), entry):
        data[start : start + 4] = struct.pack(
            ">I", struct.unpack(">I", data[start : start + 4])[0] + len(clap)
        )
    data[at:at] = clap
    path.write_bytes(data)
